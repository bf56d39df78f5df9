#include <algorithm>
#include <array>
#include <limits>

#include "afterspike/base/error.hpp"
#include "afterspike/io/table.hpp"
#include "afterspike/statistics/resampling.hpp"
#include "report_parts.hpp"

namespace afterspike::analysis {
namespace {

using report::Cell;

constexpr double kNone = std::numeric_limits<double>::quiet_NaN();

/// A value of a summary by the names of the members on the way to it.
double value_at(const io::Json& summary, const std::vector<const char*>& path) {
  const io::Json* at = &summary;
  for (const char* name : path) {
    if (!at->is_object() || !at->contains(name)) return kNone;
    at = &(*at)[name];
  }
  return at->is_number() ? at->get<double>() : kNone;
}

struct Column {
  const char* name;
  std::vector<const char*> path;
};

const std::vector<Column>& result_columns() {
  static const std::vector<Column> columns = {{"parameters", {"parameters"}},
                                              {"seed", {"seed"}},
                                              {"epochs", {"epochs"}},
                                              {"training accuracy", {"train", "accuracy"}},
                                              {"validation accuracy", {"validation", "accuracy"}},
                                              {"test accuracy", {"test", "accuracy"}},
                                              {"training loss", {"train", "loss"}},
                                              {"validation loss", {"validation", "loss"}},
                                              {"test loss", {"test", "loss"}},
                                              {"wall time (s)", {"wall_s"}},
                                              {"CPU time (s)", {"cpu_s"}},
                                              {"memory (MiB)", {"peak_memory_mib"}}};
  return columns;
}

/// The columns that some run has a value in.
std::vector<Column> used_columns(const std::vector<std::optional<io::Json>>& summaries) {
  std::vector<Column> used;
  for (const Column& column : result_columns()) {
    const bool found = std::any_of(summaries.begin(), summaries.end(), [&](const auto& summary) {
      return summary && std::isfinite(value_at(*summary, column.path));
    });
    if (found) used.push_back(column);
  }
  return used;
}

/// "0.9425 ± 0.0034" over the runs of a group.
std::vector<Cell> group_row(const std::string& name, const std::vector<Column>& columns,
                            const std::vector<io::Json>& summaries) {
  std::vector<Cell> row = {fmt::format("{}: mean ± sd of {} runs", name, summaries.size()),
                           std::string()};
  for (const Column& column : columns) {
    std::vector<double> values;
    for (const io::Json& summary : summaries) values.push_back(value_at(summary, column.path));
    const bool measured =
        column.path.size() == 2 && std::all_of(values.begin(), values.end(),
                                               [](double value) { return std::isfinite(value); });
    row.emplace_back(measured ? fmt::format("{:.4f} ± {:.4f}", statistics::mean(values),
                                            statistics::standard_deviation(values))
                              : std::string());
  }
  return row;
}

report::Table results_table(const Material& material) {
  std::vector<std::optional<io::Json>> summaries;
  for (const ReportRun& run : material.runs) summaries.push_back(summary_of(run));
  const std::vector<Column> columns = used_columns(summaries);
  report::Table table{"results-table",
                      "Final results",
                      "Of the network that validation selected, or of the last epoch where nothing "
                      "was selected. Test data played no part in any choice.",
                      {"run", "neuron"},
                      {},
                      {},
                      false};
  for (const Column& column : columns) table.columns.emplace_back(column.name);
  for (std::size_t group = 0; group < material.group_labels.size(); ++group) {
    std::vector<io::Json> finished;
    for (std::size_t i = 0; i < material.runs.size(); ++i) {
      const ReportRun& run = material.runs[i];
      if (run.group != group) continue;
      std::vector<Cell> row = {run.label, run.subject.trained->experiment->neuron_name()};
      for (const Column& column : columns) {
        row.emplace_back(summaries[i] ? value_at(*summaries[i], column.path) : kNone);
      }
      table.rows.push_back(std::move(row));
      if (summaries[i]) finished.push_back(*summaries[i]);
    }
    if (finished.size() > 1) {
      table.rows.push_back(group_row(material.group_labels[group], columns, finished));
    }
  }
  return table;
}

/// The metrics of a run; nothing where it has none.
std::optional<io::Table> metrics_of(const ReportRun& run) {
  const auto file = run.directory / "metrics.csv";
  if (run.directory.empty() || !std::filesystem::exists(file)) return std::nullopt;
  return io::read_csv(file);
}

std::optional<std::vector<double>> column_of(const io::Table& table, const char* name) {
  const auto found = std::find(table.columns.begin(), table.columns.end(), name);
  if (found == table.columns.end()) return std::nullopt;
  std::vector<double> values;
  for (const auto& row : table.rows) {
    values.push_back(row[static_cast<std::size_t>(found - table.columns.begin())]);
  }
  return values;
}

/// What one chart of the training shows: columns of the metrics with what they are called.
struct Curves {
  const char* id;
  const char* title;
  const char* caption;
  report::Axis y;
  std::vector<std::pair<const char*, const char*>> columns;
};

const std::vector<Curves>& training_curves() {
  static const std::vector<Curves> curves = {
      {"training-accuracy",
       "Accuracy by epoch",
       "On training samples during the epoch (thin), with dropout where there is any, and on "
       "validation samples after it.",
       {"accuracy"},
       {{"validation_accuracy", "validation"}, {"train_accuracy", "training"}}},
      {"training-loss",
       "Loss by epoch",
       "Mean over samples; training during the epoch (thin), validation after it.",
       {"loss", "", true},
       {{"validation_loss", "validation"}, {"train_loss", "training"}}},
      {"training-rate",
       "Learning rate by epoch",
       "At the last step of each epoch.",
       {"learning rate"},
       {{"learning_rate", ""}}},
      {"training-softness",
       "Softness of the threshold by epoch",
       "Annealed during training; towards 0 neurons spike.",
       {"sigma", "mV"},
       {{"sigma_mV", ""}}}};
  return curves;
}

report::Chart training_chart(const Curves& curves, const Material& material,
                             const std::vector<std::optional<io::Table>>& metrics) {
  report::Chart chart{curves.id, curves.title, curves.caption, {"epoch"}, curves.y, {}};
  for (std::size_t i = 0; i < metrics.size(); ++i) {
    if (!metrics[i]) continue;
    for (const auto& [column, what] : curves.columns) {
      const auto values = column_of(*metrics[i], column);
      const auto epochs = column_of(*metrics[i], "epoch");
      if (!values || !epochs) continue;
      report::Series series;
      series.name = material.runs[i].label + (*what == '\0' ? "" : std::string(": ") + what);
      series.x = *epochs;
      series.y = *values;
      series.color = material.color(material.runs[i]);
      series.thin = column != curves.columns.front().first &&
                    column_of(*metrics[i], curves.columns.front().first).has_value();
      chart.series.push_back(std::move(series));
    }
  }
  return chart;
}

}  // namespace

std::optional<io::Json> summary_of(const ReportRun& run) {
  const auto file = run.directory / "summary.json";
  if (run.directory.empty() || !std::filesystem::exists(file)) return std::nullopt;
  return io::read_json(file, ErrorKind::checkpoint);
}

report::Section results_section(Material& material) {
  report::Section section{"results", "Results", {}, {}};
  section.blocks.emplace_back(results_table(material));
  for (const ReportRun& run : material.runs) {
    if (!summary_of(run)) {
      section.blocks.emplace_back(report::Note{
          fmt::format("{}: there is no summary.json: this training has not ended, or the run is a "
                      "checkpoint on its own.",
                      run.label)});
    }
    if (!run.missing.empty()) {
      section.blocks.emplace_back(report::Note{
          fmt::format("{}: its data cannot be had here, so what needs them is left out: {}",
                      run.label, run.missing)});
    }
  }
  return section;
}

report::Section training_section(Material& material) {
  std::vector<std::optional<io::Table>> metrics;
  report::Section section{"training", "Training", {}, {}};
  for (const ReportRun& run : material.runs) {
    metrics.push_back(metrics_of(run));
    if (metrics.back()) continue;
    section.blocks.emplace_back(
        report::Note{fmt::format("{}: there is no metrics.csv, so no curves.", run.label)});
  }
  for (const Curves& curves : training_curves()) {
    report::Chart chart = training_chart(curves, material, metrics);
    if (!chart.series.empty()) section.blocks.emplace_back(std::move(chart));
  }
  return section;
}

}  // namespace afterspike::analysis
