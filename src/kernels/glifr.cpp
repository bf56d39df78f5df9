#include "afterspike/kernels/glifr.hpp"

#include <algorithm>
#include <type_traits>

#include "afterspike/base/denormals.hpp"
#include "afterspike/base/error.hpp"
#include "afterspike/kernels/gemm.hpp"
#include "afterspike/kernels/workspace.hpp"
#include "arena.hpp"
#include "glifr_steps.hpp"
#include "history.hpp"
#include "input_products.hpp"
#include "padded_masks.hpp"
#include "padding.hpp"

namespace afterspike::kernels {
namespace {

/// What a chunk of steps touches is to stay in a second-level cache of 2 MiB, with what is fetched
/// for the next one. On an Intel Xeon steps of 252 and 256 neurons took 0 to 2 % longer with half a
/// MiB and 1 to 4 % with 1.25 MiB.
constexpr std::int64_t kGlifrChunkBytes = std::int64_t{3} << 18;

/// The parts of a workspace. A plane is one step of all rows, [rows, columns]; a ring holds step t
/// in slot t modulo its length, and steps whose slot is below `chunk` once more after its end, so
/// that any `chunk` steps lie side by side.
///
/// A sequence is cut into segments and these into chunks. The history of the last segment is kept
/// by the forward pass; that of the others is computed again, from the state in which each began,
/// when the backward pass comes to them.
template <typename T>
struct Layout {
  std::int64_t width;  ///< Of the columns, those that are computed: neurons, and some padding.
  std::int64_t columns, plane;
  std::int64_t chunk;     ///< Steps that are worked on together.
  std::int64_t segment;   ///< Steps, a multiple of `chunk`.
  std::int64_t segments;  ///< In all.
  std::int64_t block;     ///< Steps whose recurrent products are one product.
  bool whole_emitted;     ///< The ring of what was emitted holds all steps.
  std::int64_t emitted_slots, voltage_slots;

  T *threshold, *slope, *keep, *gain, *current_keep, *multiplicative, *additive;
  T* input_weight;       ///< [inputs, columns]
  T* recurrent_weight;   ///< [neurons, columns]; in backward() its transpose.
  T *emitted, *voltage;  ///< Rings of planes.
  T* current;            ///< [currents] planes.
  T* zeros;              ///< A plane.
  T* factor;             ///< A plane.
  T* masked;             ///< A chunk of planes: what reaches the recurrent synapses.
  T* segment_voltage;    ///< [segments] planes: V before each segment.
  T* segment_current;    ///< [segments, currents] planes: I before each.
  T* segment_emitted;   ///< [segments, delay] planes: S before each, unless the ring has all of it.
  T* chunk_current;     ///< [chunks of a segment, currents] planes: I before each chunk.
  T* current_history;   ///< [chunk + 1, currents] planes.
  T* emitted_gradient;  ///< A block of planes.
  T* recurrent_gradient;  ///< A block of planes, where there is a recurrent mask.
  T* current_gradient;    ///< [currents] planes.
  T* sums;                ///< 4 + 3 currents rows.
  T* weight_sums;         ///< [inputs + neurons, columns]
  InputProducts<T> inputs;
  Bfloat16* half_weight;  ///< recurrent_weight in bfloat16; this and the next two only where asked.
  Bfloat16* half_sent;    ///< A chunk of planes: what reaches the recurrent synapses.
  Bfloat16* half_gradient;  ///< A chunk of planes.

