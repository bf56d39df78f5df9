#pragma once

#include <cstdint>
#include <vector>

#include "afterspike/statistics/points.hpp"

namespace afterspike::statistics {

/// One merge of two clusters. Points are the clusters 0 .. n - 1, the merge of number i makes the
/// cluster n + i: as rows of SciPy's linkage matrix.
struct Merge {
  std::int64_t first = 0, second = 0;  ///< first < second.
  double distance = 0;                 ///< Never falls from one merge to the next.
  std::int64_t size = 0;               ///< Points in the new cluster.
};

using Linkage = std::vector<Merge>;

/// Agglomerative clustering after Ward (1963): each merge is the one that adds least to the sum of
/// squares within clusters. n - 1 merges of n points, with SciPy's distances,
///
///   d(u, v) = sqrt(2 |u| |v| / (|u| + |v|)) |mean(u) - mean(v)|.
///
/// By chains of nearest neighbours (Müllner 2011, algorithm NN_CHAIN_LINKAGE) on the means of the
/// clusters: n^2 time, memory for the points and their means only. The same merges as SciPy's where
/// no two distances are equal to the last bits. REQUIRES: one point or more, all finite.
Linkage ward(const Points& points);

/// The same for means of `weights[i]` points each, which stay together.
Linkage ward(const Points& means, const std::vector<std::int64_t>& weights);

/// The clusters that are left when all but the last k - 1 merges of `points` points are done,
/// numbered from the one with the most points (those with as many: by their first point).
/// REQUIRES: 1 <= k <= points.
Labels cut(const Linkage& linkage, std::int64_t points, std::int64_t k);

/// Clusters numbered anew as cut() numbers them.
Labels by_size(const Labels& labels);

/// How many points each cluster has.
std::vector<std::int64_t> cluster_sizes(const Labels& labels);

}  // namespace afterspike::statistics
