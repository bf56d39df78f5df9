#pragma once

#include <functional>
#include <span>
#include <vector>

#include "afterspike/base/rng.hpp"

/// What a few repeated measurements say. Values are finite everywhere.
namespace afterspike::statistics {

double mean(std::span<const double> values);

/// Standard deviation of the sample (n - 1); 0 for a single value.
double standard_deviation(std::span<const double> values);

/// The value below which a part `probability` of the values lies, interpolated (NumPy's default).
double quantile(std::vector<double> values, double probability);

struct Interval {
  double low = 0, high = 0;
};

inline constexpr int kResamples = 10000;
inline constexpr double kConfidence = 0.95;

/// The percentile bootstrap interval (Efron 1979), of probability kConfidence: `statistic` of
/// kResamples random resamples, for which it gets a stream each to draw from.
Interval bootstrap(const Rng& rng, const std::function<double(Rng&)>& statistic);

/// The same for the mean of values. With few values such intervals are too short: of 10 normal
/// values they hold the true mean in some 90 % of cases.
Interval bootstrap_mean(std::span<const double> values, const Rng& rng);

/// The mean of as many values, drawn with replacement.
double resampled_mean(std::span<const double> values, Rng& rng);

/// A comparison of values that belong together in pairs.
struct PairedTest {
  double difference = 0;  ///< Mean of first - second.
  Interval interval;      ///< Bootstrap interval of the mean difference.
  double p = 1;           ///< Two-sided; see below.
};

/// Permutation test of paired values (Fisher 1935): the part of all 2^n ways to swap within pairs
/// whose mean difference is as large in size as the one found; for more than 16 pairs, of
/// kResamples * 10 random ways (then at least 1 / (kResamples * 10 + 1)). With n pairs p is no
/// less than 2 / 2^n: three pairs cannot show anything. REQUIRES: as many of each, and one or more.
PairedTest paired_test(std::span<const double> first, std::span<const double> second,
                       const Rng& rng);

/// The mean height of a curve: its area by trapezoids, over its width. REQUIRES: two points or
/// more, `x` rising.
double mean_height(std::span<const double> x, std::span<const double> y);

}  // namespace afterspike::statistics
