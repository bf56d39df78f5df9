#include "afterspike/statistics/scores.hpp"

#include <algorithm>
#include <cmath>

#include <gtest/gtest.h>

#include "unit/statistics/clouds.hpp"

namespace afterspike::statistics {
namespace {

using testing::normal_points;

Labels random_labels(std::int64_t count, std::uint64_t clusters, Rng rng) {
  Labels labels;
  for (std::int64_t i = 0; i < count; ++i) {
    // Every cluster has a point.
    const auto index = static_cast<std::uint64_t>(i);
    labels.push_back(static_cast<std::int64_t>(index < clusters ? index : rng.below(clusters)));
  }
  return labels;
}

/// Silhouette by its definition.
double plain_silhouette(const Points& points, const Labels& labels) {
  const std::vector<std::int64_t> sizes = cluster_sizes(labels);
  double sum = 0;
  for (Eigen::Index i = 0; i < points.rows(); ++i) {
    const auto own = static_cast<std::size_t>(labels[static_cast<std::size_t>(i)]);
    std::vector<double> mean(sizes.size());
    for (Eigen::Index j = 0; j < points.rows(); ++j) {
      const auto other = static_cast<std::size_t>(labels[static_cast<std::size_t>(j)]);
      mean[other] += (points.row(i) - points.row(j)).norm() /
                     static_cast<double>(sizes[other] - (own == other ? 1 : 0));
    }
    if (sizes[own] == 1) continue;
    const double within = mean[own];
    mean.erase(mean.begin() + static_cast<std::ptrdiff_t>(own));
    const double nearest = *std::min_element(mean.begin(), mean.end());
    sum += (nearest - within) / std::max(nearest, within);
  }
  return sum / static_cast<double>(points.rows());
}

TEST(CalinskiHarabasz, OfOneFeatureIsTheFOfAnalysisOfVariance) {
  Points points(6, 1);
  points << 1, 2, 3, 7, 8, 9;
  // Between: 6 * 3^2 = 54 with 1 degree of freedom; within: 2 + 2 with 4.
  EXPECT_DOUBLE_EQ(calinski_harabasz(points, {0, 0, 0, 1, 1, 1}), 54);
  EXPECT_EQ(calinski_harabasz(Points::Ones(4, 2), {0, 0, 1, 1}), 1) << "nothing varies";
}

TEST(Silhouettes, AreThoseOfTheDefinitionForAllDivisionsAtOnce) {
  const Points points = normal_points(90, 4, Rng(1));
  const std::vector<Labels> divisions = {random_labels(90, 2, Rng(2)),
                                         random_labels(90, 60, Rng(3))};
  ThreadPool one(1), two(2);
  const std::vector<double> found = silhouettes(points, divisions, one);
  EXPECT_EQ(found, silhouettes(points, divisions, two)) << "threads";
  for (std::size_t i = 0; i < divisions.size(); ++i) {
    EXPECT_NEAR(found[i], plain_silhouette(points, divisions[i]), 1e-12);
  }
}

TEST(AdjustedRandIndex, CountsPairsThatAreTogetherInBoth) {
  EXPECT_DOUBLE_EQ(adjusted_rand_index({0, 0, 1, 1}, {1, 1, 0, 0}), 1) << "names do not matter";
  EXPECT_DOUBLE_EQ(adjusted_rand_index({0, 0, 1, 2}, {0, 0, 1, 1}), 4.0 / 7);  // scikit-learn
  EXPECT_DOUBLE_EQ(adjusted_rand_index({0, 0, 1, 1}, {0, 1, 0, 1}), -0.5);     // scikit-learn
  EXPECT_DOUBLE_EQ(adjusted_rand_index({0, 0, 0}, {0, 0, 0}), 1);
  EXPECT_DOUBLE_EQ(adjusted_rand_index({0, 1, 2}, {2, 1, 0}), 1);
}

TEST(AdjustedRandIndex, IsZeroOnAverageForUnrelatedDivisions) {
  double sum = 0;
  constexpr int kPairs = 400;
  for (std::uint64_t i = 0; i < kPairs; ++i) {
    sum += adjusted_rand_index(random_labels(60, 4, Rng(i)), random_labels(60, 3, Rng(i + 5000)));
  }
  EXPECT_NEAR(sum / kPairs, 0, 0.005);
}

}  // namespace
}  // namespace afterspike::statistics
