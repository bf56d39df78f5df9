#include "silencing_text.hpp"

#include <string>
#include <vector>

#include <fmt/format.h>

#include "afterspike/io/json.hpp"

namespace afterspike::cli {
namespace {

/// Prints a row of a curve: the level, or "mean" for the mean over all levels.
void print_row(std::string_view head, const analysis::ByMeasure<analysis::Estimate>& values,
               std::string_view metric) {
  const analysis::Estimate* value = values.find(metric);
  if (value == nullptr) return;
  fmt::print("  {:>8}  {}\n", head, value->text("+-", metric == "accuracy"));
}

void print_levels(const std::vector<analysis::SilencingSummary::Level>& levels,
                  std::string_view metric) {
  for (const auto& level : levels) {
    print_row(io::Json(level.level).dump(), level.values, metric);
  }
}

void print_curves(const analysis::SilencingSummary& summary, std::string_view metric) {
  for (const auto& run : summary.runs) {
    const std::string cluster = run.cluster < 0 ? "" : fmt::format(", cluster {}", run.cluster);
    fmt::print("{}{}{}\n  {:>8}  {}: mean +- sd of {} trial{} [95 % of the mean]\n", run.path,
               cluster, run.control ? ", control: same number, drawn at random" : "",
               summary.level_name, metric, run.levels.front().trials,
               run.levels.front().trials == 1 ? "" : "s");
    print_levels(run.levels, metric);
    print_row("mean", run.mean_height, metric);
  }
}

void print_comparisons(const analysis::SilencingSummary& summary, std::string_view metric) {
  for (const auto& test : summary.comparisons) {
    const std::string names = fmt::format("{} - {}", test.first, test.second);
    if (!test.reason.empty()) fmt::print("{}: not compared: {}\n", names, test.reason);
    const analysis::Difference* height = test.mean_height.find(metric);
    if (height == nullptr) continue;
    const bool percent = metric == "accuracy";
    const double unit = percent ? 100 : 1;
    fmt::print(
        "{}: mean over all levels {:+.4g}{} [{:+.4g}, {:+.4g}], p = {:.2g} (pairs of {}; {} is"
        " better)\n",
        names, unit * height->mean, percent ? " points" : "", unit * height->low,
        unit * height->high, height->p, test.pairs, percent ? "more" : "less");
  }
}

}  // namespace

void print_summary(const analysis::SilencingSummary& summary, std::string_view metric) {
  print_curves(summary, metric);
  for (const auto& group : summary.groups) {
    if (group.runs < 2) continue;
    fmt::print("{}, {} runs\n  {:>8}  {}: mean +- sd of the runs' means [95 % of the mean]\n",
               group.name, group.runs, summary.level_name, metric);
    print_levels(group.levels, metric);
  }
  print_comparisons(summary, metric);
}

}  // namespace afterspike::cli
