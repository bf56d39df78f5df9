#pragma once

#include <array>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "afterspike/report/document.hpp"

/// Measures on splits, as files name them and as pages show them.
namespace afterspike::analysis {

/// Names of the splits in files and on pages.
inline constexpr std::array<std::pair<const char*, const char*>, 3> kSplitNames = {
    {{"train", "training"}, {"validation", "validation"}, {"test", "test"}}};

/// Returns the axis of a measure: "rmse (mV)" for "rmse_mV", "accuracy (%)" for "accuracy".
report::Axis measure_axis(std::string_view measure);

/// Converts a value to the unit of measure_axis(): fractions become percent.
double in_axis_unit(std::string_view measure, double value);

/// Returns "98.00 %" for an accuracy of 0.98, "0.0659" for a loss.
std::string measure_text(std::string_view measure, double value);

/// Returns mean and standard deviation with the same number of decimals: "98.0 ± 0.3",
/// "-180 ± 450".
std::string spread_text(double mean, double sd);

/// Appends a name unless it is there.
void add_once(std::vector<std::string>& names, const std::string& name);

}  // namespace afterspike::analysis
