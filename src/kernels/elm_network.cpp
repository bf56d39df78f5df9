#include "afterspike/kernels/elm_network.hpp"

#include <algorithm>
#include <array>
#include <cmath>

#include "afterspike/base/denormals.hpp"
#include "afterspike/base/error.hpp"
#include "afterspike/kernels/gemm.hpp"
#include "afterspike/kernels/workspace.hpp"
#include "arena.hpp"
#include "history.hpp"
#include "input_products.hpp"
#include "padded_masks.hpp"
#include "rows.hpp"

namespace afterspike::kernels {
namespace {

/// The parts of a workspace. What belongs to neurons lies in rows of `lanes` elements, one for each
/// neuron and padding: a thin row is one such part, a row of memory has one for each memory unit, a
/// wide row one for each hidden unit. Planes are the rows of all sequences at one step.
///
/// Synapses and branches are linear before the first map of the MLPs, and so is that: they are
/// folded into one matrix from sources, inputs first and neurons after them, to hidden units.
template <typename T>
struct Layout {
  std::int64_t lanes, columns, width;
  std::int64_t thin, plane, wide;
  std::int64_t chunk, segment, segments, slots;

  T *fold, *back_transposed;  ///< [inputs + neurons, width]; [width, lanes] of neurons.
  T *recurrent_weight, *recurrent_transposed, *bias;
  T *hidden_weight, *hidden_transposed, *hidden_bias;
  T *output_weight, *output_transposed, *output_bias;
  T *memory_weight, *threshold, *keep, *gain;
  T* before_activation;  ///< [layers, slots] wide planes; in backward() gradients.
  T* delta;              ///< [slots] planes.
  T* memory;             ///< [1 + slots] planes, from that before the segment on.
  T* activity;           ///< [1 + slots] thin planes, the same.
  T *trace, *low, *magnitude, *factor, *back, *recalled;
  T* activated;  ///< [layers, chunk] wide planes.
  InputProducts<T> inputs;
  T *segment_memory, *segment_activity, *segment_trace, *segment_low;
  T *emitted_gradient, *low_gradient, *readout_gradient, *back_gradient;
  T *memory_gradient, *after, *recalled_gradient, *magnitude_gradient, *hidden_gradient;
  T* trace_gradient;  ///< [1 + chunk] wide planes: of the traces at each step and after them.
  T *recalled_chunk, *back_chunk;
  T *fold_sums, *recurrent_sums, *bias_sums, *hidden_sums, *hidden_bias_sums;
  T *output_sums, *output_bias_sums, *memory_weight_sums, *threshold_sums, *keep_sums, *gain_sums;
  Sums<T> sums;  ///< All parts whose name ends so.

