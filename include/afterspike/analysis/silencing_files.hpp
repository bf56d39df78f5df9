#pragma once

#include <filesystem>
#include <functional>

#include "afterspike/analysis/silencing_summary.hpp"

namespace afterspike::analysis {

/// A silencing study in a directory:
///
///   settings.json   what is measured: protocol, checksums of the checkpoints, data
///   silencing.csv   silencing_table(), as far as it is measured; grows as the study goes on
///   silencing.json  settings, runs and the rows of the table; with the last row
///   summary.csv, summary.json  summary_table(), silencing_summary(); with the last row
///
/// Every file is replaced at once, so that a study that was interrupted goes on where it was.
struct Study {
  Protocol protocol;
  StudyNames names;
  std::vector<Subject> subjects;
  tasks::Split split = tasks::Split::test;
  std::string by = "random";  ///< How neurons are selected, for the record ...
  std::string by_file;        ///< ... and the file of clusters where they come from one.
};

/// What decides the numbers of a study.
io::Json settings_of(const Study& study);

/// Measures what the directory does not hold yet and writes it. `progress(done, total)` is called
/// before each evaluation and after the last; false stops the study.
///
/// Gives the summary, or null when it was stopped. Throws Error(config) that names the first
/// setting in which the study that the directory holds differs from this one, and when there are
/// files but no study; Error(data) when its table is damaged.
io::Json run_study(const Study& study, const std::filesystem::path& directory, ThreadPool& pool,
                   const std::function<bool(std::size_t done, std::size_t total)>& progress);

}  // namespace afterspike::analysis
