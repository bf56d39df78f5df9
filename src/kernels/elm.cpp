#include "afterspike/kernels/elm.hpp"

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
#include "rows.hpp"

namespace afterspike::kernels {
namespace {

/// The parts of a workspace. A plane is one step of all rows of memory units, [rows, columns], a
/// wide plane one of hidden units.
///
/// A sequence is cut into segments and these into chunks. What the backward pass needs of the last
/// segment is kept by the forward pass; that of the others is computed again, from the state in
/// which each began, when the backward pass comes to them.
template <typename T>
struct Layout {
  std::int64_t columns, width;  ///< Padded, of memory units and of the first map's results.
  std::int64_t plane, wide;
  std::int64_t chunk, segment, segments;

  T *input_weight, *bias, *recurrent_weight, *recurrent_transposed;
  T *hidden_weight, *hidden_transposed, *hidden_bias;
  T *output_weight, *output_transposed, *output_bias;
  T *keep, *gain;
  T* before_activation;  ///< [layers, segment] wide planes; in backward() gradients.
  T* delta;              ///< [segment] planes: the result of the last map, d(t), or its gradient.
  T* memory;             ///< [1 + segment] planes, from that before the segment on.
  T *trace, *factor, *recalled;
  T* activated;  ///< [layers, chunk] wide planes.
  InputProducts<T> inputs;
  T *segment_memory, *segment_trace;
  T *emitted_gradient, *after, *recalled_gradient, *hidden_gradient, *trace_gradient;
  T* recalled_chunk;  ///< [chunk] planes.
  T *input_sums, *bias_sums, *recurrent_sums, *hidden_sums, *hidden_bias_sums;
  T *output_sums, *output_bias_sums, *keep_sums, *gain_sums;
  Sums<T> sums;  ///< All parts whose name ends so.

  Layout(const ElmShape& shape, History history, Arena& arena) {
    const std::int64_t layers = shape.layers, rows = shape.rows;
    columns = rounded_up(shape.memory, kRowElements<T>);
    width = layers > 0 ? rounded_up(shape.width, kRowElements<T>) : columns;
    plane = rows * columns;
    wide = rows * width;
    const auto step_bytes = static_cast<std::int64_t>(sizeof(T)) * (3 * plane + 2 * layers * wide);
    chunk = steps_of_chunk(step_bytes, shape.steps);
    const bool kept = history.kept;
    segment = steps_of_segment(history, shape.steps, chunk);
    segments = (shape.steps + segment - 1) / segment;
    const std::int64_t slots = std::min(segment, shape.steps);
    const std::int64_t saved = kept && segments > 1 ? segments : 0;

    const auto take = [&](std::int64_t count) { return arena.take<T>(count); };
    input_weight = take(shape.inputs * width);
    bias = take(width);
    recurrent_weight = take(shape.memory * width);
    recurrent_transposed = take(kept ? width * columns : 0);
    const std::int64_t inner = std::max<std::int64_t>(0, layers - 1);
    hidden_weight = take(inner * width * width);
    hidden_transposed = take(kept ? inner * width * width : 0);
    hidden_bias = take(inner * width);
    const bool output = layers > 0;
    output_weight = take(output ? shape.width * columns : 0);
    output_transposed = take(kept && output ? shape.memory * width : 0);
    output_bias = take(output ? columns : 0);
    keep = take(columns);
    gain = take(columns);
    before_activation = take(layers * slots * wide);
    delta = take(slots * plane);
    memory = take((1 + slots) * plane);
    trace = take(wide);
    factor = take(plane);
    recalled = take(plane);
    activated = take(layers * (kept ? chunk : 1) * wide);
    inputs = InputProducts<T>(chunk * rows, shape.inputs, arena);
    segment_memory = take(saved * plane);
    segment_trace = take(saved * wide);
    emitted_gradient = take(kept ? plane : 0);
    after = take(kept ? plane : 0);
    recalled_gradient = take(kept ? plane : 0);
    hidden_gradient = take(kept ? wide : 0);
    trace_gradient = take(kept ? wide : 0);
    recalled_chunk = take(kept ? chunk * plane : 0);
    const auto sum = [&](std::int64_t count) { return sums.take(arena, kept ? count : 0); };
    input_sums = sum(shape.inputs * width);
    bias_sums = sum(width);
    recurrent_sums = sum(shape.memory * width);
    hidden_sums = sum(inner * width * width);
    hidden_bias_sums = sum(inner * width);
    output_sums = sum(output ? shape.width * columns : 0);
    output_bias_sums = sum(output ? columns : 0);
    keep_sums = sum(columns);
    gain_sums = sum(columns);
  }
};

template <typename T>
std::size_t layout_bytes(const ElmShape& shape, History history) {
  Arena arena(nullptr);
  const Layout<T> layout(shape, history, arena);
  return arena.bytes();
}

}  // namespace

template <typename T>
struct ElmKernel<T>::Impl {
  Impl(const ElmShape& sizes, const ElmParameters<T>& parameters, const Masks<T>& given,
       History kept, std::size_t least)
      : shape(sizes),
        history(kept),
        trace_keep(parameters.trace_keep),
        activation(parameters.activation),
        workspace(std::max(least, layout_bytes<T>(sizes, kept))),
        arena(workspace.data()),
        at(sizes, kept, arena),
        masks(given, sizes.rows, sizes.memory, at.columns, at.factor),
        row(rows<T>()) {
    const auto [steps, sequences, inputs, memory, width, layers] = sizes;
    pad(parameters.input_weight, inputs, width, at.input_weight, at.width);
    pad(parameters.bias, 1, width, at.bias, at.width);
    pad(parameters.recurrent_weight, memory, width, at.recurrent_weight, at.width);
    if (kept.kept) {
      std::fill_n(at.recurrent_transposed, at.width * at.columns, T(0));
      pad_transposed(parameters.recurrent_weight, memory, width, at.recurrent_transposed,
                     at.columns);
    }
    copy_hidden(parameters);
    pad(parameters.keep, 1, memory, at.keep, at.columns);
    pad(parameters.gain, 1, memory, at.gain, at.columns);
    std::fill_n(at.memory, at.plane, T(0));
    std::fill_n(at.trace, at.wide, T(0));
  }