  Layout(const ElmNetworkShape& shape, History history, Arena& arena) {
    const std::int64_t layers = shape.layers, rows = shape.rows;
    const std::int64_t inner = std::max<std::int64_t>(0, layers - 1), output = layers > 0 ? 1 : 0;
    lanes = rounded_up(shape.neurons, kRowElements<T>);
    columns = shape.memory * lanes;
    width = (layers > 0 ? shape.width : shape.memory) * lanes;
    thin = rows * lanes;
    plane = rows * columns;
    wide = rows * width;
    const auto step_bytes =
        static_cast<std::int64_t>(sizeof(T)) * (3 * plane + 2 * (layers + 1) * wide);
    chunk = steps_of_chunk(step_bytes, shape.steps);
    const bool kept = history.kept;
    segment = steps_of_segment(history, shape.steps, chunk);
    segments = (shape.steps + segment - 1) / segment;
    slots = std::min(segment, shape.steps);
    const std::int64_t saved = kept && segments > 1 ? segments : 0;

    const std::int64_t matrix = shape.width * shape.width * lanes;
    const auto take = [&](std::int64_t count) { return arena.take<T>(count); };
    const auto take_kept = [&](std::int64_t count) { return take(kept ? count : 0); };
    fold = take((shape.inputs + shape.neurons) * width);
    back_transposed = take_kept(width * lanes);
    recurrent_weight = take(shape.memory * width);
    recurrent_transposed = take_kept(shape.memory * width);
    bias = take(width);
    hidden_weight = take(inner * matrix);
    hidden_transposed = take_kept(inner * matrix);
    hidden_bias = take(inner * width);
    output_weight = take(output * shape.width * columns);
    output_transposed = take_kept(output * shape.width * columns);
    output_bias = take(output * columns);
    memory_weight = take(columns);
    threshold = take(lanes);
    keep = take(columns);
    gain = take(columns);
    before_activation = take(layers * slots * wide);
    delta = take(slots * plane);
    memory = take((1 + slots) * plane);
    activity = take((1 + slots) * thin);
    trace = take(wide);
    low = take(thin);
    magnitude = take(thin);
    factor = take(thin);
    back = take(thin);
    recalled = take(plane);
    activated = take(layers * (kept ? chunk : 1) * wide);
    inputs = InputProducts<T>(chunk * rows, shape.inputs, arena);
    segment_memory = take(saved * plane);
    segment_activity = take(saved * thin);
    segment_trace = take(saved * wide);
    segment_low = take(saved * thin);
    emitted_gradient = take_kept(thin);
    low_gradient = take_kept(thin);
    readout_gradient = take_kept(thin);
    back_gradient = take_kept(thin);
    memory_gradient = take_kept(plane);
    after = take_kept(plane);
    recalled_gradient = take_kept(plane);
    magnitude_gradient = take_kept(plane);
    hidden_gradient = take_kept(wide);
    trace_gradient = take_kept((1 + chunk) * wide);
    recalled_chunk = take_kept(chunk * plane);
    back_chunk = take_kept(chunk * thin);
    const auto sum = [&](std::int64_t count) { return sums.take(arena, kept ? count : 0); };
    fold_sums = sum((shape.inputs + shape.neurons) * width);
    recurrent_sums = sum(shape.memory * width);
    bias_sums = sum(width);
    hidden_sums = sum(inner * matrix);
    hidden_bias_sums = sum(inner * width);
    output_sums = sum(output * shape.width * columns);
    output_bias_sums = sum(output * columns);
    memory_weight_sums = sum(columns);
    threshold_sums = sum(lanes);
    keep_sums = sum(columns);
    gain_sums = sum(columns);
  }
};

template <typename T>
std::size_t layout_bytes(const ElmNetworkShape& shape, History history) {
  Arena arena(nullptr);
  const Layout<T> layout(shape, history, arena);
  return arena.bytes();
}

/// [neurons, count] to [count, lanes], with zeros after the neurons.
template <typename T>
void to_lanes(const T* from, std::int64_t neurons, std::int64_t count, std::int64_t lanes, T* to) {
  std::fill_n(to, count * lanes, T(0));
  for (std::int64_t n = 0; n < neurons; ++n) {
    for (std::int64_t i = 0; i < count; ++i) to[i * lanes + n] = from[n * count + i];
  }
}

/// [neurons, rows, columns] to [columns, rows, lanes].
template <typename T>
void to_lanes_transposed(const T* from, std::int64_t neurons, std::int64_t rows,
                         std::int64_t columns, std::int64_t lanes, T* to) {
  std::fill_n(to, rows * columns * lanes, T(0));
  for (std::int64_t n = 0; n < neurons; ++n) {
    for (std::int64_t i = 0; i < rows; ++i) {
      for (std::int64_t j = 0; j < columns; ++j) {
        to[(j * rows + i) * lanes + n] = from[(n * rows + i) * columns + j];
      }
    }
  }
}

template <typename T>
void from_lanes(const T* from, std::int64_t neurons, std::int64_t count, std::int64_t lanes,
                T* to) {
  for (std::int64_t n = 0; n < neurons; ++n) {
    for (std::int64_t i = 0; i < count; ++i) to[n * count + i] = from[i * lanes + n];
  }
}

}  // namespace

template <typename T>
struct ElmNetworkKernel<T>::Impl {
  Impl(const ElmNetworkShape& sizes, const ElmNetworkParameters<T>& given, const Masks<T>& masked,
       History kept, std::size_t least)
      : shape(sizes),
        p(given),
        history(kept),
        workspace(std::max(least, layout_bytes<T>(sizes, kept))),
        arena(workspace.data()),
        at(sizes, kept, arena),
        masks(masked, sizes.rows, sizes.neurons, at.lanes, at.factor),
        row(rows<T>()),
        first_width(sizes.layers > 0 ? sizes.width : sizes.memory) {
    fold_synapses();
    copy_maps();
    const auto copy = [&](const T* from, std::int64_t count, T* to) {
      to_lanes(from, shape.neurons, count, at.lanes, to);
    };
    copy(p.bias, first_width, at.bias);
    copy(p.memory_weight, shape.memory, at.memory_weight);
    copy(p.threshold, 1, at.threshold);
    copy(p.keep, shape.memory, at.keep);
    copy(p.gain, shape.memory, at.gain);
    std::fill_n(at.memory, at.plane, T(0));
    std::fill_n(at.activity, at.thin, T(0));
    std::fill_n(at.trace, at.wide, T(0));
    std::fill_n(at.low, at.thin, T(0));
    std::fill_n(at.magnitude, at.thin, T(0));
  }

