#pragma once

#include <vector>

#include "afterspike/base/rng.hpp"
#include "afterspike/statistics/points.hpp"

namespace afterspike::testing {

/// Standard normal points.
inline statistics::Points normal_points(std::int64_t count, std::int64_t features, Rng rng) {
  statistics::Points points(count, features);
  for (double& value : points.reshaped<Eigen::RowMajor>()) value = rng.normal();
  return points;
}

/// Returns `groups` clouds of equally many points, one after the other; their centres are random
/// and some `apart` standard deviations from each other.
inline statistics::Points clouds(std::int64_t groups, std::int64_t each, std::int64_t features,
                                 double apart, const Rng& rng) {
  statistics::Points points = normal_points(groups * each, features, rng.stream("points"));
  const statistics::Points centres = normal_points(groups, features, rng.stream("centres"));
  for (std::int64_t i = 0; i < points.rows(); ++i) {
    points.row(i) += apart * centres.row(i / each);
  }
  return points;
}

/// Returns the cloud of each point of clouds().
inline statistics::Labels cloud_of(std::int64_t groups, std::int64_t each) {
  statistics::Labels labels;
  for (std::int64_t i = 0; i < groups * each; ++i) labels.push_back(i / each);
  return labels;
}

}  // namespace afterspike::testing
