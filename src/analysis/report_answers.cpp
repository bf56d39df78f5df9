#include "afterspike/analysis/answers.hpp"
#include "report_parts.hpp"

namespace afterspike::analysis {
namespace {

constexpr std::int64_t kTraces = 3;

std::vector<std::string> class_names(const Material& material, Eigen::Index count) {
  std::vector<std::string> names = material.runs.front().subject.trained->objective.class_names;
  if (static_cast<Eigen::Index>(names.size()) == count) return names;
  names.clear();
  for (Eigen::Index i = 0; i < count; ++i) names.push_back(std::to_string(i));
  return names;
}

report::HeatMap confusion_map(const Material& material, std::size_t group,
                              const statistics::Points& counts, std::size_t runs) {
  const double correct = counts.trace() / counts.sum();
  report::HeatMap map;
  map.id = fmt::format("confusion-{}", group);
  map.title = fmt::format("Confusion: {}", material.group_labels[group]);
  map.caption = fmt::format(
      "{} of {} {} samples{} were answered correctly ({:.2f} %). Colours show the square root, so "
      "that mistakes are seen too.",
      counts.trace(), counts.sum(), tasks::split_name(material.request.split),
      runs > 1 ? fmt::format(" (of {} runs, added up)", runs) : "", 100 * correct);
  map.x = {"answer"};
  map.y = {"true class"};
  map.columns = map.rows = class_names(material, counts.rows());
  for (Eigen::Index row = 0; row < counts.rows(); ++row) {
    map.values.emplace_back(counts.row(row).begin(), counts.row(row).end());
  }
  map.scale = "samples";
  map.power = 0.5;
  map.labelled = map.tall = true;
  return map;
}

report::Chart trace_chart(const ReportRun& run, const TracedOutput& output, std::string id) {
  report::Chart chart;
  chart.id = std::move(id);
  chart.title = fmt::format("Answer and target, {}: {}", output.name, run.label);
  chart.caption = fmt::format(
      "The first {} samples, the steps that are asked for; targets are "
      "thin.",
      output.traces.size());
  chart.x = {"time", "ms"};
  chart.y = {output.name, output.unit};
  for (const Trace& trace : output.traces) {
    const auto add = [&](const char* what, const std::vector<double>& values, bool thin) {
      if (values.empty()) return;
      report::Series series;
      series.name = fmt::format("sample {}: {}", trace.sample, what);
      series.x = trace.time_ms;
      series.y = values;
      series.color = static_cast<int>(trace.sample);
      series.thin = thin;
      chart.series.push_back(std::move(series));
    };
    add("output", trace.output, false);
    add("target", trace.target, true);
  }
  return chart;
}

}  // namespace

report::Section answers_section(Material& material) {
  report::Section section{"answers", "Answers", {}, {}};
  for (std::size_t group = 0; group < material.group_labels.size(); ++group) {
    statistics::Points counts;
    std::size_t runs = 0;
    for (const ReportRun* run : material.of_group(group)) {
      if (!run->missing.empty()) continue;
      if (!run->subject.task->classifies()) {
        if (runs++ > 0) continue;
        std::string id = fmt::format("answers-{}", group);
        for (const TracedOutput& output : traces(run->subject, kTraces, material.pool)) {
          section.blocks.emplace_back(trace_chart(*run, output, id));
          id += "-more";
        }
        continue;
      }
      const statistics::Points run_counts = confusion(run->subject, material.pool);
      if (runs++ == 0) {
        counts = run_counts;
      } else {
        counts += run_counts;
      }
    }
    if (counts.size() > 0) {
      section.blocks.emplace_back(confusion_map(material, group, counts, runs));
    }
  }
  return section;
}

}  // namespace afterspike::analysis