  /// Calls visit(place, synapse, weight) for every synapse and hidden unit: the place in the folded
  /// matrix, the number of the synapse, and that of the weight of its branch.
  template <typename Visit>
  void for_folded(const Visit& visit) const {
    const std::int64_t per_branch = shape.synapses / shape.branches;
    for (std::int64_t n = 0; n < shape.neurons; ++n) {
      for (std::int64_t s = 0; s < shape.synapses; ++s) {
        const std::int64_t synapse = n * shape.synapses + s;
        const std::int64_t place = p.connectome[synapse] * at.width + n;
        const std::int64_t weight = (n * shape.branches + s / per_branch) * first_width;
        for (std::int64_t h = 0; h < first_width; ++h) {
          visit(place + h * at.lanes, synapse, weight + h);
        }
      }
    }
  }

  void fold_synapses() const {
    std::fill_n(at.fold, (shape.inputs + shape.neurons) * at.width, T(0));
    for_folded([&](std::int64_t place, std::int64_t synapse, std::int64_t weight) {
      at.fold[place] += p.input_scale * p.synapse_weight[synapse] * p.input_weight[weight];
    });
    if (!history.kept) return;
    std::fill_n(at.back_transposed, at.width * at.lanes, T(0));
    for (std::int64_t n = 0; n < shape.neurons; ++n) {
      for (std::int64_t i = 0; i < at.width; ++i) {
        at.back_transposed[i * at.lanes + n] = back_weight()[n * at.width + i];
      }
    }
  }
  /// The part of the folded matrix that comes from neurons.
  const T* back_weight() const { return at.fold + shape.inputs * at.width; }

  void unfold(const ElmNetworkGradients<T>& gradients) const {
    std::fill_n(gradients.synapse_weight, shape.neurons * shape.synapses, T(0));
    std::fill_n(gradients.input_weight, shape.neurons * shape.branches * first_width, T(0));
    for_folded([&](std::int64_t place, std::int64_t synapse, std::int64_t weight) {
      const T gradient = p.input_scale * at.fold_sums[place];
      gradients.synapse_weight[synapse] += gradient * p.input_weight[weight];
      gradients.input_weight[weight] += gradient * p.synapse_weight[synapse];
    });
  }

  void copy_map(const T* from, std::int64_t rows, std::int64_t columns, T* to,
                T* transposed) const {
    to_lanes(from, shape.neurons, rows * columns, at.lanes, to);
    if (history.kept) {
      to_lanes_transposed(from, shape.neurons, rows, columns, at.lanes, transposed);
    }
  }
  void copy_maps() const {
    const std::int64_t width = shape.width, memory = shape.memory;
    copy_map(p.recurrent_weight, memory, first_width, at.recurrent_weight, at.recurrent_transposed);
    for (std::int64_t layer = 0; layer + 1 < shape.layers; ++layer) {
      copy_map(p.hidden_weight + layer * shape.neurons * width * width, width, width,
               at.hidden_weight + layer * width * at.width,
               at.hidden_transposed + layer * width * at.width);
      to_lanes(p.hidden_bias + layer * shape.neurons * width, shape.neurons, width, at.lanes,
               at.hidden_bias + layer * at.width);
    }
    if (shape.layers == 0) return;
    copy_map(p.output_weight, width, memory, at.output_weight, at.output_transposed);
    to_lanes(p.output_bias, shape.neurons, memory, at.lanes, at.output_bias);
  }

