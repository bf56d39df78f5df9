// Random numbers of networks by rule: vectors of words, normal, binomial and Poisson numbers.

#include <cmath>
#include <numbers>
#include <numeric>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "chi_square.hpp"
#include "connect/binomial.hpp"
#include "connect/random_words.hpp"
#include "grid/poisson_drive.hpp"

namespace afterspike::spiking {
namespace {

using testing::expect_distributed;

double normal_below(double x) {
  return 0.5 * std::erfc(-x / std::numbers::sqrt2);
}

double poisson(double mean, int k) {
  return std::exp(k * std::log(mean) - mean - std::lgamma(k + 1.0));
}

double binomial_probability(int n, double p, int k) {
  return std::exp(std::lgamma(n + 1.0) - std::lgamma(k + 1.0) - std::lgamma(n - k + 1.0) +
                  k * std::log(p) + (n - k) * std::log1p(-p));
}

TEST(RandomWords, AreThoseOfRng) {
  Rng rng = Rng(3).stream("words");
  for (const std::uint64_t group : {0u, 1u}) {
    std::array<std::uint32_t, kGroupWords> words{};
    fill_words(rng.key(), group, words.data());
    for (std::size_t block = 0; block < kWordLanes; ++block) {
      const auto word = [&](std::size_t index) {
        return std::uint64_t{words[index * kWordLanes + block]};
      };
      EXPECT_EQ(rng.next(), word(2) | word(3) << 32);
      EXPECT_EQ(rng.next(), word(0) | word(1) << 32);
    }
  }
}

TEST(RandomWords, NormalNumbersHaveTheirDistribution) {
  WordStream words(Rng(4));
  constexpr int kBins = 100;
  constexpr double kWidth = 0.1;
  std::vector<double> counts(kBins + 2), probabilities(kBins + 2);
  for (int drawn = 0; drawn < 2'000'000; ++drawn) {
    const double bin = std::floor(words.normal() / kWidth) + kBins / 2 + 1;
    ++counts[static_cast<std::size_t>(std::clamp(bin, 0.0, kBins + 1.0))];
  }
  for (int bin = 0; bin < kBins + 2; ++bin) {
    const double left = (bin - 1 - kBins / 2) * kWidth;
    probabilities[static_cast<std::size_t>(bin)] =
        (bin == kBins + 1 ? 1 : normal_below(left + kWidth)) - (bin == 0 ? 0 : normal_below(left));
  }
  expect_distributed(counts, probabilities);
}

TEST(RandomWords, BinomialNumbersHaveTheirDistribution) {
  for (const auto& [n, p] : {std::pair(40, 0.1), std::pair(100, 0.3), std::pair(60, 0.9)}) {
    Rng rng = Rng(5).stream("binomial", static_cast<std::uint64_t>(n));
    std::vector<double> counts(static_cast<std::size_t>(n) + 1), probabilities;
    for (int drawn = 0; drawn < 200'000; ++drawn) {
      ++counts[static_cast<std::size_t>(binomial(n, p, rng))];
    }
    for (int k = 0; k <= n; ++k) probabilities.push_back(binomial_probability(n, p, k));
    expect_distributed(counts, probabilities);
  }
}

TEST(RandomWords, BinomialNumbersOfManyTrialsHaveTheirMoments) {
  Rng rng(6);
  constexpr std::int64_t kTrials = 45'499'805;
  constexpr int kDraws = 20'000;
  constexpr double kP = 1.0 / 24;
  double sum = 0, squares = 0;
  const double mean = kTrials * kP, variance = mean * (1 - kP);
  for (int drawn = 0; drawn < kDraws; ++drawn) {
    const double off = static_cast<double>(binomial(kTrials, kP, rng)) - mean;
    sum += off;
    squares += off * off;
  }
  EXPECT_NEAR(sum / kDraws, 0, 4 * std::sqrt(variance / kDraws));
  EXPECT_NEAR(squares / kDraws / variance, 1, 4 * std::sqrt(2.0 / kDraws));
}

TEST(RandomWords, PoissonNumbersHaveTheirDistribution) {
  for (const double mean : {0.013, 1.28, 40.0}) {
    const PoissonTable table(mean);
    constexpr std::int64_t kCells = 1000, kMost = 120;
    std::vector<double> counts(kMost), probabilities;
    std::vector<double> sums(kCells);
    for (std::uint64_t step = 0; step < 300; ++step) {
      std::fill(sums.begin(), sums.end(), 0.0);
      const std::uint64_t key = Rng(7).stream("step", step).key();
      const auto total = add_poisson(key, table, 0, kCells, 1, sums.data());
      EXPECT_EQ(std::accumulate(sums.begin(), sums.end(), 0.0), static_cast<double>(total));
      for (const double count : sums) ++counts[static_cast<std::size_t>(count)];
    }
    for (int k = 0; k < kMost; ++k) probabilities.push_back(poisson(mean, k));
    expect_distributed(counts, probabilities);
  }
}

TEST(RandomWords, PoissonNumbersDependOnTheNeuronAlone) {
  const PoissonTable table(2.3);
  std::vector<double> whole(500, 0.1);
  add_poisson(11, table, 0, 500, 87.8, whole.data());
  for (const std::int64_t cut : {1, 63, 64, 130, 499}) {
    std::vector<double> parts(500, 0.1);
    add_poisson(11, table, 0, cut, 87.8, parts.data());
    add_poisson(11, table, cut, 500 - cut, 87.8, parts.data() + cut);
    EXPECT_EQ(parts, whole) << cut;
  }
}

}  // namespace
}  // namespace afterspike::spiking
