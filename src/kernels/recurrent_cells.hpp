#pragma once

#include "recurrence.hpp"
#include "sequence_driver.hpp"

namespace afterspike::kernels {

/// Some of the targets of a neuron.
struct TargetRange {
  std::int64_t first = 0, count = 1;
};

/// Sizes of a layer of neurons with a voltage each.
struct VoltageSizes {
  std::int64_t rows = 0, inputs = 0, neurons = 0, delay = 1;
  std::int64_t planes = 2;  ///< That a step touches.
  std::int64_t chunk_bytes = kChunkBytes;
  /// Targets of products that a neuron has, and which of them inputs and emissions reach.
  std::int64_t targets = 1;
  TargetRange input = {}, recurrent = {};
};

/// Neurons with one voltage each, to which all synapses add: the part that does not depend on their
/// dynamics. Planes are [rows, columns]. Voltages become their gradients on the way back. Kernels
/// derive from it and add coefficients, states and the steps.
///
/// Neurons with several targets have planes [rows, targets, columns] in the place of voltages, to
/// which products are written.
template <typename T>
struct VoltageCells : CellsBase<T> {
  using Base = CellsBase<T>;

  VoltageCells(const VoltageSizes& given, Layout<T>& own) : Base(own), sizes(given) {}

  void load() {
    recurrence.load();
    masks.load();
  }

  std::int64_t block() const { return block_steps; }
  std::int64_t block_begin(std::int64_t begin, std::int64_t end) const {
    return std::max(begin, end - block_steps);
  }

  void drive(const T* input, std::int64_t begin, std::int64_t end) {
    products.multiply((end - begin) * sizes.rows, input, {input_weight.value, input_stride},
                      input_width, {voltage.at(begin) + input_offset, stride});
  }

  void copy_out(std::int64_t t, T* to) const {
    unpad(emitted.at(t), sizes.rows, columns, to, neurons);
  }

  void copy_state(std::string_view name, T* to) const {
    if (name == "emitted") Base::copy_emissions(*this, sizes.delay, to);
    if (name == "voltage") unpad(voltage.at(l.steps - 1), sizes.rows, columns, to, neurons);
  }

  /// Writes the gradient by the emissions of steps [begin, end) into `emitted_gradient`.
  void gather_emitted_gradient(std::int64_t begin, std::int64_t end) {
    const std::int64_t last = recurrence.last_arriving(end);
    // The product writes all of the block unless something else goes into it, too.
    const bool product_alone = last == end && end <= Base::first && !masks.recurrent();
    for (std::int64_t t = begin; !product_alone && t < end; ++t) {
      T* to = emitted_gradient + (t - begin) * plane;
      if (const T* given = Base::given_gradient_at(t)) {
        pad(given, sizes.rows, neurons, to, columns);
      } else {
        std::fill_n(to, plane, T(0));
      }
    }
    if (begin >= last) return;
    const T* reached = voltage.at(begin + sizes.delay) + recurrent_offset;
    if (!masks.recurrent()) {
      recurrence.go_back(last - begin, reached, product_alone ? T(0) : T(1), emitted_gradient);
      return;
    }
    recurrence.go_back(last - begin, reached, T(0), arrived_gradient);
    masks.apply_recurrent(arrived_gradient, begin + sizes.delay, last - begin, arrived_gradient);
    for (std::int64_t i = 0; i < (last - begin) * plane; ++i) {
      emitted_gradient[i] += arrived_gradient[i];
    }
  }

  void weight_gradients(const T* input, std::int64_t begin, std::int64_t end) {
    products.add_weight_gradient((end - begin) * sizes.rows, input,
                                 {voltage.at(begin) + input_offset, stride}, input_width,
                                 {input_weight.sum, input_stride});
    // Emissions are paired with the gradient of the later steps that they reach: both have just
    // been used.
    const std::int64_t last = recurrence.last_arriving(end), reached = begin + sizes.delay;
    if (begin >= last) return;
    recurrence.add_weight_gradient(emitted, masks, reached, last - begin,
                                   voltage.at(reached) + recurrent_offset);
  }

  void input_gradient(std::int64_t begin, std::int64_t end, T* to) {
    gemm<T>(Take::plain, Take::transposed, (end - begin) * sizes.rows, sizes.inputs,
            used(sizes.input, neurons), {voltage.at(begin) + input_offset, stride},
            {input_weight.value, input_stride}, T(0), {to, sizes.inputs});
  }

  /// Elements of a row of these targets of which the last `of_one` are used.
  std::int64_t used(const TargetRange& range, std::int64_t of_one) const {
    return (range.count - 1) * columns + of_one;
  }

  const VoltageSizes sizes;
  Layout<T>& l = Base::layout;
  const std::int64_t neurons = sizes.neurons;
  const std::int64_t width = rounded_up(neurons, kRowElements<T>);  ///< Computed columns.
  const std::int64_t columns = apart_in_cache<T>(width), plane = sizes.rows * columns;
  const std::int64_t chunk =
      l.cut(static_cast<std::int64_t>(sizeof(T)) * plane * sizes.planes, sizes.chunk_bytes);
  const std::int64_t block_steps = std::min(sizes.delay, chunk);

  const std::int64_t stride = sizes.targets * columns;  ///< From row to row of all targets.
  const std::int64_t input_stride = sizes.input.count * columns;
  const std::int64_t input_offset = sizes.input.first * columns;
  const std::int64_t input_width = used(sizes.input, width);
  const std::int64_t recurrent_offset = sizes.recurrent.first * columns;

  const Parameter<T>& input_weight = l.parameter(
      "input_weight", {sizes.inputs, sizes.input.count* neurons}, columns, sizes.input.count);
  const Parameter<T>& recurrent_weight =
      l.parameter("recurrent_weight", {neurons, sizes.recurrent.count* neurons}, columns,
                  sizes.recurrent.count);
  const Track<T> emitted = l.track(plane, {.lead = sizes.delay, .rest = 1, .across = true});
  const Track<T> voltage =
      l.track(sizes.rows * stride, {.lead = 1, .rest = 1, .tail = sizes.delay, .across = true});
  T* const emitted_gradient = l.kept(block_steps * plane);
  T* const arrived_gradient = l.kept(l.kind.recurrent_mask ? block_steps * plane : 0);
  PaddedMasks<T> masks{l.masks, sizes.rows, neurons, columns, l.array(plane)};
  const InputProducts<T> products{chunk * sizes.rows, sizes.inputs, l.arena};
  const Recurrence<T> recurrence{{.units = neurons,
                                  .columns = columns,
                                  .targets = used(sizes.recurrent, neurons),
                                  .target_stride = stride,
                                  .weight_stride = sizes.recurrent.count * columns,
                                  .back_inner = used(sizes.recurrent, neurons),
                                  .back_columns = width,
                                  .gradient_columns = used(sizes.recurrent, width),
                                  .delay = sizes.delay},
                                 recurrent_weight,
                                 l};
};

}  // namespace afterspike::kernels
