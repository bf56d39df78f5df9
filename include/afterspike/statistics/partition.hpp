#pragma once

#include <cstdint>

#include "afterspike/statistics/points.hpp"

namespace afterspike::statistics {

/// Many points divided into small cells, for what cannot look at every pair of points.
struct Partition {
  Points means;                       ///< [cells, features]
  std::vector<std::int64_t> weights;  ///< Points in each cell.
  Labels cell;                        ///< Of each point.
};

/// Divides points into `cells`: again and again the cell with the largest sum of squares is cut at
/// its mean, across the feature that varies most in it (VAR-PART; Su and Dy 2007). No randomness;
/// n log(cells) time. Fewer cells where all points within each are the same.
Partition partition(const Points& points, std::int64_t cells);

}  // namespace afterspike::statistics