  void copy_hidden(const ElmParameters<T>& parameters) const {
    const std::int64_t width = shape.width;
    for (std::int64_t layer = 0; layer + 1 < shape.layers; ++layer) {
      const T* weight = parameters.hidden_weight + layer * width * width;
      pad(weight, width, width, at.hidden_weight + layer * at.width * at.width, at.width);
      if (history.kept) {
        pad_transposed(weight, width, width, at.hidden_transposed + layer * at.width * at.width,
                       at.width);
      }
    }
    if (shape.layers == 0) return;
    pad(parameters.hidden_bias, shape.layers - 1, width, at.hidden_bias, at.width);
    pad(parameters.output_weight, width, shape.memory, at.output_weight, at.columns);
    pad(parameters.output_bias, 1, shape.memory, at.output_bias, at.columns);
    if (history.kept) {
      pad_transposed(parameters.output_weight, width, shape.memory, at.output_transposed, at.width);
    }
  }

  // Step t lies in slot t % segment of its segment.
  std::int64_t slot(std::int64_t t) const { return t % at.segment; }
  std::int64_t slots() const { return std::min(at.segment, shape.steps); }
  T* hidden(std::int64_t layer, std::int64_t t) const {
    return at.before_activation + (layer * slots() + slot(t)) * at.wide;
  }
  T* delta(std::int64_t t) const { return at.delta + slot(t) * at.plane; }
  T* memory(std::int64_t t) const { return at.memory + (1 + slot(t)) * at.plane; }
  /// m(t-1)
  T* memory_before(std::int64_t t) const { return at.memory + slot(t) * at.plane; }
  /// The result of the first map.
  T* first_map(std::int64_t t) const { return shape.layers > 0 ? hidden(0, t) : delta(t); }
  T* activated(std::int64_t layer, std::int64_t place) const {
    return at.activated + (layer * (history.kept ? at.chunk : 1) + place) * at.wide;
  }

