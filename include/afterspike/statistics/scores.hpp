#pragma once

#include <cstdint>
#include <vector>

#include "afterspike/base/parallel.hpp"
#include "afterspike/statistics/linkage.hpp"

/// Scores of a division into clusters. Labels are 0 .. k - 1, and no cluster is empty.
namespace afterspike::statistics {

/// Returns the means of clusters, [k, features].
Points cluster_means(const Points& points, const Labels& labels);

/// Returns the sum of squares within clusters, around their means.
double within_sum_of_squares(const Points& points, const Labels& labels);

/// Returns the score of Caliński and Harabasz (1974): variance between clusters over variance
/// within, each by its degrees of freedom; larger is better. It is 1 if nothing varies within
/// clusters, as in scikit-learn. REQUIRES: 2 <= k < points.
double calinski_harabasz(const Points& points, const Labels& labels);

/// Returns the mean silhouette (Rousseeuw 1987), from -1 to 1, of each of several divisions of the
/// same points; a point alone in its cluster counts 0. n^2 time; distances are computed once for
/// all divisions. REQUIRES: 2 <= k of each.
std::vector<double> silhouettes(const Points& points, const std::vector<Labels>& divisions,
                                ThreadPool& pool);

/// Returns the adjusted Rand index (Hubert and Arabie 1985) of two divisions of the same points: 1
/// if they are equal up to names, 0 on average if they are independent.
double adjusted_rand_index(const Labels& a, const Labels& b);

}  // namespace afterspike::statistics
