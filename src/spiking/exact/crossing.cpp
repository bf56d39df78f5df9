// Where a neuron next crosses its threshold. All bounds follow from one lemma: if y' = f - r y and
// f <= F over an interval, then y <= y(0) + max(0, F - r y(0)) t, and y <= max(y(0), F / r).

#include <algorithm>
#include <array>
#include <cmath>
#include <cstddef>

#include "exact/exact_neuron.hpp"

namespace afterspike::spiking {
namespace {

struct Bounds {
  double low, high;
};

Bounds operator+(Bounds one, Bounds other) {
  return {one.low + other.low, one.high + other.high};
}
Bounds operator-(Bounds one, Bounds other) {
  return {one.low - other.high, one.high - other.low};
}
Bounds operator*(double factor, Bounds one) {
  return factor >= 0 ? Bounds{factor * one.low, factor * one.high}
                     : Bounds{factor * one.high, factor * one.low};
}
Bounds between(double one, double other) {
  return {std::min(one, other), std::max(one, other)};
}

/// Bounds of y over `length`, where y' = input - rate y.
Bounds lagged(double start, double rate, Bounds input, double length) {
  const double up = input.high - rate * start, down = input.low - rate * start;
  Bounds bounds{start, start};
  if (up > 0) bounds.high = std::min(start + up * length, input.high / rate);
  if (down < 0) bounds.low = std::max(start + down * length, input.low / rate);
  return bounds;
}

}  // namespace

/// Bounds of the first two derivatives of voltage minus threshold over an interval.
struct ExactNeurons::Slope {
  Bounds first, second;
  double at_start;
};

struct ExactNeurons::Search {
  using State = std::array<double, kMostState>;

  const ExactNeurons& neurons;
  std::int64_t neuron;
  const double* base;
  double tolerance;

  void at(double time, State& state) const { neurons.propagate(neuron, base, time, state.data()); }
  double excess(const State& state) const { return neurons.excess(neuron, state.data()); }
  double slope(const State& state) const;
  Slope bounds(const State& start, const State& end, double length) const;
  double first(double begin, const State& start, double end, const State& stop) const;
  double solve(double low, double high) const;
  double over_the_top(double begin, const State& start, double end, const State& stop) const;
};

/// The derivative of voltage minus threshold.
double ExactNeurons::Search::slope(const State& state) const {
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

ExactNeurons::Slope ExactNeurons::Search::bounds(const State& start, const State& end,
                                                 double length) const {
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
  Slope result{rise + spike_rate * spike_part, bend - (spike_rate * spike_rate) * spike_part,
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

/// The one crossing between low, where the voltage is not above the threshold, and high, where it
/// is: Newton's method within a bracket that every value narrows.
double ExactNeurons::Search::solve(double low, double high) const {
  State state;
  double time = 0.5 * (low + high);
  while (high - low > tolerance) {
    at(time, state);
    const double above = excess(state);
    (above > 0 ? high : low) = time;
    const double rate = slope(state);
    double next = rate > 0 ? time - above / rate : 0.5 * (low + high);
    if (!(next > low && next < high)) next = 0.5 * (low + high);
    if (std::abs(next - time) < 0.25 * tolerance) return next;
    time = next;
  }
  return high;
}

/// The crossing before the maximum of a concave piece that begins and ends below the threshold.
double ExactNeurons::Search::over_the_top(double begin, const State& start, double end,
                                          const State& stop) const {
  double low = begin, high = end;
  double value_low = excess(start), slope_low = slope(start);
  double value_high = excess(stop), slope_high = slope(stop);
  State state;
  while (high - low > tolerance && slope_low > 0 && slope_high < 0) {
    // Both tangents lie above a concave function; where they meet is as high as it can be.
    const double meeting =
        (value_high - slope_high * (high - low) - value_low) / (slope_low - slope_high);
    if (value_low + slope_low * meeting <= 0) return kNone;
    double time = low + (high - low) * slope_low / (slope_low - slope_high);
    if (!(time > low && time < high)) time = 0.5 * (low + high);
    at(time, state);
    const double value = excess(state), rate = slope(state);
    if (value > 0) return solve(begin, time);
    if (rate == 0) return kNone;
    // The secant alone may move one end only: the other follows by bisection.
    (rate > 0 ? low : high) = time;
    (rate > 0 ? value_low : value_high) = value;
    (rate > 0 ? slope_low : slope_high) = rate;
    const double middle = 0.5 * (low + high);
    at(middle, state);
    if (excess(state) > 0) return solve(begin, middle);
    const double at_middle = slope(state);
    (at_middle > 0 ? low : high) = middle;
    (at_middle > 0 ? value_low : value_high) = excess(state);
    (at_middle > 0 ? slope_low : slope_high) = at_middle;
  }
  return kNone;
}

double ExactNeurons::Search::first(double begin, const State& start, double end,
                                   const State& stop) const {
  const double length = end - begin;
  const double from = excess(start), to = excess(stop);
  const Slope slopes = bounds(start, stop, length);
  if (from + std::max(0.0, slopes.first.high) * length < 0) return kNone;
  if (slopes.first.high <= 0) return kNone;
  const bool one_at_most = slopes.first.low >= 0 || slopes.second.low >= 0;
  if (one_at_most) return to > 0 ? solve(begin, end) : kNone;
  if (slopes.second.high <= 0) {
    if (to > 0) return solve(begin, end);
    if (slopes.at_start <= 0) return kNone;
    return over_the_top(begin, start, end, stop);
  }
  if (length <= tolerance) return to > 0 ? end : kNone;
  State state;
  const double middle = begin + 0.5 * length;
  at(middle, state);
  const double earlier = first(begin, start, middle, state);
  if (earlier != kNone) return earlier;
  return first(middle, state, end, stop);
}

double ExactNeurons::first_crossing(std::int64_t neuron, const double* state, double begin,
                                    const double* start, double end, double tolerance) const {
  const Search search{*this, neuron, state, tolerance};
  Search::State from, to;
  std::copy_n(start, state_size_, from.begin());
  search.at(end, to);
  return search.first(begin, from, end, to);
}

}  // namespace afterspike::spiking
