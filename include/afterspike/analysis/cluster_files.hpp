#pragma once

#include <filesystem>
#include <optional>
#include <string>
#include <vector>

#include "afterspike/analysis/clusters.hpp"
#include "afterspike/io/json.hpp"

/// Files of a clustering.
namespace afterspike::analysis {

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
                      const statistics::Clustering& clustering, const ClusterReport& report);

/// The content of clustering.json.
io::Json to_json(const ClusterReport& report);

/// Settings that clustering.json records.
struct ClusterSettings {
  std::vector<std::string> runs;  ///< Paths as they were named.
  statistics::ClusteringOptions options;
  bool has_exact_limit = true;  ///< False in files of earlier versions.
  std::uint64_t seed = 1;
  std::int64_t clusters = 0;  ///< The chosen number.
};

/// Returns whether a directory has a clustering.
bool has_clustering(const std::filesystem::path& directory);

/// Reads the settings of a clustering. Throws Error(data) that names the file if it is damaged.
ClusterSettings read_cluster_settings(const std::filesystem::path& directory);

}  // namespace afterspike::analysis