  // Step t lies in slot t % segment of its segment.
  std::int64_t slot(std::int64_t t) const { return t % at.segment; }
  T* hidden(std::int64_t layer, std::int64_t t) const {
    return at.before_activation + (layer * at.slots + slot(t)) * at.wide;
  }
  T* delta(std::int64_t t) const { return at.delta + slot(t) * at.plane; }
  T* memory(std::int64_t t) const { return at.memory + (1 + slot(t)) * at.plane; }
  T* activity(std::int64_t t) const { return at.activity + (1 + slot(t)) * at.thin; }
  /// What was before step t.
  const T* memory_before(std::int64_t t) const { return at.memory + slot(t) * at.plane; }
  const T* activity_before(std::int64_t t) const { return at.activity + slot(t) * at.thin; }
  /// The result of the first map.
  T* first_map(std::int64_t t) const { return shape.layers > 0 ? hidden(0, t) : delta(t); }
  T* activated(std::int64_t layer, std::int64_t place) const {
    return at.activated + (layer * (history.kept ? at.chunk : 1) + place) * at.wide;
  }

  /// What the first maps make of the inputs alone, for steps [begin, end).
  void drive(const T* input, std::int64_t begin, std::int64_t end) const {
    T* target = first_map(begin);
    const std::int64_t count = (end - begin) * shape.rows;
    at.inputs.multiply(count, input + begin * shape.rows * shape.inputs, {at.fold, at.width},
                       at.width, {target, at.width});
  }

  /// What neurons emitted a step ago, as it comes back at step t.
  void come_back(std::int64_t t, T* to) const {
    const T* factor = t > 0 ? masks.factor(t - 1) : nullptr;
    const T* before = activity_before(t);
    for (std::int64_t i = 0; i < at.thin; ++i) to[i] = factor ? before[i] * factor[i] : before[i];
    if (masks.recurrent()) masks.apply_recurrent(to, t, 1, to);
  }
  void recall(std::int64_t t, T* to) const {
    const T* before = memory_before(t);
    for (std::int64_t r = 0; r < shape.rows; ++r) {
      for (std::int64_t i = 0; i < at.columns; ++i) {
        to[r * at.columns + i] = at.keep[i] * before[r * at.columns + i];
      }
    }
  }

  void forward_step(std::int64_t t, bool count_magnitude) const {
    T* sums = first_map(t);
    come_back(t, at.back);
    row.multiply(shape.rows, shape.neurons, at.width, at.back, at.lanes, back_weight(), Into::added,
                 sums);
    if (p.branch_keep != 0) {
      row.add_scaled(at.wide, p.branch_keep, at.trace, sums);
      std::copy_n(sums, at.wide, at.trace);
    }
    row.add_to_each(shape.rows, at.width, at.bias, sums);
    recall(t, at.recalled);
    row.multiply_each(shape.rows, shape.memory, first_width, at.lanes, at.recalled,
                      at.recurrent_weight, Into::added, sums);
    for (std::int64_t layer = 0; layer < shape.layers; ++layer) {
      const bool last = layer + 1 == shape.layers;
      row.activate(p.activation, at.wide, hidden(layer, t), at.activated);
      T* to = last ? delta(t) : hidden(layer + 1, t);
      row.multiply_each(shape.rows, shape.width, last ? shape.memory : shape.width, at.lanes,
                        at.activated,
                        last ? at.output_weight : at.hidden_weight + layer * shape.width * at.width,
                        Into::replaced, to);
      row.add_to_each(shape.rows, last ? at.columns : at.width,
                      last ? at.output_bias : at.hidden_bias + layer * at.width, to);
    }
    if (count_magnitude) add_magnitude(t);
    row.memory_forward(step_of(t));
    read_out(t);
  }

