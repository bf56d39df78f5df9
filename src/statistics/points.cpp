#include "afterspike/statistics/points.hpp"

#include <algorithm>
#include <cmath>

#include <Eigen/Eigenvalues>

#include "afterspike/base/error.hpp"

namespace afterspike::statistics {

void require_finite(const Points& points) {
  for (Eigen::Index row = 0; row < points.rows(); ++row) {
    for (Eigen::Index column = 0; column < points.cols(); ++column) {
      require(std::isfinite(points(row, column)), ErrorKind::numeric,
              "row {}, column {}: found {}, expected a finite number", row + 1, column + 1,
              points(row, column));
    }
  }
}

Points zscore(const Points& points) {
  Points result = points.rowwise() - points.colwise().mean();
  for (Eigen::Index column = 0; column < result.cols(); ++column) {
    const double mean_square =
        result.col(column).squaredNorm() / static_cast<double>(result.rows());
    // Rounding errors of a constant column are not variation.
    const double scale = std::abs(points.col(column).mean());
    const double sd = std::sqrt(mean_square);
    if (sd > 1e-14 * scale) {
      result.col(column) /= sd;
    } else {
      result.col(column).setZero();
    }
  }
  return result;
}

Points rows_of(const Points& points, const std::vector<std::int64_t>& rows) {
  Points result(static_cast<Eigen::Index>(rows.size()), points.cols());
  for (std::size_t i = 0; i < rows.size(); ++i) {
    result.row(static_cast<Eigen::Index>(i)) = points.row(rows[i]);
  }
  return result;
}

std::vector<std::int64_t> sample_rows(std::int64_t rows, std::int64_t count, Rng rng) {
  std::vector<std::int64_t> order = rng.permutation(rows);
  order.resize(static_cast<std::size_t>(std::min(rows, count)));
  std::sort(order.begin(), order.end());
  return order;
}

Points Components::project(const Points& points) const {
  return (points.rowwise() - mean.transpose()) * axes.transpose();
}

Components principal_components(const Points& points, std::int64_t count) {
  Components result;
  result.mean = points.colwise().mean().transpose();
  const Points centred = points.rowwise() - result.mean.transpose();
  const Eigen::MatrixXd covariance =
      centred.transpose() * centred / static_cast<double>(points.rows() - 1);
  const Eigen::SelfAdjointEigenSolver<Eigen::MatrixXd> solver(covariance);
  const Eigen::Index features = points.cols();
  const Eigen::Index kept = std::min<Eigen::Index>(features, count);
  result.axes.resize(kept, features);
  result.variance.resize(kept);
  for (Eigen::Index i = 0; i < kept; ++i) {
    // Eigen sorts in ascending order.
    Eigen::VectorXd axis = solver.eigenvectors().col(features - 1 - i);
    Eigen::Index largest = 0;
    axis.cwiseAbs().maxCoeff(&largest);
    if (axis(largest) < 0) axis = -axis;
    result.axes.row(i) = axis.transpose();
    result.variance(i) = std::max(0.0, solver.eigenvalues()(features - 1 - i));
  }
  return result;
}

}  // namespace afterspike::statistics
