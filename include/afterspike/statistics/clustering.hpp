#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "afterspike/statistics/mixture.hpp"
#include "afterspike/statistics/validation.hpp"

namespace afterspike::statistics {

enum class Standardise { none, zscore };

/// Options of a clustering.
struct ClusteringOptions {
  Standardise standardise = Standardise::zscore;
  std::int64_t least = 2;  ///< Min number of clusters, at least 2.
  std::int64_t most = 11;  ///< Max number of clusters, not below `least`; at most points - 1 are
                           ///< tried.
  int replicates = 100;    ///< Replicates of each: bootstrap, null test, gap; 0 omits the three.
  /// Max number of points that Ward's method takes one by one, in points^2 time. More points are
  /// first divided into at most kCells small cells, whose means Ward's method takes. At least
  /// least_exact_limit().
  std::int64_t exact_limit = 20000;

  /// Returns the min number of cells that can be merged into `least` clusters.
  std::int64_t least_exact_limit() const { return least + 1; }
};

/// Max number of cells, if there are more points than ClusteringOptions::exact_limit.
inline constexpr std::int64_t kCells = 10000;
/// Max number of points of silhouettes and mixtures; a random sample of larger sets.
inline constexpr std::int64_t kScoredPoints = 20000;
/// Max number of points of computations repeated for each replicate; a random sample of larger
/// sets.
inline constexpr std::int64_t kReplicatedPoints = 1000;

/// The points in k clusters.
struct Division {
  Labels labels;                 ///< Cluster of each point; numbered as by cut().
  double calinski_harabasz = 0;  ///< Score of all points; higher is better.
  double silhouette = 0;         ///< Mean over at most kScoredPoints points; higher is better.
};

/// A mixture of k normal distributions, without its parameters.
struct MixtureScore {
  std::int64_t components = 1;
  double bic = 0;          ///< Bayesian information criterion; lower is better.
  bool converged = false;  ///< Whether fit_mixture() converged.
};

/// Result of cluster().
struct Clustering {
  Points features;                        ///< The clustered values, standardised or not.
  Linkage linkage;                        ///< Linkage of the leaves.
  Labels leaf;                            ///< Leaf of each point; empty if every point is a leaf.
  std::vector<Division> divisions;        ///< k = least, least + 1, ...
  std::vector<MixtureScore> mixtures;     ///< For 1, 2, ... `most` components.
  std::int64_t by_calinski_harabasz = 0;  ///< Number of clusters with the best Caliński-Harabasz
                                          ///< score.
  std::int64_t by_silhouette = 0;         ///< Number of clusters with the best silhouette.
  std::int64_t by_bic = 0;                ///< Number of components of the best mixture; may be 1.
  std::vector<Stability> stability;       ///< For each of `divisions`; empty without replicates.
  std::optional<NullTest> one_cluster;    ///< Test whether there are clusters; nullopt without
                                          ///< replicates.
  std::optional<Gap> gap;                 ///< Gap statistic from 1 cluster on; nullopt without
                                          ///< replicates.
  std::vector<std::string> notes;         ///< Sentences naming computations on fewer than all
                                          ///< points.

  /// Returns the division into k clusters. Throws Error(internal) if k was not tried.
  const Division& division(std::int64_t k) const;
};

/// Runs the whole analysis. `rng` decides samples and replicates only: linkage, labels, scores and
/// mixtures of up to kScoredPoints points have no randomness. The result is the same for any number
/// of threads.
///
/// Throws Error(numeric) for a value that is not finite, Error(config) for options out of range,
/// Error(data) for points without features, fewer than least + 1 points (or distinct ones, if they
/// are divided into cells), or points that are all equal.
Clustering cluster(const Points& points, const ClusteringOptions& options, const Rng& rng,
                   ThreadPool& pool);

}  // namespace afterspike::statistics