  Layout(const GlifrShape& shape, History history, bool recurrent_mask, Products products,
         Arena& arena) {
    width = rounded_up(shape.neurons, kRowElements<T>);
    columns = apart_in_cache<T>(width);
    plane = shape.rows * columns;
    const auto step_bytes = static_cast<std::int64_t>(sizeof(T)) * plane * (2 + shape.currents);
    chunk = steps_of_chunk(step_bytes, shape.steps, kGlifrChunkBytes);
    block = std::min(shape.delay, chunk);
    const bool kept = history.kept;
    segment = steps_of_segment(history, shape.steps, chunk);
    segments = (shape.steps + segment - 1) / segment;
    const std::int64_t ring = rounded_up(segment + shape.delay, chunk);
    whole_emitted = kept && (segments == 1 || segments * shape.delay + ring >= shape.steps);
    emitted_slots = whole_emitted ? shape.steps : std::min(ring, rounded_up(shape.steps, chunk));
    voltage_slots = kept && segments == 1 ? shape.steps
                    : kept                ? std::min(ring, rounded_up(shape.steps, chunk))
                                          : 2 * chunk;
    const std::int64_t saved = kept && segments > 1 ? segments : 0;

    const auto row = [&](std::int64_t count) { return arena.take<T>(count * columns); };
    const auto planes = [&](std::int64_t count) { return arena.take<T>(count * plane); };
    threshold = row(1);
    slope = row(1);
    keep = row(1);
    gain = row(1);
    current_keep = row(shape.currents);
    multiplicative = row(shape.currents);
    additive = row(shape.currents);
    input_weight = row(shape.inputs);
    recurrent_weight = row(shape.neurons);
    emitted = planes(emitted_slots + (emitted_slots < shape.steps ? chunk : 0));
    voltage = planes(voltage_slots + (voltage_slots < shape.steps ? chunk : 0));
    current = planes(shape.currents);
    zeros = planes(1);
    factor = planes(1);
    masked = planes(recurrent_mask ? chunk : 0);
    segment_voltage = planes(saved);
    segment_current = planes(saved * shape.currents);
    segment_emitted = planes(whole_emitted ? 0 : saved * shape.delay);
    chunk_current = planes(kept ? segment / chunk * shape.currents : 0);
    current_history = planes(kept ? (chunk + 1) * shape.currents : 0);
    emitted_gradient = planes(kept ? block : 0);
    recurrent_gradient = planes(kept && recurrent_mask ? block : 0);
    current_gradient = planes(kept ? shape.currents : 0);
    sums = row(kept ? 4 + 3 * shape.currents : 0);
    weight_sums = row(kept ? shape.inputs + shape.neurons : 0);
    inputs = InputProducts<T>(chunk * shape.rows, shape.inputs, arena);
    const bool halves = products == Products::bfloat16;
    half_weight = arena.take<Bfloat16>(halves ? shape.neurons * columns : 0);
    half_sent = arena.take<Bfloat16>(halves ? chunk * plane : 0);
    half_gradient = arena.take<Bfloat16>(halves && kept ? chunk * plane : 0);
  }
};

template <typename T>
std::size_t layout_bytes(const GlifrShape& shape, History history, bool recurrent_mask,
                         Products products) {
  Arena arena(nullptr);
  const Layout<T> layout(shape, history, recurrent_mask, products, arena);
  return arena.bytes();
}

template <typename T>
Products checked(const GlifrShape& shape, Products products) {
  require(shape.currents <= kMostCurrents, ErrorKind::config,
          "after-spike currents: found {}, expected at most {}", shape.currents, kMostCurrents);
  require(
      products == Products::own || (std::is_same_v<T, float> && has_bfloat16()), ErrorKind::config,
      "products in bfloat16: expected single precision and a processor that multiplies bfloat16");
  return products;
}

}  // namespace

template <typename T>
struct GlifrKernel<T>::Impl {
  Impl(const GlifrShape& sizes, const GlifrParameters<T>& parameters, const Masks<T>& given,
       History kept, Products multiplied, std::size_t least)
      : shape(sizes),
        history(kept),
        products(multiplied),
        workspace(
            std::max(least, layout_bytes<T>(sizes, kept, given.recurrent != nullptr, multiplied))),
        arena(workspace.data()),
        at(sizes, kept, given.recurrent != nullptr, multiplied, arena),
        masks(given, sizes.rows, sizes.neurons, at.columns, at.factor) {
    coefficients.rows = shape.rows;
    coefficients.columns = at.columns;
    coefficients.width = at.width;
    coefficients.currents = shape.currents;
    coefficients.emission = parameters.emission;
    coefficients.reset = parameters.reset;
    coefficients.bias = parameters.bias;
    coefficients.threshold = padded(parameters.threshold, 1, at.threshold);
    coefficients.slope = padded(parameters.slope, 1, at.slope);
    coefficients.keep = padded(parameters.keep, 1, at.keep);
    coefficients.gain = padded(parameters.gain, 1, at.gain);
    const std::int64_t currents = shape.currents;
    coefficients.current_keep = padded(parameters.current_keep, currents, at.current_keep);
    coefficients.multiplicative = padded(parameters.multiplicative, currents, at.multiplicative);
    coefficients.additive = padded(parameters.additive, currents, at.additive);
    padded(parameters.input_weight, shape.inputs, at.input_weight);
    padded(parameters.recurrent_weight, shape.neurons, at.recurrent_weight);
    round_weight();
    std::fill_n(at.current, shape.currents * at.plane, T(0));
    std::fill_n(at.zeros, at.plane, T(0));
  }

