#include "afterspike/kernels/rnn.hpp"

#include <algorithm>

#include "afterspike/base/denormals.hpp"
#include "afterspike/base/error.hpp"
#include "afterspike/kernels/gemm.hpp"
#include "afterspike/kernels/workspace.hpp"
#include "arena.hpp"
#include "history.hpp"
#include "input_products.hpp"
#include "padded_masks.hpp"
#include "padding.hpp"
#include "rnn_cells.hpp"
#include "rows.hpp"

namespace afterspike::kernels {
namespace {

/// The parts of a workspace. A plane is one step of all rows, [rows, columns]; a wide plane has all
/// blocks of a cell (rnn_cells.hpp), [rows, width].
///
/// A sequence is cut into segments and these into chunks. What the backward pass needs of the last
/// segment is kept by the forward pass; that of the others is computed again, from the state in
/// which each began, when the backward pass comes to them.
template <typename T>
struct Layout {
  std::int64_t columns, gates, width;  ///< Padded: of units, of all gates, of all blocks.
  std::int64_t plane, wide;
  std::int64_t chunk, segment, segments;
  bool whole_emitted;  ///< What is emitted is kept for all steps, not for those of a segment.

  T *input_weight, *recurrent_weight;  ///< [inputs, gates], [units, gates]
  T* recurrent_transposed;             ///< [gates, columns]
  T* bias;                             ///< [width]
  T* blocks;                           ///< [segment] wide planes.
  T* cell;     ///< [1 + segment] planes, from that before the segment on; of an LSTM.
  T* emitted;  ///< [delay + segment] planes, from those before the segment on; of all steps where
               ///< that takes no more than those and what each segment would save.
  T* factor;
  T* recalled;  ///< [chunk] planes, where there is a mask of what comes back.
  InputProducts<T> inputs;
  T *segment_cell, *segment_emitted;  ///< [segments] and [segments, delay] planes.
  T* emitted_gradient;
  T* recalled_gradient;  ///< [delay] planes: by what is emitted at step t in slot t % delay.
  T* state_gradient;
  T *input_sums, *recurrent_sums, *bias_sums;
  Sums<T> sums;  ///< All parts whose name ends so.

  Layout(const RnnShape& shape, History history, bool recurrent_mask, Arena& arena)
      : columns(rounded_up(shape.units, kRowElements<T>)),
        gates(rnn_gates(shape.cell) * columns),
        width(rnn_blocks(shape.cell) * columns),
        plane(shape.rows * columns),
        wide(shape.rows * width),
        chunk(chunk_of(shape)),
        // Without a history as long as the delay at least: what is emitted within one is copied
        // from each segment to the next.
        segment(steps_of_segment(history, shape.steps, chunk, shape.delay)),
        segments((shape.steps + segment - 1) / segment),
        inputs(chunk * shape.rows, shape.inputs, arena) {
    const bool kept = history.kept;
    const std::int64_t slots = std::min(segment, shape.steps);
    const std::int64_t saved = kept && segments > 1 ? segments : 0;
    whole_emitted = saved > 0 && (1 + saved) * shape.delay + slots >= shape.delay + shape.steps;
    const std::int64_t cells = shape.cell == RnnCell::lstm ? 1 : 0;
    const auto take = [&](std::int64_t count) { return arena.take<T>(count); };
    input_weight = take(shape.inputs * gates);
    recurrent_weight = take(shape.units * gates);
    recurrent_transposed = take(kept ? gates * columns : 0);
    bias = take(width);
    blocks = take(slots * wide);
    cell = take(cells * (1 + slots) * plane);
    emitted = take((shape.delay + (whole_emitted ? shape.steps : slots)) * plane);
    factor = take(plane);
    recalled = take(recurrent_mask ? chunk * plane : 0);
    segment_cell = take(cells * saved * plane);
    segment_emitted = take(whole_emitted ? 0 : saved * shape.delay * plane);
    emitted_gradient = take(kept ? plane : 0);
    recalled_gradient = take(kept ? shape.delay * plane : 0);
    state_gradient = take(kept ? plane : 0);
    const auto sum = [&](std::int64_t count) { return sums.take(arena, kept ? count : 0); };
    input_sums = sum(shape.inputs * gates);
    recurrent_sums = sum(shape.units * gates);
    bias_sums = sum(width);
  }