  /// What the first map makes of the inputs alone, for steps [begin, end).
  void drive(const T* input, std::int64_t begin, std::int64_t end) const {
    T* target = first_map(begin);
    const std::int64_t count = (end - begin) * shape.rows;
    at.inputs.multiply(count, input + begin * shape.rows * shape.inputs,
                       {at.input_weight, at.width}, at.width, {target, at.width});
    if (trace_keep != 0) {
      for (std::int64_t t = begin; t < end; ++t) {
        row.add_scaled(at.wide, trace_keep, at.trace, first_map(t));
        std::copy_n(first_map(t), at.wide, at.trace);
      }
    }
    row.add_to_each(count, at.width, at.bias, target);
  }

  /// What comes back to the MLP at step t.
  void recall(std::int64_t t, T* to) const {
    const T* before = memory_before(t);
    const T* factor = t > 0 ? masks.factor(t - 1) : nullptr;
    for (std::int64_t i = 0; i < at.plane; i += at.columns) {
      for (std::int64_t j = 0; j < at.columns; ++j) {
        to[i + j] = at.keep[j] * before[i + j] * (factor != nullptr ? factor[i + j] : T(1));
      }
    }
    if (masks.recurrent()) masks.apply_recurrent(to, t, 1, to);
  }

  void forward_step(std::int64_t t) const {
    recall(t, at.recalled);
    row.multiply(shape.rows, shape.memory, at.width, at.recalled, at.columns, at.recurrent_weight,
                 Into::added, first_map(t));
    for (std::int64_t layer = 0; layer < shape.layers; ++layer) {
      row.activate(activation, at.wide, hidden(layer, t), at.activated);
      const bool last = layer + 1 == shape.layers;
      T* to = last ? delta(t) : hidden(layer + 1, t);
      const std::int64_t columns = last ? at.columns : at.width;
      row.multiply(shape.rows, shape.width, columns, at.activated, at.width,
                   last ? at.output_weight : at.hidden_weight + layer * at.width * at.width,
                   Into::replaced, to);
      row.add_to_each(shape.rows, columns,
                      last ? at.output_bias : at.hidden_bias + layer * at.width, to);
    }
    row.memory_forward(step_of(t));
  }

  MemoryStep<T> step_of(std::int64_t t) const {
    MemoryStep<T> step;
    step.rows = shape.rows;
    step.columns = at.columns;
    step.keep = at.keep;
    step.gain = at.gain;
    step.before = memory_before(t);
    step.delta = delta(t);
    step.memory = memory(t);
    return step;
  }

  void copy_out(std::int64_t t, T* target) const {
    const T* factor = masks.factor(t);
    const T* from = memory(t);
    for (std::int64_t r = 0; r < shape.rows; ++r) {
      for (std::int64_t i = 0; i < shape.memory; ++i) {
        const std::int64_t place = r * at.columns + i;
        *target++ = factor != nullptr ? from[place] * factor[place] : from[place];
      }
    }
  }

  std::int64_t end_of(std::int64_t segment_index) const {
    return std::min(shape.steps, (segment_index + 1) * at.segment);
  }

  /// Runs a segment from the state before it, and writes what it emits where there is a target.
  void forward_segment(const T* input, std::int64_t segment_index, T* target) const {
    const std::int64_t last = end_of(segment_index);
    for (std::int64_t begin = segment_index * at.segment; begin < last; begin += at.chunk) {
      const std::int64_t end = std::min(last, begin + at.chunk);
      drive(input, begin, end);
      for (std::int64_t t = begin; t < end; ++t) {
        forward_step(t);
        if (target != nullptr && t >= first) {
          copy_out(t, target + (t - first) * shape.rows * shape.memory);
        }
      }
    }
  }

  void forward(const T* input, std::int64_t first_step, T* target) {
    first = first_step;
    for (std::int64_t i = 0; i < at.segments; ++i) {
      if (i > 0) std::copy_n(memory(i * at.segment - 1), at.plane, at.memory);
      if (history.kept && at.segments > 1) {
        std::copy_n(at.memory, at.plane, at.segment_memory + i * at.plane);
        std::copy_n(at.trace, at.wide, at.segment_trace + i * at.wide);
      }
      forward_segment(input, i, target);
    }
  }

