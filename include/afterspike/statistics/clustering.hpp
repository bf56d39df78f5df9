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
  std::int64_t most = 11;  ///< ... to so many; at most points - 1 are tried.
  int replicates = 100;    ///< Of each: bootstrap, null test, gap; 0 leaves the three out.
  /// Points that Ward's method takes one by one, in points^2 time; more are first divided into
  /// kCells small cells, of which Ward's method takes the means.
  std::int64_t exact_limit = 20000;
};

inline constexpr std::int64_t kCells = 10000;
/// Silhouettes and mixtures look at no more points than this ...
inline constexpr std::int64_t kScoredPoints = 20000;
/// ... and what is repeated for each replicate at no more than this: random samples of larger sets.
inline constexpr std::int64_t kReplicatedPoints = 1000;

/// The points in k clusters.
struct Division {
  Labels labels;  ///< Numbered as cut() does.
  double calinski_harabasz = 0;
  double silhouette = 0;
};

/// A mixture of k normal distributions, without its parameters.
struct MixtureScore {
  std::int64_t components = 1;
  double bic = 0;
  bool converged = false;
};

struct Clustering {
  Points features;                     ///< As they were clustered: standardised or not.
  Linkage linkage;                     ///< Of the leaves.
  Labels leaf;                         ///< Of each point; empty: every point is a leaf.
  std::vector<Division> divisions;     ///< k = least, least + 1, ...
  std::vector<MixtureScore> mixtures;  ///< 1 component, 2, ... most.
  std::int64_t by_calinski_harabasz = 0;
  std::int64_t by_silhouette = 0;
  std::int64_t by_bic = 0;
  std::vector<Stability> stability;  ///< As `divisions`; empty without replicates.
  std::optional<NullTest> one_cluster;
  std::optional<Gap> gap;
  std::vector<std::string> notes;  ///< What was done to less than all points, in sentences.

  const Division& division(std::int64_t k) const;
};

/// The whole analysis. `rng` decides samples and replicates only: linkage, labels, scores and
/// mixtures of up to kScoredPoints points have no randomness. The same for any number of threads.
///
/// Throws Error(numeric) for a value that is not finite, Error(config) for options out of range,
/// Error(data) for fewer than least + 1 points or when all points are the same.
Clustering cluster(const Points& points, const ClusteringOptions& options, const Rng& rng,
                   ThreadPool& pool);

}  // namespace afterspike::statistics
