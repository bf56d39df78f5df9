#pragma once

#include <cstdint>
#include <vector>

#include <Eigen/Core>

#include "afterspike/statistics/points.hpp"

namespace afterspike::statistics {

/// A mixture of normal distributions with full covariances, fitted by expectation maximisation.
struct Mixture {
  Eigen::VectorXd weight;                   ///< [k]
  Points mean;                              ///< [k, features]
  std::vector<Eigen::MatrixXd> covariance;  ///< k of [features, features]
  double log_likelihood = 0;                ///< Of all points.
  double bic = 0;      ///< Schwarz (1978): parameters log(n) - 2 log likelihood; less is better.
  int iterations = 0;  ///< Of expectation maximisation.
  bool converged = false;  ///< Whether it ended before kMostIterations.
};

inline constexpr int kMostIterations = 200;

/// Fits a mixture of as many distributions as there are labels, from the means and covariances of
/// the clusters that the labels make, until the mean log likelihood of a point grows by less than
/// 1e-4. To the diagonal of each covariance 1e-6 of the variance of the feature is added, so that
/// copies of a feature and clusters of few points are possible. A feature that does not vary must
/// be left out. REQUIRES: two points or more.
Mixture fit_mixture(const Points& points, const Labels& start);

/// The most probable component of each point.
Labels classify(const Mixture& mixture, const Points& points);

}  // namespace afterspike::statistics