  /// Copies rows of `shape.neurons` elements to rows of `columns`, with zeros after them.
  const T* padded(const T* from, std::int64_t rows, T* to) const {
    pad(from, rows, shape.neurons, to, at.columns);
    return to;
  }

  T* emitted(std::int64_t t) const { return at.emitted + t % at.emitted_slots * at.plane; }
  T* voltage(std::int64_t t) const { return at.voltage + t % at.voltage_slots * at.plane; }

  /// Repeats a step of a ring after its end, if it belongs there.
  void repeat(T* ring, std::int64_t slots, std::int64_t t) const {
    const std::int64_t slot = t % slots;
    if (slots >= shape.steps || slot >= at.chunk) return;
    std::copy_n(ring + slot * at.plane, at.plane, ring + (slots + slot) * at.plane);
  }

  /// V(t-1), also where the ring no longer has it.
  const T* voltage_before(std::int64_t t) const {
    if (t == 0) return at.zeros;
    if (history.kept && at.segments > 1 && t % at.segment == 0) {
      return at.segment_voltage + t / at.segment * at.plane;
    }
    return voltage(t - 1);
  }
  const T* emitted_before(std::int64_t t) const { return t == 0 ? at.zeros : emitted(t - 1); }

  /// What reaches the recurrent synapses at the `count` steps from `t` on.
  /// REQUIRES: t >= delay; the emissions lie side by side.
  const T* arriving(std::int64_t t, std::int64_t count) const {
    const T* sent = emitted(t - shape.delay);
    if (!masks.recurrent()) return sent;
    masks.apply_recurrent(sent, t, count, at.masked);
    return at.masked;
  }

  /// Rounds planes for a product in bfloat16.
  static Matrix<const Bfloat16> half(const T* from, std::int64_t count, std::int64_t stride,
                                     Bfloat16* to) {
    if constexpr (std::is_same_v<T, float>) to_bfloat16(from, count, to);
    return {to, stride};
  }

  void round_weight() const {
    if (products == Products::own) return;
    half(at.recurrent_weight, shape.neurons * at.columns, at.columns, at.half_weight);
  }

  /// c = steps times recurrent_weight + beta c; `steps` planes, [count rows, neurons].
  void times_weight(const T* steps, std::int64_t count, std::int64_t width, T beta, T* c) const {
    const std::int64_t rows = count * shape.rows;
    if constexpr (std::is_same_v<T, float>) {
      if (products == Products::bfloat16) {
        gemm(Take::plain, Take::plain, rows, width, shape.neurons,
             half(steps, count * at.plane, at.columns, at.half_sent), {at.half_weight, at.columns},
             beta, {c, at.columns});
        return;
      }
    }
    gemm<T>(Take::plain, Take::plain, rows, width, shape.neurons, {steps, at.columns},
            {at.recurrent_weight, at.columns}, beta, {c, at.columns});
  }

