#pragma once

#include <filesystem>
#include <optional>
#include <string>
#include <vector>

#include "afterspike/analysis/report.hpp"
#include "afterspike/io/json.hpp"
#include "afterspike/statistics/points.hpp"

/// The sections of a report.
namespace afterspike::analysis {

/// A run in a report.
struct ReportRun {
  std::string label;                ///< Short and unique.
  std::size_t group = 0;            ///< Index in ReportRequest::groups.
  std::filesystem::path path;       ///< Path as given.
  std::filesystem::path directory;  ///< Directory of the run; empty for a checkpoint outside a run.
  Subject subject;                  ///< Without task and data if `missing` is set.
  std::string missing;              ///< Reason why the data are missing; empty if they are present.

  const nn::Network& network() const { return subject.network(); }
};

/// Input of the sections.
struct ReportData {
  const ReportRequest& request;
  std::vector<ReportRun> runs;
  std::vector<std::string> group_labels;
  ThreadPool& pool;
  /// Cluster of each neuron, for each run; empty without clusters.
  std::vector<std::vector<std::int64_t>> labels = {};
  std::vector<std::string> summary = {};  ///< Sentences for the top of the page.

  /// Returns the runs of a group, or those with data.
  std::vector<const ReportRun*> of_group(std::size_t group) const;
  std::vector<const ReportRun*> with_data() const;
  /// Returns the colour of a run: its group's if there are several groups, else its own.
  int color(const ReportRun& run) const;
  /// Returns ": LABEL" for the titles of a run's figures; "" if the report has only one run.
  std::string suffix(const ReportRun& run) const;
};

/// Reads summary.json of a run; nullopt if there is none.
std::optional<io::Json> summary_of(const ReportRun& run);

/// Sections of the page. Each may add sentences to the summary.
report::Section results_section(ReportData& data);
report::Section training_section(ReportData& data);
report::Section answers_section(ReportData& data);
report::Section silencing_section(ReportData& data);
report::Section parameters_section(ReportData& data);
/// Also finds the labels for later sections.
report::Section clusters_section(ReportData& data);
report::Section network_section(ReportData& data);
report::Section record_section(ReportData& data);

/// Fractions of values in bins of equal width.
struct HistogramInput {
  std::string name;
  std::vector<double> values;
  int color = 0;
  bool thin = false;
};
std::vector<report::Series> histograms(const std::vector<HistogramInput>& inputs,
                                       bool logarithmic = false);

/// Moves inputs with several values to `drawn`, and returns a sentence about the others: a
/// distribution of one value would be a bar of 100 %.
std::string take_constants(const std::vector<HistogramInput>& inputs,
                           std::vector<HistogramInput>& drawn);

/// Returns a map over time of the sizes of values [rows with names, times]. Many rows or times are
/// averaged over neighbours; the caption names the number.
report::HeatMap map_over_time(const statistics::Points& values, const std::vector<double>& time_ms,
                              const std::vector<std::string>& rows);

}  // namespace afterspike::analysis
