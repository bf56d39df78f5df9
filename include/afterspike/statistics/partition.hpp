#pragma once

#include <cstdint>

#include "afterspike/statistics/points.hpp"

namespace afterspike::statistics {

/// Many points divided into small cells, for algorithms that cannot visit every pair of points.
struct Partition {
  Points means;                       ///< [cells, features]
  std::vector<std::int64_t> weights;  ///< Points in each cell.
  Labels cell;                        ///< Cell of each point.
};

/// Divides points into `cells` cells: repeatedly cuts the cell with the largest sum of squares at
/// its mean, across its most variable feature (VAR-PART; Su and Dy 2007). No randomness; n
/// log(cells) time. Returns fewer cells if all points within each are equal.
Partition partition(const Points& points, std::int64_t cells);

}  // namespace afterspike::statistics
