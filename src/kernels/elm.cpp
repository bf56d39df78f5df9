#include "afterspike/kernels/elm.hpp"

#include "elm_mlp.hpp"
#include "sequence_driver.hpp"

namespace afterspike::kernels {

/// A plane is one step of all rows of memory units, [rows, columns], a wide plane one of hidden
/// units. On the way back results of maps become their gradients.
template <typename T>
struct Cells<Elm, T> : CellsBase<T> {
  using Base = CellsBase<T>;

  Cells(const ElmShape& given, const ElmSettings& constants, Layout<T>& own)
      : Base(own), shape(given), settings(constants) {}

  void load() {
    masks.load();
    mlp.load();
    if (l.history.kept) {
      mlp.transpose(recurrent_weight.value, shape.memory, sizes.first(), recurrent_transposed);
    }
  }

  void drive(const T* input, std::int64_t begin, std::int64_t end) {
    T* target = mlp.first_map(begin);
    const std::int64_t count = (end - begin) * shape.rows;
    products.multiply(count, input, {input_weight.value, width}, width, {target, width});
    for (std::int64_t t = begin; trace_keep != 0 && t < end; ++t) {
      row.add_scaled(wide, trace_keep, trace, mlp.first_map(t));
      std::copy_n(mlp.first_map(t), wide, trace);
    }
    row.add_to_each(count, width, bias.value, target);
  }

  /// Writes the memory that arrives at the MLP at step t.
  void recall(std::int64_t t, T* to) const {
    const T* before = memory.at(t - 1);
    const T* factor = t > 0 ? masks.factor(t - 1) : nullptr;
    for (std::int64_t i = 0; i < plane; i += columns) {
      for (std::int64_t j = 0; j < columns; ++j) {
        to[i + j] = keep.value[j] * before[i + j] * (factor != nullptr ? factor[i + j] : T(1));
      }
    }
    if (masks.recurrent()) masks.apply_recurrent(to, t, 1, to);
  }

  void forward_steps(std::int64_t t, std::int64_t /*end*/) {
    recall(t, recalled);
    mlp.multiply(shape.memory, sizes.first(), recalled, recurrent_weight.value, mlp.first_map(t),
                 Into::added);
    mlp.forward(t);
    row.memory_forward(step_of(t));
  }

  MemoryStep<T> step_of(std::int64_t t) const {
    return {shape.rows,       columns,         keep.value,  gain.value,
            memory.at(t - 1), mlp.delta.at(t), memory.at(t)};
  }

  void copy_out(std::int64_t t, T* to) const { masks.emit(memory.at(t), t, to); }

  void copy_state(std::string_view name, T* to) const {
    if (name == "emitted") copy_out(l.steps - 1, to);
    if (name == "memory") unpad(memory.at(l.steps - 1), shape.rows, columns, to, shape.memory);
  }

  void backward_steps(std::int64_t t, std::int64_t /*end*/) {
    MemoryGradients<T> gradients;
    gradients.factor = masks.factor(t);
    if (const T* outer = Base::given_gradient_at(t)) {
      pad(outer, shape.rows, shape.memory, emitted_gradient, columns);
      gradients.emitted = emitted_gradient;
    }
    gradients.recalled = recalled_gradient;
    gradients.after = after;
    gradients.keep = keep.sum;
    gradients.gain = gain.sum;
    row.memory_backward(step_of(t), gradients);
    mlp.backward(t);
    mlp.multiply(sizes.first(), shape.memory, mlp.first_map(t), recurrent_transposed,
                 recalled_gradient);
    if (masks.recurrent()) masks.apply_recurrent(recalled_gradient, t, 1, recalled_gradient);
  }

  void weight_gradients(const T* input, std::int64_t begin, std::int64_t end) {
    const std::int64_t count = (end - begin) * shape.rows;
    mlp.add_weight_gradients(begin, end);
    for (std::int64_t t = begin; t < end; ++t) recall(t, recalled_chunk + (t - begin) * plane);
    gemm<T>(Take::transposed, Take::plain, shape.memory, width, count, {recalled_chunk, columns},
            {mlp.first_map(begin), width}, T(1), {recurrent_weight.sum, width});
    row.add_up(count, width, mlp.first_map(begin), bias.sum);
    turn_into_trace_gradients(begin, end);
    products.add_weight_gradient(count, input, {mlp.first_map(begin), width}, width,
                                 {input_weight.sum, width});
  }

  /// Turns the gradients of the first map into those of the traces.
  void turn_into_trace_gradients(std::int64_t begin, std::int64_t end) const {
    if (trace_keep == 0) return;
    const T* after_step = trace_gradient;
    for (std::int64_t t = end - 1; t >= begin; --t) {
      row.add_scaled(wide, trace_keep, after_step, mlp.first_map(t));
      after_step = mlp.first_map(t);
    }
    std::copy_n(after_step, wide, trace_gradient);
  }

  void input_gradient(std::int64_t begin, std::int64_t end, T* to) {
    gemm<T>(Take::plain, Take::transposed, (end - begin) * shape.rows, shape.inputs, sizes.first(),
            {mlp.first_map(begin), width}, {input_weight.value, width}, T(0), {to, shape.inputs});
  }

  const ElmShape shape;
  const ElmSettings settings;
  Layout<T>& l = Base::layout;
  const Rows<T>& row = rows<T>();
  const T trace_keep = static_cast<T>(settings.trace_keep);
  const MlpSizes sizes{shape.rows, shape.layers, shape.width, shape.memory};
  const std::int64_t columns = rounded_up(shape.memory, kRowElements<T>);
  const std::int64_t width = rounded_up(sizes.first(), kRowElements<T>);
  const std::int64_t plane = shape.rows * columns, wide = shape.rows * width;
  const std::int64_t chunk =
      l.cut(static_cast<std::int64_t>(sizeof(T)) * (3 * plane + 2 * shape.layers * wide));

  const Parameter<T>& input_weight =
      l.parameter("input_weight", {shape.inputs, sizes.first()}, width);
  const Parameter<T>& bias = l.parameter("bias", {sizes.first()}, width);
  const Parameter<T>& recurrent_weight =
      l.parameter("recurrent_weight", {shape.memory, sizes.first()}, width);
  const Parameter<T>& keep = l.parameter("keep", {shape.memory}, columns);
  const Parameter<T>& gain = l.parameter("gain", {shape.memory}, columns);
  T* const recurrent_transposed = l.kept(sizes.first() * columns);

  const ElmMlp<T> mlp{sizes, settings.activation, l};
  const Track<T> memory = l.track(plane, {.lead = 1, .rest = 1});
  T* const trace = l.state(wide);
  T* const recalled = l.array(plane);
  PaddedMasks<T> masks{l.masks, shape.rows, shape.memory, columns, l.array(plane)};
  const InputProducts<T> products{chunk * shape.rows, shape.inputs, l.arena};
  T* const emitted_gradient = l.kept(plane);
  T* const after = l.sum(plane);
  T* const recalled_gradient = l.sum(plane);
  T* const trace_gradient = l.sum(wide);
  T* const recalled_chunk = l.kept(chunk * plane);
};

template class SequenceKernel<Elm, float>;
template class SequenceKernel<Elm, double>;

}  // namespace afterspike::kernels
