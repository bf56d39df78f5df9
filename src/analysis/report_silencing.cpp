#include <algorithm>
#include <cmath>

#include "afterspike/analysis/silencing_files.hpp"
#include "afterspike/base/error.hpp"
#include "afterspike/io/bytes.hpp"
#include "report_parts.hpp"

namespace afterspike::analysis {
namespace {

namespace fs = std::filesystem;

const std::vector<double> kFractions = {0, 0.2, 0.4, 0.6, 0.8, 1};

/// A study to show.
struct StudyView {
  std::string title, text;
  std::string level;   ///< Name in tables.
  std::string metric;  ///< "accuracy" or "loss".
  io::Json summary;
  std::vector<const ReportRun*> runs;  ///< By the study's numbers.
  fs::path file;                       ///< File of the summary, if it was read.
};

/// Returns the perturbation named in settings.json.
Perturbation perturbation_of(const io::Json& settings, const std::string& where) {
  const auto name = io::member<std::string>(settings, "perturbation", where, ErrorKind::data);
  for (const Perturbation known : {Perturbation::silence, Perturbation::weight_noise,
                                   Perturbation::jitter, Perturbation::deletion}) {
    if (name == perturbation_name(known)) return known;
  }
  fail(ErrorKind::data, "{}: found the perturbation '{}', which this program does not know", where,
       name);
}

/// Returns the label of an axis of levels.
std::string level_text(const std::string& level) {
  if (level == "fraction") return "fraction of neurons silenced";
  if (level == "weight_noise_sd") return "noise on weights (sd of the matrix)";
  if (level == "jitter_sd_steps") return "jitter of events (sd in steps)";
  return "probability that an event is left out";
}

/// Returns the runs of a study, found by the checksums of their checkpoints.
std::vector<const ReportRun*> runs_of(const io::Json& settings, const Material& material,
                                      const fs::path& directory) {
  std::vector<const ReportRun*> found;
  for (const io::Json& row : settings.at("runs")) {
    const auto wanted =
        io::member<std::string>(row, "checkpoint_sha256", directory.string(), ErrorKind::data);
    const auto match =
        std::find_if(material.runs.begin(), material.runs.end(), [&](const ReportRun& run) {
          return io::sha256_of_file(run.subject.trained->checkpoint / "manifest.json") == wanted;
        });
    require(match != material.runs.end(), ErrorKind::config,
            "'{}' holds a study of other runs, or of other checkpoints of them; expected those of "
            "this report",
            directory.string());
    found.push_back(&*match);
  }
  return found;
}

std::string title_of(Perturbation perturbation, const io::Json& settings) {
  if (perturbation == Perturbation::weight_noise) return "Noise on weights";
  if (perturbation == Perturbation::jitter) return "Jitter of input events";
  if (perturbation == Perturbation::deletion) return "Deletion of input events";
  const auto by = settings.at("by").get<std::string>();
  if (by == "random") return "Random neurons silenced";
  if (by == "clusters") return "Neurons silenced by cluster";
  return fmt::format("Neurons silenced by {}, {} first", by,
                     settings.at("highest_first").get<bool>() ? "highest" : "lowest");
}

StudyView read_study(const fs::path& directory, const Material& material) {
  const fs::path settings_file = directory / "settings.json";
  const fs::path summary_file = directory / "summary.json";
  require(fs::exists(summary_file), ErrorKind::config,
          "'{}' holds a study that has not ended; the same afterspike silence goes on with it",
          directory.string());
  const io::Json settings = io::read_json(settings_file, ErrorKind::data);
  StudyView view;
  view.file = summary_file;
  reading(settings_file, [&] {
    const Perturbation perturbation = perturbation_of(settings, settings_file.string());
    view.runs = runs_of(settings, material, directory);
    view.title = title_of(perturbation, settings);
    view.level = level_name(perturbation);
    view.text = fmt::format("From {}: {} trials for each level, {} {} samples.", directory.string(),
                            settings.at("trials").dump(), settings.at("samples").dump(),
                            settings.at("split").get<std::string>());
  });
  view.summary = io::read_json(summary_file, ErrorKind::data);
  reading(summary_file, [&] {
    const io::Json& first = view.summary.at("runs").at(0).at("levels").at(0);
    view.metric = first.contains("accuracy") ? "accuracy" : "loss";
  });
  return view;
}

/// Measures a small study of runs of one task, if none is given.
StudyView measure_small(const Material& material, std::vector<Subject> subjects) {
  const ReportRequest& request = material.request;
  StudyView view{"Random neurons silenced", "", "fraction", "accuracy", {},
                 material.with_data(),      {}};
  for (Subject& subject : subjects) subject = limited(std::move(subject), request.limit);
  StudyNames names;
  for (const ReportRun* run : view.runs) {
    if (names.groups.empty() || names.groups.back().name != material.group_labels[run->group]) {
      names.groups.push_back({material.group_labels[run->group], {}});
    }
    names.groups.back().paths.push_back(run->path);
  }
  names.classifies = subjects.front().task->classifies();
  if (!names.classifies) view.metric = "loss";
  Protocol protocol;
  protocol.levels = kFractions;
  protocol.trials = request.trials;
  std::vector<Measurement> measured;
  measure(protocol, subjects, plan(protocol, subjects), measured, material.pool,
          [](const auto&) { return true; });
  view.summary = silencing_summary(names, measured);
  view.text = fmt::format(
      "A small study, made for this report: {} trials for each level, the first {} {} samples. For "
      "numbers to quote, give the report the directory of a larger one: afterspike silence RUN "
      "--out DIR; afterspike report RUN --studies DIR.",
      request.trials, subjects.front().data->size(), tasks::split_name(request.split));
  return view;
}

/// Returns a curve with its intervals.
report::Series series_of(const io::Json& levels, const StudyView& view, std::string name,
                         int color) {
  report::Series series;
  series.name = std::move(name);
  series.color = color;
  for (const io::Json& row : levels) {
    const io::Json& values = row.at(view.metric);
    series.x.push_back(row.at(view.level).get<double>());
    series.y.push_back(values.at("mean").get<double>());
    if (values.at("sd").is_null()) continue;  // One trial: no band.
    series.low.push_back(values.at("low").get<double>());
    series.high.push_back(values.at("high").get<double>());
  }
  return series;
}

std::string curve_name(const io::Json& curve, const ReportRun& run, bool several) {
  if (!curve.contains("cluster")) return run.label;
  return fmt::format("{}{}{}", several ? run.label + ", " : "",
                     fmt::format("cluster {}", curve.at("cluster").dump()),
                     curve.at("control").get<bool>() ? ": as many of all" : "");
}

report::Chart curves_chart(const StudyView& view, const Material& material, std::size_t number) {
  report::Chart chart;
  chart.id = fmt::format("silencing-{}", number);
  chart.title = view.title;
  chart.caption = view.text;
  chart.x = {level_text(view.level)};
  chart.y = {view.metric};
  chart.wide = true;
  const io::Json& summary = view.summary;
  bool groups = false;
  if (summary.contains("groups")) {
    int color = 0;
    for (const io::Json& group : summary.at("groups")) {
      if (group.at("runs").get<int>() > 1) {
        groups = true;
        chart.series.push_back(
            series_of(group.at("levels"), view,
                      fmt::format("{}: mean of {} runs", group.at("name").get<std::string>(),
                                  group.at("runs").get<int>()),
                      color));
      }
      ++color;
    }
  }
  for (const io::Json& curve : summary.at("runs")) {
    const ReportRun& run = *view.runs.at(curve.at("run").get<std::size_t>());
    const int color =
        curve.contains("cluster") ? curve.at("cluster").get<int>() : material.color(run);
    chart.series.push_back(
        series_of(curve.at("levels"), view, curve_name(curve, run, view.runs.size() > 1), color));
    chart.series.back().thin =
        groups || (curve.contains("control") && curve.at("control").get<bool>());
    if (!groups) continue;
    chart.series.back().low.clear();
    chart.series.back().high.clear();
  }
  chart.caption += groups ? " Bands: 95 % bootstrap interval of the mean over runs."
                          : " Bands: 95 % bootstrap interval of the mean over trials.";
  return chart;
}

report::Table curves_table(const StudyView& view, std::size_t number) {
  report::Table table{
      fmt::format("silencing-table-{}", number),
      "The same in numbers",
      fmt::format("{}: mean ± sd over trials [95 % interval of the mean]", view.metric),
      {level_text(view.level)},
      {},
      {},
      false};
  const io::Json& curves = view.summary.at("runs");
  for (const io::Json& curve : curves) {
    table.columns.push_back(
        curve_name(curve, *view.runs.at(curve.at("run").get<std::size_t>()), view.runs.size() > 1));
  }
  const std::size_t levels = curves.at(0).at("levels").size();
  for (std::size_t level = 0; level < levels; ++level) {
    std::vector<report::Cell> row = {
        curves.at(0).at("levels").at(level).at(view.level).get<double>()};
    for (const io::Json& curve : curves) {
      const io::Json& values = curve.at("levels").at(level).at(view.metric);
      row.emplace_back(spread_text(values, "±"));
    }
    table.rows.push_back(std::move(row));
  }
  return table;
}

/// Returns paired tests of the mean heights of curves, if there are several groups.
std::optional<report::Table> comparisons(const StudyView& view, std::size_t number) {
  if (!view.summary.contains("comparisons") || view.summary["comparisons"].empty()) return {};
  report::Table table{
      fmt::format("comparisons-{}", number),
      "Groups compared",
      fmt::format("Difference in the mean height of the curve ({}), with a 95 % bootstrap interval "
                  "and p of the paired permutation test.",
                  view.metric),
      {"first", "second", "difference", "interval", "p", "pairs of"},
      {},
      {},
      false};
  for (const io::Json& test : view.summary["comparisons"]) {
    const auto text = [&](const char* key) { return test.at(key).get<std::string>(); };
    if (test.at("pairs").is_null() || !test.contains("mean_height") ||
        test["mean_height"].is_null()) {
      continue;
    }
    const io::Json& area = test["mean_height"].at(view.metric);
    table.rows.push_back({text("first"), text("second"), area.at("difference").get<double>(),
                          fmt::format("[{:.4f}, {:.4f}]", area.at("low").get<double>(),
                                      area.at("high").get<double>()),
                          area.at("p").get<double>(), text("pairs")});
  }
  if (table.rows.empty()) return {};
  return table;
}

/// Adds a small study, or the reason why there is none.
void add_small(const Material& material, std::vector<StudyView>& studies,
               report::Section& section) {
  std::vector<Subject> subjects;
  for (const ReportRun* run : material.with_data()) subjects.push_back(run->subject);
  if (subjects.empty()) return;
  if (const auto difference = difference_of_tasks(subjects)) {
    section.blocks.emplace_back(
        report::Note{fmt::format("The robustness of these runs is not compared: {}", *difference)});
    return;
  }
  studies.push_back(measure_small(material, std::move(subjects)));
}

}  // namespace

report::Section silencing_section(Material& material) {
  report::Section section{"silencing",
                          "Robustness",
                          {"How well the trained network works when it is damaged; nothing is "
                           "trained again."},
                          {}};
  std::vector<StudyView> studies;
  for (const fs::path& directory : material.request.studies) {
    if (fs::exists(directory / "settings.json")) studies.push_back(read_study(directory, material));
  }
  if (studies.empty()) add_small(material, studies, section);
  for (std::size_t i = 0; i < studies.size(); ++i) {
    reading(studies[i].file, [&] {
      section.blocks.emplace_back(curves_chart(studies[i], material, i));
      section.blocks.emplace_back(curves_table(studies[i], i));
      if (auto tests = comparisons(studies[i], i)) section.blocks.emplace_back(std::move(*tests));
    });
  }
  return section;
}

}  // namespace afterspike::analysis