  /// Calls visit(i, k, j) for each neuron i (of a thin plane) of sequence r, which is neuron j, and
  /// the place k of each of its memory units (of a plane), which is place j of a row.
  template <typename Visit>
  void for_memory_of(std::int64_t r, const Visit& visit) const {
    for (std::int64_t m = 0; m < shape.memory; ++m) {
      const std::int64_t j = m * at.lanes;
      for (std::int64_t n = 0; n < at.lanes; ++n) {
        visit(r * at.lanes + n, r * at.columns + j + n, j + n);
      }
    }
  }

  template <typename Visit>
  void for_memory(const Visit& visit) const {
    for (std::int64_t r = 0; r < shape.rows; ++r) for_memory_of(r, visit);
  }

  /// Steps of a sequence that count in its magnitude.
  std::int64_t length(std::int64_t r) const {
    return lengths != nullptr ? lengths[r] : shape.steps;
  }

  /// What |o| of a step and memory unit counts in the magnitude of a sequence.
  T share(std::int64_t r) const { return T(1) / static_cast<T>(length(r) * shape.memory); }

  void add_magnitude(std::int64_t t) const {
    const T* output = delta(t);
    for (std::int64_t r = 0; r < shape.rows; ++r) {
      if (t >= length(r)) continue;
      for_memory_of(r, [&](std::int64_t i, std::int64_t k, std::int64_t) {
        at.magnitude[i] += std::abs(output[k]);
      });
    }
  }

  /// From memory to activity.
  void read_out(std::int64_t t) const {
    T* target = activity(t);
    const T* from = memory(t);
    std::fill_n(target, at.thin, T(0));
    for_memory([&](std::int64_t i, std::int64_t k, std::int64_t j) {
      target[i] += at.memory_weight[j] * from[k];
    });
    for (std::int64_t i = 0; i < at.thin; ++i) {
      T value = target[i];
      if (p.low_pass_keep != 0) {
        at.low[i] = p.low_pass_keep * at.low[i] + (1 - p.low_pass_keep) * value;
        value -= at.low[i];
      }
      value += at.threshold[i % at.lanes];
      // What is not a number stays so.
      target[i] = p.rectified && value < 0 ? T(0) : value;
    }
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
    const T* from = activity(t);
    for (std::int64_t r = 0; r < shape.rows; ++r) {
      for (std::int64_t n = 0; n < shape.neurons; ++n) {
        const std::int64_t i = r * at.lanes + n;
        *target++ = factor != nullptr ? from[i] * factor[i] : from[i];
      }
    }
  }

  std::int64_t end_of(std::int64_t index) const {
    return std::min(shape.steps, (index + 1) * at.segment);
  }

  /// Runs a segment from the state before it, and writes what it emits where there is a target.
  void forward_segment(const T* input, std::int64_t index, T* target) const {
    const std::int64_t last = end_of(index);
    for (std::int64_t begin = index * at.segment; begin < last; begin += at.chunk) {
      const std::int64_t end = std::min(last, begin + at.chunk);
      drive(input, begin, end);
      for (std::int64_t t = begin; t < end; ++t) {
        forward_step(t, target != nullptr);
        if (target != nullptr && t >= first) {
          copy_out(t, target + (t - first) * shape.rows * shape.neurons);
        }
      }
    }
  }

  /// The state before a segment: what is in use, and where it is kept.
  struct State {
    T* now;
    T* kept;
    std::int64_t size;
  };
  std::array<State, 4> states(std::int64_t index) const {
    return {State{at.memory, at.segment_memory + index * at.plane, at.plane},
            State{at.activity, at.segment_activity + index * at.thin, at.thin},
            State{at.trace, at.segment_trace + index * at.wide, at.wide},
            State{at.low, at.segment_low + index * at.thin, at.thin}};
  }

