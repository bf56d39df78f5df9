#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "afterspike/analysis/silencing.hpp"
#include "afterspike/io/json.hpp"
#include "afterspike/io/table.hpp"

namespace afterspike::analysis {

/// What measurements are about, for tables and summaries.
struct StudyNames {
  Perturbation perturbation = Perturbation::silence;
  std::uint64_t seed = 1;
  bool classifies = true;        ///< Else there is a loss and no accuracy.
  bool by_cluster = false;       ///< Columns `cluster` and `control`.
  std::vector<RunGroup> groups;  ///< Their runs, one after the other, are the runs by number.
};

/// Columns run, [cluster, control,] level, trial, seed, neurons, loss[, accuracy].
io::Table silencing_table(const StudyNames& names, const std::vector<Measurement>& measured);

/// The measurements of a table. Throws Error(data) when its columns are others, naming `file`, or
/// its rows are not the beginning of `plan`.
std::vector<Measurement> read_measurements(const io::Table& table, const StudyNames& names,
                                           const std::vector<Measurement>& plan,
                                           const std::string& file);

/// One row for each run, cluster and level: number, mean, standard deviation (n - 1) and bootstrap
/// interval of loss and accuracy over the trials; the mean alone where each level has one trial.
io::Table summary_table(const StudyNames& names, const std::vector<Measurement>& measured);

/// The same as JSON, and: the mean height of each run's curve (its area over its width) with an
/// interval over trials; of groups with several runs the mean, standard deviation and interval over
/// the means of runs; and for each pair of groups a paired test of the mean heights and of each
/// level. Pairs are the trials where both groups have one run (what is compared are these two
/// networks under the same draws), and runs in their order where both have as many (what is
/// compared is how networks of these kinds come out); other groups are not compared. Of one value
/// `sd`, `low` and `high` are null.
io::Json silencing_summary(const StudyNames& names, const std::vector<Measurement>& measured);

/// Such a mean with its spread as text, "0.8350 ± 0.0450 [0.8100, 0.8600]", or "0.8350" of one
/// value.
std::string spread_text(const io::Json& value, std::string_view plus_minus);

}  // namespace afterspike::analysis
