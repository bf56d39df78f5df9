#include "afterspike/statistics/partition.hpp"

#include <numeric>

#include <gtest/gtest.h>

#include "afterspike/statistics/scores.hpp"
#include "unit/statistics/clouds.hpp"

namespace afterspike::statistics {
namespace {

TEST(Partition, HoldsEveryPointInTheCellWhoseMeanIsThatOfItsPoints) {
  const Points points = testing::normal_points(500, 3, Rng(1));
  const Partition cells = partition(points, 40);
  EXPECT_EQ(cells.means.rows(), 40);
  EXPECT_EQ(cluster_sizes(cells.cell), cells.weights);
  EXPECT_EQ(std::accumulate(cells.weights.begin(), cells.weights.end(), std::int64_t{0}), 500);
  EXPECT_LT((cluster_means(points, cells.cell) - cells.means).norm(), 1e-12);
}

TEST(Partition, SeparatesCloudsFirst) {
  const Points points = testing::clouds(4, 100, 2, 50, Rng(2));
  const Partition cells = partition(points, 4);
  EXPECT_EQ(adjusted_rand_index(cells.cell, testing::cloud_of(4, 100)), 1);
}

TEST(Partition, MakesNoMoreCellsThanThereAreDifferentPoints) {
  Points points = Points::Zero(9, 2);
  points(4, 1) = 1;
  const Partition cells = partition(points, 5);
  EXPECT_EQ(cells.means.rows(), 2);
  EXPECT_EQ(partition(points, 1).weights, std::vector<std::int64_t>{9});
}

}  // namespace
}  // namespace afterspike::statistics