  void forward(const T* input, std::int64_t first_step, T* target, T* magnitude,
               const std::int64_t* lengths_of_rows) {
    first = first_step;
    lengths = lengths_of_rows;
    for (std::int64_t i = 0; i < at.segments; ++i) {
      if (i > 0) {
        std::copy_n(memory(i * at.segment - 1), at.plane, at.memory);
        std::copy_n(activity(i * at.segment - 1), at.thin, at.activity);
      }
      if (history.kept && at.segments > 1) {
        for (const State& state : states(i)) std::copy_n(state.now, state.size, state.kept);
      }
      forward_segment(input, i, target);
    }
    for (std::int64_t r = 0; r < shape.rows; ++r) {
      const T own = share(r);
      for (std::int64_t n = 0; n < shape.neurons; ++n) {
        magnitude[r * shape.neurons + n] = at.magnitude[r * at.lanes + n] * own;
      }
    }
  }

  /// The gradient by activity, from what was emitted and from what came back.
  void gather_emitted_gradient(std::int64_t t, const T* emitted_gradient) const {
    std::copy_n(at.back_gradient, at.thin, at.emitted_gradient);
    if (emitted_gradient != nullptr && t >= first) {
      const T* from = emitted_gradient + (t - first) * shape.rows * shape.neurons;
      for (std::int64_t r = 0; r < shape.rows; ++r) {
        for (std::int64_t n = 0; n < shape.neurons; ++n) {
          at.emitted_gradient[r * at.lanes + n] += from[r * shape.neurons + n];
        }
      }
    }
    if (const T* factor = masks.factor(t); factor != nullptr) {
      for (std::int64_t i = 0; i < at.thin; ++i) at.emitted_gradient[i] *= factor[i];
    }
  }

  /// From the gradient by activity to that by memory, in `memory_gradient`.
  void read_out_back(std::int64_t t) const {
    const T* value = activity(t);
    for (std::int64_t i = 0; i < at.thin; ++i) {
      const T gradient = p.rectified && !(value[i] > 0) ? T(0) : at.emitted_gradient[i];
      at.threshold_sums[i % at.lanes] += gradient;
      at.readout_gradient[i] = gradient;
      if (p.low_pass_keep != 0) {
        at.low_gradient[i] = p.low_pass_keep * at.low_gradient[i] - gradient;
        at.readout_gradient[i] += (1 - p.low_pass_keep) * at.low_gradient[i];
      }
    }
    const T* from = memory(t);
    for_memory([&](std::int64_t i, std::int64_t k, std::int64_t j) {
      at.memory_weight_sums[j] += at.readout_gradient[i] * from[k];
      at.memory_gradient[k] = at.readout_gradient[i] * at.memory_weight[j];
    });
  }

  /// The way back through one step; `place` in the chunk.
  void backward_step(std::int64_t t, std::int64_t place, const T* emitted_gradient,
                     const T* magnitude_gradient) const {
    gather_emitted_gradient(t, emitted_gradient);
    if (magnitude_gradient != nullptr) begin_magnitude(t, magnitude_gradient);
    read_out_back(t);
    MemoryGradients<T> gradients;
    gradients.emitted = at.memory_gradient;
    gradients.recalled = at.recalled_gradient;
    gradients.magnitude = magnitude_gradient != nullptr ? at.magnitude_gradient : nullptr;
    gradients.after = at.after;
    gradients.keep = at.keep_sums;
    gradients.gain = at.gain_sums;
    row.memory_backward(step_of(t), gradients);
    for (std::int64_t layer = shape.layers - 1; layer >= 0; --layer) {
      const bool last = layer + 1 == shape.layers;
      row.activate(p.activation, at.wide, hidden(layer, t), activated(layer, place));
      row.multiply_each(
          shape.rows, last ? shape.memory : shape.width, shape.width, at.lanes,
          last ? delta(t) : hidden(layer + 1, t),
          last ? at.output_transposed : at.hidden_transposed + layer * shape.width * at.width,
          Into::replaced, at.hidden_gradient);
      row.activate_back(p.activation, at.wide, at.hidden_gradient, hidden(layer, t));
    }
    const T* gradient = first_map(t);
    row.multiply_each(shape.rows, first_width, shape.memory, at.lanes, gradient,
                      at.recurrent_transposed, Into::replaced, at.recalled_gradient);
    T* of_trace = at.trace_gradient + place * at.wide;
    std::copy_n(gradient, at.wide, of_trace);
    if (p.branch_keep != 0) row.add_scaled(at.wide, p.branch_keep, of_trace + at.wide, of_trace);
    row.multiply(shape.rows, at.width, at.lanes, of_trace, at.width, at.back_transposed,
                 Into::replaced, at.back_gradient);
    if (masks.recurrent()) masks.apply_recurrent(at.back_gradient, t, 1, at.back_gradient);
  }

