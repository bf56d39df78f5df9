#include "afterspike/statistics/resampling.hpp"

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <numeric>

namespace afterspike::statistics {
namespace {

constexpr std::size_t kMaxExactPairs = 16;
/// Sums in another order differ by rounding; equal values must compare equal.
constexpr double kRounding = 1 + 1e-12;

double signed_sum(std::span<const double> differences, std::uint64_t signs) {
  double sum = 0;
  for (std::size_t i = 0; i < differences.size(); ++i) {
    sum += ((signs >> (i % 64)) & 1U) != 0 ? -differences[i] : differences[i];
  }
  return sum;
}

double exact_p(std::span<const double> differences, double found) {
  const std::uint64_t ways = std::uint64_t{1} << differences.size();
  std::uint64_t as_large = 0;
  for (std::uint64_t signs = 0; signs < ways; ++signs) {
    if (std::abs(signed_sum(differences, signs)) * kRounding >= found) ++as_large;
  }
  return static_cast<double>(as_large) / static_cast<double>(ways);
}

double random_p(std::span<const double> differences, double found, Rng rng) {
  constexpr int kWays = 10 * kResamples;
  int as_large = 0;
  for (int way = 0; way < kWays; ++way) {
    double sum = 0;
    for (std::size_t i = 0; i < differences.size(); i += 64) {
      sum += signed_sum(differences.subspan(i, std::min<std::size_t>(64, differences.size() - i)),
                        rng.next());
    }
    if (std::abs(sum) * kRounding >= found) ++as_large;
  }
  return (as_large + 1.0) / (kWays + 1.0);
}

}  // namespace

double mean(std::span<const double> values) {
  return std::accumulate(values.begin(), values.end(), 0.0) / static_cast<double>(values.size());
}

double standard_deviation(std::span<const double> values) {
  if (values.size() < 2) return 0;
  const double centre = mean(values);
  double sum = 0;
  for (const double value : values) sum += (value - centre) * (value - centre);
  return std::sqrt(sum / static_cast<double>(values.size() - 1));
}

double quantile(std::vector<double> values, double probability) {
  std::sort(values.begin(), values.end());
  const double place = probability * static_cast<double>(values.size() - 1);
  const auto below = static_cast<std::size_t>(place);
  const std::size_t above = std::min(below + 1, values.size() - 1);
  return values[below] + (place - static_cast<double>(below)) * (values[above] - values[below]);
}

Interval bootstrap(const Rng& rng, const std::function<double(Rng&)>& statistic) {
  std::vector<double> found;
  found.reserve(kResamples);
  for (int i = 0; i < kResamples; ++i) {
    Rng stream = rng.stream("resample", static_cast<std::uint64_t>(i));
    found.push_back(statistic(stream));
  }
  return {quantile(found, (1 - kConfidence) / 2), quantile(found, (1 + kConfidence) / 2)};
}

double resampled_mean(std::span<const double> values, Rng& rng) {
  double sum = 0;
  for (std::size_t i = 0; i < values.size(); ++i) sum += values[rng.below(values.size())];
  return sum / static_cast<double>(values.size());
}

Interval bootstrap_mean(std::span<const double> values, const Rng& rng) {
  const auto [low, high] = std::minmax_element(values.begin(), values.end());
  if (*low == *high) return {*low, *high};
  return bootstrap(rng, [values](Rng& stream) { return resampled_mean(values, stream); });
}

PairedTest paired_test(std::span<const double> first, std::span<const double> second,
                       const Rng& rng) {
  std::vector<double> differences(first.size());
  std::transform(first.begin(), first.end(), second.begin(), differences.begin(),
                 std::minus<double>());
  PairedTest test;
  test.difference = mean(differences);
  test.interval = bootstrap_mean(differences, rng.stream("interval"));
  const double found = std::abs(signed_sum(differences, 0));
  test.p = differences.size() <= kMaxExactPairs
               ? exact_p(differences, found)
               : random_p(differences, found, rng.stream("permutation"));
  return test;
}

double mean_height(std::span<const double> x, std::span<const double> y) {
  double area = 0;
  for (std::size_t i = 1; i < x.size(); ++i) area += (x[i] - x[i - 1]) * (y[i] + y[i - 1]) / 2;
  return area / (x.back() - x.front());
}

}  // namespace afterspike::statistics
