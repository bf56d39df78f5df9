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

/// Every column with mean 0 and standard deviation 1 (of the population, as scikit-learn's
/// StandardScaler has it). A column that does not vary becomes 0.
Points zscore(const Points& points);

/// What remains of a matrix when only some of its rows are kept, in the order given.
Points rows_of(const Points& points, const std::vector<std::int64_t>& rows);

/// `count` different rows in ascending order, drawn by the stream; all where there are no more.
std::vector<std::int64_t> sample_rows(std::int64_t rows, std::int64_t count, Rng rng);

/// Principal components: directions of largest variance, in descending order.
struct Components {
  Points axes;  ///< [components, features], orthonormal rows; the entry of each that is
                ///< largest in size is positive.
  Eigen::VectorXd variance;  ///< Along each axis, of the sample (n - 1).
  Eigen::VectorXd mean;      ///< Of the features.

  /// Coordinates along the axes, [points, components].
  Points project(const Points& points) const;
};

/// The first `count` components, or as many as there are features. REQUIRES: two points or more.
Components principal_components(const Points& points, std::int64_t count);

}  // namespace afterspike::statistics
