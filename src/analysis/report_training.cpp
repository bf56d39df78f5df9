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

/// Returns a value of a summary by the path of its members.
double value_at(const io::Json& summary, const std::vector<std::string>& path) {
  const io::Json* at = &summary;
  for (const std::string& name : path) {
    if (!at->is_object() || !at->contains(name)) return kNone;
    at = &(*at)[name];
  }
  return at->is_number() ? at->get<double>() : kNone;
}

struct Column {
  std::string name;
  std::vector<std::string> path;
};

using Summaries = std::vector<std::optional<io::Json>>;

/// Names of the splits in files and in tables.
constexpr std::array<std::pair<const char*, const char*>, 3> kSplits = {
    {{"train", "training"}, {"validation", "validation"}, {"test", "test"}}};

void add_once(std::vector<std::string>& names, const std::string& name) {
  if (std::find(names.begin(), names.end(), name) == names.end()) names.push_back(name);
}

/// Returns "rmse (mV)" for "rmse_mV", "auc" for "auc".
report::Axis axis_of(std::string measure) {
  std::string unit;
  if (measure.ends_with("_mV")) {
    unit = "mV";
    measure.resize(measure.size() - 3);
  }
  std::replace(measure.begin(), measure.end(), '_', ' ');
  return {measure, unit, measure == "loss"};
}

/// Returns the measures on splits in the summaries, the loss last.
std::vector<std::string> measures_of(const Summaries& summaries) {
  std::vector<std::string> measures;
  for (const auto& summary : summaries) {
    for (const auto& [split, text] : kSplits) {
      if (!summary || !summary->contains(split)) continue;
      for (const auto& [name, value] : (*summary)[split].items()) {
        if (name != "samples" && name != "loss") add_once(measures, name);
      }
    }
  }
  measures.emplace_back("loss");
  return measures;
}

std::vector<Column> result_columns(const Summaries& summaries) {
  std::vector<Column> columns = {
      {"parameters", {"parameters"}}, {"seed", {"seed"}}, {"epochs", {"epochs"}}};
  for (const std::string& measure : measures_of(summaries)) {
    const report::Axis axis = axis_of(measure);
    const std::string unit = axis.unit.empty() ? "" : " (" + axis.unit + ")";
    for (const auto& [split, text] : kSplits) {
      columns.push_back({fmt::format("{} {}{}", text, axis.name, unit), {split, measure}});
    }
  }
  columns.insert(columns.end(), {{"wall time (s)", {"wall_s"}},
                                 {"CPU time (s)", {"cpu_s"}},
                                 {"memory (MiB)", {"peak_memory_mib"}}});
  return columns;
}

/// Returns the columns in which some run has a value.
std::vector<Column> used_columns(const Summaries& summaries) {
  std::vector<Column> used = result_columns(summaries);
  std::erase_if(used, [&](const Column& column) {
    return std::none_of(summaries.begin(), summaries.end(), [&](const auto& summary) {
      return summary && std::isfinite(value_at(*summary, column.path));
    });
  });
  return used;
}

/// Returns "0.9425 ± 0.0034" over the runs of a group, and their number if not all have it.
std::vector<Cell> group_row(const std::string& name, const std::vector<Column>& columns,
                            const std::vector<io::Json>& summaries) {
  std::vector<Cell> row = {fmt::format("{}: mean ± sd of {} runs", name, summaries.size()),
                           std::string()};
  for (const Column& column : columns) {
    std::vector<double> values;
    for (const io::Json& summary : summaries) {
      const double value = value_at(summary, column.path);
      if (std::isfinite(value)) values.push_back(value);
    }
    std::string text;
    if (column.path.size() == 2 && !values.empty()) {
      text = fmt::format("{:.4f}", statistics::mean(values));
      if (values.size() > 1) {
        text += fmt::format(" ± {:.4f}", statistics::standard_deviation(values));
      }
      if (values.size() < summaries.size()) text += fmt::format(" (of {})", values.size());
    }
    row.emplace_back(std::move(text));
  }
  return row;
}

report::Table results_table(const Material& material) {
  Summaries summaries;
  for (const ReportRun& run : material.runs) summaries.push_back(summary_of(run));
  const std::vector<Column> columns = used_columns(summaries);
  const bool tested = std::none_of(summaries.begin(), summaries.end(), [](const auto& summary) {
    return summary && summary->contains("test_is_training_data");
  });
  report::Table table{"results-table",
                      "Final results",
                      std::string("Metrics of the best epoch on validation, or of the last epoch "
                                  "if nothing was selected. ") +
                          (tested ? "Test data played no part in any choice."
                                  : "No test data: the test split is the training data."),
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

/// One chart of the training: columns of the metrics with their labels.
struct Curves {
  std::string id, title, caption;
  report::Axis y;
  std::vector<std::pair<std::string, std::string>> columns;
};

using Metrics = std::vector<std::optional<io::Table>>;

/// Returns the measures on splits in the metrics, the loss last.
std::vector<std::string> measures_of(const Metrics& metrics) {
  std::vector<std::string> measures;
  for (const auto& table : metrics) {
    if (!table) continue;
    for (const std::string& column : table->columns) {
      for (const auto& [split, text] : kSplits) {
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
    const report::Axis y = axis_of(measure);
    std::string id = "training-" + measure;
    std::replace(id.begin(), id.end(), '_', '-');
    curves.push_back({std::move(id),
                      title_of(y.name),
                      "Over samples: on those for training during the epoch (thin), with dropout "
                      "where there is any, and on those for validation after it.",
                      y,
                      {{"validation_" + measure, "validation"}, {"train_" + measure, "training"}}});
  }
  curves.push_back({"training-rate",
                    "Learning rate by epoch",
                    "At the last step of each epoch.",
                    {"learning rate"},
                    {{"learning_rate", ""}}});
  curves.push_back({"training-softness",
                    "Softness of the threshold by epoch",
                    "Annealed during training; towards 0 neurons spike.",
                    {"sigma", "mV"},
                    {{"sigma_mV", ""}}});
  return curves;
}

report::Chart training_chart(const Curves& curves, const Material& material,
                             const Metrics& metrics) {
  report::Chart chart{curves.id, curves.title, curves.caption, {"epoch"}, curves.y, {}};
  for (std::size_t i = 0; i < metrics.size(); ++i) {
    if (!metrics[i]) continue;
    for (const auto& [column, what] : curves.columns) {
      const auto values = column_of(*metrics[i], column);
      const auto epochs = column_of(*metrics[i], "epoch");
      if (!values || !epochs) continue;
      report::Series series;
      series.name = material.runs[i].label + (what.empty() ? "" : ": " + what);
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
  Metrics metrics;
  report::Section section{"training", "Training", {}, {}};
  for (const ReportRun& run : material.runs) {
    metrics.push_back(metrics_of(run));
    if (metrics.back() && !metrics.back()->rows.empty()) continue;
    section.blocks.emplace_back(report::Note{
        fmt::format("{}: there is no metrics.csv that has epochs, so no curves.", run.label)});
  }
  for (const Curves& curves : training_curves(metrics)) {
    report::Chart chart = training_chart(curves, material, metrics);
    if (!chart.series.empty()) section.blocks.emplace_back(std::move(chart));
  }
  return section;
}

}  // namespace afterspike::analysis
