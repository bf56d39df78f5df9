#pragma once

#include <algorithm>
#include <array>
#include <vector>

#include "afterspike/kernels/glif.hpp"
#include "glif_step.hpp"
#include "recurrent_cells.hpp"

namespace afterspike::kernels {

/// One step forward, and its adjoint, by the best instructions of the processor (glif.cpp).
void step_forward(const GlifStep<float>& s);
void step_forward(const GlifStep<double>& s);
void step_back(const GlifStep<float>& s, const GlifGradients<float>& g);
void step_back(const GlifStep<double>& s, const GlifGradients<double>& g);

inline GlifSizes sizes_of(const GlifShape& shape, std::int64_t columns) {
  return {shape.rows,
          columns,
          shape.currents,
          shape.receptors,
          shape.refractory,
          shape.spike_threshold,
          shape.voltage_threshold,
          shape.alpha};
}

/// The targets of a neuron: its current, then its receptors.
inline VoltageSizes voltage_sizes(const GlifShape& shape) {
  VoltageSizes sizes{shape.rows, shape.inputs, shape.neurons, shape.delay};
  const std::int64_t states = sizes_of({.rows = 1,
                                        .currents = shape.currents,
                                        .receptors = shape.receptors,
                                        .alpha = shape.alpha,
                                        .spike_threshold = shape.spike_threshold,
                                        .voltage_threshold = shape.voltage_threshold},
                                       1)
                                  .planes();
  sizes.targets = 1 + shape.receptors;
  sizes.planes = states + sizes.targets + 2;
  const bool current = shape.input != GlifInput::synapses;
  const bool synapses = shape.input != GlifInput::current;
  sizes.input = {current ? 0 : 1, (current ? 1 : 0) + (synapses ? shape.receptors : 0)};
  sizes.recurrent = {1, shape.receptors};
  return sizes;
}

/// GLIF neurons. The `voltage` of the base class holds what arrives, [rows, targets, columns].
template <typename T>
struct Cells<Glif, T> : VoltageCells<T> {
  using Base = VoltageCells<T>;
  using Base::columns, Base::emitted, Base::l, Base::masks, Base::neurons, Base::plane,
      Base::voltage;

  Cells(const GlifShape& given, const GlifSettings& given_settings, Layout<T>& own)
      : Base(voltage_sizes(given), own), shape(given), settings(given_settings) {}

  /// Clears everything first: targets that the input does not reach, to which recurrent synapses
  /// add, and the padding between targets, which products over several of them read.
  void drive(const T* input, std::int64_t begin, std::int64_t end) {
    std::fill_n(voltage.at(begin), (end - begin) * shape.rows * Base::stride, T(0));
    Base::drive(input, begin, end);
  }

  void forward_steps(std::int64_t begin, std::int64_t end) {
    Base::recurrence.arrive(emitted, masks, begin, end, voltage.at(begin) + Base::recurrent_offset);
    for (std::int64_t t = begin; t < end; ++t) step_forward(step_of(t));
    emitted.repeat(begin, end);
  }

  void backward_steps(std::int64_t begin, std::int64_t end) {
    Base::gather_emitted_gradient(begin, end);
    for (std::int64_t t = end - 1; t >= begin; --t) {
      for (std::int64_t r = 0; r < shape.refractory; ++r) {
        const std::int64_t later = t + 1 + r;
        active_after[static_cast<std::size_t>(r)] =
            later < shape.steps ? active_gradient.at(later) : nullptr;
      }
      step_back(step_of(t), {Base::emitted_gradient + (t - begin) * plane, active_after.data(),
                             active_gradient.at(t), state_gradient, sums()});
    }
    voltage.repeat(begin, end);
  }