  /// Adds the gradient of the recurrent weights by `count` steps.
  void add_weight_gradient(const T* sent, const T* gradient, std::int64_t count) const {
    T* sums = at.weight_sums + shape.inputs * at.columns;
    const std::int64_t rows = count * shape.rows;
    if constexpr (std::is_same_v<T, float>) {
      if (products == Products::bfloat16) {
        gemm(Take::transposed, Take::plain, shape.neurons, at.width, rows,
             half(sent, count * at.plane, at.columns, at.half_sent),
             half(gradient, count * at.plane, at.columns, at.half_gradient), 1.0F,
             {sums, at.columns});
        return;
      }
    }
    gemm<T>(Take::transposed, Take::plain, shape.neurons, at.width, rows, {sent, at.columns},
            {gradient, at.columns}, T(1), {sums, at.columns});
  }

  /// Adds what the recurrent synapses bring at steps [begin, end) to their voltages.
  /// REQUIRES: end - begin <= delay.
  void add_recurrent(std::int64_t begin, std::int64_t end) const {
    const std::int64_t t = std::max(begin, shape.delay);
    if (t >= end) return;
    times_weight(arriving(t, end - t), end - t, shape.neurons, T(1), voltage(t));
  }

  /// Of steps that follow each other without a product between them, how many pass with one factor.
  std::int64_t steps_together(std::int64_t count) const { return masks.varies() ? 1 : count; }

  /// What the forward pass uses in the `count` steps from `t` on: its own history, and what arrives
  /// from long ago.
  Soon<T> used_from(std::int64_t t, std::int64_t count) const {
    if (t + count > shape.steps) return {};
    const bool arrives = shape.delay >= at.chunk && t >= shape.delay;
    return {voltage(t), emitted(t), arrives ? emitted(t - shape.delay) : nullptr};
  }

  void go_forward(std::int64_t t, std::int64_t count) const {
    ForwardSteps<T> steps;
    steps.count = count;
    steps.voltage_before = voltage_before(t);
    steps.emitted_before = emitted_before(t);
    steps.voltage = voltage(t);
    steps.emitted = emitted(t);
    steps.current = at.current;
    steps.factor = masks.factor(t);
    steps.soon = used_from(t + count, count);
    forward_steps(coefficients, steps);
  }

  void forward_chunk(const T* input, std::int64_t begin, std::int64_t end) const {
    at.inputs.multiply((end - begin) * shape.rows, input + begin * shape.rows * shape.inputs,
                       {at.input_weight, at.columns}, at.width, {voltage(begin), at.columns});
    for (std::int64_t from = begin; from < end; from += at.block) {
      const std::int64_t to = std::min(end, from + at.block);
      add_recurrent(from, to);
      const std::int64_t count = steps_together(to - from);
      for (std::int64_t t = from; t < to; t += count) go_forward(t, count);
      for (std::int64_t t = from; t < to; ++t) repeat(at.emitted, at.emitted_slots, t);
    }
  }

  /// Writes the emissions of steps [begin, end) without padding.
  void copy_out(std::int64_t begin, std::int64_t end, T* target) const {
    for (std::int64_t t = begin; t < end; ++t) {
      unpad(emitted(t), shape.rows, at.columns, target, shape.neurons);
      target += shape.rows * shape.neurons;
    }
  }

  void forward(const T* input, std::int64_t first_step, T* target) {
    first = first_step;
    for (std::int64_t index = 0; index < at.segments; ++index) {
      save_state(index);
      forward_segment(input, index, target);
    }
  }

