#include "afterspike/base/units.hpp"

#include <array>
#include <charconv>
#include <cmath>
#include <optional>

#include "afterspike/base/error.hpp"

namespace afterspike::units {
namespace {

enum class Dimension { time, voltage, current, resistance, rate, capacitance, conductance };

struct Unit {
  std::string_view name;
  Dimension dimension;
  int exponent;       ///< Power of ten relative to ms, mV, pA, GOhm, 1/ms, pF, nS.
  double factor = 1;  ///< Factor of units that are no power of ten.
};

constexpr std::array kUnits = {
    Unit{"us", Dimension::time, -3},        Unit{"ms", Dimension::time, 0},
    Unit{"s", Dimension::time, 3},          Unit{"min", Dimension::time, 3, 60},
    Unit{"h", Dimension::time, 3, 3600},    Unit{"uV", Dimension::voltage, -3},
    Unit{"mV", Dimension::voltage, 0},      Unit{"V", Dimension::voltage, 3},
    Unit{"fA", Dimension::current, -3},     Unit{"pA", Dimension::current, 0},
    Unit{"nA", Dimension::current, 3},      Unit{"uA", Dimension::current, 6},
    Unit{"Ohm", Dimension::resistance, -9}, Unit{"MOhm", Dimension::resistance, -3},
    Unit{"GOhm", Dimension::resistance, 0}, Unit{"1/ms", Dimension::rate, 0},
    Unit{"1/s", Dimension::rate, -3},       Unit{"Hz", Dimension::rate, -3},
    Unit{"kHz", Dimension::rate, 0},        Unit{"pF", Dimension::capacitance, 0},
    Unit{"nF", Dimension::capacitance, 3},  Unit{"nS", Dimension::conductance, 0},
    Unit{"uS", Dimension::conductance, 3},
};

const Unit* find_unit(std::string_view name) {
  for (const Unit& unit : kUnits) {
    if (unit.name == name) return &unit;
  }
  return nullptr;
}

std::string_view trim(std::string_view text) {
  const auto first = text.find_first_not_of(" \t");
  if (first == std::string_view::npos) return {};
  return text.substr(first, text.find_last_not_of(" \t") - first + 1);
}

struct Measured {
  double value;
  std::string_view unit;
};

/// Splits "15 ms" into number and unit; nullopt if there is no number.
std::optional<Measured> split(std::string_view text) {
  text = trim(text);
  double value = 0;
  const bool plus = text.starts_with('+') && !text.starts_with("+-");
  const auto [end, error] =
      std::from_chars(text.data() + (plus ? 1 : 0), text.data() + text.size(), value);
  if (error != std::errc()) return std::nullopt;
  return Measured{value, trim(text.substr(static_cast<std::size_t>(end - text.data())))};
}

/// Converts `value` from unit `from` to unit `to` of the same dimension.
double convert(double value, const Unit& from, const Unit& to) {
  if (from.name == to.name)
    return value;  // Multiplying by 60 and dividing again may change the
                   // last bit.
  // Division by a power of ten is exact, multiplication by its inverse is not: 50 us = 0.05 ms.
  const int exponent = from.exponent - to.exponent;
  const double scale = std::pow(10.0, std::abs(exponent));
  return (exponent >= 0 ? value * scale : value / scale) * from.factor / to.factor;
}

}  // namespace

double parse(std::string_view text, std::string_view unit, std::string_view what) {
  const Unit* wanted = find_unit(unit);
  require(wanted != nullptr, ErrorKind::internal, "{}: no unit called '{}'", what, unit);
  const auto measured = split(text);
  require(measured.has_value(), ErrorKind::config,
          "{}: '{}' is not a quantity; expected a number and a unit, such as '1 {}'", what, text,
          unit);
  const Unit* found = find_unit(measured->unit);
  require(!measured->unit.empty(), ErrorKind::config,
          "{}: '{}' has no unit; expected a number and a unit, such as '{} {}'", what, text, text,
          unit);
  require(found != nullptr && found->dimension == wanted->dimension, ErrorKind::config,
          "{}: '{}' is not in a unit of the kind of {}", what, text, unit);
  const double value = convert(measured->value, *found, *wanted);
  require(std::isfinite(value), ErrorKind::config, "{}: '{}' is not finite", what, text);
  return value;
}

bool is_known(std::string_view unit) {
  return find_unit(unit) != nullptr;
}

std::string format(double value, std::string_view unit) {
  return fmt::format("{} {}", value, unit);
}

Duration Duration::parse(std::string_view text, std::string_view what) {
  const auto measured = split(text);
  require(measured && !measured->unit.empty(), ErrorKind::config,
          "{}: '{}' does not say of what; expected a duration such as '15ms' or '300steps'", what,
          text);
  if (measured->unit == "steps" || measured->unit == "step") {
    require(measured->value >= 0 && measured->value < 1e15 &&
                measured->value == std::floor(measured->value),
            ErrorKind::config, "{}: '{}': expected a whole number of steps, 0 or more", what, text);
    return {Kind::steps, measured->value};
  }
  const double ms = units::parse(text, "ms", what);
  require(ms >= 0, ErrorKind::config, "{}: '{}': expected a duration of 0 or more", what, text);
  return {Kind::milliseconds, ms};
}

std::string Duration::text() const {
  if (kind == Kind::milliseconds) return format(value, "ms");
  return fmt::format("{} {}", value, value == 1 ? "step" : "steps");
}

std::int64_t Duration::in_steps(double dt_ms, std::string_view what) const {
  if (kind == Kind::steps) return static_cast<std::int64_t>(value);
  const double quotient = value / dt_ms;
  const double whole = std::round(quotient);
  require(std::abs(quotient - whole) <= 1e-6 * std::max(1.0, whole) && whole < 1e15,
          ErrorKind::config,
          "{}: {} ms is {:.10g} steps of {} ms; expected a whole number of steps, below 1e15", what,
          value, quotient, dt_ms);
  return static_cast<std::int64_t>(whole);
}

}  // namespace afterspike::units