 private:
  std::int64_t chunk_of(const RnnShape& shape) const {
    const auto step_bytes = static_cast<std::int64_t>(sizeof(T)) * (wide + 2 * plane);
    return steps_of_chunk(step_bytes, shape.steps);
  }
};

/// With a delay as long as the sequence in place of a longer one: nothing comes back either way.
RnnShape bounded(RnnShape shape) {
  require(shape.delay >= 1 && (shape.cell == RnnCell::vanilla || shape.delay == 1),
          ErrorKind::internal, "delay: found {} steps, expected 1, or more of vanilla units",
          shape.delay);
  shape.delay = std::min(shape.delay, shape.steps);
  return shape;
}

template <typename T>
std::size_t layout_bytes(const RnnShape& shape, History history, bool recurrent_mask) {
  Arena arena(nullptr);
  const Layout<T> layout(bounded(shape), history, recurrent_mask, arena);
  return arena.bytes();
}

/// The gate whose product with the input a block takes. The product with what comes back of gate g
/// goes to block rnn_recurrent_block() + g.
std::int64_t input_gate(RnnCell cell, std::int64_t block) {
  return cell == RnnCell::gru ? (block + 2) % 3 : block;
}

}  // namespace

template <typename T>
struct RnnKernel<T>::Impl {
  Impl(const RnnShape& sizes, const RnnParameters<T>& parameters, const Masks<T>& given,
       History kept, std::size_t least)
      : shape(bounded(sizes)),
        history(kept),
        recurrent_block(rnn_recurrent_block(sizes.cell)),
        workspace(std::max(least, layout_bytes<T>(sizes, kept, given.recurrent != nullptr))),
        arena(workspace.data()),
        at(shape, kept, given.recurrent != nullptr, arena),
        masks(given, sizes.rows, sizes.units, at.columns, at.factor),
        row(rows<T>()),
        cells(cell_functions<T>()) {
    std::fill_n(at.bias, at.width, T(0));
    for (std::int64_t block = 0; block < rnn_gates(shape.cell); ++block) {
      const std::int64_t gate = input_gate(shape.cell, block);
      pad(gate_of(parameters.input_weight, gate), shape.inputs, shape.units,
          block_of(at.input_weight, block), at.columns);
      pad(gate_of(parameters.recurrent_weight, block), shape.units, shape.units,
          block_of(at.recurrent_weight, block), at.columns);
      T* own = at.bias + block * at.columns;
      T* recurrent = own + recurrent_block * at.columns;
      for (std::int64_t i = 0; i < shape.units; ++i) {
        own[i] += parameters.input_bias[gate * shape.units + i];
        if (parameters.recurrent_bias == nullptr) continue;
        recurrent[i] += parameters.recurrent_bias[block * shape.units + i];
      }
    }
    if (history.kept) {
      pad_transposed(at.recurrent_weight, shape.units, at.gates, at.recurrent_transposed,
                     at.columns);
    }
    if (shape.cell == RnnCell::lstm) std::fill_n(at.cell, at.plane, T(0));
    std::fill_n(at.emitted, shape.delay * at.plane, T(0));
  }

  /// Rows of one gate among those of all gates, as they are given and as a block here.
  template <typename U>
  Matrix<U> gate_of(U* all, std::int64_t gate) const {
    return {all + gate * shape.units, rnn_gates(shape.cell) * shape.units};
  }
  template <typename U>
  Matrix<U> block_of(U* all, std::int64_t block) const {
    return {all + block * at.columns, at.gates};
  }

  // Step t lies in slot t % segment of its segment.
  std::int64_t slot(std::int64_t t) const { return t % at.segment; }
  T* blocks(std::int64_t t) const { return at.blocks + slot(t) * at.wide; }
  /// e(t)
  T* emitted(std::int64_t t) const { return emitted_before(t) + shape.delay * at.plane; }
  /// e(t - delay)
  T* emitted_before(std::int64_t t) const {
    return at.emitted + (at.whole_emitted ? t : slot(t)) * at.plane;
  }
  /// Those that take the product with what comes back.
  T* recurrent_blocks(std::int64_t t) const { return blocks(t) + recurrent_block * at.columns; }

  /// What comes back at `count` steps from t on; until the next call.
  const T* recalled(std::int64_t t, std::int64_t count) const {
    if (!masks.recurrent()) return emitted_before(t);
    masks.apply_recurrent(emitted_before(t), t, count, at.recalled);
    return at.recalled;
  }

  /// What the inputs of steps [begin, end) contribute.
  void drive(const T* input, std::int64_t begin, std::int64_t end) const {
    const std::int64_t count = (end - begin) * shape.rows;
    T* to = blocks(begin);
    at.inputs.multiply(count, input + begin * shape.rows * shape.inputs,
                       {at.input_weight, at.gates}, at.gates, {to, at.width});
    if (at.gates == at.width) return;
    for (std::int64_t i = 0; i < count; ++i) {
      std::fill(to + i * at.width + at.gates, to + (i + 1) * at.width, T(0));
    }
  }

