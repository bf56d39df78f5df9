#pragma once

#include <cstdint>
#include <vector>

#include "afterspike/statistics/points.hpp"

namespace afterspike::statistics {

/// One merge of two clusters. Points are the clusters 0 .. n - 1, merge i makes cluster n + i, like
/// rows of SciPy's linkage matrix.
struct Merge {
  std::int64_t first = 0, second = 0;  ///< first < second.
  double distance = 0;                 ///< Never decreases from one merge to the next.
  std::int64_t size = 0;               ///< Points in the new cluster.
};

using Linkage = std::vector<Merge>;

/// Agglomerative clustering after Ward (1963): each merge adds least to the sum of squares within
/// clusters. Returns n - 1 merges of n points, with SciPy's distances,
///
///   d(u, v) = sqrt(2 |u| |v| / (|u| + |v|)) |mean(u) - mean(v)|.
///
/// Follows chains of nearest neighbours (Müllner 2011, algorithm NN_CHAIN_LINKAGE) on the means of
/// the clusters: n^2 time, memory for the points and their means only. The merges equal SciPy's if
/// no two distances are equal to the last bits. REQUIRES: one point or more, all finite.
Linkage ward(const Points& points);

/// Clusters means of `weights[i]` points each, which stay together.
Linkage ward(const Points& means, const std::vector<std::int64_t>& weights);

/// Returns the clusters that remain after all but the last k - 1 merges of `points` points,
/// numbered by descending size (equal sizes: by their first point). REQUIRES: 1 <= k <= points.
Labels cut(const Linkage& linkage, std::int64_t points, std::int64_t k);

/// Renumbers clusters as cut() does.
Labels by_size(const Labels& labels);

/// Returns the number of points of each cluster.
std::vector<std::int64_t> cluster_sizes(const Labels& labels);

}  // namespace afterspike::statistics