  GlifStep<T> step_of(std::int64_t t) {
    for (std::int64_t r = 0; r < shape.refractory; ++r) {
      spiked_before[static_cast<std::size_t>(r)] = spiked.at(t - 1 - r);
    }
    return {sizes,
            static_cast<T>(settings.slope),
            static_cast<T>(settings.width),
            settings.hard,
            values(),
            state.at(t - 1),
            spiked_before.data(),
            masks.factor(t),
            voltage.at(t),
            state.at(t),
            spiked.at(t),
            emitted.at(t)};
  }

  /// `member` of each coefficient's parameter.
  template <typename Pointer, typename Member>
  GlifCoefficients<Pointer> all(Member member) const {
    const auto of = [&](Coefficient which) -> Pointer { return (*coefficients[which]).*member; };
    return {of(kKeep),        of(kGain),        of(kThreshold),     of(kReset),
            of(kWaiting),     of(kFraction),    of(kSpikeKeep),     of(kSpikeRefractory),
            of(kSpikeAdd),    of(kPartKeep),    of(kPartGain),      of(kPartDrive),
            of(kCurrentKeep), of(kCurrentMean), of(kCurrentFactor), of(kCurrentAdd),
            of(kSynapseKeep), of(kSynapseGain), of(kRiseGain),      of(kRiseKeep),
            of(kRiseJump)};
  }
  GlifCoefficients<const T*> values() const { return all<const T*>(&Parameter<T>::value); }
  GlifCoefficients<T*> sums() const { return all<T*>(&Parameter<T>::sum); }

  enum Coefficient {
    kKeep,
    kGain,
    kThreshold,
    kReset,
    kWaiting,
    kFraction,
    kSpikeKeep,
    kSpikeRefractory,
    kSpikeAdd,
    kPartKeep,
    kPartGain,
    kPartDrive,
    kCurrentKeep,
    kCurrentMean,
    kCurrentFactor,
    kCurrentAdd,
    kSynapseKeep,
    kSynapseGain,
    kRiseGain,
    kRiseKeep,
    kRiseJump,
    kCount
  };

  /// Declares the coefficients in the order of their numbers.
  std::array<const Parameter<T>*, kCount> declared() {
    const std::int64_t spike = shape.spike_threshold ? neurons : 0;
    const std::int64_t part = shape.voltage_threshold ? neurons : 0;
    const Extents each = {neurons}, currents = {shape.currents, neurons};
    const Extents receptors = {shape.receptors, neurons};
    const Extents rises = {shape.alpha ? shape.receptors : 0, neurons};
    const auto own = [&](std::string_view name, const Extents& extents) {
      return &l.parameter(name, extents, columns);
    };
    return {own("keep", each),
            own("gain", each),
            own("threshold", each),
            own("reset", each),
            own("waiting", {shape.refractory, neurons}),
            own("fraction", {spike}),
            own("spike_keep", {spike}),
            own("spike_refractory", {spike}),
            own("spike_add", {spike}),
            own("part_keep", {part}),
            own("part_gain", {part}),
            own("part_drive", {part}),
            own("current_keep", currents),
            own("current_mean", currents),
            own("current_factor", currents),
            own("current_add", currents),
            own("synapse_keep", receptors),
            own("synapse_gain", receptors),
            own("rise_gain", rises),
            own("rise_keep", rises),
            own("rise_jump", rises)};
  }

  const GlifShape shape;
  const GlifSettings settings;
  const GlifSizes sizes = sizes_of(shape, columns);
  const std::int64_t state_size = sizes.planes() * plane;
  const std::array<const Parameter<T>*, kCount> coefficients = declared();
  const Track<T> state = l.track(state_size, {.lead = 1, .rest = 1});
  const Track<T> spiked = l.track(plane, {.lead = shape.refractory, .rest = shape.refractory});
  const Track<T> active_gradient = l.track(l.history.kept ? plane : 0, {.tail = shape.refractory});
  T* const state_gradient = l.sum(state_size);
  std::vector<const T*> spiked_before =
      std::vector<const T*>(static_cast<std::size_t>(shape.refractory));
  std::vector<const T*> active_after = spiked_before;
};

}  // namespace afterspike::kernels
