#include <algorithm>
#include <cctype>
#include <cmath>
#include <limits>

#include <fmt/format.h>

#include "afterspike/io/table.hpp"
#include "afterspike/statistics/resampling.hpp"
#include "measures.hpp"
#include "sections.hpp"

namespace afterspike::analysis {
namespace {

/// The metrics of each run, if it has any.
using Metrics = std::vector<std::optional<io::Table>>;

/// Reads the metrics of a run; nullopt if it has none.
std::optional<io::Table> metrics_of(const ReportRun& run) {
  const auto file = run.directory / "metrics.csv";
  if (run.directory.empty() || !std::filesystem::exists(file)) return std::nullopt;
  return io::read_csv(file, "", io::Gaps::allowed);
}

std::optional<std::vector<double>> column_of(const io::Table& table, const std::string& name) {
  const auto found = std::find(table.columns.begin(), table.columns.end(), name);
  if (found == table.columns.end()) return std::nullopt;
  std::vector<double> values;
  for (const auto& row : table.rows) {
    values.push_back(row[static_cast<std::size_t>(found - table.columns.begin())]);
  }
  return values;
}

/// A line of a chart: a column of the metrics and its name, such as "validation".
struct Line {
  std::string column, name;
};

/// One chart of the training. The first line is thick, the others are thin.
struct Curves {
  std::string id, title, caption, measure;
  report::Axis y;
  std::vector<Line> lines;
};

/// Returns the measures on splits in the metrics, the loss last.
std::vector<std::string> measures_of(const Metrics& metrics) {
  std::vector<std::string> measures;
  for (const auto& table : metrics) {
    if (!table) continue;
    for (const std::string& column : table->columns) {
      for (const auto& [split, text] : kSplitNames) {
        const std::string prefix = std::string(split) + "_";
        if (!column.starts_with(prefix) || column == prefix + "loss") continue;
        add_once(measures, column.substr(prefix.size()));
      }
    }
  }
  measures.emplace_back("loss");
  return measures;
}

/// Returns "Accuracy by epoch", "AUC by epoch".
std::string title_of(std::string name) {
  for (const char* acronym : {"auc", "rmse"}) {
    if (!name.starts_with(acronym)) continue;
    for (std::size_t i = 0; acronym[i] != '\0'; ++i) {
      name[i] = static_cast<char>(std::toupper(static_cast<unsigned char>(name[i])));
    }
  }
  name[0] = static_cast<char>(std::toupper(static_cast<unsigned char>(name[0])));
  return name + " by epoch";
}

std::vector<Curves> training_curves(const Metrics& metrics) {
  std::vector<Curves> curves;
  for (const std::string& measure : measures_of(metrics)) {
    const report::Axis y = measure_axis(measure);
    std::string id = "training-" + measure;
    std::replace(id.begin(), id.end(), '_', '-');
    curves.push_back({std::move(id),
                      title_of(y.name),
                      "Thick: validation after the epoch. Thin: training, mean over the epoch.",
                      measure,
                      y,
                      {{"validation_" + measure, "validation"}, {"train_" + measure, "training"}}});
  }
  curves.push_back({"training-rate",
                    "Learning rate by epoch",
                    "At the last step of each epoch.",
                    "",
                    {"learning rate"},
                    {{"learning_rate", ""}}});
  curves.push_back({"training-softness",
                    "Softness of the threshold by epoch",
                    "Annealed during training; towards 0 neurons spike.",
                    "",
                    {"sigma", "mV"},
                    {{"sigma_mV", ""}}});
  return curves;
}

/// Joins the parts of a name that are not empty: "run: validation".
std::string joined(const std::string& first, const std::string& second) {
  return first.empty() || second.empty() ? first + second : first + ": " + second;
}

/// Returns one line of a run; nullopt if its metrics lack the column.
std::optional<report::Series> run_series(const Curves& curves, const Line& line,
                                         const io::Table& metrics) {
  const auto values = column_of(metrics, line.column);
  const auto epochs = column_of(metrics, "epoch");
  if (!values || !epochs) return std::nullopt;
  report::Series series;
  series.x = *epochs;
  for (const double value : *values) series.y.push_back(in_axis_unit(curves.measure, value));
  return series;
}

/// Returns the mean of several runs, over the epochs that all of them have.
report::Series mean_of(const std::vector<report::Series>& runs) {
  report::Series mean;
  std::size_t epochs = runs.front().x.size();
  for (const report::Series& run : runs) epochs = std::min(epochs, run.x.size());
  for (std::size_t i = 0; i < epochs; ++i) {
    std::vector<double> values;
    for (const report::Series& run : runs) values.push_back(run.y[i]);
    mean.x.push_back(runs.front().x[i]);
    mean.y.push_back(statistics::mean(values));
  }
  return mean;
}

/// Adds a line of a group: of its only run, or the mean of its runs with each run thin behind it.
void add_group(const Curves& curves, const Line& line, std::size_t group, const ReportData& data,
               const Metrics& metrics, report::Chart& chart) {
  const bool thick = line.column == curves.lines.front().column;
  std::vector<report::Series> runs;
  for (std::size_t i = 0; i < data.runs.size(); ++i) {
    if (data.runs[i].group != group || !metrics[i]) continue;
    auto series = run_series(curves, line, *metrics[i]);
    if (!series) continue;
    series->name = joined(data.runs[i].label, line.name);
    series->color = static_cast<int>(group);
    runs.push_back(std::move(*series));
  }
  if (runs.empty()) return;
  const std::string label = data.group_labels.size() > 1 ? data.group_labels[group] : "";
  report::Series mean = mean_of(runs);
  mean.name = runs.size() > 1
                  ? joined(label, fmt::format("{}{}mean of {} runs", line.name,
                                              line.name.empty() ? "" : ", ", runs.size()))
                  : joined(label, line.name);
  if (mean.name.empty()) mean.name = data.group_labels[group];
  mean.color = static_cast<int>(group);
  // Without validation the training is the main line.
  mean.thin = !thick && std::any_of(chart.series.begin(), chart.series.end(),
                                    [&](const auto& other) { return other.color == mean.color; });
  // Thin lines of one colour are the runs.
  if (mean.thin && runs.size() > 1 && label.empty()) mean.color = report::Series::kGrey;
  if (runs.size() > 1 && thick) {
    for (report::Series& run : runs) {
      run.thin = true;
      run.listed = false;
      chart.series.push_back(std::move(run));
    }
  }
  chart.series.push_back(std::move(mean));
}

/// Returns whether values span more than a decade, and are positive.
bool spans_decades(const report::Chart& chart) {
  constexpr double kDecade = 10;
  double low = std::numeric_limits<double>::infinity();
  double high = 0;
  for (const report::Series& series : chart.series) {
    for (const double value : series.y) {
      if (!std::isfinite(value)) continue;
      low = std::min(low, value);
      high = std::max(high, value);
    }
  }
  return low > 0 && high > kDecade * low;
}

report::Chart training_chart(const Curves& curves, const ReportData& data, const Metrics& metrics) {
  report::Chart chart{curves.id, curves.title, curves.caption, {"epoch"}, curves.y, {}};
  chart.x.whole = true;
  for (std::size_t group = 0; group < data.group_labels.size(); ++group) {
    for (const Line& line : curves.lines) {
      add_group(curves, line, group, data, metrics, chart);
    }
  }
  const bool averaged = std::any_of(chart.series.begin(), chart.series.end(),
                                    [](const auto& series) { return !series.listed; });
  if (averaged && curves.lines.size() > 1) {
    chart.caption =
        "Thick: mean of the runs on validation, with each run thin behind it. Thin, "
        "with a name: mean on training data.";
  }
  chart.y.logarithmic = curves.measure == "loss" && spans_decades(chart);
  return chart;
}

}  // namespace

report::Section training_section(ReportData& data) {
  Metrics metrics;
  report::Section section{"training", "Training", {}, {}};
  for (const ReportRun& run : data.runs) {
    metrics.push_back(metrics_of(run));
    if (metrics.back() && !metrics.back()->rows.empty()) continue;
    section.blocks.emplace_back(report::Note{
        fmt::format("{}: there is no metrics.csv that has epochs, so no curves.", run.label)});
  }
  for (const Curves& curves : training_curves(metrics)) {
    report::Chart chart = training_chart(curves, data, metrics);
    if (!chart.series.empty()) section.blocks.emplace_back(std::move(chart));
  }
  return section;
}

}  // namespace afterspike::analysis
