#pragma once

#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>
#include <vector>

#include "afterspike/analysis/neurons.hpp"
#include "afterspike/statistics/clustering.hpp"

/// Clusters of the neurons that networks have learned.
namespace afterspike::analysis {

/// Neurons with their parameters, from several runs or a file.
struct Population {
  std::vector<std::string> runs;  ///< Paths of the runs, or of the file.
  std::vector<std::int64_t> run;  ///< Run of each neuron, by number.
  NeuronTable table;              ///< All neurons, one run after the other.
};

/// Gathers the neurons of all runs. Throws as load_run() and neuron_parameters(), and Error(config)
/// if runs have other parameters than the first.
Population gather_population(const std::vector<RunGroup>& groups);

/// Reads neurons from a CSV file: every column is a parameter, except run, seed, layer, neuron and
/// cluster; run, layer and neuron identify a row. Throws as io::read_csv(), and Error(data) if
/// there is no row or no parameter.
Population read_population(const std::filesystem::path& file);

/// A clustering and its input.
struct ClusterStudy {
  Population population;
  statistics::ClusteringOptions options;
  std::uint64_t seed = 1;
  std::int64_t chosen = 0;  ///< Number of clusters; 0: the best by Caliński-Harabasz.
};

/// Scores of one number of clusters.
struct ClusterScore {
  /// Results of replicates.
  struct Replicated {
    statistics::Stability stability;
    double gap = 0, gap_error = 0;
    double null_mean = 0;  ///< Mean Caliński-Harabasz score of one normal distribution.
    double p = 1;          ///< Fraction of its replicates with at least this score.
  };

  double calinski_harabasz = 0, silhouette = 0;
  double mixture_bic = 0;
  bool mixture_converged = false;
  std::optional<Replicated> replicated;  ///< Without replicates: nullopt.
  std::vector<std::int64_t> sizes;       ///< Neurons of each cluster.
  statistics::Labels labels;             ///< Cluster of each neuron.

  std::int64_t k() const { return static_cast<std::int64_t>(sizes.size()); }
};

/// Evidence for a single cluster.
struct OneCluster {
  struct Replicated {
    double gap = 0, gap_error = 0;
    std::int64_t gap_clusters = 1;  ///< Number of clusters by the gap statistic.
    double p = 1;                   ///< p of the best Caliński-Harabasz score.
  };

  double mixture_bic = 0;
  std::int64_t mixture_components = 1;  ///< Number of mixture components by BIC.
  std::optional<Replicated> replicated;
};

/// Parameters of the neurons in one cluster.
struct ClusterParameters {
  struct Statistics {
    double mean = 0, sd = 0, min = 0, max = 0;
  };

  std::int64_t neurons = 0;
  std::vector<std::int64_t> neurons_of_run;  ///< By run.
  std::vector<Statistics> columns;           ///< By column of the table.
};

/// Comparison of the clusters of several runs.
struct RunComparison {
  /// The clusters of one run alone.
  struct Run {
    std::string path;
    std::int64_t neurons = 0;
    std::int64_t by_calinski_harabasz = 0, by_silhouette = 0, by_bic = 0;  ///< Best numbers.
    std::vector<double> calinski_harabasz;  ///< Score of each number of clusters.
    double agreement_with_all = 0;          ///< Adjusted Rand index with the joint clusters.
  };

  std::int64_t k = 0;
  std::string reason;  ///< Why the runs are not compared; else empty.
  std::vector<Run> runs;
  std::vector<std::vector<double>> agreement;  ///< Adjusted Rand index of run i with run j.
};

/// Result of a clustering. docs/analyses.md explains every member.
struct ClusterReport {
  std::vector<std::string> runs;
  std::int64_t neurons = 0;
  std::vector<std::string> parameters;
  statistics::ClusteringOptions options;
  std::uint64_t seed = 1;
  std::int64_t clusters = 0;                                 ///< The chosen number.
  std::int64_t by_calinski_harabasz = 0, by_silhouette = 0;  ///< Best numbers.
  OneCluster one_cluster;
  std::vector<std::string> notes;
  std::vector<ClusterParameters> cluster_parameters;  ///< For each chosen cluster.
  std::vector<ClusterScore> scores;                   ///< For each number of clusters.
  std::optional<RunComparison> runs_compared;         ///< For several runs.

  /// The number that the authors of GLIFR read: they take a best number of 2 for no clusters.
  std::int64_t by_authors_rule() const {
    return by_calinski_harabasz == 2 ? 1 : by_calinski_harabasz;
  }
};

/// Describes a clustering, and compares the runs if there are several.
ClusterReport cluster_report(const ClusterStudy& study, const statistics::Clustering& clustering,
                             ThreadPool& pool);

/// A p-value of a test with that many replicates: "0.048", or "< 1/21" at the least value that 20
/// replicates can give.
std::string p_text(double p, int replicates);

/// One sentence on whether there is more than one kind of neuron.
std::string kinds_sentence(const ClusterReport& report);

/// Runs the clustering. Throws as statistics::cluster(), naming neuron and column of a value that
/// is not finite, and Error(config) if `chosen` was not tried.
statistics::Clustering cluster_population(const ClusterStudy& study, ThreadPool& pool);

/// Returns the cluster of every neuron of the runs, one run after the other, as the command
/// `cluster` finds them by default. Throws as gather_population() and cluster_population().
std::vector<std::int64_t> usual_clusters(const std::vector<RunGroup>& groups, ThreadPool& pool);

}  // namespace afterspike::analysis
