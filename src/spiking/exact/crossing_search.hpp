#pragma once

#include <algorithm>
#include <cmath>
#include <limits>

#include "exact/bounds.hpp"

/// The first zero of a function D of time that is known in closed form, with bounds of its first
/// two derivatives. No zero is missed.
namespace afterspike::spiking {

/// Bounds of D' and D'' over an interval, and D' at its begin.
struct SlopeBounds {
  Bounds first, second;
  double at_start;
};

inline constexpr double kNoCrossing = std::numeric_limits<double>::infinity();

/// `Flow` is a neuron in closed form, which has
///   State                         a state at one time
///   at(time, State&)              the state `time` ms after the present one
///   excess(State), slope(State)   D, which crosses zero at a spike, and its derivative
///   bounds(start, end, length)    SlopeBounds over an interval from the states at its ends
template <typename Flow>
class CrossingSearch {
 public:
  using State = typename Flow::State;

  CrossingSearch(const Flow& flow, double tolerance) : flow_(flow), tolerance_(tolerance) {}

  /// The first crossing in (begin, end], whose states are given, or kNoCrossing. Intervals are
  /// halved until the bounds show that one of the derivatives has one sign.
  /// REQUIRES: excess(start) <= 0.
  double first(double begin, const State& start, double end, const State& stop) const;

 private:
  double solve(double low, double high) const;
  double over_the_top(double begin, const State& start, double end, const State& stop) const;

  const Flow& flow_;
  double tolerance_;
};

/// The one crossing between low, where the voltage is not above the threshold, and high, where it
/// is: Newton's method within a bracket that every value narrows.
template <typename Flow>
double CrossingSearch<Flow>::solve(double low, double high) const {
  State state;
  double time = 0.5 * (low + high);
  while (high - low > tolerance_) {
    flow_.at(time, state);
    const double above = flow_.excess(state);
    (above > 0 ? high : low) = time;
    const double rate = flow_.slope(state);
    double next = rate > 0 ? time - above / rate : 0.5 * (low + high);
    if (!(next > low && next < high)) next = 0.5 * (low + high);
    if (std::abs(next - time) < 0.25 * tolerance_) return next;
    time = next;
  }
  return high;
}

/// The crossing before the maximum of a concave piece that begins and ends below the threshold.
template <typename Flow>
double CrossingSearch<Flow>::over_the_top(double begin, const State& start, double end,
                                          const State& stop) const {
  double low = begin, high = end;
  double value_low = flow_.excess(start), slope_low = flow_.slope(start);
  double value_high = flow_.excess(stop), slope_high = flow_.slope(stop);
  State state;
  while (high - low > tolerance_ && slope_low > 0 && slope_high < 0) {
    // Both tangents lie above a concave function; where they meet is as high as it can be.
    const double meeting =
        (value_high - slope_high * (high - low) - value_low) / (slope_low - slope_high);
    if (value_low + slope_low * meeting <= 0) return kNoCrossing;
    double time = low + (high - low) * slope_low / (slope_low - slope_high);
    if (!(time > low && time < high)) time = 0.5 * (low + high);
    flow_.at(time, state);
    const double value = flow_.excess(state), rate = flow_.slope(state);
    if (value > 0) return solve(begin, time);
    if (rate == 0) return kNoCrossing;
    // The secant alone may move one end only: the other follows by bisection.
    (rate > 0 ? low : high) = time;
    (rate > 0 ? value_low : value_high) = value;
    (rate > 0 ? slope_low : slope_high) = rate;
    const double middle = 0.5 * (low + high);
    flow_.at(middle, state);
    if (flow_.excess(state) > 0) return solve(begin, middle);
    const double at_middle = flow_.slope(state);
    (at_middle > 0 ? low : high) = middle;
    (at_middle > 0 ? value_low : value_high) = flow_.excess(state);
    (at_middle > 0 ? slope_low : slope_high) = at_middle;
  }
  return kNoCrossing;
}

template <typename Flow>
double CrossingSearch<Flow>::first(double begin, const State& start, double end,
                                   const State& stop) const {
  const double length = end - begin;
  const double from = flow_.excess(start), to = flow_.excess(stop);
  const SlopeBounds slopes = flow_.bounds(start, stop, length);
  if (from + std::max(0.0, slopes.first.high) * length < 0) return kNoCrossing;
  if (slopes.first.high <= 0) return kNoCrossing;
  const bool one_at_most = slopes.first.low >= 0 || slopes.second.low >= 0;
  if (one_at_most) return to > 0 ? solve(begin, end) : kNoCrossing;
  if (slopes.second.high <= 0) {
    if (to > 0) return solve(begin, end);
    if (slopes.at_start <= 0) return kNoCrossing;
    return over_the_top(begin, start, end, stop);
  }
  if (length <= tolerance_) return to > 0 ? end : kNoCrossing;
  State state;
  const double middle = begin + 0.5 * length;
  flow_.at(middle, state);
  const double earlier = first(begin, start, middle, state);
  if (earlier != kNoCrossing) return earlier;
  return first(middle, state, end, stop);
}

}  // namespace afterspike::spiking
