#include "afterspike/analysis/selection.hpp"

#include <algorithm>
#include <cmath>
#include <filesystem>
#include <limits>
#include <optional>

#include "afterspike/base/error.hpp"

namespace afterspike::analysis {
namespace {

constexpr double kMissing = -1;

/// A table of clusters, with the indices of its columns.
class ClusterFile {
 public:
  explicit ClusterFile(const std::string& path) : path_(path), table_(io::read_csv(path)) {}

  /// Throws Error(data) if the file has more or fewer runs.
  void require_runs(std::size_t runs) const {
    const std::optional<std::size_t> place = run_column();
    if (!place) return;
    double last = 0;
    for (const auto& row : table_.rows) last = std::max(last, row[*place]);
    require(last + 1 == static_cast<double>(runs), ErrorKind::data,
            "'{}': found runs up to number {}, expected 0 to {}: the clusters of the runs that are "
            "silenced, in their order",
            path_, last, runs - 1);
  }

  /// Returns the cluster of each neuron of a run.
  std::vector<double> clusters(const nn::Network& network, std::int64_t run) const {
    const std::size_t layer = column("layer");
    const std::size_t neuron = column("neuron");
    const std::size_t cluster = column("cluster");
    const std::int64_t hidden = network.options().hidden;
    const std::int64_t layers = network.options().layers;
    std::vector<double> result(static_cast<std::size_t>(hidden * layers), kMissing);
    for (std::size_t i = 0; i < table_.rows.size(); ++i) {
      if (!belongs(i, run)) continue;
      const std::int64_t place = whole(i, layer, layers) * hidden + whole(i, neuron, hidden);
      double& label = result[static_cast<std::size_t>(place)];
      require(label == kMissing, ErrorKind::data, "'{}': line {}: this neuron is there twice",
              path_, i + 2);
      label = static_cast<double>(whole(i, cluster, std::numeric_limits<std::int32_t>::max()));
    }
    const auto missing = std::find(result.begin(), result.end(), kMissing) - result.begin();
    require(missing == static_cast<std::ptrdiff_t>(result.size()), ErrorKind::data,
            "'{}': run {}: layer {}, neuron {} is missing; expected every neuron of the network",
            path_, run, missing / hidden, missing % hidden);
    return result;
  }

 private:
  std::size_t column(const std::string& name) const {
    const auto found = std::find(table_.columns.begin(), table_.columns.end(), name);
    require(found != table_.columns.end(), ErrorKind::data,
            "'{}': there is no column '{}'; expected layer, neuron and cluster, as afterspike "
            "cluster writes them to clusters.csv",
            path_, name);
    return static_cast<std::size_t>(found - table_.columns.begin());
  }

  bool belongs(std::size_t row, std::int64_t run) const {
    const std::optional<std::size_t> place = run_column();
    return !place || table_.rows[row][*place] == static_cast<double>(run);
  }

  std::optional<std::size_t> run_column() const {
    const auto found = std::find(table_.columns.begin(), table_.columns.end(), "run");
    if (found == table_.columns.end()) return std::nullopt;
    return static_cast<std::size_t>(found - table_.columns.begin());
  }

  /// Returns a cell with a whole number, 0 to below - 1.
  std::int64_t whole(std::size_t row, std::size_t place, std::int64_t below) const {
    const double value = table_.rows[row][place];
    require(value >= 0 && value < static_cast<double>(below) && value == std::floor(value),
            ErrorKind::data, "'{}': line {}: {} is {}, expected a whole number, 0 to {}", path_,
            row + 2, table_.columns[place], value, below - 1);
    return static_cast<std::int64_t>(value);
  }

  std::string path_;
  io::Table table_;
};

}  // namespace

Selection select_neurons(const std::string& by, bool highest_first,
                         const std::vector<Subject>& subjects, ThreadPool& pool) {
  Selection selection;
  selection.highest_first = highest_first;
  if (by == "random") return selection;
  if (by.ends_with(".csv") || std::filesystem::is_regular_file(by)) {
    selection.kind = Selection::Kind::clusters;
    const ClusterFile file(by);
    file.require_runs(subjects.size());
    for (std::size_t run = 0; run < subjects.size(); ++run) {
      selection.values.push_back(
          file.clusters(subjects[run].network(), static_cast<std::int64_t>(run)));
    }
    return selection;
  }
  selection.kind = Selection::Kind::ranked;
  for (const Subject& subject : subjects) {
    try {
      selection.values.push_back(by == "rate" ? mean_activity(subject, pool)
                                              : neuron_parameters(subject.network()).column(by));
    } catch (const Error& error) {
      throw Error(error.kind(),
                  fmt::format("--by {}: expected random, rate, a file or a parameter: {}", by,
                              error.what()));
    }
    const std::vector<double>& values = selection.values.back();
    const auto [low, high] = std::minmax_element(values.begin(), values.end());
    require(*low < *high || values.size() == 1, ErrorKind::data,
            "--by {}: all {} neurons of {} have the value {}, expected values that rank them", by,
            values.size(), subject.name, *low);
  }
  return selection;
}

}  // namespace afterspike::analysis
