#pragma once

#include <cmath>
#include <cstddef>
#include <vector>

#include <gtest/gtest.h>

namespace afterspike::testing {

/// Expects counts to agree with probabilities that sum to 1: Pearson's statistic lies within five
/// standard deviations of its mean. Neighbouring bins with less than ten expected are merged.
inline void expect_distributed(const std::vector<double>& counts,
                               const std::vector<double>& probabilities) {
  ASSERT_EQ(counts.size(), probabilities.size());
  double total = 0;
  for (const double count : counts) total += count;
  double statistic = 0, freedom = -1, found = 0, expected = 0;
  for (std::size_t bin = 0; bin < counts.size(); ++bin) {
    found += counts[bin];
    expected += probabilities[bin] * total;
    double rest = 0;
    for (std::size_t later = bin + 1; later < counts.size(); ++later) {
      rest += probabilities[later] * total;
    }
    constexpr double kEnough = 10;
    if (expected < kEnough || (rest < kEnough && bin + 1 < counts.size())) continue;
    statistic += (found - expected) * (found - expected) / expected;
    freedom += 1;
    found = expected = 0;
  }
  ASSERT_GE(freedom, 1);
  EXPECT_NEAR(statistic, freedom, 5 * std::sqrt(2 * freedom));
}

}  // namespace afterspike::testing
