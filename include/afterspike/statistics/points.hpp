#pragma once

#include <cstdint>
#include <vector>

#include <Eigen/Core>

#include "afterspike/base/rng.hpp"

namespace afterspike::statistics {

/// Points as rows, features as columns.
using Points = Eigen::Matrix<double, Eigen::Dynamic, Eigen::Dynamic, Eigen::RowMajor>;

/// Cluster of each point, from 0.
using Labels = std::vector<std::int64_t>;

/// Throws Error(numeric) that names row and column of the first value that is not finite.
void require_finite(const Points& points);

/// Scales every column to mean 0 and standard deviation 1 (of the population, like scikit-learn's
/// StandardScaler). A constant column becomes 0.
Points zscore(const Points& points);

/// Returns the given rows of a matrix, in the order given.
Points rows_of(const Points& points, const std::vector<std::int64_t>& rows);

/// Returns `count` different rows in ascending order, drawn by the stream; all if there are not
/// more.
std::vector<std::int64_t> sample_rows(std::int64_t rows, std::int64_t count, Rng rng);

/// Principal components: directions of largest variance, in descending order.
struct Components {
  Points axes;  ///< [components, features], orthonormal rows; the largest entry of each (by size)
                ///< is positive.
  Eigen::VectorXd variance;  ///< Variance of the sample (n - 1) along each axis.
  Eigen::VectorXd mean;      ///< Mean of the features.

  /// Returns coordinates along the axes, [points, components].
  Points project(const Points& points) const;
};

/// Returns the first `count` components, or as many as there are features. REQUIRES: two points or
/// more.
Components principal_components(const Points& points, std::int64_t count);

}  // namespace afterspike::statistics
