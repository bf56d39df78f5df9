#include "measures.hpp"

#include <algorithm>
#include <cmath>

#include <fmt/format.h>

namespace afterspike::analysis {
namespace {

constexpr std::string_view kAccuracy = "accuracy";

}  // namespace

report::Axis measure_axis(std::string_view measure) {
  std::string name(measure);
  std::string unit = measure == kAccuracy ? "%" : "";
  if (name.ends_with("_mV")) {
    unit = "mV";
    name.resize(name.size() - 3);
  }
  std::replace(name.begin(), name.end(), '_', ' ');
  return {name, unit};
}

double in_axis_unit(std::string_view measure, double value) {
  return measure == kAccuracy ? 100 * value : value;
}

std::string measure_text(std::string_view measure, double value) {
  if (measure == kAccuracy) return fmt::format("{:.2f} %", 100 * value);
  return std::abs(value) >= 1e-3 && std::abs(value) < 1e4 ? fmt::format("{:.4f}", value)
                                                          : fmt::format("{:.3g}", value);
}

std::string spread_text(double mean, double sd) {
  constexpr int kMaxDecimals = 6;
  if (!(sd > 1e-6 && sd < 1e9)) return fmt::format("{:.4g} ± {:.2g}", mean, sd);
  // Two digits of the deviation.
  const int decimals = 1 - static_cast<int>(std::floor(std::log10(sd)));
  const double unit = std::pow(10.0, -decimals);
  const auto rounded = [&](double value) {
    return decimals > 0 ? value : std::round(value / unit) * unit;
  };
  const int shown = std::clamp(decimals, 0, kMaxDecimals);
  return fmt::format("{:.{}f} ± {:.{}f}", rounded(mean), shown, rounded(sd), shown);
}

void add_once(std::vector<std::string>& names, const std::string& name) {
  if (std::find(names.begin(), names.end(), name) == names.end()) names.push_back(name);
}

}  // namespace afterspike::analysis
