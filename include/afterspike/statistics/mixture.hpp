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
  double log_likelihood = 0;                ///< Log likelihood of all points.
  double bic = 0;      ///< Schwarz (1978): parameters log(n) - 2 log likelihood; smaller is better.
  int iterations = 0;  ///< Iterations of expectation maximisation.
  bool converged = false;  ///< False if it stopped at kMaxIterations.
};

inline constexpr int kMaxIterations = 200;

/// Fits a mixture of as many distributions as there are labels, starting from the means and
/// covariances of the labelled clusters, until the mean log likelihood of a point grows by less
/// than 1e-4. Adds 1e-6 of the variance of the feature to the diagonal of each covariance, so that
/// duplicate features and clusters of few points are possible. Leave out features that do not vary.
/// REQUIRES: two points or more.
Mixture fit_mixture(const Points& points, const Labels& start);

/// Returns the most probable component of each point.
Labels classify(const Mixture& mixture, const Points& points);

}  // namespace afterspike::statistics
