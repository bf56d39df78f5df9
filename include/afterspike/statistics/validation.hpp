#pragma once

#include <cstdint>
#include <vector>

#include "afterspike/base/parallel.hpp"
#include "afterspike/base/rng.hpp"
#include "afterspike/statistics/linkage.hpp"

/// Tests whether clusters found by Ward's method mean anything, because any cloud of points can be
/// cut. `replicates` data sets are drawn and clustered, each from its own stream of `rng`; results
/// do not depend on the number of threads.
namespace afterspike::statistics {

/// Adjusted Rand index between a division and those of bootstrap samples.
struct Stability {
  double mean = 0;
  double low = 0, high = 0;  ///< Quantiles 0.025 and 0.975 of the replicates.
};

/// Computes the stability of each division: clusters a bootstrap sample of the points, assigns
/// every point to the nearest cluster mean of the sample, and compares that with the division (Fang
/// and Wang 2012, with the adjusted Rand index). Near 1, the same clusters are found again; a
/// continuum is cut elsewhere each time.
std::vector<Stability> stability(const Points& points, const std::vector<Labels>& divisions,
                                 int replicates, const Rng& rng, ThreadPool& pool);

/// Test of the hypothesis "there is one cluster".
struct NullTest {
  /// Caliński-Harabasz scores of the points for k = least .. most, and mean scores of data drawn
  /// from one normal distribution with the points' mean and covariance.
  std::vector<double> score, null_mean;
  std::vector<double> p;  ///< For each k: (1 + null scores >= score) / (1 + replicates).
  double p_of_best = 1;   ///< p for the best score over all k.
};

/// Parametric bootstrap: compares the scores with those of one normal distribution. A small p
/// rejects that distribution: skewed or heavy-tailed points may reject it without clusters.
NullTest test_one_cluster(const Points& points, std::int64_t least, std::int64_t most,
                          int replicates, const Rng& rng, ThreadPool& pool);

/// The gap statistic (Tibshirani, Walther and Hastie 2001).
struct Gap {
  std::vector<double> gap;    ///< For k = 1 .. most: expected log within sum of squares - found.
  std::vector<double> error;  ///< Its standard error, including that of the simulation.
  /// Smallest k with gap(k) >= gap(k + 1) - error(k + 1); 1 means one cluster; `most` if none.
  std::int64_t clusters = 1;
};

/// Computes the gap statistic against data that are uniform in the box of the principal components.
Gap gap_statistic(const Points& points, std::int64_t most, int replicates, const Rng& rng,
                  ThreadPool& pool);

/// Returns the nearest of `means` for each point.
Labels nearest(const Points& points, const Points& means);

}  // namespace afterspike::statistics