  /// Adds the gradients of weights by steps [begin, end), whose own gradients are there.
  void add_weight_gradients(const T* input, std::int64_t begin, std::int64_t end) const {
    const std::int64_t count = (end - begin) * shape.rows;
    for (std::int64_t layer = 0; layer < shape.layers; ++layer) {
      const bool last = layer + 1 == shape.layers;
      const T* gradient = last ? delta(begin) : hidden(layer + 1, begin);
      row.add_outer_each(count, shape.width, last ? shape.memory : shape.width, at.lanes,
                         activated(layer, 0), gradient,
                         last ? at.output_sums : at.hidden_sums + layer * shape.width * at.width);
      row.add_up(count, last ? at.columns : at.width, gradient,
                 last ? at.output_bias_sums : at.hidden_bias_sums + layer * at.width);
    }
    for (std::int64_t t = begin; t < end; ++t) {
      recall(t, at.recalled_chunk + (t - begin) * at.plane);
      come_back(t, at.back_chunk + (t - begin) * at.thin);
    }
    row.add_outer_each(count, shape.memory, first_width, at.lanes, at.recalled_chunk,
                       first_map(begin), at.recurrent_sums);
    row.add_up(count, at.width, first_map(begin), at.bias_sums);
    const Matrix<const T> of_trace{at.trace_gradient, at.width};
    gemm<T>(Take::transposed, Take::plain, shape.neurons, at.width, count,
            {at.back_chunk, at.lanes}, of_trace, T(1),
            {at.fold_sums + shape.inputs * at.width, at.width});
    at.inputs.add_weight_gradient(count, input + begin * shape.rows * shape.inputs, of_trace,
                                  at.width, {at.fold_sums, at.width});
  }

  void backward_segment(const T* input, const T* emitted_gradient, const T* magnitude_gradient,
                        std::int64_t index, T* input_gradient) const {
    const std::int64_t segment_begin = index * at.segment;
    for (std::int64_t end = end_of(index); end > segment_begin;) {
      const std::int64_t begin = segment_begin + (end - 1 - segment_begin) / at.chunk * at.chunk;
      // The trace after this chunk is the first of the one that was before.
      std::copy_n(at.trace_gradient, at.wide, at.trace_gradient + (end - begin) * at.wide);
      for (std::int64_t t = end - 1; t >= begin; --t) {
        backward_step(t, t - begin, emitted_gradient, magnitude_gradient);
      }
      add_weight_gradients(input, begin, end);
      if (input_gradient != nullptr) {
        gemm<T>(Take::plain, Take::transposed, (end - begin) * shape.rows, shape.inputs, at.width,
                {at.trace_gradient, at.width}, {at.fold, at.width}, T(0),
                {input_gradient + begin * shape.rows * shape.inputs, shape.inputs});
      }
      end = begin;
    }
  }

  /// The gradient by |o|, from the last step of each sequence on backwards.
  void begin_magnitude(std::int64_t t, const T* gradient) const {
    for (std::int64_t r = 0; r < shape.rows; ++r) {
      if (t + 1 != length(r)) continue;
      const T own = share(r);
      for (std::int64_t m = 0; m < shape.memory; ++m) {
        for (std::int64_t n = 0; n < shape.neurons; ++n) {
          at.magnitude_gradient[r * at.columns + m * at.lanes + n] =
              own * gradient[r * shape.neurons + n];
        }
      }
    }
  }

