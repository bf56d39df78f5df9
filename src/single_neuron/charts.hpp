#pragma once

#include <limits>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <fmt/format.h>

#include "afterspike/report/document.hpp"
#include "afterspike/single_neuron/study.hpp"

/// Common parts of the page on a study.
namespace afterspike::single_neuron {

inline constexpr double kGap = std::numeric_limits<double>::quiet_NaN();

/// Numbers of colours and symbols of the page; two with the same colour have different symbols.
enum Color : int { kBlue, kOrange, kGreen, kPink, kDark = 7, kDarkToo = 15 };

/// A unit as axes show it; "1" is none.
inline std::string shown(std::string_view unit) {
  return unit == "1" ? "" : std::string(unit);
}

inline std::string with_unit(double value, std::string_view unit) {
  return unit == "1" ? fmt::format("{:.4g}", value) : fmt::format("{:.4g} {}", value, unit);
}

inline report::Axis axis_between(std::string name, std::string unit, double min, double max) {
  report::Axis axis{std::move(name), std::move(unit)};
  axis.min = min;
  axis.max = max;
  return axis;
}

inline report::Series series_of(std::string name, std::vector<double> x, std::vector<double> y,
                                int color, report::Series::Draw draw = report::Series::Draw::line) {
  report::Series series;
  series.name = std::move(name);
  series.x = std::move(x);
  series.y = std::move(y);
  series.color = color;
  series.draw = draw;
  return series;
}

/// The section on phase plane or phase line. REQUIRES: the study has one.
report::Section plane_section(const Study& study);

}  // namespace afterspike::single_neuron
