#include "afterspike/statistics/mixture.hpp"

#include <cmath>
#include <numbers>

#include <gtest/gtest.h>
#include <Eigen/LU>

#include "afterspike/statistics/scores.hpp"
#include "unit/statistics/clouds.hpp"

namespace afterspike::statistics {
namespace {

using testing::clouds;
using testing::normal_points;

TEST(Mixture, OfOneComponentIsTheNormalDistributionOfMeanAndCovariance) {
  Points points = normal_points(200, 3, Rng(1));
  points.col(1) += 2 * points.col(0);
  const Mixture mixture = fit_mixture(points, Labels(200, 0));
  const Points centred = points.rowwise() - points.colwise().mean();
  const Eigen::MatrixXd covariance = centred.transpose() * centred / 200.0;
  EXPECT_LT((mixture.mean.row(0) - points.colwise().mean()).norm(), 1e-12);
  EXPECT_LT((mixture.covariance[0] - covariance).norm(), 1e-5 * covariance.norm());
  const double distance = (mixture.covariance[0].inverse() * covariance).trace();
  const double expected = -100 * (3 * std::log(2 * std::numbers::pi) +
                                  std::log(mixture.covariance[0].determinant()) + distance);
  EXPECT_NEAR(mixture.log_likelihood, expected, 1e-9);
  EXPECT_NEAR(mixture.bic, 9 * std::log(200.0) - 2 * mixture.log_likelihood, 1e-9);
  EXPECT_TRUE(mixture.converged);
}

TEST(Mixture, FindsTheCloudsFromADamagedStart) {
  const Points points = clouds(3, 80, 2, 6, Rng(3));
  const Labels truth = testing::cloud_of(3, 80);
  Labels start = truth;
  for (std::size_t i = 0; i < start.size(); i += 4) start[i] = (start[i] + 1) % 3;
  const Mixture mixture = fit_mixture(points, start);
  EXPECT_GT(adjusted_rand_index(classify(mixture, points), truth), 0.95);
  EXPECT_NEAR(mixture.weight.sum(), 1, 1e-12);
  for (Eigen::Index c = 0; c < 3; ++c) EXPECT_NEAR(mixture.weight(c), 1.0 / 3, 0.05);
}

TEST(Mixture, HasTheLeastBicAtTheNumberOfClouds) {
  const Points points = clouds(3, 100, 2, 6, Rng(3));
  const Linkage linkage = ward(points);
  std::vector<double> bic;
  for (std::int64_t k = 1; k <= 6; ++k)
    bic.push_back(fit_mixture(points, cut(linkage, 300, k)).bic);
  EXPECT_EQ(std::min_element(bic.begin(), bic.end()) - bic.begin(), 2);
}

TEST(Mixture, IsNotUpsetByCopiesOfAFeatureAndClustersOfOnePoint) {
  Points points(50, 3);
  points.leftCols(2) = normal_points(50, 2, Rng(5));
  points.col(2) = points.col(0);
  Labels start(50, 0);
  start[7] = 1;
  const Mixture mixture = fit_mixture(points, start);
  EXPECT_TRUE(std::isfinite(mixture.bic));
}

TEST(Mixture, ScalesWithItsFeatures) {
  const Points points = clouds(2, 60, 2, 4, Rng(6));
  Points scaled = points;
  scaled.col(0) *= 1000;
  const Labels start = testing::cloud_of(2, 60);
  const Mixture plain = fit_mixture(points, start);
  const Mixture large = fit_mixture(scaled, start);
  EXPECT_NEAR(large.log_likelihood, plain.log_likelihood - 120 * std::log(1000.0), 1e-6);
  EXPECT_EQ(classify(large, scaled), classify(plain, points));
}

}  // namespace
}  // namespace afterspike::statistics
