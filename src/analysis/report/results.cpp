#include <algorithm>
#include <cmath>
#include <limits>
#include <string_view>

#include <fmt/format.h>

#include "afterspike/base/error.hpp"
#include "afterspike/statistics/resampling.hpp"
#include "measures.hpp"
#include "sections.hpp"

namespace afterspike::analysis {
namespace {

using report::Cell;

constexpr double kNone = std::numeric_limits<double>::quiet_NaN();

/// Returns a value of a summary by the path of its members; NaN if it has none.
double value_at(const io::Json& summary, const std::vector<std::string>& path) {
  const io::Json* member = &summary;
  for (const std::string& name : path) {
    if (!member->is_object() || !member->contains(name)) return kNone;
    member = &(*member)[name];
  }
  return member->is_number() ? member->get<double>() : kNone;
}

struct Column {
  std::string name;
  std::vector<std::string> path;

  /// Returns the measure, or "" if the column is not a measure on a split.
  std::string measure() const { return path.size() == 2 ? path[1] : ""; }
};

/// The summary of each run, if it has one.
using Summaries = std::vector<std::optional<io::Json>>;

Summaries summaries_of(const ReportData& data) {
  Summaries summaries;
  for (const ReportRun& run : data.runs) summaries.push_back(summary_of(run));
  return summaries;
}

/// Returns the measures on splits in the summaries, the loss last.
std::vector<std::string> measures_of(const Summaries& summaries) {
  std::vector<std::string> measures;
  for (const auto& summary : summaries) {
    for (const auto& [split, text] : kSplitNames) {
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
    const report::Axis axis = measure_axis(measure);
    const std::string unit = axis.unit.empty() || axis.unit == "%" ? "" : " (" + axis.unit + ")";
    for (const auto& [split, text] : kSplitNames) {
      if (measure == "loss" && std::string_view(split) != "test") continue;
      columns.push_back({fmt::format("{} {}{}", text, axis.name, unit), {split, measure}});
    }
  }
  return columns;
}

/// Returns losses of other splits than the test split, time and memory.
std::vector<Column> further_columns() {
  return {{"training loss", {"train", "loss"}},  {"validation loss", {"validation", "loss"}},
          {"wall time (s)", {"wall_s"}},         {"CPU time (s)", {"cpu_s"}},
          {"memory (MiB)", {"peak_memory_mib"}}, {"threads", {"threads"}},
          {"processes", {"processes"}}};
}

/// Returns the columns in which some run has a value.
std::vector<Column> used(std::vector<Column> columns, const Summaries& summaries) {
  std::erase_if(columns, [&](const Column& column) {
    return std::none_of(summaries.begin(), summaries.end(), [&](const auto& summary) {
      return summary && std::isfinite(value_at(*summary, column.path));
    });
  });
  return columns;
}

/// Returns a cell: accuracies as text in percent, other values as numbers.
Cell cell_of(const Column& column, const std::optional<io::Json>& summary) {
  const double value = summary ? value_at(*summary, column.path) : kNone;
  if (column.measure() == "accuracy" && std::isfinite(value)) {
    return measure_text("accuracy", value);
  }
  return column.path.size() == 1 && std::abs(value) >= 10 ? std::round(value) : value;
}

/// Returns "98.0 ± 0.3 %" over the runs of a group, and their number if not all have it.
std::string group_cell(const Column& column, const std::vector<io::Json>& summaries) {
  std::vector<double> values;
  for (const io::Json& summary : summaries) {
    const double value = value_at(summary, column.path);
    if (std::isfinite(value)) values.push_back(in_axis_unit(column.measure(), value));
  }
  if (column.measure().empty() || values.empty()) return "";
  const std::string unit = column.measure() == "accuracy" ? " %" : "";
  std::string text = values.size() == 1 ? fmt::format("{:.4g}", values.front())
                                        : spread_text(statistics::mean(values),
                                                      statistics::standard_deviation(values));
  text += unit;
  if (values.size() < summaries.size()) text += fmt::format(" (of {})", values.size());
  return text;
}

/// Fills a table with a row for each run, and one for each group of several finished runs.
void add_rows(const ReportData& data, const Summaries& summaries,
              const std::vector<Column>& columns, report::Table& table) {
  for (const Column& column : columns) table.columns.emplace_back(column.name);
  const std::size_t heads = table.columns.size() - columns.size();
  for (std::size_t group = 0; group < data.group_labels.size(); ++group) {
    std::vector<io::Json> finished;
    for (std::size_t i = 0; i < data.runs.size(); ++i) {
      const ReportRun& run = data.runs[i];
      if (run.group != group) continue;
      std::vector<Cell> row = {run.label};
      if (heads > 1) row.emplace_back(run.subject.trained->experiment->neuron_name());
      for (const Column& column : columns) row.push_back(cell_of(column, summaries[i]));
      table.rows.push_back(std::move(row));
      if (summaries[i]) finished.push_back(*summaries[i]);
    }
    if (finished.size() < 2 || heads < 2) continue;
    std::vector<Cell> row = {
        fmt::format("{}: mean ± sd of {} runs", data.group_labels[group], finished.size()),
        std::string()};
    for (const Column& column : columns) row.emplace_back(group_cell(column, finished));
    table.rows.push_back(std::move(row));
  }
}

report::Table results_table(const ReportData& data, const Summaries& summaries) {
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
  add_rows(data, summaries, used(result_columns(summaries), summaries), table);
  return table;
}

/// Returns further losses, time and memory of each training; nullopt if no run records them.
std::optional<report::Table> further_table(const ReportData& data, const Summaries& summaries) {
  const std::vector<Column> columns = used(further_columns(), summaries);
  if (columns.empty()) return std::nullopt;
  report::Table table{"further-table", "Losses, time and memory", "", {"run"}, {}, {}, true};
  add_rows(data, summaries, columns, table);
  return table;
}

/// Returns the main measure of a group on its best split: "98.00 % test accuracy".
std::optional<std::string> result_of(const std::vector<io::Json>& summaries) {
  for (const char* split : {"test", "validation", "train"}) {
    for (const char* measure : {"accuracy", "auc", "loss"}) {
      const Column column{"", {split, measure}};
      const bool all = std::all_of(summaries.begin(), summaries.end(), [&](const auto& summary) {
        return std::isfinite(value_at(summary, column.path));
      });
      if (!all) continue;
      const bool same = summaries.front().contains("test_is_training_data");
      const char* name = same ? "training" : split == std::string("train") ? "training" : split;
      const std::string value = summaries.size() == 1
                                    ? measure_text(measure, value_at(summaries[0], column.path))
                                    : group_cell(column, summaries);
      return fmt::format("{} {}: {}", name, measure, value);
    }
  }
  return std::nullopt;
}

/// Adds the results of each group to the summary of the page.
void summarise(ReportData& data, const Summaries& summaries) {
  for (std::size_t group = 0; group < data.group_labels.size(); ++group) {
    std::vector<io::Json> finished;
    for (std::size_t i = 0; i < data.runs.size(); ++i) {
      if (data.runs[i].group == group && summaries[i]) finished.push_back(*summaries[i]);
    }
    const auto result = finished.empty() ? std::nullopt : result_of(finished);
    if (!result) continue;
    const std::string name = data.group_labels.size() > 1 ? data.group_labels[group] + ": " : "";
    const std::string runs =
        finished.size() > 1 ? fmt::format(" (mean ± sd of {} runs)", finished.size()) : "";
    std::string sentence = fmt::format("{}{}{}.", name, *result, runs);
    if (name.empty()) sentence[0] = static_cast<char>(std::toupper(sentence[0]));
    data.summary.push_back(std::move(sentence));
  }
}

}  // namespace

std::optional<io::Json> summary_of(const ReportRun& run) {
  const auto file = run.directory / "summary.json";
  if (run.directory.empty() || !std::filesystem::exists(file)) return std::nullopt;
  return io::read_json(file, ErrorKind::checkpoint);
}

report::Section results_section(ReportData& data) {
  report::Section section{"results", "Results", {}, {}};
  const Summaries summaries = summaries_of(data);
  section.blocks.emplace_back(results_table(data, summaries));
  if (auto further = further_table(data, summaries)) section.blocks.emplace_back(*further);
  summarise(data, summaries);
  for (std::size_t i = 0; i < data.runs.size(); ++i) {
    const ReportRun& run = data.runs[i];
    if (!summaries[i]) {
      section.blocks.emplace_back(
          report::Note{fmt::format("{}: there is no summary.json: this training has not ended, or "
                                   "the run is a checkpoint on its own.",
                                   run.label)});
    }
    if (!run.missing.empty()) {
      section.blocks.emplace_back(
          report::Note{fmt::format("{}: its data cannot be had here, so what needs them is left "
                                   "out: {}",
                                   run.label, run.missing)});
    }
  }
  return section;
}

}  // namespace afterspike::analysis
