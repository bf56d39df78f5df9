// Finds when a leaky neuron next crosses its threshold. All bounds follow from the lemma of
// lagged().

#include <algorithm>
#include <array>
#include <cmath>
#include <cstddef>

#include "exact/crossing_search.hpp"
#include "exact/exact_neuron.hpp"

namespace afterspike::spiking {

/// A neuron as CrossingSearch sees it.
struct ExactNeurons::Flow {
  using State = std::array<double, kMostState>;

  const ExactNeurons& neurons;
  std::int64_t neuron;
  const double* base;

  void at(double time, State& state) const { neurons.propagate(neuron, base, time, state.data()); }
  double excess(const State& state) const { return neurons.excess(neuron, state.data()); }
  double slope(const State& state) const;
  SlopeBounds bounds(const State& start, const State& end, double length) const;
};

/// The derivative of voltage minus threshold.
double ExactNeurons::Flow::slope(const State& state) const {
  const double* c = neurons.row(neuron);
  const double* other = c + 2 * neurons.rates_;
  const double current = state[kExternal] + neurons.after_spike_current(state.data()) +
                         neurons.synaptic_current(state.data());
  double slope = current * other[kInverseCapacitance] - c[kVoltage] * state[kVoltage];
  slope += c[kSpikePart] * state[kSpikePart];
  if (neurons.voltage_threshold_) {
    slope -= other[kVoltageIndex] * state[kVoltage] - c[kVoltagePart] * state[kVoltagePart];
  }
  return slope;
}

SlopeBounds ExactNeurons::Flow::bounds(const State& start, const State& end, double length) const {
  const double* c = neurons.row(neuron);
  const double* other = c + 2 * neurons.rates_;
  // The first two derivatives of the sum of all currents.
  Bounds first{0, 0}, second{0, 0};
  double current = start[kExternal], first_at_start = 0;
  const auto decaying = [&](double from, double to, double rate) {
    current += from;
    first_at_start -= rate * from;
    first = first + (-rate) * between(from, to);
    second = second + (rate * rate) * between(from, to);
  };
  const auto currents = static_cast<std::size_t>(neurons.currents_);
  const auto receptors = static_cast<std::size_t>(neurons.receptors_);
  const std::size_t plain = currents + (neurons.alpha_ ? 0 : receptors);
  for (std::size_t i = 0; i < plain; ++i) {
    decaying(start[kFirstCurrent + i], end[kFirstCurrent + i], c[kFirstCurrent + i]);
  }
  for (std::size_t p = plain; p < currents + receptors; ++p) {
    const double rate = c[kFirstCurrent + p];
    const double rise = start[kFirstCurrent + p], from = start[kFirstCurrent + p + receptors];
    const Bounds rises = between(rise, end[kFirstCurrent + p]);
    Bounds values = between(from, end[kFirstCurrent + p + receptors]);
    const double peak = rise == 0 ? -1 : (rise - rate * from) / (rate * rise);
    if (peak > 0 && peak < length) {
      const double value = (from + rise * peak) * std::exp(-rate * peak);
      values = {std::min(values.low, value), std::max(values.high, value)};
    }
    current += from;
    first_at_start += rise - rate * from;
    first = first + rises - rate * values;
    second = second + (rate * rate) * values - (2 * rate) * rises;
  }
  const double inverse = other[kInverseCapacitance];
  const double rising = current * inverse - c[kVoltage] * start[kVoltage];
  const Bounds rise = lagged(rising, c[kVoltage], inverse * first, length);
  const Bounds bend = lagged(first_at_start * inverse - c[kVoltage] * rising, c[kVoltage],
                             inverse * second, length);
  const double spike_rate = c[kSpikePart];
  const Bounds spike_part = between(start[kSpikePart], end[kSpikePart]);
  SlopeBounds result{rise + spike_rate * spike_part, bend - (spike_rate * spike_rate) * spike_part,
                     rising + spike_rate * start[kSpikePart]};
  if (neurons.voltage_threshold_) {
    const double index = other[kVoltageIndex], rate = c[kVoltagePart];
    const double following = index * start[kVoltage] - rate * start[kVoltagePart];
    result.first = result.first - lagged(following, rate, index * rise, length);
    result.second =
        result.second - lagged(index * rising - rate * following, rate, index * bend, length);
    result.at_start -= following;
  }
  return result;
}

double ExactNeurons::first_crossing(std::int64_t neuron, const double* state, double begin,
                                    const double* start, double end, double tolerance) const {
  const Flow flow{*this, neuron, state};
  Flow::State from, to;
  std::copy_n(start, state_size_, from.begin());
  flow.at(end, to);
  return CrossingSearch(flow, tolerance).first(begin, from, end, to);
}

}  // namespace afterspike::spiking
