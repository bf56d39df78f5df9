#pragma once

#include <cstdint>
#include <string>
#include <string_view>

/// Conversion of physical quantities at entry: text with a unit becomes a plain double in a stated
/// unit, once.
///
/// Known: us ms s min h | uV mV V | fA pA nA uA | Ohm MOhm GOhm | 1/ms 1/s Hz kHz | pF nF | nS uS.
namespace afterspike::units {

/// Returns the value of `text` ("15 ms", "15ms", "2e-3 s") in `unit` ("ms"). Throws Error(config)
/// that names `what` if the number or the unit is missing, unknown or of another dimension, or the
/// value is not finite.
double parse(std::string_view text, std::string_view unit, std::string_view what);

/// Whether parse() knows the unit.
bool is_known(std::string_view unit);

/// Returns the shortest text that parse() turns into the same double: "15 ms".
std::string format(double value, std::string_view unit);

/// A duration, either physical or counted in steps of the simulation.
struct Duration {
  enum class Kind { milliseconds, steps };

  Kind kind = Kind::steps;
  double value = 1;  ///< ms, or a whole number of steps.

  static Duration steps(std::int64_t count) { return {Kind::steps, static_cast<double>(count)}; }
  static Duration milliseconds(double ms) { return {Kind::milliseconds, ms}; }

  /// Parses "15ms", "300steps", "1 step". A bare number is an error, because its unit is ambiguous.
  static Duration parse(std::string_view text, std::string_view what);

  std::string text() const;

  /// Returns the number of steps of `dt_ms`. Throws Error(config) naming `what` unless the duration
  /// is a whole number of steps, to one part in a million. A quotient of decimals such as 15 / 0.05
  /// is rounded, never truncated.
  std::int64_t in_steps(double dt_ms, std::string_view what) const;

  bool operator==(const Duration&) const = default;
};

}  // namespace afterspike::units
