#include "afterspike/kernels/elm_network.hpp"

#include <cmath>

#include "elm_mlp.hpp"
#include "sequence_driver.hpp"

namespace afterspike::kernels {

/// Data of neurons lie in rows of `lanes` elements, one for each neuron and padding: a thin row is
/// one such part, a row of memory has one for each memory unit, a wide row one for each hidden
/// unit. Planes are the rows of all sequences at one step.
///
/// Synapses and branches are linear before the first map of the MLPs, as that map is: they are
/// folded into one matrix from sources, inputs first and neurons after them, to hidden units.
template <typename T>
struct Cells<ElmNetwork, T> : CellsBase<T> {
  using Base = CellsBase<T>;

  Cells(const ElmNetworkShape& given, const ElmNetworkSettings& constants, Layout<T>& own)
      : Base(own), shape(given), settings(constants) {}

  void load() {
    masks.load();
    fold_synapses();
    mlp.load();
    if (!l.history.kept) return;
    mlp.transpose(recurrent_weight.value, shape.memory, sizes.first(), recurrent_transposed);
    pad_transposed<T>({back_weight, width}, neurons, width, back_transposed, lanes);
  }

  /// Calls visit(place, synapse, weight) for every synapse and hidden unit: the place in the folded
  /// matrix, the number of the synapse, and that of the weight of its branch.
  template <typename Visit>
  void for_folded(const Visit& visit) const {
    const std::int64_t per_branch = shape.synapses / shape.branches;
    for (std::int64_t n = 0; n < neurons; ++n) {
      for (std::int64_t s = 0; s < shape.synapses; ++s) {
        const std::int64_t synapse = n * shape.synapses + s;
        const std::int64_t place = settings.connectome[synapse] * width + n;
        const std::int64_t weight = (n * shape.branches + s / per_branch) * sizes.first();
        for (std::int64_t h = 0; h < sizes.first(); ++h) {
          visit(place + h * lanes, synapse, weight + h);
        }
      }
    }
  }

  void fold_synapses() const {
    std::fill_n(fold, (shape.inputs + neurons) * width, T(0));
    for_folded([&](std::int64_t place, std::int64_t synapse, std::int64_t weight) {
      fold[place] += input_scale * synapse_weight.given[synapse] * input_weight.given[weight];
    });
  }

  void finish() {
    std::fill_n(synapse_weight.gradient, neurons * shape.synapses, T(0));
    std::fill_n(input_weight.gradient, neurons * shape.branches * sizes.first(), T(0));
    for_folded([&](std::int64_t place, std::int64_t synapse, std::int64_t weight) {
      const T gradient = input_scale * fold_sums[place];
      synapse_weight.gradient[synapse] += gradient * input_weight.given[weight];
      input_weight.gradient[weight] += gradient * synapse_weight.given[synapse];
    });
  }

  void drive(const T* input, std::int64_t begin, std::int64_t end) {
    products.multiply((end - begin) * shape.rows, input, {fold, width}, width,
                      {mlp.first_map(begin), width});
  }

  /// Writes the emissions of the step before as they arrive at step t.
  void arrive(std::int64_t t, T* to) const {
    const T* factor = t > 0 ? masks.factor(t - 1) : nullptr;
    const T* before = activity.at(t - 1);
    for (std::int64_t i = 0; i < thin; ++i) to[i] = factor ? before[i] * factor[i] : before[i];
    if (masks.recurrent()) masks.apply_recurrent(to, t, 1, to);
  }
  void recall(std::int64_t t, T* to) const {
    const T* before = memory.at(t - 1);
    for (std::int64_t i = 0; i < plane; i += columns) {
      for (std::int64_t j = 0; j < columns; ++j) to[i + j] = keep.value[j] * before[i + j];
    }
  }