  void backward(const T* input, const T* emitted_gradient, const T* magnitude_gradient,
                const ElmNetworkGradients<T>& gradients) const {
    require(history.kept, ErrorKind::internal, "backward: the forward pass kept no history");
    at.sums.clear();
    for (T* part : {at.after, at.recalled_gradient}) std::fill_n(part, at.plane, T(0));
    for (T* part : {at.back_gradient, at.low_gradient}) std::fill_n(part, at.thin, T(0));
    std::fill_n(at.trace_gradient, at.wide, T(0));
    if (magnitude_gradient != nullptr) std::fill_n(at.magnitude_gradient, at.plane, T(0));
    for (std::int64_t i = at.segments - 1; i >= 0; --i) {
      if (i + 1 < at.segments) {
        for (const State& state : states(i)) std::copy_n(state.kept, state.size, state.now);
        forward_segment(input, i, nullptr);
      }
      backward_segment(input, emitted_gradient, magnitude_gradient, i, gradients.input);
    }
    unfold(gradients);
    copy_sums(gradients);
  }

  void copy_sums(const ElmNetworkGradients<T>& gradients) const {
    const std::int64_t width = shape.width, memory = shape.memory;
    const auto copy = [&](const T* from, std::int64_t count, T* to) {
      from_lanes(from, shape.neurons, count, at.lanes, to);
    };
    copy(at.recurrent_sums, memory * first_width, gradients.recurrent_weight);
    copy(at.bias_sums, first_width, gradients.bias);
    for (std::int64_t layer = 0; layer + 1 < shape.layers; ++layer) {
      copy(at.hidden_sums + layer * width * at.width, width * width,
           gradients.hidden_weight + layer * shape.neurons * width * width);
      copy(at.hidden_bias_sums + layer * at.width, width,
           gradients.hidden_bias + layer * shape.neurons * width);
    }
    if (shape.layers > 0) {
      copy(at.output_sums, width * memory, gradients.output_weight);
      copy(at.output_bias_sums, memory, gradients.output_bias);
    }
    copy(at.memory_weight_sums, memory, gradients.memory_weight);
    copy(at.threshold_sums, 1, gradients.threshold);
    copy(at.keep_sums, memory, gradients.keep);
    copy(at.gain_sums, memory, gradients.gain);
  }

  ElmNetworkShape shape;
  ElmNetworkParameters<T> p;
  History history;
  std::int64_t first = 0;
  const std::int64_t* lengths = nullptr;
  Workspace workspace;
  Arena arena;
  Layout<T> at;
  PaddedMasks<T> masks;
  const Rows<T>& row;
  std::int64_t first_width;
};

template <typename T>
ElmNetworkKernel<T>::ElmNetworkKernel(const ElmNetworkShape& shape,
                                      const ElmNetworkParameters<T>& parameters,
                                      const Masks<T>& masks, History history, std::size_t workspace)
    : impl_(std::make_unique<Impl>(shape, parameters, masks, history, workspace)) {}

template <typename T>
ElmNetworkKernel<T>::~ElmNetworkKernel() = default;

template <typename T>
void ElmNetworkKernel<T>::forward(const T* input, std::int64_t first, T* emitted, T* magnitude,
                                  const std::int64_t* lengths) {
  const GemmScope scope;
  const DenormalsFlushed flushed;
  impl_->forward(input, first, emitted, magnitude, lengths);
}

template <typename T>
void ElmNetworkKernel<T>::backward(const T* input, const T* emitted_gradient,
                                   const T* magnitude_gradient,
                                   const ElmNetworkGradients<T>& gradients) {
  const GemmScope scope;
  const DenormalsFlushed flushed;
  impl_->backward(input, emitted_gradient, magnitude_gradient, gradients);
}

template <typename T>
std::size_t ElmNetworkKernel<T>::workspace_bytes(const ElmNetworkShape& shape, History history) {
  return layout_bytes<T>(shape, history);
}

template <typename T>
History ElmNetworkKernel<T>::longest_history(const ElmNetworkShape& shape, std::size_t limit) {
  return longest_history_within(shape.steps, limit,
                                [&](History history) { return layout_bytes<T>(shape, history); });
}

template class ElmNetworkKernel<float>;
template class ElmNetworkKernel<double>;

}  // namespace afterspike::kernels
