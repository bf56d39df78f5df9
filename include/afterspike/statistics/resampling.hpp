#pragma once

#include <functional>
#include <span>
#include <vector>

#include "afterspike/base/rng.hpp"

/// Statistics of a few repeated measurements. All values are finite.
namespace afterspike::statistics {

double mean(std::span<const double> values);

/// Returns the standard deviation of the sample (n - 1); 0 for a single value.
double standard_deviation(std::span<const double> values);

/// Returns the quantile of the values at `probability`, interpolated (NumPy's default).
double quantile(std::vector<double> values, double probability);

struct Interval {
  double low = 0, high = 0;
};

inline constexpr int kResamples = 10000;
inline constexpr double kConfidence = 0.95;

/// Returns the percentile bootstrap interval (Efron 1979) of probability kConfidence: `statistic`
/// of kResamples random resamples, each with its own stream.
Interval bootstrap(const Rng& rng, const std::function<double(Rng&)>& statistic);

/// Returns the bootstrap interval of the mean of values. With few values such intervals are too
/// short: of 10 normal values they hold the true mean in some 90 % of cases.
Interval bootstrap_mean(std::span<const double> values, const Rng& rng);

/// Returns the mean of equally many values, drawn with replacement.
double resampled_mean(std::span<const double> values, Rng& rng);

/// A comparison of paired values.
struct PairedTest {
  double difference = 0;  ///< Mean of first - second.
  Interval interval;      ///< Bootstrap interval of the mean difference.
  double p = 1;           ///< Two-sided; see paired_test().
};

/// Permutation test of paired values (Fisher 1935): p is the fraction of all 2^n swaps within pairs
/// whose mean difference is at least as large in size as the observed one. For more than 16 pairs
/// it uses kResamples * 10 random swaps (p is then at least 1 / (kResamples * 10 + 1)). With n
/// pairs p is at least 2 / 2^n, so three pairs cannot show anything. REQUIRES: equally many of
/// each, one or more.
PairedTest paired_test(std::span<const double> first, std::span<const double> second,
                       const Rng& rng);

/// Returns the mean height of a curve: its area by trapezoids over its width. REQUIRES: two points
/// or more, `x` ascending.
double mean_height(std::span<const double> x, std::span<const double> y);

}  // namespace afterspike::statistics
