#include "connect/binomial.hpp"

#include <algorithm>
#include <cmath>

namespace afterspike::spiking {
namespace {

/// Counts geometric gaps between successes.
std::int64_t by_gaps(std::int64_t trials, double probability, Rng& rng) {
  std::int64_t successes = 0;
  double used = 0;
  for (;;) {
    used += std::floor(std::log1p(-rng.uniform()) / std::log1p(-probability)) + 1;
    if (used > static_cast<double>(trials)) return successes;
    ++successes;
  }
}

/// Logarithm of k! without its leading terms: Stirling's correction.
double correction(double k) {
  constexpr double kExact = 10;
  if (k < kExact) {
    double factorial = 1;
    for (double factor = 2; factor <= k; ++factor) factorial *= factor;
    constexpr double kHalfLogTwoPi = 0.91893853320467274178;
    return std::log(factorial) - ((k + 0.5) * std::log(k + 1) - (k + 1) + kHalfLogTwoPi);
  }
  const double inverse = 1 / (k + 1), square = inverse * inverse;
  return (1.0 / 12 - (1.0 / 360 - 1.0 / 1260 * square) * square) * inverse;
}

/// REQUIRES: probability <= 0.5 and trials * probability >= 10.
std::int64_t by_rejection(std::int64_t trials, double probability, Rng& rng) {
  const auto n = static_cast<double>(trials);
  const double p = probability, ratio = p / (1 - p), spread = std::sqrt(n * p * (1 - p));
  const double b = 1.15 + 2.53 * spread, a = -0.0873 + 0.0248 * b + 0.01 * p, c = n * p + 0.5;
  const double v_r = 0.92 - 4.2 / b, alpha = (2.83 + 5.1 / b) * spread;
  const double mode = std::floor((n + 1) * p);
  for (;;) {
    const double u = rng.uniform() - 0.5;
    double v = rng.uniform();
    const double us = 0.5 - std::abs(u);
    const double k = std::floor((2 * a / us + b) * u + c);
    if (us >= 0.07 && v <= v_r) return static_cast<std::int64_t>(k);
    if (k < 0 || k > n) continue;
    v = std::log(v * alpha / (a / (us * us) + b));
    const double bound = (mode + 0.5) * std::log((mode + 1) / (ratio * (n - mode + 1))) +
                         (n + 1) * std::log((n - mode + 1) / (n - k + 1)) +
                         (k + 0.5) * std::log(ratio * (n - k + 1) / (k + 1)) + correction(mode) +
                         correction(n - mode) - correction(k) - correction(n - k);
    if (v <= bound) return static_cast<std::int64_t>(k);
  }
}

}  // namespace

std::int64_t binomial(std::int64_t trials, double probability, Rng& rng) {
  if (trials <= 0 || probability <= 0) return 0;
  if (probability >= 1) return trials;
  if (probability > 0.5) return trials - binomial(trials, 1 - probability, rng);
  constexpr double kFew = 10;
  const double expected = static_cast<double>(trials) * probability;
  return expected < kFew ? by_gaps(trials, probability, rng)
                         : by_rejection(trials, probability, rng);
}

}  // namespace afterspike::spiking