  /// Takes the state before a segment up again and computes the segment once more.
  void recompute(const T* input, std::int64_t segment_index) const {
    std::copy_n(at.segment_memory + segment_index * at.plane, at.plane, at.memory);
    std::copy_n(at.segment_trace + segment_index * at.wide, at.wide, at.trace);
    forward_segment(input, segment_index, nullptr);
  }

  /// The way back through one step; `place` in the chunk.
  void backward_step(std::int64_t t, std::int64_t place, const T* emitted_gradient) const {
    MemoryGradients<T> gradients;
    gradients.factor = masks.factor(t);
    if (t >= first) {
      pad(emitted_gradient + (t - first) * shape.rows * shape.memory, shape.rows, shape.memory,
          at.emitted_gradient, at.columns);
      gradients.emitted = at.emitted_gradient;
    }
    gradients.recalled = at.recalled_gradient;
    gradients.after = at.after;
    gradients.keep = at.keep_sums;
    gradients.gain = at.gain_sums;
    row.memory_backward(step_of(t), gradients);
    for (std::int64_t layer = shape.layers - 1; layer >= 0; --layer) {
      row.activate(activation, at.wide, hidden(layer, t), activated(layer, place));
      const bool last = layer + 1 == shape.layers;
      row.multiply(shape.rows, last ? shape.memory : shape.width, at.width,
                   last ? delta(t) : hidden(layer + 1, t), last ? at.columns : at.width,
                   last ? at.output_transposed : at.hidden_transposed + layer * at.width * at.width,
                   Into::replaced, at.hidden_gradient);
      row.activate_back(activation, at.wide, at.hidden_gradient, hidden(layer, t));
    }
    row.multiply(shape.rows, shape.layers > 0 ? shape.width : shape.memory, at.columns,
                 first_map(t), at.width, at.recurrent_transposed, Into::replaced,
                 at.recalled_gradient);
    if (masks.recurrent()) {
      masks.apply_recurrent(at.recalled_gradient, t, 1, at.recalled_gradient);
    }
  }

  /// Adds the gradients of the MLP's weights by steps [begin, end), whose own gradients are there.
  void add_weight_gradients(std::int64_t begin, std::int64_t end) const {
    const std::int64_t count = (end - begin) * shape.rows;
    for (std::int64_t layer = 0; layer < shape.layers; ++layer) {
      const bool last = layer + 1 == shape.layers;
      const std::int64_t columns = last ? at.columns : at.width;
      const T* gradient = last ? delta(begin) : hidden(layer + 1, begin);
      gemm<T>(Take::transposed, Take::plain, shape.width, columns, count,
              {activated(layer, 0), at.width}, {gradient, columns}, T(1),
              {last ? at.output_sums : at.hidden_sums + layer * at.width * at.width, columns});
      row.add_up(count, columns, gradient,
                 last ? at.output_bias_sums : at.hidden_bias_sums + layer * at.width);
    }
    for (std::int64_t t = begin; t < end; ++t) {
      recall(t, at.recalled_chunk + (t - begin) * at.plane);
    }
    gemm<T>(Take::transposed, Take::plain, shape.memory, at.width, count,
            {at.recalled_chunk, at.columns}, {first_map(begin), at.width}, T(1),
            {at.recurrent_sums, at.width});
    row.add_up(count, at.width, first_map(begin), at.bias_sums);
  }

  /// The gradients by the inputs and their weights; turns those of the first map into those of the
  /// traces.
  void backward_drive(const T* input, std::int64_t begin, std::int64_t end,
                      T* input_gradient) const {
    if (trace_keep != 0) {
      const T* after = at.trace_gradient;
      for (std::int64_t t = end - 1; t >= begin; --t) {
        row.add_scaled(at.wide, trace_keep, after, first_map(t));
        after = first_map(t);
      }
      std::copy_n(after, at.wide, at.trace_gradient);
    }
    const T* gradient = first_map(begin);
    const std::int64_t count = (end - begin) * shape.rows;
    at.inputs.add_weight_gradient(count, input + begin * shape.rows * shape.inputs,
                                  {gradient, at.width}, at.width, {at.input_sums, at.width});
    if (input_gradient == nullptr) return;
    gemm<T>(Take::plain, Take::transposed, count, shape.inputs,
            shape.layers > 0 ? shape.width : shape.memory, {gradient, at.width},
            {at.input_weight, at.width}, T(0),
            {input_gradient + begin * shape.rows * shape.inputs, shape.inputs});
  }

