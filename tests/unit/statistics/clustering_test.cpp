#include "afterspike/statistics/clustering.hpp"

#include <limits>

#include <gtest/gtest.h>

#include "afterspike/statistics/scores.hpp"
#include "support/expect_error.hpp"
#include "unit/statistics/clouds.hpp"

namespace afterspike::statistics {
namespace {

using testing::clouds;
using testing::expect_error;
using testing::normal_points;

Clustering run(const Points& points, const ClusteringOptions& options = {}, int threads = 1) {
  ThreadPool pool(threads);
  return cluster(points, options, Rng(1), pool);
}

TEST(Zscore, HasMeanZeroAndUnitVarianceAndLeavesConstantsAtZero) {
  Points points = normal_points(50, 3, Rng(1));
  points.col(1).setConstant(0.1);
  points.col(2) = 1000 * points.col(2).array() + 7;
  const Points scaled = zscore(points);
  EXPECT_LT(scaled.colwise().mean().norm(), 1e-12);
  EXPECT_NEAR(scaled.col(0).squaredNorm(), 50, 1e-9);
  EXPECT_NEAR(scaled.col(2).squaredNorm(), 50, 1e-9);
  EXPECT_EQ(scaled.col(1).norm(), 0);
}

TEST(PrincipalComponents, AreUncorrelatedAndSortedByVariance) {
  Points points = normal_points(300, 4, Rng(2));
  points.col(3) = points.col(0) + 0.1 * points.col(3);
  const Components components = principal_components(points, 4);
  const Points turned = components.project(points);
  const Eigen::MatrixXd covariance = turned.transpose() * turned / 299.0;
  const Eigen::MatrixXd expected = components.variance.asDiagonal();
  EXPECT_LT((covariance - expected).norm(), 1e-12);
  for (Eigen::Index i = 1; i < 4; ++i)
    EXPECT_GE(components.variance(i - 1), components.variance(i));
  EXPECT_LT(
      (components.axes * components.axes.transpose() - Eigen::MatrixXd::Identity(4, 4)).norm(),
      1e-12);
  EXPECT_EQ(principal_components(points, 2).axes.rows(), 2);
}

TEST(Cluster, FindsClearCloudsByEveryMeasure) {
  const Clustering found = run(clouds(4, 60, 3, 12, Rng(4)));
  EXPECT_EQ(found.by_calinski_harabasz, 4);
  EXPECT_EQ(found.by_silhouette, 4);
  EXPECT_EQ(found.by_bic, 4);
  EXPECT_EQ(found.gap->clusters, 4);
  EXPECT_EQ(adjusted_rand_index(found.division(4).labels, testing::cloud_of(4, 60)), 1);
  EXPECT_GT(found.stability[2].low, 0.99);
  EXPECT_DOUBLE_EQ(found.one_cluster->p_of_best, 1.0 / 101);
}

TEST(Cluster, ClustersWithoutSpreadAreNotOneCluster) {
  Points points(60, 1);
  for (Eigen::Index i = 0; i < points.rows(); ++i) points(i, 0) = static_cast<double>(i % 3) * 5;
  EXPECT_DOUBLE_EQ(run(points).one_cluster->p_of_best, 1.0 / 101);
}

TEST(Cluster, SaysOfOneCloudThatItIsOne) {
  const Clustering found = run(normal_points(240, 3, Rng(5)));
  EXPECT_GT(found.one_cluster->p_of_best, 0.05);
  EXPECT_EQ(found.by_bic, 1);
  EXPECT_EQ(found.gap->clusters, 1);
  for (const Stability& stability : found.stability) EXPECT_LT(stability.mean, 0.7);
}

TEST(Cluster, TestOfOneClusterRejectsATrueOneAsOftenAsItSays) {
  ClusteringOptions options;
  options.replicates = 19;
  int rejected = 0;
  ThreadPool pool(2);
  for (std::uint64_t i = 0; i < 60; ++i) {
    const Points points = normal_points(60, 2, Rng(100 + i));
    rejected += test_one_cluster(points, 2, 6, 19, Rng(i), pool).p_of_best <= 0.05 ? 1 : 0;
  }
  EXPECT_LE(rejected, 9) << "3 expected of 60; more than 9 in one case of 1000";
}

TEST(Cluster, IsTheSameForAnyNumberOfThreads) {
  const Points points = clouds(3, 50, 4, 2, Rng(6));
  const Clustering one = run(points, {}, 1);
  const Clustering three = run(points, {}, 3);
  EXPECT_EQ(one.one_cluster->p, three.one_cluster->p);
  EXPECT_EQ(one.gap->gap, three.gap->gap);
  for (std::size_t i = 0; i < one.divisions.size(); ++i) {
    EXPECT_EQ(one.divisions[i].labels, three.divisions[i].labels);
    EXPECT_EQ(one.divisions[i].silhouette, three.divisions[i].silhouette);
    EXPECT_EQ(one.stability[i].mean, three.stability[i].mean);
    EXPECT_EQ(one.mixtures[i].bic, three.mixtures[i].bic);
  }
}

TEST(Cluster, OfMorePointsThanTheLimitSaysSoAndFindsTheSameClouds) {
  const Points points = clouds(4, 500, 3, 10, Rng(4));
  ClusteringOptions options;
  options.exact_limit = 200;
  options.replicates = 0;
  const Clustering found = run(points, options);
  ASSERT_EQ(found.notes.size(), 1U);
  EXPECT_NE(found.notes[0].find("200 cells"), std::string::npos) << found.notes[0];
  EXPECT_EQ(found.linkage.size(), 199U);
  EXPECT_EQ(found.linkage.back().size, 2000);
  EXPECT_EQ(found.by_calinski_harabasz, 4);
  EXPECT_EQ(adjusted_rand_index(found.division(4).labels, testing::cloud_of(4, 500)), 1);
  EXPECT_TRUE(found.stability.empty());
}

TEST(Cluster, LooksAtASampleForReplicatesAndSaysSo) {
  const Points points = clouds(2, 1100, 2, 8, Rng(7));
  ClusteringOptions options{Standardise::none, 2, 3, 5};
  const Clustering found = run(points, options);
  ASSERT_EQ(found.notes.size(), 1U);
  EXPECT_NE(found.notes[0].find("sample of 1000 of the 2200"), std::string::npos);
  EXPECT_EQ(found.stability.size(), 2U);
}

TEST(Cluster, TriesNoMoreClustersThanThereCanBe) {
  const Clustering found = run(normal_points(5, 2, Rng(8)));
  EXPECT_EQ(found.divisions.size(), 3U);
  ASSERT_EQ(found.notes.size(), 1U);
  EXPECT_NE(found.notes[0].find("up to 4 instead of 11"), std::string::npos);
}

TEST(Cluster, RefusesWhatCannotBeClustered) {
  const Points fine = normal_points(10, 2, Rng(9));
  Points holes = fine;
  holes(3, 1) = std::numeric_limits<double>::quiet_NaN();
  struct Case {
    Points points;
    ClusteringOptions options;
    ErrorKind kind;
    std::string message;
  };
  const std::vector<Case> cases = {
      {fine.topRows(1), {}, ErrorKind::data, "found 1 point, expected more than 2"},
      {fine.topRows(2), {}, ErrorKind::data, "found 2 points"},
      {Points(0, 2), {}, ErrorKind::data, "found 0 points"},
      {Points::Zero(9, 0), {}, ErrorKind::data, "no features"},
      {Points::Ones(9, 2), {}, ErrorKind::data, "all 9 points are the same"},
      {holes, {}, ErrorKind::numeric, "row 4, column 2: found nan"},
      {fine, {Standardise::none, 1, 4}, ErrorKind::config, "found 1 to 4"},
      {fine, {Standardise::none, 5, 4}, ErrorKind::config, "found 5 to 4"},
      {fine, {Standardise::none, 2, 4, -1}, ErrorKind::config, "found -1"},
      {fine, {Standardise::none, 2, 4, 0, 2}, ErrorKind::config, "exact limit: found 2"},
  };
  for (const Case& c : cases) {
    expect_error(c.kind, {c.message}, [&] { run(c.points, c.options); });
  }
}

}  // namespace
}  // namespace afterspike::statistics
