#include "afterspike/kernels/rnn.hpp"

#include "recurrence.hpp"
#include "rnn_cells.hpp"
#include "sequence_driver.hpp"

namespace afterspike::kernels {
namespace {

/// The shape with a delay as long as the sequence in place of a longer one: nothing arrives either
/// way.
RnnShape bounded(RnnShape shape) {
  require(shape.delay >= 1 && (shape.cell == RnnCell::vanilla || shape.delay == 1),
          ErrorKind::internal, "delay: found {} steps, expected 1, or more of vanilla units",
          shape.delay);
  shape.delay = std::min(shape.delay, shape.steps);
  return shape;
}

}  // namespace

/// A plane is one step of all rows, [rows, columns]; a wide plane has all blocks of a cell
/// (rnn_cells.hpp), [rows, width]. Blocks become gradients on the way back.
template <typename T>
struct Cells<Rnn, T> : CellsBase<T> {
  using Base = CellsBase<T>;

  Cells(const RnnShape& sizes, const RnnSettings& /*none*/, Layout<T>& own)
      : Base(own), shape(bounded(sizes)), delay(sizes.delay) {}

  std::int64_t block() const { return shape.delay; }
  /// The places of a block in recalled_gradient lie side by side.
  std::int64_t block_begin(std::int64_t begin, std::int64_t end) const {
    return std::max(begin, (end - 1) / shape.delay * shape.delay);
  }

  void load() {
    recurrence.load();
    masks.load();
    std::fill_n(bias, width, T(0));
    for (std::int64_t i = 0; i < gates; ++i) bias[i] += input_bias.value[i];
    for (std::int64_t i = 0; i < gates; ++i) bias[recurrent_place + i] += recurrent_bias.value[i];
  }

  /// The blocks that take the product with arriving emissions.
  T* recurrent_blocks(std::int64_t t) const { return blocks.at(t) + recurrent_place; }

  void drive(const T* input, std::int64_t begin, std::int64_t end) {
    const std::int64_t count = (end - begin) * shape.rows;
    T* to = blocks.at(begin);
    products.multiply(count, input, {input_weight.value, gates}, gates, {to, width});
    if (gates == width) return;
    for (std::int64_t i = 0; i < count; ++i) {
      std::fill(to + i * width + gates, to + (i + 1) * width, T(0));
    }
  }

  CellStep<T> step_of(std::int64_t t) const {
    CellStep<T> step;
    step.rows = shape.rows;
    step.columns = columns;
    step.bias = bias;
    step.factor = masks.factor(t);
    step.blocks = blocks.at(t);
    step.emitted = emitted.at(t);
    if (shape.cell == RnnCell::lstm) {
      step.before = cell.at(t - 1);
      step.cell = cell.at(t);
    } else if (shape.cell == RnnCell::gru) {
      step.before = emitted.at(t - 1);
    }
    return step;
  }

  void forward_steps(std::int64_t begin, std::int64_t end) {
    recurrence.arrive(emitted, masks, begin, end, recurrent_blocks(begin));
    for (std::int64_t t = begin; t < end; ++t) functions.forward(shape.cell, step_of(t));
    emitted.repeat(begin, end);
  }

  void copy_out(std::int64_t t, T* to) const {
    unpad(emitted.at(t), shape.rows, columns, to, units);
  }

  void copy_state(std::string_view name, T* to) const {
    if (name == "emitted") Base::copy_emissions(*this, delay, to);
    if (name == "cell") unpad(cell.at(l.steps - 1), shape.rows, columns, to, units);
  }

  void backward_steps(std::int64_t begin, std::int64_t end) {
    T* const recalled = recalled_gradient + begin % shape.delay * plane;
    for (std::int64_t t = end - 1; t >= begin; --t) {
      CellGradients<T> gradients;
      if (const T* given = Base::given_gradient_at(t)) {
        pad(given, shape.rows, units, emitted_gradient, columns);
        gradients.emitted = emitted_gradient;
      }
      gradients.recalled = recalled + (t - begin) * plane;
      gradients.state = state_gradient;
      functions.backward(shape.cell, step_of(t), gradients);
    }
    if (end <= shape.delay) return;
    recurrence.go_back(end - begin, recurrent_blocks(begin), T(0), recalled);
    if (masks.recurrent()) masks.apply_recurrent(recalled, begin, end - begin, recalled);
  }