  void backward_segment(const T* input, const T* emitted_gradient, std::int64_t segment_index,
                        T* input_gradient) const {
    const std::int64_t segment_begin = segment_index * at.segment;
    for (std::int64_t end = end_of(segment_index); end > segment_begin;) {
      const std::int64_t begin = segment_begin + (end - 1 - segment_begin) / at.chunk * at.chunk;
      for (std::int64_t t = end - 1; t >= begin; --t) backward_step(t, t - begin, emitted_gradient);
      add_weight_gradients(begin, end);
      backward_drive(input, begin, end, input_gradient);
      end = begin;
    }
  }

  void backward(const T* input, const T* emitted_gradient, const ElmGradients<T>& gradients) const {
    require(history.kept, ErrorKind::internal, "backward: the forward pass kept no history");
    at.sums.clear();
    std::fill_n(at.after, at.plane, T(0));
    std::fill_n(at.recalled_gradient, at.plane, T(0));
    std::fill_n(at.trace_gradient, at.wide, T(0));
    for (std::int64_t i = at.segments - 1; i >= 0; --i) {
      if (i + 1 < at.segments) recompute(input, i);
      backward_segment(input, emitted_gradient, i, gradients.input);
    }
    const std::int64_t width = shape.width;
    unpad(at.input_sums, shape.inputs, at.width, gradients.input_weight, width);
    unpad(at.bias_sums, 1, at.width, gradients.bias, width);
    unpad(at.recurrent_sums, shape.memory, at.width, gradients.recurrent_weight, width);
    for (std::int64_t layer = 0; layer + 1 < shape.layers; ++layer) {
      unpad(at.hidden_sums + layer * at.width * at.width, width, at.width,
            gradients.hidden_weight + layer * width * width, width);
      unpad(at.hidden_bias_sums + layer * at.width, 1, at.width,
            gradients.hidden_bias + layer * width, width);
    }
    if (shape.layers > 0) {
      unpad(at.output_sums, width, at.columns, gradients.output_weight, shape.memory);
      unpad(at.output_bias_sums, 1, at.columns, gradients.output_bias, shape.memory);
    }
    unpad(at.keep_sums, 1, at.columns, gradients.keep, shape.memory);
    unpad(at.gain_sums, 1, at.columns, gradients.gain, shape.memory);
  }

  ElmShape shape;
  History history;
  T trace_keep;
  ElmActivation activation;
  std::int64_t first = 0;
  Workspace workspace;
  Arena arena;
  Layout<T> at;
  PaddedMasks<T> masks;
  const Rows<T>& row;
};

template <typename T>
ElmKernel<T>::ElmKernel(const ElmShape& shape, const ElmParameters<T>& parameters,
                        const Masks<T>& masks, History history, std::size_t workspace)
    : impl_(std::make_unique<Impl>(shape, parameters, masks, history, workspace)) {}

template <typename T>
ElmKernel<T>::~ElmKernel() = default;

template <typename T>
void ElmKernel<T>::forward(const T* input, std::int64_t first, T* emitted) {
  const GemmScope scope;
  const DenormalsFlushed flushed;
  impl_->forward(input, first, emitted);
}

template <typename T>
void ElmKernel<T>::backward(const T* input, const T* emitted_gradient,
                            const ElmGradients<T>& gradients) {
  const GemmScope scope;
  const DenormalsFlushed flushed;
  impl_->backward(input, emitted_gradient, gradients);
}

template <typename T>
std::size_t ElmKernel<T>::workspace_bytes(const ElmShape& shape, History history) {
  return layout_bytes<T>(shape, history);
}

template <typename T>
History ElmKernel<T>::longest_history(const ElmShape& shape, std::size_t limit) {
  return longest_history_within(shape.steps, limit,
                                [&](History history) { return layout_bytes<T>(shape, history); });
}

template class ElmKernel<float>;
template class ElmKernel<double>;

}  // namespace afterspike::kernels