  CellStep<T> step_of(std::int64_t t) const {
    CellStep<T> step;
    step.rows = shape.rows;
    step.columns = at.columns;
    step.bias = at.bias;
    step.factor = masks.factor(t);
    step.blocks = blocks(t);
    step.emitted = emitted(t);
    if (shape.cell == RnnCell::lstm) {
      step.before = at.cell + slot(t) * at.plane;
      step.cell = at.cell + (1 + slot(t)) * at.plane;
    } else if (shape.cell == RnnCell::gru) {
      step.before = emitted_before(t);
    }
    return step;
  }

  /// Steps [begin, end) of a chunk, none of which comes back to another.
  void forward_block(std::int64_t begin, std::int64_t end) const {
    if (end > shape.delay) {  // Before, nothing comes back.
      gemm<T>(Take::plain, Take::plain, (end - begin) * shape.rows, at.gates, shape.units,
              {recalled(begin, end - begin), at.columns}, {at.recurrent_weight, at.gates}, T(1),
              {recurrent_blocks(begin), at.width});
    }
    for (std::int64_t t = begin; t < end; ++t) cells.forward(shape.cell, step_of(t));
  }

  void copy_out(std::int64_t t, T* target) const {
    unpad(emitted(t), shape.rows, at.columns, target, shape.units);
  }

  std::int64_t end_of(std::int64_t segment) const {
    return std::min(shape.steps, (segment + 1) * at.segment);
  }

  /// Runs a segment from the state before it, and writes what it emits where there is a target.
  void forward_segment(const T* input, std::int64_t segment, T* target) const {
    const std::int64_t last = end_of(segment);
    for (std::int64_t begin = segment * at.segment; begin < last; begin += at.chunk) {
      const std::int64_t end = std::min(last, begin + at.chunk);
      drive(input, begin, end);
      for (std::int64_t t = begin; t < end; t += shape.delay) {
        forward_block(t, std::min(end, t + shape.delay));
      }
      if (target == nullptr) continue;
      for (std::int64_t t = std::max(begin, first); t < end; ++t) {
        copy_out(t, target + (t - first) * shape.rows * shape.units);
      }
    }
  }

  void forward(const T* input, std::int64_t first_step, T* target) {
    first = first_step;
    const bool lstm = shape.cell == RnnCell::lstm;
    const std::int64_t before = shape.delay * at.plane;
    for (std::int64_t i = 0; i < at.segments; ++i) {
      if (i > 0) {
        // To a place before its own, which it may overlap.
        const T* last = at.emitted + at.segment * at.plane;
        if (!at.whole_emitted) std::copy(last, last + before, at.emitted);
        if (lstm) std::copy_n(at.cell + at.segment * at.plane, at.plane, at.cell);
      }
      if (history.kept && at.segments > 1) {
        if (!at.whole_emitted) std::copy_n(at.emitted, before, at.segment_emitted + i * before);
        if (lstm) std::copy_n(at.cell, at.plane, at.segment_cell + i * at.plane);
      }
      forward_segment(input, i, target);
    }
  }

  /// Takes the state before a segment up again and computes the segment once more.
  void recompute(const T* input, std::int64_t segment) const {
    const std::int64_t before = shape.delay * at.plane;
    if (!at.whole_emitted) std::copy_n(at.segment_emitted + segment * before, before, at.emitted);
    if (shape.cell == RnnCell::lstm) {
      std::copy_n(at.segment_cell + segment * at.plane, at.plane, at.cell);
    }
    forward_segment(input, segment, nullptr);
  }

  void backward_step(std::int64_t t, const T* emitted_gradient) const {
    CellGradients<T> gradients;
    if (t >= first) {
      pad(emitted_gradient + (t - first) * shape.rows * shape.units, shape.rows, shape.units,
          at.emitted_gradient, at.columns);
      gradients.emitted = at.emitted_gradient;
    }
    gradients.recalled = at.recalled_gradient + t % shape.delay * at.plane;
    gradients.state = at.state_gradient;
    cells.backward(shape.cell, step_of(t), gradients);
  }

  /// The way back through steps [begin, end), none of which comes back to another and whose slots
  /// of recalled_gradient lie side by side.
  void backward_block(std::int64_t begin, std::int64_t end, const T* emitted_gradient) const {
    for (std::int64_t t = end - 1; t >= begin; --t) backward_step(t, emitted_gradient);
    if (end <= shape.delay) return;
    T* to = at.recalled_gradient + begin % shape.delay * at.plane;
    gemm<T>(Take::plain, Take::plain, (end - begin) * shape.rows, at.columns, at.gates,
            {recurrent_blocks(begin), at.width}, {at.recurrent_transposed, at.columns}, T(0),
            {to, at.columns});
    if (masks.recurrent()) masks.apply_recurrent(to, begin, end - begin, to);
  }

