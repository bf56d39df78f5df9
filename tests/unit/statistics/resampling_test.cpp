#include "afterspike/statistics/resampling.hpp"

#include <cmath>

#include <gtest/gtest.h>

namespace afterspike::statistics {
namespace {

TEST(Summary, IsThatOfTheSample) {
  const std::vector<double> values = {1, 2, 4, 9};
  EXPECT_DOUBLE_EQ(mean(values), 4);
  EXPECT_DOUBLE_EQ(standard_deviation(values), std::sqrt(38.0 / 3));
  EXPECT_EQ(standard_deviation(std::vector<double>{3}), 0);
  EXPECT_DOUBLE_EQ(quantile({9, 1, 4, 2}, 0.5), 3);
  EXPECT_DOUBLE_EQ(quantile({9, 1, 4, 2}, 1), 9);
  EXPECT_DOUBLE_EQ(quantile({9, 1, 4, 2}, 0.1), 1.3);  // numpy.quantile
}

TEST(Bootstrap, HoldsTheTrueMeanAsOftenAsItSays) {
  constexpr int kExperiments = 200;
  int held = 0;
  for (std::uint64_t i = 0; i < kExperiments; ++i) {
    Rng rng(i);
    std::vector<double> values;
    for (int j = 0; j < 30; ++j) values.push_back(5 + rng.normal());
    const Interval interval = bootstrap_mean(values, Rng(i).stream("interval"));
    if (interval.low <= 5 && 5 <= interval.high) ++held;
  }
  // 0.93 expected with 30 values; three standard deviations of a count are 11.
  EXPECT_GE(held, 174);
  EXPECT_LE(held, 198);
}

TEST(Bootstrap, OfEqualValuesHasNoWidth) {
  const std::vector<double> values(10, 0.25);
  const Interval interval = bootstrap_mean(values, Rng(1));
  EXPECT_EQ(interval.low, 0.25);
  EXPECT_EQ(interval.high, 0.25);
}

TEST(PairedTest, IsExactForFewPairs) {
  // Only keeping all signs, or changing all, gives as large a value: 2 of 2^5.
  const std::vector<double> a = {1, 2, 3, 4, 5};
  const std::vector<double> b = {0.5, 1.4, 2.1, 3.9, 4.2};
  const PairedTest test = paired_test(a, b, Rng(1));
  EXPECT_NEAR(test.difference, 0.58, 1e-12);
  EXPECT_DOUBLE_EQ(test.p, 2.0 / 32);
  EXPECT_LT(test.interval.low, 0.58);
  EXPECT_GT(test.interval.low, 0);
  EXPECT_EQ(paired_test(a, a, Rng(1)).p, 1);
}

TEST(PairedTest, AgreesWithTheExactTestWhereItDrawsWays) {
  // 20 equal differences of 1, 6 of them negative: binomial, P(|heads - tails| >= 8 of 20).
  std::vector<double> a(20, 1), b(20, 0);
  for (std::size_t i = 0; i < 6; ++i) std::swap(a[i], b[i]);
  EXPECT_NEAR(paired_test(a, b, Rng(2)).p, 0.1153, 0.004);
}

/// 40 differences of one sign: none of 100,000 random changes of signs is as large, and the
/// observed one counts too (Phipson and Smyth 2010), so p is never 0.
TEST(PairedTest, IsNeverCertain) {
  std::vector<double> a, b;
  for (int i = 0; i < 40; ++i) {
    a.push_back(2 + 0.01 * i);
    b.push_back(1);
  }
  EXPECT_EQ(paired_test(a, b, Rng(3)).p, 1.0 / 100'001);
  EXPECT_EQ(paired_test(b, a, Rng(3)).p, 1.0 / 100'001);
}

TEST(MeanHeight, IsTheAreaOverTheWidth) {
  EXPECT_DOUBLE_EQ(mean_height(std::vector<double>{0, 0.5, 1}, std::vector<double>{1, 0.5, 0}),
                   0.5);
  EXPECT_DOUBLE_EQ(mean_height(std::vector<double>{0, 1, 4}, std::vector<double>{2, 2, 2}), 2);
}

}  // namespace
}  // namespace afterspike::statistics
