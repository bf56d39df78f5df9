#pragma once

#include <filesystem>
#include <functional>
#include <string>
#include <vector>

#include "afterspike/analysis/runs.hpp"
#include "afterspike/base/parallel.hpp"
#include "afterspike/report/document.hpp"

namespace afterspike::analysis {

/// What a report is to be about.
struct ReportRequest {
  std::vector<RunGroup> groups;                ///< At least one.
  std::vector<std::filesystem::path> studies;  ///< Directories of `silence` and `cluster`.
  tasks::TaskContext context;
  tasks::Split split = tasks::Split::test;
  std::int64_t sample = 0;  ///< Of the split: whose activity is shown.
  /// What is silenced where no study of it is given: so many draws at each level, on the first
  /// `limit` samples.
  std::int64_t trials = 3;
  std::int64_t limit = 1000;
  std::vector<std::string> command;  ///< Words by which the report was asked for; shown.
  std::string version;               ///< Of the program; shown.
};

/// Called with what is done next: "silencing".
using ReportProgress = std::function<void(const std::string& what)>;

/// Gathers what is to be seen of finished runs: results, training curves, answers, silencing,
/// parameters before and after training, clusters, configuration, commands. What cannot be had
/// (data that are not there, a model without intrinsic parameters) is said in the report, and the
/// rest is shown. The same document for any number of threads.
///
/// Throws as load_run() for a run that cannot be read, Error(usage) for a checkpoint that is given
/// twice or a sample that is not there, Error(config) for a study that is neither of silencing nor
/// of clusters or of other runs and for more than one of clusters, and Error(data) that names the
/// file for a damaged one.
report::Document make_report(const ReportRequest& request, ThreadPool& pool,
                             const ReportProgress& progress);

}  // namespace afterspike::analysis