  void forward_steps(std::int64_t t, std::int64_t /*end*/) {
    T* sums = mlp.first_map(t);
    arrive(t, arrived);
    row.multiply(shape.rows, neurons, width, arrived, lanes, back_weight, Into::added, sums);
    if (branch_keep != 0) {
      row.add_scaled(wide, branch_keep, trace, sums);
      std::copy_n(sums, wide, trace);
    }
    row.add_to_each(shape.rows, width, bias.value, sums);
    recall(t, recalled);
    mlp.multiply(shape.memory, sizes.first(), recalled, recurrent_weight.value, sums, Into::added);
    mlp.forward(t);
    if (!Base::again) add_magnitude(t);
    row.memory_forward(step_of(t));
    read_out(t);
  }

  /// Calls visit(i, k, j) for each memory unit of each neuron of sequence r: the places i of the
  /// neuron in a thin plane, k of the unit in a plane, j of the unit in a row.
  template <typename Visit>
  void for_memory_of(std::int64_t r, const Visit& visit) const {
    for (std::int64_t m = 0; m < shape.memory; ++m) {
      const std::int64_t j = m * lanes;
      for (std::int64_t n = 0; n < lanes; ++n) visit(r * lanes + n, r * columns + j + n, j + n);
    }
  }
  template <typename Visit>
  void for_memory(const Visit& visit) const {
    for (std::int64_t r = 0; r < shape.rows; ++r) for_memory_of(r, visit);
  }

  /// Steps of a sequence that count in its magnitude.
  std::int64_t length(std::int64_t r) const {
    return settings.lengths != nullptr ? settings.lengths[r] : shape.steps;
  }
  /// Weight of |o| of a step and memory unit in the magnitude of a sequence.
  T share(std::int64_t r) const { return T(1) / static_cast<T>(length(r) * shape.memory); }

  void add_magnitude(std::int64_t t) const {
    const T* from = mlp.delta.at(t);
    for (std::int64_t r = 0; r < shape.rows; ++r) {
      if (t >= length(r)) continue;
      for_memory_of(r, [&](std::int64_t i, std::int64_t k, std::int64_t) {
        magnitude[i] += std::abs(from[k]);
      });
    }
  }
  void copy_magnitude(T* to) const {
    for (std::int64_t r = 0; r < shape.rows; ++r) {
      const T own = share(r);
      for (std::int64_t n = 0; n < neurons; ++n) *to++ = magnitude[r * lanes + n] * own;
    }
  }

  /// From memory to activity.
  void read_out(std::int64_t t) const {
    T* target = activity.at(t);
    const T* from = memory.at(t);
    std::fill_n(target, thin, T(0));
    for_memory([&](std::int64_t i, std::int64_t k, std::int64_t j) {
      target[i] += memory_weight.value[j] * from[k];
    });
    for (std::int64_t i = 0; i < thin; ++i) {
      T value = target[i];
      if (low_pass_keep != 0) {
        low[i] = low_pass_keep * low[i] + (1 - low_pass_keep) * value;
        value -= low[i];
      }
      value += threshold.value[i % lanes];
      target[i] = settings.rectified && value < 0 ? T(0) : value;  // NaN stays NaN.
    }
  }

  MemoryStep<T> step_of(std::int64_t t) const {
    return {shape.rows,       columns,         keep.value,  gain.value,
            memory.at(t - 1), mlp.delta.at(t), memory.at(t)};
  }

  void copy_out(std::int64_t t, T* to) const { masks.emit(activity.at(t), t, to); }

  void copy_state(std::string_view name, T* to) const {
    if (name == "emitted") copy_out(l.steps - 1, to);
    if (name == "low_pass") unpad(low, shape.rows, lanes, to, neurons);
    if (name != "memory") return;
    const T* from = memory.at(l.steps - 1);
    for (std::int64_t r = 0; r < shape.rows; ++r) {
      for (std::int64_t n = 0; n < neurons; ++n) {
        for (std::int64_t m = 0; m < shape.memory; ++m) *to++ = from[r * columns + m * lanes + n];
      }
    }
  }

  /// The trace gradient after this chunk is the first of the chunk that was before.
  void prepare_backward(std::int64_t begin, std::int64_t end) {
    std::copy_n(trace_gradient, wide, trace_gradient + (end - begin) * wide);
  }

