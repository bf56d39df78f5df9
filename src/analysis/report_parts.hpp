#pragma once

#include <filesystem>
#include <optional>
#include <stdexcept>
#include <string>
#include <vector>

#include "afterspike/analysis/report.hpp"
#include "afterspike/base/error.hpp"
#include "afterspike/io/json.hpp"
#include "afterspike/statistics/points.hpp"

/// The sections of a report.
namespace afterspike::analysis {

/// A run in a report.
struct ReportRun {
  std::string label;                ///< Short, and no other run has it.
  std::size_t group = 0;            ///< Number in ReportRequest::groups.
  std::filesystem::path path;       ///< As it was given.
  std::filesystem::path directory;  ///< Of the run; empty: a checkpoint outside of one.
  Subject subject;                  ///< Without task and data where `missing` says why.
  std::string missing;              ///< Empty: the data are there.

  const nn::Network& network() const { return subject.network(); }
};

/// All that the sections are made of.
struct Material {
  const ReportRequest& request;
  std::vector<ReportRun> runs;
  std::vector<std::string> group_labels;
  ThreadPool& pool;
  /// Of each run the cluster of each neuron; empty where there are no clusters.
  std::vector<std::vector<std::int64_t>> labels;

  /// Runs of a group, or those whose data are there.
  std::vector<const ReportRun*> of_group(std::size_t group) const;
  std::vector<const ReportRun*> with_data() const;
  /// The colour of a run: of its group where there are several, else its own.
  int color(const ReportRun& run) const;
};

/// summary.json of a run; nothing where it has none.
std::optional<io::Json> summary_of(const ReportRun& run);

report::Section results_section(Material& material);
report::Section training_section(Material& material);
report::Section answers_section(Material& material);
report::Section silencing_section(Material& material);
report::Section parameters_section(Material& material);
/// Also finds the labels, for those after it.
report::Section clusters_section(Material& material);
report::Section network_section(Material& material);
report::Section record_section(Material& material);

/// Values by how many of them lie in each of some bins of equal width, as a part of all.
struct HistogramInput {
  std::string name;
  std::vector<double> values;
  int color = 0;
  bool thin = false;
};
std::vector<report::Series> histograms(const std::vector<HistogramInput>& inputs,
                                       bool logarithmic = false);

/// A map over time of the sizes of values [rows with names, times]. Of many rows or times, means of
/// neighbours; the caption then says of how many.
report::HeatMap map_over_time(const statistics::Points& values, const std::vector<double>& time_ms,
                              const std::vector<std::string>& rows);

/// What read() gives of what a file holds. What is not as it should be in its JSON becomes
/// Error(data) that names the file.
template <typename Read>
auto reading(const std::filesystem::path& file, Read read) {
  try {
    return read();
  } catch (const io::Json::exception& error) {
    fail(ErrorKind::data, "'{}': not as this program writes it: {}", file.string(), error.what());
  } catch (const std::out_of_range& error) {
    fail(ErrorKind::data, "'{}': not as this program writes it: {}", file.string(), error.what());
  }
}

}  // namespace afterspike::analysis
