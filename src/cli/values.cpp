#include "values.hpp"

#include <algorithm>
#include <cmath>

#include <fmt/format.h>

namespace afterspike::cli {
namespace {

/// Returns whether a member is a fraction of samples.
bool is_fraction(std::string_view name) {
  return name == "accuracy" || name.ends_with("_accuracy") || name.ends_with("agreement");
}

}  // namespace

std::string value_text(std::string_view name, const io::Json& value) {
  if (value.is_string()) return value.get<std::string>();
  if (!value.is_number_float()) return value.dump();
  const double number = value.get<double>();
  if (is_fraction(name)) return fmt::format("{:.2f} %", 100 * number);
  constexpr double kLarge = 1000, kHuge = 1e9;
  const double size = std::abs(number);
  return size >= kLarge && size < kHuge ? fmt::format("{:.0f}", number)
                                        : fmt::format("{:.4g}", number);
}

void print_result(const io::Json& result, bool json) {
  if (json) {
    fmt::print("{}\n", result.dump());
    return;
  }
  std::size_t width = 0;
  for (const auto& [name, value] : result.items()) width = std::max(width, name.size());
  for (const auto& [name, value] : result.items()) {
    if (name == "fingerprint_matches") {
      fmt::print("{:{}}  {}\n", "data", width,
                 value.get<bool>() ? "the same as in training" : "others than in training");
      continue;
    }
    fmt::print("{:{}}  {}\n", name, width, value_text(name, value));
  }
}

}  // namespace afterspike::cli
