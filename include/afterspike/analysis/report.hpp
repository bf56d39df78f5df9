#pragma once

#include <filesystem>
#include <functional>
#include <string>
#include <vector>

#include "afterspike/analysis/runs.hpp"
#include "afterspike/base/parallel.hpp"
#include "afterspike/report/document.hpp"

namespace afterspike::analysis {

/// Request for a report.
struct ReportRequest {
  std::vector<RunGroup> groups;                ///< At least one.
  std::vector<std::filesystem::path> studies;  ///< Directories written by `silence` and `cluster`.
  tasks::TaskContext context;
  tasks::Split split = tasks::Split::test;
  std::int64_t sample = 0;  ///< Sample of the split whose activity is shown.
  /// Silencing without a given study: draws at each level, on the first `limit` samples.
  std::int64_t trials = 3;
  std::int64_t limit = 1000;
  std::vector<std::string> command;         ///< Command line of the report, shown on the page.
  std::vector<std::string> export_command;  ///< Command line of the export that the page compares.
  std::string version;                      ///< Version of the program, shown on the page.
  std::string origin;  ///< Date and machine, shown on the page; empty: not shown.
};

/// Called with the name of the next step: "silencing".
using ReportProgress = std::function<void(const std::string& what)>;

/// Gathers the contents of a report on finished runs: results, training curves, answers, silencing,
/// parameters before and after training, clusters, configuration, commands. Unavailable parts
/// (missing data, a model without intrinsic parameters) are named in the report, and the rest is
/// shown. The same document for any number of threads.
///
/// Throws as load_run() for a run that cannot be read, Error(usage) for a checkpoint given twice or
/// a sample that does not exist, Error(config) for a study that is neither of silencing nor of
/// clusters or of other runs and for more than one study of clusters, and Error(data) that names
/// the file for a damaged one.
report::Document make_report(const ReportRequest& request, ThreadPool& pool,
                             const ReportProgress& progress);

}  // namespace afterspike::analysis
