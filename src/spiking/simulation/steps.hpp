#pragma once

#include <cmath>
#include <cstdint>
#include <limits>
#include <string_view>

/// Times in steps of the grid, or in other intervals: when one counts as a whole number of them.
namespace afterspike::spiking {

/// Twice the rounding error of the quotient of a time and a step. Each of these was rounded when it
/// was read or computed.
inline double rounding_of(double steps) {
  return 4 * std::numeric_limits<double>::epsilon() * std::abs(steps);
}

/// How far, in steps, a time may lie from a step and be at it: a millionth of a step, for times
/// that somebody wrote with so many digits, and rounding.
inline double slack_of(double steps) {
  constexpr double kOff = 1e-6;
  return kOff + rounding_of(steps);
}

/// The last step that is over at `time`, and the first that is not before it.
inline double steps_over(double time_ms, double step_ms) {
  const double steps = time_ms / step_ms;
  return std::floor(steps + slack_of(steps));
}
inline double steps_until(double time_ms, double step_ms) {
  const double steps = time_ms / step_ms;
  return std::ceil(steps - slack_of(steps));
}

/// Whether `time` is at a step.
inline bool is_at_step(double time_ms, double step_ms) {
  const double steps = time_ms / step_ms;
  return std::abs(steps - std::round(steps)) <= slack_of(steps);
}

/// Above this, doubles hardly tell a step from half of one.
inline constexpr double kMostSteps = 0x1p48;

/// `time` in steps. Throws Error(config) unless it is at a step, and below kMostSteps.
std::int64_t whole_steps(double time_ms, double step_ms, std::string_view what);

}  // namespace afterspike::spiking
