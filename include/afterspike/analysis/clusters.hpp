#pragma once

#include <filesystem>
#include <string>
#include <vector>

#include "afterspike/analysis/neurons.hpp"
#include "afterspike/io/json.hpp"
#include "afterspike/statistics/clustering.hpp"

/// Which kinds of neurons networks have learned.
namespace afterspike::analysis {

/// Neurons with their parameters, of several runs or of a file.
struct Population {
  std::vector<std::string> runs;  ///< Paths; or that of the file.
  std::vector<std::int64_t> run;  ///< Of each neuron, by number.
  NeuronTable table;              ///< Of all neurons, one run after the other.
};

/// The neurons of all runs. Throws as load_run() and neuron_parameters(), and Error(config) when
/// runs have other parameters than the first.
Population gather_population(const std::vector<RunGroup>& groups);

/// The rows of a CSV file: every column is a parameter as it stands, but for run, seed, layer,
/// neuron and cluster, of which run, layer and neuron say where a row belongs. Throws as
/// io::read_csv(), and Error(data) when there is no row or no parameter.
Population read_population(const std::filesystem::path& file);

/// A clustering with what it is of.
struct ClusterStudy {
  Population population;
  statistics::ClusteringOptions options;
  std::uint64_t seed = 1;
  std::int64_t chosen = 0;  ///< Clusters; 0: as many as Caliński-Harabasz says.
};

/// What was found: options, scores and labels for each number of clusters, the choices of all
/// measures, the tests of one cluster, the parameters of the chosen clusters, and, of several runs,
/// how they compare (runs_compared). docs/analyses.md has every member.
io::Json cluster_report(const ClusterStudy& study, const statistics::Clustering& clustering,
                        ThreadPool& pool);

/// Runs the clustering. Throws as statistics::cluster(), naming neuron and column of a value that
/// is not finite, and Error(config) when `chosen` was not tried.
statistics::Clustering cluster_population(const ClusterStudy& study, ThreadPool& pool);

/// The cluster of every neuron of the runs, one run after the other, as `cluster` finds them with
/// its defaults. Throws as gather_population() and cluster_population().
std::vector<std::int64_t> usual_clusters(const std::vector<RunGroup>& groups, ThreadPool& pool);

/// Writes, as a directory that appears at once:
///
///   parameters.csv  run, layer, neuron and the parameters
///   clusters.csv    run, layer, neuron, cluster (of the chosen number), labels k_2 ..., the first
///                   principal components of what was clustered, and leaf where cells were linked
///   scores.csv      a row for each number of clusters
///   linkage.csv     SciPy's linkage matrix: first, second, distance, size
///   summary.csv     mean, sd, least and largest of each parameter in each cluster
///   clustering.json the report
///
/// Throws Error(data) when there is something at `directory` already.
void write_clustering(const std::filesystem::path& directory, const ClusterStudy& study,
                      const statistics::Clustering& clustering, const io::Json& report);

}  // namespace afterspike::analysis