  void weight_gradients(const T* input, std::int64_t begin, std::int64_t end) {
    const std::int64_t count = end - begin;
    row.add_up(count * shape.rows, width, blocks.at(begin), bias_sums);
    if (end > shape.delay) {
      recurrence.add_weight_gradient(emitted, masks, begin, count, recurrent_blocks(begin));
    }
    products.add_weight_gradient(count * shape.rows, input, {blocks.at(begin), width}, gates,
                                 {input_weight.sum, gates});
  }

  void input_gradient(std::int64_t begin, std::int64_t end, T* to) {
    gemm<T>(Take::plain, Take::transposed, (end - begin) * shape.rows, shape.inputs, gates,
            {blocks.at(begin), width}, {input_weight.value, gates}, T(0), {to, shape.inputs});
  }

  void finish() {
    std::copy_n(bias_sums, gates, input_bias.sum);
    std::copy_n(bias_sums + recurrent_place, gates, recurrent_bias.sum);
  }

  const RnnShape shape;
  const std::int64_t delay;  ///< Delay as it was given.
  Layout<T>& l = Base::layout;
  const Rows<T>& row = rows<T>();
  const CellFunctions<T>& functions = cell_functions<T>();
  const std::int64_t units = shape.units, columns = rounded_up(units, kRowElements<T>);
  const std::int64_t gate_count = rnn_gates(shape.cell), gates = gate_count * columns;
  const std::int64_t width = rnn_blocks(shape.cell) * columns;
  const std::int64_t recurrent_place = rnn_recurrent_block(shape.cell) * columns;
  const std::int64_t plane = shape.rows * columns, wide = shape.rows * width;
  const std::int64_t chunk = l.cut(static_cast<std::int64_t>(sizeof(T)) * (wide + 2 * plane));

  /// Gate g of a GRU's inputs goes to block (g + 1) % 3.
  const std::int64_t shift = shape.cell == RnnCell::gru ? 1 : 0;
  const Parameter<T>& input_weight =
      l.parameter("input_weight", {shape.inputs, gate_count* units}, columns, gate_count, shift);
  const Parameter<T>& recurrent_weight =
      l.parameter("recurrent_weight", {units, gate_count* units}, columns, gate_count);
  const Parameter<T>& input_bias =
      l.parameter("input_bias", {gate_count * units}, columns, gate_count, shift);
  const Parameter<T>& recurrent_bias = l.parameter("recurrent_bias", {gate_count * units}, columns,
                                                   gate_count, 0, /*optional=*/true);
  T* const bias = l.array(width);

  const Track<T> blocks = l.track(wide);
  const Track<T> emitted =
      l.track(plane, {.lead = shape.delay, .rest = shape.delay, .across = true});
  const Track<T> cell = l.track(shape.cell == RnnCell::lstm ? plane : 0, {.lead = 1, .rest = 1});
  T* const emitted_gradient = l.kept(plane);
  T* const recalled_gradient = l.sum(shape.delay * plane);  ///< By e(t) at place t % delay.
  T* const state_gradient = l.sum(plane);
  T* const bias_sums = l.sum(width);
  PaddedMasks<T> masks{l.masks, shape.rows, units, columns, l.array(plane)};
  const InputProducts<T> products{chunk * shape.rows, shape.inputs, l.arena};
  const Recurrence<T> recurrence{{.units = units,
                                  .columns = columns,
                                  .targets = gates,
                                  .target_stride = width,
                                  .weight_stride = gates,
                                  .back_inner = gates,
                                  .back_columns = columns,
                                  .gradient_columns = gates,
                                  .delay = shape.delay},
                                 recurrent_weight,
                                 l};
};

template class SequenceKernel<Rnn, float>;
template class SequenceKernel<Rnn, double>;

}  // namespace afterspike::kernels
