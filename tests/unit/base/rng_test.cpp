#include "afterspike/base/rng.hpp"

#include <algorithm>
#include <array>
#include <cmath>
#include <cstdint>
#include <map>
#include <numeric>
#include <string>
#include <vector>

#include <gtest/gtest.h>

namespace afterspike {
namespace {

using Counter = std::array<std::uint32_t, 4>;
using Key = std::array<std::uint32_t, 2>;

/// Philox4x32-10 written from the paper's description: a round multiplies words 0 and 2, exchanges
/// the halves of the products and mixes in the key, which grows by the Weyl constants.
Counter reference_philox(Counter counter, Key key) {
  for (int round = 0; round < 10; ++round) {
    const auto product = [](std::uint64_t left, std::uint64_t right) {
      const std::uint64_t whole = left * right;
      return std::pair(static_cast<std::uint32_t>(whole >> 32),
                       static_cast<std::uint32_t>(whole & 0xffffffffu));
    };
    const auto [high0, low0] = product(0xD2511F53u, counter[0]);
    const auto [high1, low1] = product(0xCD9E8D57u, counter[2]);
    counter = {high1 ^ counter[1] ^ key[0], low1, high0 ^ counter[3] ^ key[1], low0};
    key = {key[0] + 0x9E3779B9u, key[1] + 0xBB67AE85u};
  }
  return counter;
}

/// The output of the generator SplitMix64 for this state.
std::uint64_t reference_splitmix(std::uint64_t state) {
  state += 0x9e3779b97f4a7c15u;
  state = (state ^ (state >> 30)) * 0xbf58476d1ce4e5b9u;
  state = (state ^ (state >> 27)) * 0x94d049bb133111ebu;
  return state ^ (state >> 31);
}

std::vector<std::uint64_t> draw(Rng rng, int count) {
  std::vector<std::uint64_t> words;
  for (int i = 0; i < count; ++i) words.push_back(rng.next());
  return words;
}

/// Pearson's statistic for counts with equal expectation.
double chi_square(const std::vector<int>& counts) {
  const double total = std::accumulate(counts.begin(), counts.end(), 0.0);
  const double expected = total / static_cast<double>(counts.size());
  double statistic = 0;
  for (const int count : counts) statistic += (count - expected) * (count - expected) / expected;
  return statistic;
}

TEST(Rng, TheReferencesGiveThePublishedVectors) {
  // Random123's kat_vectors, philox4x32 10.
  EXPECT_EQ(reference_philox({0, 0, 0, 0}, {0, 0}),
            (Counter{0x6627e8d5u, 0xe169c58du, 0xbc57ac4cu, 0x9b00dbd8u}));
  EXPECT_EQ(reference_philox({~0u, ~0u, ~0u, ~0u}, {~0u, ~0u}),
            (Counter{0x408f276du, 0x41c83b0eu, 0xa20bc7c6u, 0x6d5451fdu}));
  EXPECT_EQ(reference_philox({0x243f6a88u, 0x85a308d3u, 0x13198a2eu, 0x03707344u},
                             {0xa4093822u, 0x299f31d0u}),
            (Counter{0xd16cfe09u, 0x94fdccebu, 0x5001e420u, 0x24126ea1u}));
  // The first output of Vigna's splitmix64.c for a state of 0.
  EXPECT_EQ(reference_splitmix(0), 0xe220a8397b1dcdafu);
}

TEST(Rng, NumbersArePhiloxOfTheHashedSeed) {
  for (const std::uint64_t seed : {0ull, 1ull, 42ull, ~0ull}) {
    const std::uint64_t key = reference_splitmix(seed);
    Rng rng(seed);
    for (std::uint32_t block = 0; block < 100; ++block) {
      const Counter words = reference_philox(
          {block, 0, 0, 0},
          {static_cast<std::uint32_t>(key), static_cast<std::uint32_t>(key >> 32)});
      // The upper half of a block comes first.
      ASSERT_EQ(rng.next(), words[2] | std::uint64_t{words[3]} << 32) << seed << " " << block;
      ASSERT_EQ(rng.next(), words[0] | std::uint64_t{words[1]} << 32) << seed << " " << block;
    }
  }
}

TEST(Rng, FirstNumbersStayTheSameForever) {
  // Computed by a third implementation, in Python. A change makes all runs irreproducible: never
  // adapt them.
  const Rng root(1);
  EXPECT_EQ(draw(root, 4), (std::vector<std::uint64_t>{0xe9d9220c6d2b9f4bu, 0xe294727299672ee7u,
                                                       0xb4c6b0533bcdb0fau, 0xac586436c46ec5feu}));
  EXPECT_EQ(draw(root.stream("shuffle"), 2),
            (std::vector<std::uint64_t>{0x10a7b49bfa5cf0a4u, 0x2c1d3b97c6f887ecu}));
  EXPECT_EQ(draw(root.stream("shuffle", 3), 2),
            (std::vector<std::uint64_t>{0x4631f45cab6cc9bbu, 0x8b66dbbfd1a48745u}));
}

TEST(Rng, StreamsDoNotDependOnWhatWasDrawn) {
  const Rng fresh(7);
  for (int drawn = 0; drawn < 5; ++drawn) {
    Rng used(7);
    for (int i = 0; i < drawn; ++i) used.next();
    EXPECT_EQ(draw(used.stream("init"), 10), draw(fresh.stream("init"), 10)) << drawn;
    EXPECT_EQ(draw(used.stream("init", 2), 10), draw(fresh.stream("init", 2), 10)) << drawn;
  }
  Rng parent(7), untouched(7);
  parent.stream("init").next();
  EXPECT_EQ(draw(parent, 10), draw(untouched, 10));
}

TEST(Rng, SeedsNamesAndIndicesAllGiveDifferentNumbers) {
  std::map<std::uint64_t, std::string> first;
  const auto note = [&](Rng rng, const std::string& who) {
    const auto [entry, added] = first.emplace(rng.next(), who);
    EXPECT_TRUE(added) << who << " gives the same as " << entry->second;
  };
  for (std::uint64_t seed = 0; seed < 100; ++seed) {
    const Rng root(seed);
    note(root, std::to_string(seed));
    for (const char* name : {"", "a", "b", "ab", "ba", "shuffle", "init/leak", "init"}) {
      note(root.stream(name), std::to_string(seed) + name);
      for (std::uint64_t index = 0; index < 20; ++index) {
        note(root.stream(name, index), std::to_string(seed) + name + " " + std::to_string(index));
      }
    }
    note(root.stream("a").stream("b"), std::to_string(seed) + "a/b");
  }
}

TEST(Rng, StreamsAreUncorrelated) {
  const Rng root(3);
  Rng left = root.stream("left"), right = root.stream("right");
  constexpr int kDraws = 100000;
  double sum = 0;
  for (int i = 0; i < kDraws; ++i) sum += (left.uniform() - 0.5) * (right.uniform() - 0.5);
  // Each product has a standard deviation of 1/12.
  EXPECT_LT(std::abs(sum / kDraws), 5.0 / 12 / std::sqrt(kDraws));
}

TEST(Rng, ACopyContinuesFromTheSamePlace) {
  for (int drawn = 0; drawn < 4; ++drawn) {
    Rng rng(5);
    for (int i = 0; i < drawn; ++i) rng.next();
    Rng copy = rng;
    EXPECT_EQ(draw(copy, 10), draw(rng, 10));
  }
}

TEST(Rng, UniformHasTheMomentsOfTheUniformDistribution) {
  Rng rng(11);
  constexpr int kDraws = 200000;
  double sum = 0, squares = 0;
  std::vector<int> counts(20);
  for (int i = 0; i < kDraws; ++i) {
    const double value = rng.uniform();
    ASSERT_GE(value, 0);
    ASSERT_LT(value, 1);
    sum += value;
    squares += value * value;
    ++counts[static_cast<std::size_t>(value * 20)];
  }
  const double tolerance = 5 * std::sqrt(1.0 / 12 / kDraws);
  EXPECT_NEAR(sum / kDraws, 0.5, tolerance);
  EXPECT_NEAR(squares / kDraws, 1.0 / 3, tolerance);
  EXPECT_LT(chi_square(counts), 50);  // 19 degrees of freedom: exceeded once in 10^4.
}

TEST(Rng, UniformOfARangeStaysInIt) {
  Rng rng(12);
  double lowest = 10, highest = -10;
  for (int i = 0; i < 10000; ++i) {
    const double value = rng.uniform(-2, 3);
    lowest = std::min(lowest, value);
    highest = std::max(highest, value);
  }
  EXPECT_GE(lowest, -2);
  EXPECT_LT(lowest, -1.99);
  EXPECT_LT(highest, 3);
  EXPECT_GT(highest, 2.99);
}

TEST(Rng, NormalHasTheMomentsAndTailsOfTheNormalDistribution) {
  Rng rng(13);
  constexpr int kDraws = 200000;
  std::array<double, 4> moments{};
  int beyond_two = 0;
  for (int i = 0; i < kDraws; ++i) {
    const double value = rng.normal();
    ASSERT_TRUE(std::isfinite(value));
    for (int power = 1; power <= 4; ++power) {
      moments[static_cast<std::size_t>(power - 1)] += std::pow(value, power) / kDraws;
    }
    beyond_two += std::abs(value) > 2 ? 1 : 0;
  }
  // Five standard errors: the k-th power has a variance of 1, 2, 15 and 96.
  const double unit = 5 / std::sqrt(kDraws);
  EXPECT_NEAR(moments[0], 0, unit);
  EXPECT_NEAR(moments[1], 1, unit * std::sqrt(2));
  EXPECT_NEAR(moments[2], 0, unit * std::sqrt(15));
  EXPECT_NEAR(moments[3], 3, unit * std::sqrt(96));
  const double expected = std::erfc(2 / std::sqrt(2));
  EXPECT_NEAR(beyond_two / double{kDraws}, expected, unit * std::sqrt(expected));
}

TEST(Rng, BelowIsUniform) {
  Rng rng(17);
  for (const std::uint64_t bound : {2u, 3u, 7u, 10u}) {
    std::vector<int> counts(bound);
    for (int i = 0; i < 100000; ++i) ++counts.at(rng.below(bound));
    EXPECT_LT(chi_square(counts), 40) << bound;  // 9 degrees of freedom: once in 10^5.
  }
  EXPECT_EQ(rng.below(1), 0u);
}

TEST(Rng, BelowIsWithoutBiasForBoundsThatDoNotDivideTheRange) {
  // A plain remainder would draw the first third of 0 .. 3/4 2^64 every other time.
  Rng rng(19);
  constexpr std::uint64_t kBound = std::uint64_t{3} << 62;
  std::vector<int> counts(3);
  for (int i = 0; i < 30000; ++i) ++counts.at(rng.below(kBound) >> 62);
  EXPECT_LT(chi_square(counts), 20);  // 2 degrees of freedom: once in 20000.
}

TEST(Rng, PermutationHoldsEveryNumberOnce) {
  Rng rng(23);
  for (const std::int64_t size : {0, 1, 2, 3, 100, 1001}) {
    auto order = rng.permutation(size);
    std::vector<std::int64_t> sorted(static_cast<std::size_t>(size));
    std::iota(sorted.begin(), sorted.end(), 0);
    EXPECT_TRUE(size < 100 || order != sorted) << "not shuffled at all";
    std::sort(order.begin(), order.end());
    EXPECT_EQ(order, sorted);
  }
}

TEST(Rng, EveryPermutationIsAsLikely) {
  Rng rng(29);
  std::map<std::vector<std::int64_t>, int> seen;
  for (int i = 0; i < 24000; ++i) ++seen[rng.permutation(4)];
  std::vector<int> counts;
  for (const auto& [order, count] : seen) counts.push_back(count);
  ASSERT_EQ(counts.size(), 24u);
  EXPECT_LT(chi_square(counts), 60);  // 23 degrees of freedom: once in 2 x 10^4.
}

}  // namespace
}  // namespace afterspike
