#pragma once

#include <filesystem>
#include <functional>

#include "afterspike/analysis/silencing_summary.hpp"

namespace afterspike::analysis {

/// A silencing study in a directory:
///
///   settings.json   protocol, checksums of the checkpoints, data
///   silencing.csv   silencing_table() so far; grows during the study
///   silencing.json  settings, runs and the rows of the table; after the last row
///   summary.csv, summary.json  summary_table(), silencing_summary(); after the last row
///
/// Every file is replaced atomically, so that an interrupted study continues where it stopped.
struct Study {
  Protocol protocol;
  StudyNames names;
  std::vector<Subject> subjects;
  tasks::Split split = tasks::Split::test;
  std::string by = "random";  ///< Selection of neurons, for the record ...
  std::string by_file;        ///< ... and its file of clusters, if any.
};

/// Returns the settings that decide the numbers of a study.
io::Json settings_of(const Study& study);

/// Measures what the directory lacks and writes it. `progress(done, total)` is called before each
/// evaluation and after the last; returning false stops the study.
///
/// Returns the summary, or null if the study was stopped. Throws Error(config) that names the first
/// setting in which the study in the directory differs from this one, and if there are files but no
/// study; Error(data) if its table is damaged.
io::Json run_study(const Study& study, const std::filesystem::path& directory, ThreadPool& pool,
                   const std::function<bool(std::size_t done, std::size_t total)>& progress);

}  // namespace afterspike::analysis
