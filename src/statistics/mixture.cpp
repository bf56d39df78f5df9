#include "afterspike/statistics/mixture.hpp"

#include <algorithm>
#include <cmath>
#include <numbers>

#include <Eigen/Cholesky>

#include "afterspike/statistics/linkage.hpp"

namespace afterspike::statistics {
namespace {

constexpr double kTolerance = 1e-4;
constexpr double kRegularisation = 1e-6;

/// Variance of each feature over all points.
Eigen::VectorXd variances(const Points& points) {
  const Points centred = points.rowwise() - points.colwise().mean();
  return centred.colwise().squaredNorm().transpose() / static_cast<double>(points.rows());
}

/// log(weight density) of each point under each component, [points, k].
Eigen::MatrixXd log_densities(const Mixture& mixture, const Points& points) {
  const auto features = static_cast<double>(points.cols());
  Eigen::MatrixXd result(points.rows(), mixture.weight.size());
  for (Eigen::Index c = 0; c < mixture.weight.size(); ++c) {
    const Eigen::LLT<Eigen::MatrixXd> factor(mixture.covariance[static_cast<std::size_t>(c)]);
    const Eigen::MatrixXd lower = factor.matrixL();
    const double half_log_determinant = lower.diagonal().array().log().sum();
    Eigen::MatrixXd white = (points.rowwise() - mixture.mean.row(c)).transpose();
    factor.matrixL().solveInPlace(white);
    const double constant = std::log(mixture.weight(c)) - half_log_determinant -
                            features / 2 * std::log(2 * std::numbers::pi);
    result.col(c) = (constant - white.colwise().squaredNorm().array() / 2).matrix().transpose();
  }
  return result;
}

/// Turns log densities into the probability of each component for each point; returns the sum of
/// the points' log likelihoods.
double responsibilities(Eigen::MatrixXd& log_density) {
  const Eigen::VectorXd largest = log_density.rowwise().maxCoeff();
  log_density = (log_density.colwise() - largest).array().exp().matrix();
  const Eigen::VectorXd sum = log_density.rowwise().sum();
  log_density.array().colwise() /= sum.array();
  return (largest.array() + sum.array().log()).sum();
}

/// Computes weights, means and covariances from the probabilities of the components.
void maximise(const Points& points, const Eigen::MatrixXd& probability,
              const Eigen::VectorXd& floor, Mixture& mixture) {
  const Eigen::Index components = probability.cols();
  // Added as by scikit-learn, so that a component without points does no harm.
  const Eigen::VectorXd counts =
      probability.colwise().sum().transpose().array() + 10 * 2.220446049250313e-16;
  mixture.weight = counts / counts.sum();
  mixture.mean = counts.cwiseInverse().asDiagonal() * (probability.transpose() * points);
  mixture.covariance.resize(static_cast<std::size_t>(components));
  for (Eigen::Index c = 0; c < components; ++c) {
    const Points centred = points.rowwise() - mixture.mean.row(c);
    Eigen::MatrixXd& covariance = mixture.covariance[static_cast<std::size_t>(c)];
    covariance = centred.transpose() * probability.col(c).asDiagonal() * centred / counts(c);
    covariance.diagonal() += floor;
  }
}

double parameter_count(Eigen::Index components, Eigen::Index features) {
  const auto k = static_cast<double>(components);
  const auto d = static_cast<double>(features);
  return k - 1 + k * d + k * d * (d + 1) / 2;
}

}  // namespace

Mixture fit_mixture(const Points& points, const Labels& start) {
  const auto components = static_cast<Eigen::Index>(cluster_sizes(start).size());
  const auto count = static_cast<double>(points.rows());
  Eigen::MatrixXd probability = Eigen::MatrixXd::Zero(points.rows(), components);
  for (Eigen::Index i = 0; i < points.rows(); ++i) {
    probability(i, start[static_cast<std::size_t>(i)]) = 1;
  }
  const Eigen::VectorXd floor = kRegularisation * variances(points);
  Mixture mixture;
  maximise(points, probability, floor, mixture);
  double before = -std::numeric_limits<double>::infinity();
  while (!mixture.converged && mixture.iterations < kMaxIterations) {
    probability = log_densities(mixture, points);
    const double mean = responsibilities(probability) / count;
    maximise(points, probability, floor, mixture);
    ++mixture.iterations;
    mixture.converged = std::abs(mean - before) < kTolerance;
    before = mean;
  }
  probability = log_densities(mixture, points);
  mixture.log_likelihood = responsibilities(probability);
  mixture.bic =
      parameter_count(components, points.cols()) * std::log(count) - 2 * mixture.log_likelihood;
  return mixture;
}

Labels classify(const Mixture& mixture, const Points& points) {
  const Eigen::MatrixXd density = log_densities(mixture, points);
  Labels labels(static_cast<std::size_t>(points.rows()));
  for (Eigen::Index i = 0; i < points.rows(); ++i) {
    Eigen::Index best = 0;
    density.row(i).maxCoeff(&best);
    labels[static_cast<std::size_t>(i)] = best;
  }
  return labels;
}

}  // namespace afterspike::statistics