  /// The gradient by activity, from emissions and their arrival.
  void gather_emitted_gradient(std::int64_t t) const {
    std::copy_n(back_gradient, thin, emitted_gradient);
    if (const T* outer = Base::given_gradient_at(t)) {
      for (std::int64_t r = 0; r < shape.rows; ++r) {
        for (std::int64_t n = 0; n < neurons; ++n) emitted_gradient[r * lanes + n] += *outer++;
      }
    }
    if (const T* factor = masks.factor(t)) {
      for (std::int64_t i = 0; i < thin; ++i) emitted_gradient[i] *= factor[i];
    }
  }

  /// From the gradient by activity to that by memory.
  void read_out_back(std::int64_t t) const {
    const T* value = activity.at(t);
    for (std::int64_t i = 0; i < thin; ++i) {
      const T gradient = settings.rectified && !(value[i] > 0) ? T(0) : emitted_gradient[i];
      threshold.sum[i % lanes] += gradient;
      readout_gradient[i] = gradient;
      if (low_pass_keep != 0) {
        low_gradient[i] = low_pass_keep * low_gradient[i] - gradient;
        readout_gradient[i] += (1 - low_pass_keep) * low_gradient[i];
      }
    }
    const T* from = memory.at(t);
    for_memory([&](std::int64_t i, std::int64_t k, std::int64_t j) {
      memory_weight.sum[j] += readout_gradient[i] * from[k];
      memory_gradient[k] = readout_gradient[i] * memory_weight.value[j];
    });
  }

  /// The gradient by |o|, from the last step of each sequence on backwards.
  void begin_magnitude(std::int64_t t) const {
    for (std::int64_t r = 0; r < shape.rows; ++r) {
      if (t + 1 != length(r)) continue;
      const T own = share(r);
      for (std::int64_t m = 0; m < shape.memory; ++m) {
        for (std::int64_t n = 0; n < neurons; ++n) {
          magnitude_gradient[r * columns + m * lanes + n] =
              own * Base::given_magnitude_gradient[r * neurons + n];
        }
      }
    }
  }

  void backward_steps(std::int64_t t, std::int64_t /*end*/) {
    const std::int64_t place = t % l.chunk;
    gather_emitted_gradient(t);
    if (Base::given_magnitude_gradient != nullptr) begin_magnitude(t);
    read_out_back(t);
    MemoryGradients<T> gradients;
    gradients.emitted = memory_gradient;
    gradients.recalled = recalled_gradient;
    gradients.magnitude = Base::given_magnitude_gradient != nullptr ? magnitude_gradient : nullptr;
    gradients.after = after;
    gradients.keep = keep.sum;
    gradients.gain = gain.sum;
    row.memory_backward(step_of(t), gradients);
    mlp.backward(t);
    const T* gradient = mlp.first_map(t);
    mlp.multiply(sizes.first(), shape.memory, gradient, recurrent_transposed, recalled_gradient);
    T* of_trace = trace_gradient + place * wide;
    std::copy_n(gradient, wide, of_trace);
    if (branch_keep != 0) row.add_scaled(wide, branch_keep, of_trace + wide, of_trace);
    row.multiply(shape.rows, width, lanes, of_trace, width, back_transposed, Into::replaced,
                 back_gradient);
    if (masks.recurrent()) masks.apply_recurrent(back_gradient, t, 1, back_gradient);
  }

  void weight_gradients(const T* input, std::int64_t begin, std::int64_t end) {
    const std::int64_t count = (end - begin) * shape.rows;
    mlp.add_weight_gradients(begin, end);
    for (std::int64_t t = begin; t < end; ++t) {
      recall(t, recalled_chunk + (t - begin) * plane);
      arrive(t, arrived_chunk + (t - begin) * thin);
    }
    row.add_outer_each(count, shape.memory, sizes.first(), lanes, recalled_chunk,
                       mlp.first_map(begin), recurrent_weight.sum);
    row.add_up(count, width, mlp.first_map(begin), bias.sum);
    const Matrix<const T> of_trace{trace_gradient, width};
    gemm<T>(Take::transposed, Take::plain, neurons, width, count, {arrived_chunk, lanes}, of_trace,
            T(1), {fold_sums + shape.inputs * width, width});
    products.add_weight_gradient(count, input, of_trace, width, {fold_sums, width});
  }

