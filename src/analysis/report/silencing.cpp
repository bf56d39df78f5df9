#include <algorithm>
#include <cmath>

#include "afterspike/analysis/neurons.hpp"
#include "afterspike/analysis/silencing_files.hpp"
#include "afterspike/base/error.hpp"
#include "afterspike/io/bytes.hpp"
#include "measures.hpp"
#include "sections.hpp"

namespace afterspike::analysis {
namespace {

namespace fs = std::filesystem;

const std::vector<double> kFractions = {0, 0.2, 0.4, 0.6, 0.8, 1};

/// A study to show.
struct StudyView {
  std::string title, text;
  std::string metric;  ///< "accuracy" or "loss".
  SilencingSummary summary;
  std::vector<const ReportRun*> runs;  ///< By the study's numbers.
};

/// Returns the label of an axis of levels.
std::string level_text(const std::string& level) {
  if (level == "fraction") return "fraction of neurons silenced";
  if (level == "weight_noise_sd") return "noise on weights (sd of the matrix)";
  if (level == "jitter_sd_steps") return "jitter of events (sd in steps)";
  return "probability that an event is left out";
}

/// Returns the runs of a study, found by the checksums of their checkpoints.
std::vector<const ReportRun*> runs_of(const StudyRecord& record, const ReportData& data,
                                      const fs::path& directory) {
  std::vector<const ReportRun*> found;
  for (const std::string& wanted : record.checkpoints) {
    const auto match = std::find_if(data.runs.begin(), data.runs.end(), [&](const ReportRun& run) {
      return io::sha256_of_file(run.subject.trained->checkpoint / "manifest.json") == wanted;
    });
    require(match != data.runs.end(), ErrorKind::config,
            "'{}' holds a study of other runs, or of other checkpoints of them; expected those of "
            "this report",
            directory.string());
    found.push_back(&*match);
  }
  return found;
}

std::string title_of(const StudyRecord& record) {
  switch (record.perturbation) {
    case Perturbation::weight_noise:
      return "Noise on weights";
    case Perturbation::jitter:
      return "Jitter of input events";
    case Perturbation::deletion:
      return "Deletion of input events";
    default:
      break;
  }
  if (record.by == "random") return "Random neurons silenced";
  if (record.by == "clusters") return "Neurons silenced by cluster";
  return fmt::format("Neurons silenced by {}, {} first", record.by,
                     record.highest_first ? "highest" : "lowest");
}

StudyView read_study(const fs::path& directory, const ReportData& data) {
  const StudyRecord record = read_record(directory);
  StudyView view;
  view.title = title_of(record);
  view.text = fmt::format("From {}: {} trials for each level, {} {} samples.", directory.string(),
                          record.trials, record.samples, record.split);
  view.summary = read_summary(directory);
  view.metric =
      view.summary.runs.front().levels.front().values.find("accuracy") ? "accuracy" : "loss";
  view.runs = runs_of(record, data, directory);
  return view;
}

/// Measures a small study of runs of one task, if none is given.
StudyView measure_small(const ReportData& data, std::vector<Subject> subjects) {
  const ReportRequest& request = data.request;
  StudyView view{"Random neurons silenced", "", "accuracy", {}, data.with_data()};
  for (Subject& subject : subjects) subject = limited(std::move(subject), request.limit);
  StudyNames names;
  for (const ReportRun* run : view.runs) {
    if (names.groups.empty() || names.groups.back().name != data.group_labels[run->group]) {
      names.groups.push_back({data.group_labels[run->group], {}});
    }
    names.groups.back().paths.push_back(run->path);
  }
  names.classifies = subjects.front().task->classifies();
  if (!names.classifies) view.metric = "loss";
  Protocol protocol;
  protocol.levels = kFractions;
  protocol.trials = request.trials;
  std::vector<Measurement> measured;
  measure(protocol, subjects, plan(protocol, subjects), measured, data.pool,
          [](const auto&) { return true; });
  view.summary = silencing_summary(names, measured);
  view.text = fmt::format(
      "A small study, made for this report: {} trials for each level, the first {} {} samples. For "
      "numbers to quote, give the report the directory of a larger one: afterspike silence RUN "
      "--out DIR; afterspike report RUN --studies DIR.",
      request.trials, subjects.front().data->size(), tasks::split_name(request.split));
  return view;
}

/// Returns the measure to show. Throws Error(data) if a level lacks it.
const Estimate& value_of(const ByMeasure<Estimate>& values, const StudyView& view) {
  const Estimate* value = values.find(view.metric);
  require(value != nullptr, ErrorKind::data, "summary.json: a level has no {}", view.metric);
  return *value;
}

/// Returns a curve with its intervals.
report::Series series_of(const std::vector<SilencingSummary::Level>& levels, const StudyView& view,
                         std::string name, int color) {
  report::Series series;
  series.name = std::move(name);
  series.color = color;
  for (const SilencingSummary::Level& level : levels) {
    const Estimate& value = value_of(level.values, view);
    series.x.push_back(level.level);
    series.y.push_back(in_axis_unit(view.metric, value.mean));
    if (!value.spread) continue;  // One trial: no band.
    series.low.push_back(in_axis_unit(view.metric, value.spread->low));
    series.high.push_back(in_axis_unit(view.metric, value.spread->high));
  }
  return series;
}

std::string curve_name(const SilencingSummary::Run& curve, const ReportRun& run, bool several) {
  if (curve.cluster < 0) return run.label;
  return fmt::format("{}cluster {}{}", several ? run.label + ", " : "", curve.cluster,
                     curve.control ? ": as many of all" : "");
}

const ReportRun& run_of(const SilencingSummary::Run& curve, const StudyView& view) {
  return *view.runs[static_cast<std::size_t>(curve.run)];
}

report::Chart curves_chart(const StudyView& view, const ReportData& data, std::size_t number) {
  report::Chart chart;
  chart.id = fmt::format("silencing-{}", number);
  chart.title = view.title;
  chart.caption = view.text;
  chart.x = {level_text(view.summary.level_name)};
  chart.y = measure_axis(view.metric);
  chart.wide = true;
  bool groups = false;
  int color = 0;
  for (const SilencingSummary::Group& group : view.summary.groups) {
    if (group.runs > 1) {
      groups = true;
      chart.series.push_back(series_of(
          group.levels, view, fmt::format("{}: mean of {} runs", group.name, group.runs), color));
    }
    ++color;
  }
  for (const SilencingSummary::Run& curve : view.summary.runs) {
    const ReportRun& run = run_of(curve, view);
    const int own = curve.cluster < 0 ? data.color(run) : static_cast<int>(curve.cluster);
    chart.series.push_back(
        series_of(curve.levels, view, curve_name(curve, run, view.runs.size() > 1), own));
    chart.series.back().thin = groups || curve.control;
    if (!groups) continue;
    chart.series.back().low.clear();
    chart.series.back().high.clear();
  }
  chart.caption += groups ? " Bands: 95 % bootstrap interval of the mean over runs."
                          : " Bands: 95 % bootstrap interval of the mean over trials.";
  return chart;
}

report::Table curves_table(const StudyView& view, std::size_t number) {
  const std::vector<SilencingSummary::Run>& curves = view.summary.runs;
  report::Table table{
      fmt::format("silencing-table-{}", number),
      "The same in numbers",
      fmt::format("{}: mean ± sd over trials, with a 95 % interval of the mean from five on.",
                  view.metric),
      {level_text(view.summary.level_name)},
      {},
      {},
      false};
  for (const SilencingSummary::Run& curve : curves) {
    table.columns.push_back(curve_name(curve, run_of(curve, view), view.runs.size() > 1));
  }
  for (std::size_t level = 0; level < curves.front().levels.size(); ++level) {
    std::vector<report::Cell> row = {curves.front().levels[level].level};
    for (const SilencingSummary::Run& curve : curves) {
      row.emplace_back(
          level < curve.levels.size()
              ? value_of(curve.levels[level].values, view).text("±", view.metric == "accuracy")
              : std::string());
    }
    table.rows.push_back(std::move(row));
  }
  return table;
}

/// Returns paired tests of the mean heights of curves, if there are several groups.
std::optional<report::Table> comparisons(const StudyView& view, std::size_t number) {
  report::Table table{
      fmt::format("comparisons-{}", number),
      "Groups compared",
      fmt::format("Difference in the mean over all levels ({}), with a 95 % bootstrap interval and "
                  "p of the paired permutation test.",
                  view.metric == "accuracy" ? "accuracy in percentage points" : view.metric),
      {"first", "second", "difference", "interval", "p", "pairs of"},
      {},
      {},
      false};
  for (const SilencingSummary::Comparison& test : view.summary.comparisons) {
    const Difference* height = test.mean_height.find(view.metric);
    if (height == nullptr) continue;
    const auto text = [&](double value) {
      return fmt::format("{:.4g}", in_axis_unit(view.metric, value));
    };
    table.rows.push_back({test.first, test.second, in_axis_unit(view.metric, height->mean),
                          fmt::format("[{}, {}]", text(height->low), text(height->high)), height->p,
                          test.pairs});
  }
  if (table.rows.empty()) return std::nullopt;
  return table;
}

/// Returns a sentence on the first curve: up to which level half of the accuracy is left.
std::optional<std::string> half_sentence(const StudyView& view) {
  if (view.metric != "accuracy" || view.summary.level_name != "fraction") return std::nullopt;
  const auto& levels = view.summary.groups.empty() ? view.summary.runs.front().levels
                                                   : view.summary.groups.front().levels;
  if (levels.size() < 2 || levels.front().level != 0) return std::nullopt;
  const double half = value_of(levels.front().values, view).mean / 2;
  double last = 0;
  for (const SilencingSummary::Level& level : levels) {
    if (value_of(level.values, view).mean < half) break;
    last = level.level;
  }
  if (last == 1) return std::nullopt;  // The network is at chance anyway.
  return fmt::format(
      "At least half of the accuracy is left with up to {:.0f} % of the neurons "
      "silenced.",
      100 * last);
}

/// Adds a small study, or the reason why there is none.
void add_small(const ReportData& data, std::vector<StudyView>& studies, report::Section& section) {
  std::vector<Subject> subjects;
  for (const ReportRun* run : data.with_data()) {
    if (hidden_neurons(run->network()).size() > 1) subjects.push_back(run->subject);
  }
  // A single neuron leaves nothing to compare.
  if (subjects.empty() || subjects.size() < data.with_data().size()) return;
  if (const auto difference = difference_of_tasks(subjects)) {
    section.blocks.emplace_back(
        report::Note{fmt::format("The robustness of these runs is not compared: {}", *difference)});
    return;
  }
  studies.push_back(measure_small(data, std::move(subjects)));
}

}  // namespace

report::Section silencing_section(ReportData& data) {
  report::Section section{"silencing",
                          "Robustness",
                          {"How well the trained network works when it is damaged; nothing is "
                           "trained again."},
                          {}};
  std::vector<StudyView> studies;
  for (const fs::path& directory : data.request.studies) {
    if (has_study(directory)) studies.push_back(read_study(directory, data));
  }
  if (studies.empty()) add_small(data, studies, section);
  if (!studies.empty()) {
    if (auto sentence = half_sentence(studies.front())) data.summary.push_back(*sentence);
  }
  for (std::size_t i = 0; i < studies.size(); ++i) {
    section.blocks.emplace_back(curves_chart(studies[i], data, i));
    section.blocks.emplace_back(curves_table(studies[i], i));
    if (auto tests = comparisons(studies[i], i)) section.blocks.emplace_back(std::move(*tests));
  }
  return section;
}

}  // namespace afterspike::analysis
