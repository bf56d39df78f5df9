#pragma once

#include <cstdint>
#include <vector>

#include "afterspike/base/parallel.hpp"
#include "afterspike/statistics/linkage.hpp"

/// How good a division into clusters is. Everywhere labels are 0 .. k - 1 and no cluster is empty.
namespace afterspike::statistics {

/// Means of clusters, [k, features].
Points cluster_means(const Points& points, const Labels& labels);

/// Sum of squares within clusters, around their means.
double within_sum_of_squares(const Points& points, const Labels& labels);

/// Caliński and Harabasz (1974): variance between clusters over variance within, each by its
/// degrees of freedom; more is better. 1 where nothing varies within clusters, as in scikit-learn.
/// REQUIRES: 2 <= k < points.
double calinski_harabasz(const Points& points, const Labels& labels);

/// Mean silhouette (Rousseeuw 1987), from -1 to 1, of each of several divisions of the same points;
/// a point that is alone in its cluster counts 0. n^2 time, distances computed once for all
/// divisions. REQUIRES: 2 <= k of each.
std::vector<double> silhouettes(const Points& points, const std::vector<Labels>& divisions,
                                ThreadPool& pool);

/// Adjusted Rand index (Hubert and Arabie 1985) of two divisions of the same points: 1 where they
/// are the same up to names, 0 on average where they have nothing to do with each other.
double adjusted_rand_index(const Labels& a, const Labels& b);

}  // namespace afterspike::statistics
