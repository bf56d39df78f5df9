#pragma once

#include <filesystem>
#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "afterspike/analysis/silencing_summary.hpp"
#include "afterspike/io/json.hpp"

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

/// Measures what the directory lacks and writes it. `progress(done, total)` is called before each
/// evaluation and after the last; returning false stops the study.
///
/// Returns the summary; nullopt if the study was stopped. Throws Error(config) that names the first
/// setting in which the study in the directory differs from this one, and if there are files but no
/// study; Error(data) if its table is damaged.
std::optional<SilencingSummary> run_study(
    const Study& study, const std::filesystem::path& directory, ThreadPool& pool,
    const std::function<bool(std::size_t done, std::size_t total)>& progress);

/// The content of summary.json. A mean of a single value has null for sd, low and high.
io::Json to_json(const SilencingSummary& summary);

/// A finished study, as its directory describes it.
struct StudyRecord {
  Perturbation perturbation = Perturbation::silence;
  std::vector<double> levels;
  std::int64_t trials = 0, samples = 0;
  std::uint64_t seed = 1;
  std::string by;             ///< "random", "rate", a parameter, or "clusters".
  bool highest_first = true;  ///< Order of ranks.
  std::string split;
  std::vector<std::string> checkpoints;  ///< SHA-256 of the manifest of each run.
  std::vector<std::string> words;        ///< The runs as they were named; empty in older studies.
  std::string by_file;                   ///< File of clusters, if any.
};

/// Returns whether a directory has a study, finished or not.
bool has_study(const std::filesystem::path& directory);

/// Reads settings.json and silencing.json. Throws Error(config) if the study has not ended,
/// Error(data) that names a damaged file.
StudyRecord read_record(const std::filesystem::path& directory);

/// Reads summary.json of a study. Throws Error(data) naming the file if it is damaged.
SilencingSummary read_summary(const std::filesystem::path& directory);

}  // namespace afterspike::analysis
