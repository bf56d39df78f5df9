#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "afterspike/analysis/silencing.hpp"
#include "afterspike/io/json.hpp"
#include "afterspike/io/table.hpp"

namespace afterspike::analysis {

/// Names of the subjects of measurements, for tables and summaries.
struct StudyNames {
  Perturbation perturbation = Perturbation::silence;
  std::uint64_t seed = 1;
  bool classifies = true;        ///< Otherwise there is a loss and no accuracy.
  bool by_cluster = false;       ///< Adds the columns `cluster` and `control`.
  std::vector<RunGroup> groups;  ///< Their runs, one after the other, have the run numbers.
};

/// Columns run, [cluster, control,] level, trial, seed, neurons, loss[, accuracy].
io::Table silencing_table(const StudyNames& names, const std::vector<Measurement>& measured);

/// Returns the measurements of a table. Throws Error(data) naming `file` if its columns differ, or
/// its rows are not the start of `plan`.
std::vector<Measurement> read_measurements(const io::Table& table, const StudyNames& names,
                                           const std::vector<Measurement>& plan,
                                           const std::string& file);

/// One row per run, cluster and level: number, mean, standard deviation (n - 1) and bootstrap
/// interval of loss and accuracy over the trials; only the mean if each level has one trial.
io::Table summary_table(const StudyNames& names, const std::vector<Measurement>& measured);

/// Returns the summary as JSON, with the mean height of each run's curve (its area over its width)
/// and an interval over trials; for groups of several runs the mean, standard deviation and
/// interval over the means of runs; and for each pair of groups a paired test of the mean heights
/// and of each level. Trials are the pairs if both groups have one run (a comparison of these two
/// networks under the same draws), and runs in their order if both have equally many (a comparison
/// of kinds of networks); other groups are not compared. For a single value `sd`, `low` and `high`
/// are null.
io::Json silencing_summary(const StudyNames& names, const std::vector<Measurement>& measured);

/// Returns such a mean with its spread as text, "0.8350 ± 0.0450 [0.8100, 0.8600]", or "0.8350" for
/// one value.
std::string spread_text(const io::Json& value, std::string_view plus_minus);

}  // namespace afterspike::analysis
