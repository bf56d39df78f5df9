#include "afterspike/kernels/glifr.hpp"

#include "glifr_steps.hpp"
#include "recurrent_cells.hpp"

namespace afterspike::kernels {
namespace {

/// A chunk, with the data that is prefetched for the next one, should fit a second-level cache of
/// 2 MiB. On an Intel Xeon steps of 252 and 256 neurons took 0 to 2 % longer with half a MiB and 1
/// to 4 % with 1.25 MiB.
constexpr std::int64_t kGlifrChunkBytes = std::int64_t{3} << 18;

const GlifrShape& checked_currents(const GlifrShape& shape) {
  require(shape.currents <= kMostCurrents, ErrorKind::config,
          "after-spike currents: found {}, expected at most {}", shape.currents, kMostCurrents);
  return shape;
}

}  // namespace

template <typename T>
struct Cells<Glifr, T> : VoltageCells<T> {
  using Base = VoltageCells<T>;
  using Base::chunk, Base::columns, Base::emitted, Base::l, Base::masks, Base::neurons, Base::plane,
      Base::voltage;

  Cells(const GlifrShape& given, const GlifrSettings& constants, Layout<T>& own)
      : Base({given.rows, given.inputs, given.neurons, given.delay, 2 + given.currents,
              kGlifrChunkBytes},
             own),
        shape(checked_currents(given)),
        settings(constants) {}

  void load() {
    Base::load();
    coefficients = {shape.rows,
                    columns,
                    Base::width,
                    shape.currents,
                    static_cast<T>(settings.emission),
                    static_cast<T>(settings.reset),
                    static_cast<T>(settings.bias),
                    settings.spikes,
                    threshold.value,
                    slope.value,
                    keep.value,
                    gain.value,
                    current_keep.value,
                    multiplicative.value,
                    additive.value};
  }

  /// Number of steps of a block that pass with one factor.
  std::int64_t steps_together(std::int64_t count) const { return masks.varies() ? 1 : count; }

  /// The place where the currents before a chunk are kept.
  T* before_chunk(std::int64_t begin) const {
    return chunk_current + begin % l.segment / chunk * currents_size;
  }

  void drive(const T* input, std::int64_t begin, std::int64_t end) {
    if (l.history.kept) std::copy_n(current, currents_size, before_chunk(begin));
    Base::drive(input, begin, end);
  }

  void forward_steps(std::int64_t begin, std::int64_t end) {
    Base::recurrence.arrive(emitted, masks, begin, end, voltage.at(begin));
    const std::int64_t count = steps_together(end - begin);
    for (std::int64_t t = begin; t < end; t += count) {
      kernels::forward_steps<T>(
          coefficients, {count, voltage.at(t - 1), emitted.at(t - 1), voltage.at(t), emitted.at(t),
                         current, masks.factor(t), used_from(t + count, count)});
    }
    emitted.repeat(begin, end);
  }

  /// Data that the forward pass uses in the `count` steps from t on: its own history, and emissions
  /// that arrive after a long delay.
  Soon<T> used_from(std::int64_t t, std::int64_t count) const {
    if (t + count > shape.steps) return {};
    const bool arrives = shape.delay >= chunk && t >= shape.delay;
    return {voltage.at(t), emitted.at(t), arrives ? emitted.at(t - shape.delay) : nullptr};
  }

  void copy_state(std::string_view name, T* to) const {
    Base::copy_state(name, to);
    if (name == "after_spike_current") {
      unpad(current, shape.currents * shape.rows, columns, to, neurons);
    }
  }

  /// Computes the after-spike currents before and at each step of a chunk again.
  void prepare_backward(std::int64_t begin, std::int64_t end) {
    if (currents_size == 0) return;
    std::copy_n(before_chunk(begin), currents_size, current_history);
    current_steps(coefficients, end - begin, emitted.at(begin - 1), emitted.at(begin),
                  current_history);
  }

  void backward_steps(std::int64_t begin, std::int64_t end) {
    Base::gather_emitted_gradient(begin, end);
    const std::int64_t count = steps_together(end - begin);
    for (std::int64_t t = end - count; t >= begin; t -= count) {
      kernels::backward_steps<T>(coefficients,
                                 {count, voltage.at(t - 1), emitted.at(t - 1), voltage.at(t),
                                  t + count < shape.steps ? voltage.at(t + count) : nullptr,
                                  emitted.at(t), Base::emitted_gradient + (t - begin) * plane,
                                  current_history + t % chunk * currents_size, current_gradient,
                                  masks.factor(t), used_before(t, count)},
                                 {threshold.sum, slope.sum, keep.sum, gain.sum, current_keep.sum,
                                  multiplicative.sum, additive.sum});
    }
    voltage.repeat(begin, end);
  }

  /// Data that the backward pass uses after the `count` steps from t on: voltages before the one
  /// that these steps take themselves; emissions of the chunk before, which begins with all of its
  /// currents; and the gradients that they reached.
  Soon<T> used_before(std::int64_t t, std::int64_t count) const {
    const std::int64_t earlier = t - chunk, reached = earlier + shape.delay;
    const bool before = earlier >= 0;
    const bool reaches = before && shape.delay >= chunk && reached + count <= shape.steps;
    return {t > count ? voltage.at(t - count - 1) : nullptr, before ? emitted.at(earlier) : nullptr,
            reaches ? voltage.at(reached) : nullptr};
  }

  const GlifrShape shape;
  const GlifrSettings settings;
  const std::int64_t currents_size = shape.currents * plane;

  const Parameter<T>& threshold = l.parameter("threshold", {neurons}, columns);
  const Parameter<T>& slope = l.parameter("slope", {neurons}, columns);
  const Parameter<T>& keep = l.parameter("keep", {neurons}, columns);
  const Parameter<T>& gain = l.parameter("gain", {neurons}, columns);
  const Parameter<T>& current_keep =
      l.parameter("current_keep", {shape.currents, neurons}, columns);
  const Parameter<T>& multiplicative =
      l.parameter("multiplicative", {shape.currents, neurons}, columns);
  const Parameter<T>& additive = l.parameter("additive", {shape.currents, neurons}, columns);

  T* const current = l.state(currents_size);
  T* const chunk_current = l.kept(l.segment / chunk * currents_size);
  T* const current_history = l.kept((chunk + 1) * currents_size);
  T* const current_gradient = l.sum(currents_size);
  StepCoefficients<T> coefficients;
};

template class SequenceKernel<Glifr, float>;
template class SequenceKernel<Glifr, double>;

}  // namespace afterspike::kernels
