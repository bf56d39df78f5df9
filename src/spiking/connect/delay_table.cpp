#include "connect/delay_table.hpp"

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <numbers>

#include "afterspike/base/error.hpp"

namespace afterspike::spiking {
namespace {

constexpr double kMaxSteps = 1e6;

double normal_below(double deviations) {
  return 0.5 * std::erfc(-deviations / std::numbers::sqrt2);
}

/// Probability of a value of at most `x`, without bounds.
double below(const Distribution& distribution, double x) {
  const double first = distribution.first, second = distribution.second;
  switch (distribution.kind) {
    case Distribution::Kind::normal:
      if (second == 0) break;
      return normal_below((x - first) / second);
    case Distribution::Kind::lognormal:
      if (x <= 0) return 0;
      if (second == 0) return std::log(x) >= first ? 1 : 0;
      return normal_below((std::log(x) - first) / second);
    case Distribution::Kind::uniform:
      if (first == second) break;
      return std::clamp((x - first) / (second - first), 0.0, 1.0);
    case Distribution::Kind::exponential:
      if (first == 0) break;
      return x <= 0 ? 0 : -std::expm1(-x / first);
    default:
      break;
  }
  return x >= first ? 1 : 0;
}

}  // namespace

DelayTable::DelayTable(const Distribution& distribution, double time_step_ms) {
  constexpr double kNegligible = 1e-12;
  // A value at the lower bound belongs to the distribution.
  const double least = below(distribution, std::nextafter(distribution.min, -INFINITY));
  const double most = below(distribution, distribution.max), mass = most - least;
  require(mass > 0, ErrorKind::config,
          "delay: found no value between {} and {} ms. Widen the bounds.", distribution.min,
          distribution.max);
  const double negative = below(distribution, std::nextafter(0.0, -1.0)) - least;
  require(negative / mass < kNegligible, ErrorKind::config,
          "delay: found values below 0 ms with probability {}, expected none. Set min = 0.",
          negative / mass);
  constexpr double kWhole = 0x1p32, kLast = 0xffffffffu;
  min_ = 0;
  for (double step = 1;; ++step) {
    require(step <= kMaxSteps, ErrorKind::config,
            "delay: found values above {} steps of {} ms, expected at most so many", kMaxSteps,
            time_step_ms);
    // Halves of a step round up.
    const double edge = std::nextafter((step + 0.5) * time_step_ms, 0.0);
    const double part = (below(distribution, edge) - least) / mass;
    const double end = std::min(std::round(part * kWhole) - 1, kLast);
    if (min_ == 0 && end < 0) continue;
    if (min_ == 0) min_ = static_cast<std::uint32_t>(step);
    ends_.push_back(static_cast<std::uint32_t>(end));
    if (end >= kLast) break;
  }
  std::size_t at = 0;
  for (std::uint32_t begin = 0; begin < guide_.size(); ++begin) {
    while (ends_[at] < begin << kShift) ++at;
    guide_[begin] = static_cast<std::uint32_t>(at);
  }
}

}  // namespace afterspike::spiking