  /// Adds the gradients by weights and biases by steps [begin, end), and gives those by the inputs
  /// where they are wanted.
  void add_gradients(const T* input, std::int64_t begin, std::int64_t end,
                     T* input_gradient) const {
    const std::int64_t count = (end - begin) * shape.rows;
    const std::int64_t place = begin * shape.rows * shape.inputs;
    row.add_up(count, at.width, blocks(begin), at.bias_sums);
    if (end > shape.delay) {
      gemm<T>(Take::transposed, Take::plain, shape.units, at.gates, count,
              {recalled(begin, end - begin), at.columns}, {recurrent_blocks(begin), at.width}, T(1),
              {at.recurrent_sums, at.gates});
    }
    at.inputs.add_weight_gradient(count, input + place, {blocks(begin), at.width}, at.gates,
                                  {at.input_sums, at.gates});
    if (input_gradient == nullptr) return;
    gemm<T>(Take::plain, Take::transposed, count, shape.inputs, at.gates, {blocks(begin), at.width},
            {at.input_weight, at.gates}, T(0), {input_gradient + place, shape.inputs});
  }

  void backward_segment(const T* input, const T* emitted_gradient, std::int64_t segment,
                        T* input_gradient) const {
    const std::int64_t segment_begin = segment * at.segment;
    for (std::int64_t end = end_of(segment); end > segment_begin;) {
      const std::int64_t begin = segment_begin + (end - 1 - segment_begin) / at.chunk * at.chunk;
      for (std::int64_t block_end = end; block_end > begin;) {
        const std::int64_t block = std::max(begin, (block_end - 1) / shape.delay * shape.delay);
        backward_block(block, block_end, emitted_gradient);
        block_end = block;
      }
      add_gradients(input, begin, end, input_gradient);
      end = begin;
    }
  }

  void backward(const T* input, const T* emitted_gradient, const RnnGradients<T>& gradients) const {
    require(history.kept, ErrorKind::internal, "backward: the forward pass kept no history");
    at.sums.clear();
    std::fill_n(at.recalled_gradient, shape.delay * at.plane, T(0));
    std::fill_n(at.state_gradient, at.plane, T(0));
    for (std::int64_t i = at.segments - 1; i >= 0; --i) {
      if (i + 1 < at.segments) recompute(input, i);
      backward_segment(input, emitted_gradient, i, gradients.input);
    }
    for (std::int64_t block = 0; block < rnn_gates(shape.cell); ++block) {
      const std::int64_t gate = input_gate(shape.cell, block);
      unpad(block_of<const T>(at.input_sums, block), shape.inputs, shape.units,
            gate_of(gradients.input_weight, gate));
      unpad(block_of<const T>(at.recurrent_sums, block), shape.units, shape.units,
            gate_of(gradients.recurrent_weight, block));
      const T* own = at.bias_sums + block * at.columns;
      std::copy_n(own, shape.units, gradients.input_bias + gate * shape.units);
      if (gradients.recurrent_bias == nullptr) continue;
      std::copy_n(own + recurrent_block * at.columns, shape.units,
                  gradients.recurrent_bias + block * shape.units);
    }
  }

  RnnShape shape;
  History history;
  std::int64_t recurrent_block;
  std::int64_t first = 0;
  Workspace workspace;
  Arena arena;
  Layout<T> at;
  PaddedMasks<T> masks;
  const Rows<T>& row;
  const CellFunctions<T>& cells;
};

template <typename T>
RnnKernel<T>::RnnKernel(const RnnShape& shape, const RnnParameters<T>& parameters,
                        const Masks<T>& masks, History history, std::size_t workspace)
    : impl_(std::make_unique<Impl>(shape, parameters, masks, history, workspace)) {}

template <typename T>
RnnKernel<T>::~RnnKernel() = default;

template <typename T>
void RnnKernel<T>::forward(const T* input, std::int64_t first, T* emitted) {
  const GemmScope scope;
  const DenormalsFlushed flushed;
  impl_->forward(input, first, emitted);
}

template <typename T>
void RnnKernel<T>::backward(const T* input, const T* emitted_gradient,
                            const RnnGradients<T>& gradients) {
  const GemmScope scope;
  const DenormalsFlushed flushed;
  impl_->backward(input, emitted_gradient, gradients);
}

template <typename T>
std::size_t RnnKernel<T>::workspace_bytes(const RnnShape& shape, History history,
                                          bool recurrent_mask) {
  return layout_bytes<T>(shape, history, recurrent_mask);
}

template <typename T>
History RnnKernel<T>::longest_history(const RnnShape& shape, bool recurrent_mask,
                                      std::size_t limit) {
  return longest_history_within(shape.steps, limit, [&](History history) {
    return layout_bytes<T>(shape, history, recurrent_mask);
  });
}

template class RnnKernel<float>;
template class RnnKernel<double>;

}  // namespace afterspike::kernels
