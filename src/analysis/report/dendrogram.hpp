#pragma once

#include <cstdint>
#include <vector>

#include "afterspike/statistics/clustering.hpp"

namespace afterspike::analysis {

/// The tree of a clustering as lines: each merge is a bracket over its two parts.
struct Dendrogram {
  static constexpr std::int64_t kBetween = -1;

  struct Bracket {
    double left = 0, right = 0;            ///< Positions of the parts among the leaves, from 0 on.
    double left_foot = 0, right_foot = 0;  ///< Distances at which the parts were formed.
    double distance = 0;
    std::int64_t cluster = kBetween;  ///< The enclosing one of the `k` clusters.
  };
  std::vector<Bracket> brackets;
  std::int64_t leaves = 0;  ///< Number of drawn leaves.
};

/// Returns the last `most` merges of a clustering; earlier merges are drawn as leaves.
Dendrogram dendrogram(const statistics::Clustering& clustering, std::int64_t k, std::int64_t most);

}  // namespace afterspike::analysis
