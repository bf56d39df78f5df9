#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "afterspike/statistics/mixture.hpp"
#include "afterspike/statistics/validation.hpp"

namespace afterspike::statistics {

enum class Standardise { none, zscore };

/// How points are clustered.
struct ClusteringOptions {
  Standardise standardise = Standardise::zscore;
  std::int64_t least = 2;  ///< Clusters, at least 2 ...
  std::int64_t most = 11;  ///< ... to so many, not fewer; at most points - 1 are tried.
  int replicates = 100;    ///< Of each: bootstrap, null test, gap; 0 leaves the three out.
  /// Points that Ward's method takes one by one, in points^2 time; more are first divided into as
  /// many small cells, kCells at most, of which Ward's method takes the means. At least
  /// least_exact_limit().
  std::int64_t exact_limit = 20000;

  /// So many cells can be put together to `least` clusters.
  std::int64_t least_exact_limit() const { return least + 1; }
};

/// Cells that more points than ClusteringOptions::exact_limit are divided into, at most.
inline constexpr std::int64_t kCells = 10000;
/// Silhouettes and mixtures look at no more points than this ...
inline constexpr std::int64_t kScoredPoints = 20000;
/// ... and what is repeated for each replicate at no more than this: random samples of larger sets.
inline constexpr std::int64_t kReplicatedPoints = 1000;

/// The points in k clusters.
struct Division {
  Labels labels;                 ///< Of each point; numbered as cut() does.
  double calinski_harabasz = 0;  ///< Of all points; higher is better, as for the next.
  double silhouette = 0;         ///< Mean of at most kScoredPoints points.
};

/// A mixture of k normal distributions, without its parameters.
struct MixtureScore {
  std::int64_t components = 1;
  double bic = 0;          ///< Bayesian information criterion; lower is better.
  bool converged = false;  ///< Of fit_mixture().
};

/// What cluster() found.
struct Clustering {
  Points features;                        ///< As they were clustered: standardised or not.
  Linkage linkage;                        ///< Of the leaves.
  Labels leaf;                            ///< Of each point; empty: every point is a leaf.
  std::vector<Division> divisions;        ///< k = least, least + 1, ...
  std::vector<MixtureScore> mixtures;     ///< 1 component, 2, ... most.
  std::int64_t by_calinski_harabasz = 0;  ///< The number of clusters with the best score ...
  std::int64_t by_silhouette = 0;         ///< ... and by the other.
  std::int64_t by_bic = 0;                ///< Components of the best mixture; may be 1.
  std::vector<Stability> stability;       ///< As `divisions`; empty without replicates.
  std::optional<NullTest> one_cluster;    ///< Whether there are any; nothing without replicates.
  std::optional<Gap> gap;                 ///< Likewise, from 1 cluster on.
  std::vector<std::string> notes;         ///< What was done to less than all points, in sentences.

  /// That into k clusters. Throws Error(internal) where that was not tried.
  const Division& division(std::int64_t k) const;
};

/// The whole analysis. `rng` decides samples and replicates only: linkage, labels, scores and
/// mixtures of up to kScoredPoints points have no randomness. The same for any number of threads.
///
/// Throws Error(numeric) for a value that is not finite, Error(config) for options out of range,
/// Error(data) for points without features, fewer than least + 1 of them (or of different ones
/// where they are divided into cells), or when all are the same.
Clustering cluster(const Points& points, const ClusteringOptions& options, const Rng& rng,
                   ThreadPool& pool);

}  // namespace afterspike::statistics
