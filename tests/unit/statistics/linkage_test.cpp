#include "afterspike/statistics/linkage.hpp"

#include <cmath>
#include <limits>

#include <gtest/gtest.h>

#include "afterspike/statistics/scores.hpp"
#include "unit/statistics/clouds.hpp"

namespace afterspike::statistics {
namespace {

using testing::normal_points;

/// Runs Ward's method by its definition (of all pairs, the merge that adds least to the sum of
/// squares within clusters); returns the sums after each merge.
std::vector<double> greedy_sums(const Points& points) {
  Labels labels;
  for (std::int64_t i = 0; i < points.rows(); ++i) labels.push_back(i);
  std::vector<double> sums;
  for (std::int64_t k = points.rows(); k > 1; --k) {
    double least = std::numeric_limits<double>::infinity();
    Labels best;
    for (std::int64_t a = 0; a < k; ++a) {
      for (std::int64_t b = a + 1; b < k; ++b) {
        Labels merged = labels;
        for (std::int64_t& label : merged) label = label == b ? a : label > b ? label - 1 : label;
        const double sum = within_sum_of_squares(points, merged);
        if (sum < least) {
          least = sum;
          best = merged;
        }
      }
    }
    labels = best;
    sums.push_back(least);
  }
  return sums;
}

TEST(Ward, MakesTheMergeThatAddsLeastToTheSumOfSquares) {
  const Points points = normal_points(14, 3, Rng(1));
  const Linkage linkage = ward(points);
  const std::vector<double> expected = greedy_sums(points);
  ASSERT_EQ(linkage.size(), expected.size());
  double sum = 0;
  for (std::size_t i = 0; i < linkage.size(); ++i) {
    sum += linkage[i].distance * linkage[i].distance / 2;
    EXPECT_NEAR(sum, expected[i], 1e-12 * expected.back());
    const Labels labels = cut(linkage, 14, 13 - static_cast<std::int64_t>(i));
    EXPECT_NEAR(within_sum_of_squares(points, labels), expected[i], 1e-12 * expected.back());
  }
}

TEST(Ward, MergesEveryClusterOnceInRisingOrder) {
  const Linkage linkage = ward(normal_points(1000, 2, Rng(2)));
  std::vector<int> used(1999, 0);
  std::vector<std::int64_t> size(1999, 1);
  for (std::size_t i = 0; i < linkage.size(); ++i) {
    const Merge& merge = linkage[i];
    EXPECT_LT(merge.first, merge.second);
    EXPECT_LT(merge.second, static_cast<std::int64_t>(1000 + i));
    ++used[static_cast<std::size_t>(merge.first)];
    ++used[static_cast<std::size_t>(merge.second)];
    size[1000 + i] =
        size[static_cast<std::size_t>(merge.first)] + size[static_cast<std::size_t>(merge.second)];
    EXPECT_EQ(merge.size, size[1000 + i]);
    EXPECT_GE(merge.distance, i > 0 ? linkage[i - 1].distance : 0);
  }
  for (std::size_t i = 0; i + 1 < used.size(); ++i) EXPECT_EQ(used[i], 1);
  EXPECT_EQ(linkage.back().size, 1000);
}

TEST(Ward, OfWeightedMeansIsThatOfPointsThatLieTogether) {
  const Points means = normal_points(30, 3, Rng(3));
  std::vector<std::int64_t> weights;
  std::vector<std::int64_t> rows;
  for (std::int64_t i = 0; i < 30; ++i) {
    weights.push_back(1 + i % 4);
    rows.insert(rows.end(), static_cast<std::size_t>(weights.back()), i);
  }
  const Linkage short_one = ward(means, weights);
  const Linkage long_one = ward(rows_of(means, rows));
  // The long one merges equal points first, at distance 0.
  const std::size_t before = rows.size() - 30;
  for (std::size_t i = 0; i < short_one.size(); ++i) {
    EXPECT_NEAR(short_one[i].distance, long_one[before + i].distance,
                1e-12 * long_one.back().distance);
    EXPECT_EQ(short_one[i].size, long_one[before + i].size);
  }
  EXPECT_LT(long_one[before - 1].distance, 1e-7);
}

TEST(Ward, KeepsEqualPointsAndSinglePoints) {
  EXPECT_TRUE(ward(Points::Zero(1, 2)).empty());
  const Linkage same = ward(Points::Ones(5, 2));
  ASSERT_EQ(same.size(), 4U);
  for (const Merge& merge : same) EXPECT_EQ(merge.distance, 0);
  EXPECT_EQ(same.back().size, 5);
}

TEST(Cut, NumbersClustersFromTheLargest) {
  const Labels truth = testing::cloud_of(4, 25);
  const Linkage linkage = ward(testing::clouds(4, 25, 3, 30, Rng(4)));
  const Labels four = cut(linkage, 100, 4);
  EXPECT_EQ(adjusted_rand_index(four, truth), 1);
  EXPECT_EQ(cluster_sizes(cut(linkage, 100, 1)), std::vector<std::int64_t>{100});
  for (std::int64_t k = 2; k < 12; ++k) {
    const std::vector<std::int64_t> sizes = cluster_sizes(cut(linkage, 100, k));
    EXPECT_EQ(sizes.size(), static_cast<std::size_t>(k));
    EXPECT_TRUE(std::is_sorted(sizes.rbegin(), sizes.rend()));
  }
}

TEST(BySize, NumbersTheLargestFirstAndOfEqualsThatWhichComesFirst) {
  EXPECT_EQ(by_size({2, 0, 1, 1, 0, 1}), (Labels{2, 1, 0, 0, 1, 0}));
  EXPECT_EQ(by_size({3, 3, 0}), (Labels{0, 0, 1})) << "numbers without gaps";
}

}  // namespace
}  // namespace afterspike::statistics