  /// Runs a segment and, where there is a target, writes there what it emits from step `first` on.
  void forward_segment(const T* input, std::int64_t index, T* target) const {
    const std::int64_t segment_begin = index * at.segment;
    const std::int64_t segment_end = std::min(shape.steps, segment_begin + at.segment);
    for (std::int64_t begin = segment_begin; begin < segment_end; begin += at.chunk) {
      const std::int64_t end = std::min(segment_end, begin + at.chunk);
      if (history.kept) {
        const std::int64_t planes = shape.currents * at.plane;
        std::copy_n(at.current, planes,
                    at.chunk_current + (begin - segment_begin) / at.chunk * planes);
      }
      forward_chunk(input, begin, end);
      const std::int64_t from = std::max(begin, first);
      if (target != nullptr && from < end) {
        copy_out(from, end, target + (from - first) * shape.rows * shape.neurons);
      }
    }
  }

  /// The steps before a segment whose emissions its recurrent synapses take.
  std::int64_t line_begin(std::int64_t index) const {
    return std::max<std::int64_t>(0, index * at.segment - shape.delay);
  }
  T* line(std::int64_t index, std::int64_t t) const {
    return at.segment_emitted + (index * shape.delay + t - line_begin(index)) * at.plane;
  }

  /// Keeps the state before a segment, where it is to be computed again.
  void save_state(std::int64_t index) const {
    if (!history.kept || at.segments == 1) return;
    const std::int64_t begin = index * at.segment, planes = shape.currents * at.plane;
    std::copy_n(at.current, planes, at.segment_current + index * planes);
    if (begin == 0) return;
    std::copy_n(voltage(begin - 1), at.plane, at.segment_voltage + index * at.plane);
    if (at.whole_emitted) return;
    for (std::int64_t t = line_begin(index); t < begin; ++t) {
      std::copy_n(emitted(t), at.plane, line(index, t));
    }
  }

  /// Takes the state before a segment up again.
  void restore_state(std::int64_t index) const {
    const std::int64_t begin = index * at.segment, planes = shape.currents * at.plane;
    std::copy_n(at.segment_current + index * planes, planes, at.current);
    if (at.whole_emitted) return;
    for (std::int64_t t = line_begin(index); t < begin; ++t) {
      std::copy_n(line(index, t), at.plane, emitted(t));
      repeat(at.emitted, at.emitted_slots, t);
    }
  }

  /// The after-spike currents before and at each step of a chunk, computed again.
  void recompute_currents(std::int64_t begin, std::int64_t end) const {
    const std::int64_t planes = shape.currents * at.plane;
    if (planes == 0) return;
    std::copy_n(at.chunk_current + begin % at.segment / at.chunk * planes, planes,
                at.current_history);
    current_steps(coefficients, end - begin, emitted_before(begin), emitted(begin),
                  at.current_history);
  }

  /// The gradient by what was emitted at steps [begin, end), into the block of planes.
  /// REQUIRES: end - begin <= delay.
  void gather_emitted_gradient(const T* emitted_gradient, std::int64_t begin, std::int64_t end) {
    const std::int64_t last = std::min(end, shape.steps - shape.delay);
    // All of the block is written by the product unless something else goes into it, too.
    const bool product_alone = last == end && end <= first && !masks.recurrent();
    if (!product_alone) {
      for (std::int64_t t = begin; t < end; ++t) {
        T* to = at.emitted_gradient + (t - begin) * at.plane;
        if (t < first) {
          std::fill_n(to, at.plane, T(0));
        } else {
          padded(emitted_gradient + (t - first) * shape.rows * shape.neurons, shape.rows, to);
        }
      }
    }
    T* target = !masks.recurrent() ? at.emitted_gradient : at.recurrent_gradient;
    const T beta = product_alone || masks.recurrent() ? T(0) : T(1);
    if (begin >= last) return;
    times_weight(voltage(begin + shape.delay), last - begin, at.width, beta, target);
    if (!masks.recurrent()) return;
    masks.apply_recurrent(target, begin + shape.delay, last - begin, target);
    for (std::int64_t i = 0; i < (last - begin) * at.plane; ++i) {
      at.emitted_gradient[i] += target[i];
    }
  }