  void input_gradient(std::int64_t begin, std::int64_t end, T* to) {
    gemm<T>(Take::plain, Take::transposed, (end - begin) * shape.rows, shape.inputs, width,
            {trace_gradient, width}, {fold, width}, T(0), {to, shape.inputs});
  }

  const ElmNetworkShape shape;
  const ElmNetworkSettings settings;
  Layout<T>& l = Base::layout;
  const Rows<T>& row = rows<T>();
  const T input_scale = static_cast<T>(settings.input_scale);
  const T branch_keep = static_cast<T>(settings.branch_keep);
  const T low_pass_keep = static_cast<T>(settings.low_pass_keep);
  const std::int64_t neurons = shape.neurons;
  const MlpSizes sizes{shape.rows, shape.layers, shape.width, shape.memory, neurons};
  const std::int64_t lanes = rounded_up(neurons, kRowElements<T>);
  const std::int64_t columns = shape.memory * lanes, width = sizes.first() * lanes;
  const std::int64_t thin = shape.rows * lanes, plane = shape.rows * columns;
  const std::int64_t wide = shape.rows * width;
  const std::int64_t chunk =
      l.cut(static_cast<std::int64_t>(sizeof(T)) * (3 * plane + 2 * (shape.layers + 1) * wide));

  const Parameter<T>& synapse_weight = l.uncopied("synapse_weight", {neurons, shape.synapses});
  const Parameter<T>& input_weight =
      l.uncopied("input_weight", {neurons, shape.branches, sizes.first()});
  const Parameter<T>& recurrent_weight =
      l.lanes("recurrent_weight", {neurons, shape.memory, sizes.first()}, lanes);
  const Parameter<T>& bias = l.lanes("bias", {neurons, sizes.first()}, lanes);
  const Parameter<T>& memory_weight = l.lanes("memory_weight", {neurons, shape.memory}, lanes);
  const Parameter<T>& threshold = l.lanes("threshold", {neurons}, lanes);
  const Parameter<T>& keep = l.lanes("keep", {neurons, shape.memory}, lanes);
  const Parameter<T>& gain = l.lanes("gain", {neurons, shape.memory}, lanes);

  T* const fold = l.array((shape.inputs + neurons) * width);  ///< [inputs + neurons, width]
  const T* const back_weight = fold + shape.inputs * width;   ///< Its part from neurons.
  T* const back_transposed = l.kept(width * lanes);
  T* const fold_sums = l.sum((shape.inputs + neurons) * width);
  T* const recurrent_transposed = l.kept(shape.memory * width);

  const ElmMlp<T> mlp{sizes, settings.activation, l};
  const Track<T> memory = l.track(plane, {.lead = 1, .rest = 1});
  const Track<T> activity = l.track(thin, {.lead = 1, .rest = 1});
  T* const trace = l.state(wide);
  T* const low = l.state(thin);
  T* const magnitude = l.cleared(thin);
  T* const arrived = l.array(thin);
  T* const recalled = l.array(plane);
  PaddedMasks<T> masks{l.masks, shape.rows, neurons, lanes, l.array(thin)};
  const InputProducts<T> products{chunk * shape.rows, shape.inputs, l.arena};

  T* const emitted_gradient = l.kept(thin);
  T* const low_gradient = l.sum(thin);
  T* const readout_gradient = l.kept(thin);
  T* const back_gradient = l.sum(thin);
  T* const memory_gradient = l.kept(plane);
  T* const after = l.sum(plane);
  T* const recalled_gradient = l.sum(plane);
  T* const magnitude_gradient = l.sum(plane);
  T* const trace_gradient = l.sum((1 + chunk) * wide);  ///< At each step of a chunk and after it.
  T* const recalled_chunk = l.kept(chunk * plane);
  T* const arrived_chunk = l.kept(chunk * thin);
};

template class SequenceKernel<ElmNetwork, float>;
template class SequenceKernel<ElmNetwork, double>;

}  // namespace afterspike::kernels
