#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "afterspike/analysis/silencing.hpp"
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

/// Standard deviation (n - 1) and 95 % bootstrap interval of a mean.
struct Spread {
  double sd = 0, low = 0, high = 0;
};

/// A mean, with its spread unless it is of a single value.
struct Estimate {
  double mean = 0;
  std::optional<Spread> spread;
  std::int64_t count = 0;  ///< Number of values.

  /// Returns "0.8350 ± 0.0450 [0.8100, 0.8600]", "0.8350" for one value, and no interval for fewer
  /// than five, which would be little more than their range. In `percent`: "83.50 ± 4.50 %".
  std::string text(std::string_view plus_minus, bool percent = false) const;
};

/// A paired test of two groups: mean difference, its 95 % interval, and p.
struct Difference {
  double mean = 0, low = 0, high = 0, p = 1;
};

/// Values of a type by measure, "loss" and "accuracy" in this order; a measure may be absent.
template <typename T>
class ByMeasure {
 public:
  void add(std::string name, T value) { values_.emplace_back(std::move(name), std::move(value)); }
  const std::vector<std::pair<std::string, T>>& all() const { return values_; }
  bool empty() const { return values_.empty(); }
  /// Returns nullptr if there is no such measure.
  const T* find(std::string_view name) const {
    for (const auto& [known, value] : values_) {
      if (known == name) return &value;
    }
    return nullptr;
  }

 private:
  std::vector<std::pair<std::string, T>> values_;
};

/// Summary of a study of damaged networks.
struct SilencingSummary {
  struct Level {
    double level = 0;
    std::int64_t neurons = 0, trials = 0;  ///< 0 in groups.
    ByMeasure<Estimate> values;
  };
  /// The curve of a run, or of one of its clusters.
  struct Run {
    std::int64_t run = 0;
    std::string path;
    std::int64_t cluster = -1;  ///< -1: not by cluster.
    bool control = false;
    std::vector<Level> levels;
    ByMeasure<Estimate> mean_height;  ///< Empty if there is only one level.
  };
  /// A group of runs: over the means of its runs.
  struct Group {
    std::string name;
    std::int64_t runs = 0;
    std::vector<Level> levels;
    ByMeasure<Estimate> mean_height;
  };
  /// A paired test of two groups.
  struct Comparison {
    std::string first, second;
    std::string pairs;   ///< "trials" or "runs"; empty if the groups do not make pairs ...
    std::string reason;  ///< ... and why.
    std::vector<std::pair<double, ByMeasure<Difference>>> levels;  ///< By level.
    ByMeasure<Difference> mean_height;
  };

  std::string level_name;  ///< Name of the level in tables.
  std::vector<Run> runs;
  bool by_cluster = false;  ///< Then there are no groups.
  std::vector<Group> groups;
  std::vector<Comparison> comparisons;
};

/// Returns the summary of measurements: the curve of each run with its mean height (its area over
/// its width) and an interval over trials; for groups of several runs the mean, standard deviation
/// and interval over the means of runs; and for each pair of groups a paired test of the mean
/// heights and of each level. Trials are the pairs if both groups have one run (a comparison of
/// these two networks under the same draws), and runs in their order if both have equally many (a
/// comparison of kinds of networks); other groups are not compared.
SilencingSummary silencing_summary(const StudyNames& names,
                                   const std::vector<Measurement>& measured);

}  // namespace afterspike::analysis