  /// What the backward pass uses after the `count` steps from `t` on: voltages before the one that
  /// these steps take themselves; emissions of the chunk before, for all of it begins with its
  /// currents; and the gradients that they reached.
  Soon<T> used_before(std::int64_t t, std::int64_t count) const {
    const std::int64_t earlier = t - at.chunk, reached = earlier + shape.delay;
    const bool before = earlier >= 0;
    const bool reaches = before && shape.delay >= at.chunk && reached + count <= shape.steps;
    return {t > count ? voltage(t - count - 1) : nullptr, before ? emitted(earlier) : nullptr,
            reaches ? voltage(reached) : nullptr};
  }

  void go_back(std::int64_t t, std::int64_t count, const T* emitted_gradient, const T* current,
               const StepGradients<T>& sums) const {
    BackwardSteps<T> steps;
    steps.count = count;
    steps.voltage_before = voltage_before(t);
    steps.emitted_before = emitted_before(t);
    steps.voltage = voltage(t);
    steps.voltage_gradient_after = t + count < shape.steps ? voltage(t + count) : nullptr;
    steps.emitted = emitted(t);
    steps.emitted_gradient = emitted_gradient;
    steps.current = current;
    steps.current_gradient = at.current_gradient;
    steps.factor = masks.factor(t);
    steps.soon = used_before(t, count);
    backward_steps(coefficients, steps, sums);
  }

  void backward_chunk(const T* input, const T* emitted_gradient, std::int64_t begin,
                      std::int64_t end, const StepGradients<T>& sums, T* input_gradient) {
    const std::int64_t planes = shape.currents * at.plane;
    recompute_currents(begin, end);
    for (std::int64_t to = end; to > begin;) {
      const std::int64_t from = std::max(begin, to - at.block);
      gather_emitted_gradient(emitted_gradient, from, to);
      const std::int64_t count = steps_together(to - from);
      for (std::int64_t t = to - count; t >= from; t -= count) {
        go_back(t, count, at.emitted_gradient + (t - from) * at.plane,
                at.current_history + (t - begin) * planes, sums);
      }
      for (std::int64_t t = from; t < to; ++t) repeat(at.voltage, at.voltage_slots, t);
      to = from;
    }
    // What was the voltage is its gradient by now.
    const Matrix<const T> gradient{voltage(begin), at.columns};
    const std::int64_t rows = (end - begin) * shape.rows;
    const T* sequence = input + begin * shape.rows * shape.inputs;
    at.inputs.add_weight_gradient(rows, sequence, gradient, at.width, {at.weight_sums, at.columns});
    // What is emitted here is paired with the gradient of the later steps that it reaches: both
    // have just been used.
    if (const std::int64_t last = std::min(end, shape.steps - shape.delay); begin < last) {
      const std::int64_t reached = begin + shape.delay;
      add_weight_gradient(arriving(reached, last - begin), voltage(reached), last - begin);
    }
    if (input_gradient != nullptr) {
      gemm<T>(Take::plain, Take::transposed, rows, shape.inputs, shape.neurons, gradient,
              {at.input_weight, at.columns}, T(0),
              {input_gradient + begin * shape.rows * shape.inputs, shape.inputs});
    }
  }

  void backward_segment(const T* input, const T* emitted_gradient, std::int64_t index,
                        const StepGradients<T>& sums, T* input_gradient) {
    const std::int64_t segment_begin = index * at.segment;
    for (std::int64_t end = std::min(shape.steps, segment_begin + at.segment);
         end > segment_begin;) {
      const std::int64_t begin = (end - 1) / at.chunk * at.chunk;
      backward_chunk(input, emitted_gradient, begin, end, sums, input_gradient);
      end = begin;
    }
  }

  /// Copies rows of `columns` elements to rows of `shape.neurons`.
  void unpadded(const T* from, std::int64_t rows, T* to) const {
    unpad(from, rows, at.columns, to, shape.neurons);
  }

