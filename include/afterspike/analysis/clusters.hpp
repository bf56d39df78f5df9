#pragma once

#include <filesystem>
#include <string>
#include <vector>

#include "afterspike/analysis/neurons.hpp"
#include "afterspike/io/json.hpp"
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

/// Returns the result: options, scores and labels for each number of clusters, the choices of all
/// measures, the tests of one cluster, the parameters of the chosen clusters, and for several runs
/// their comparison (runs_compared). docs/analyses.md has every member.
io::Json cluster_report(const ClusterStudy& study, const statistics::Clustering& clustering,
                        ThreadPool& pool);

/// A p-value of a test with that many replicates: "0.048", or "< 1/21" at the least value that 20
/// replicates can give.
std::string p_text(double p, int replicates);

/// One sentence on whether there is more than one kind of neuron, from a cluster_report().
std::string kinds_sentence(const io::Json& report);

/// Runs the clustering. Throws as statistics::cluster(), naming neuron and column of a value that
/// is not finite, and Error(config) if `chosen` was not tried.
statistics::Clustering cluster_population(const ClusterStudy& study, ThreadPool& pool);

/// Returns the cluster of every neuron of the runs, one run after the other, as the command
/// `cluster` finds them by default. Throws as gather_population() and cluster_population().
std::vector<std::int64_t> usual_clusters(const std::vector<RunGroup>& groups, ThreadPool& pool);

/// Writes, as a directory that appears at once:
///
///   parameters.csv  run, layer, neuron and the parameters
///   clusters.csv    run, layer, neuron, cluster (of the chosen number), labels k_2 ..., the first
///                   principal components of the clustered values, and leaf if cells were linked
///   scores.csv      a row per number of clusters
///   linkage.csv     SciPy's linkage matrix: first, second, distance, size
///   summary.csv     mean, sd, min and max of each parameter in each cluster
///   clustering.json the report
///
/// Throws Error(data) if `directory` exists already.
void write_clustering(const std::filesystem::path& directory, const ClusterStudy& study,
                      const statistics::Clustering& clustering, const io::Json& report);

}  // namespace afterspike::analysis