  void transpose_recurrent_weight() const {
    for (std::int64_t i = 0; i < shape.neurons; ++i) {
      for (std::int64_t j = 0; j < i; ++j) {
        std::swap(at.recurrent_weight[i * at.columns + j], at.recurrent_weight[j * at.columns + i]);
      }
    }
    round_weight();
  }

  void backward(const T* input, const T* emitted_gradient, const GlifrGradients<T>& gradients) {
    require(history.kept, ErrorKind::internal, "backward: the forward pass kept no history");
    const std::int64_t columns = at.columns, currents = shape.currents;
    std::fill_n(at.sums, (4 + 3 * currents) * columns, T(0));
    std::fill_n(at.weight_sums, (shape.inputs + shape.neurons) * columns, T(0));
    std::fill_n(at.current_gradient, currents * at.plane, T(0));
    StepGradients<T> sums;
    sums.threshold = at.sums;
    sums.slope = sums.threshold + columns;
    sums.keep = sums.slope + columns;
    sums.gain = sums.keep + columns;
    sums.current_keep = sums.gain + columns;
    sums.multiplicative = sums.current_keep + currents * columns;
    sums.additive = sums.multiplicative + currents * columns;
    transpose_recurrent_weight();
    for (std::int64_t index = at.segments - 1; index >= 0; --index) {
      if (index + 1 < at.segments) {
        transpose_recurrent_weight();
        restore_state(index);
        forward_segment(input, index, nullptr);
        transpose_recurrent_weight();
      }
      backward_segment(input, emitted_gradient, index, sums, gradients.input);
    }
    unpadded(sums.threshold, 1, gradients.threshold);
    unpadded(sums.slope, 1, gradients.slope);
    unpadded(sums.keep, 1, gradients.keep);
    unpadded(sums.gain, 1, gradients.gain);
    unpadded(sums.current_keep, currents, gradients.current_keep);
    unpadded(sums.multiplicative, currents, gradients.multiplicative);
    unpadded(sums.additive, currents, gradients.additive);
    unpadded(at.weight_sums, shape.inputs, gradients.input_weight);
    unpadded(at.weight_sums + shape.inputs * columns, shape.neurons, gradients.recurrent_weight);
  }

  GlifrShape shape;
  History history;
  Products products;
  std::int64_t first = 0;
  Workspace workspace;
  Arena arena;
  Layout<T> at;
  PaddedMasks<T> masks;
  StepCoefficients<T> coefficients;
};

template <typename T>
GlifrKernel<T>::GlifrKernel(const GlifrShape& shape, const GlifrParameters<T>& parameters,
                            const Masks<T>& masks, History history, Products products,
                            std::size_t workspace)
    : impl_(std::make_unique<Impl>(shape, parameters, masks, history, checked<T>(shape, products),
                                   workspace)) {}

template <typename T>
GlifrKernel<T>::~GlifrKernel() = default;

template <typename T>
void GlifrKernel<T>::forward(const T* input, std::int64_t first, T* emitted) {
  const GemmScope scope;
  const DenormalsFlushed flushed;
  impl_->forward(input, first, emitted);
}

template <typename T>
void GlifrKernel<T>::backward(const T* input, const T* emitted_gradient,
                              const GlifrGradients<T>& gradients) {
  const GemmScope scope;
  const DenormalsFlushed flushed;
  impl_->backward(input, emitted_gradient, gradients);
}

template <typename T>
std::size_t GlifrKernel<T>::workspace_bytes(const GlifrShape& shape, History history,
                                            bool recurrent_mask, Products products) {
  return layout_bytes<T>(shape, history, recurrent_mask, products);
}

template <typename T>
History GlifrKernel<T>::longest_history(const GlifrShape& shape, bool recurrent_mask,
                                        Products products, std::size_t limit) {
  return longest_history_within(shape.steps, limit, [&](History history) {
    return layout_bytes<T>(shape, history, recurrent_mask, products);
  });
}

template class GlifrKernel<float>;
template class GlifrKernel<double>;

}  // namespace afterspike::kernels
