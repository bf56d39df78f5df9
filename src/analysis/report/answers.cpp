#include "afterspike/analysis/answers.hpp"
#include "sections.hpp"

namespace afterspike::analysis {
namespace {

constexpr std::int64_t kTraces = 3;

std::vector<std::string> class_names(const ReportData& data, Eigen::Index count) {
  std::vector<std::string> names = data.runs.front().subject.trained->objective.class_names;
  if (static_cast<Eigen::Index>(names.size()) == count) return names;
  names.clear();
  for (Eigen::Index i = 0; i < count; ++i) names.push_back(std::to_string(i));
  return names;
}

report::HeatMap confusion_map(const ReportData& data, std::size_t group,
                              const statistics::Points& counts, std::size_t runs) {
  const double correct = counts.trace() / counts.sum();
  report::HeatMap map;
  map.id = fmt::format("confusion-{}", group);
  map.title = "Confusion" +
              (data.group_labels.size() > 1 ? ": " + data.group_labels[group] : std::string());
  map.caption = fmt::format(
      "{} of {} {} samples{} were answered correctly ({:.2f} %). Colours show the square root, so "
      "that mistakes are seen too.",
      counts.trace(), counts.sum(), tasks::split_name(data.request.split),
      runs > 1 ? fmt::format(" (of {} runs, added up)", runs) : "", 100 * correct);
  map.x = {"answer"};
  map.y = {"true class"};
  map.columns = map.rows = class_names(data, counts.rows());
  for (Eigen::Index row = 0; row < counts.rows(); ++row) {
    map.values.emplace_back(counts.row(row).begin(), counts.row(row).end());
  }
  map.scale = "samples";
  map.power = 0.5;
  map.labelled = map.tall = true;
  return map;
}

report::Chart trace_chart(const ReportData& data, const ReportRun& run, const TracedOutput& output,
                          std::string id) {
  report::Chart chart;
  chart.id = std::move(id);
  chart.title = fmt::format("Answer and target, {}{}", output.name, data.suffix(run));
  const std::size_t count = output.traces.size();
  chart.caption = fmt::format("{}, at the steps that are scored. Colour: answer; grey: target.",
                              count == 1 ? "Sample 0" : fmt::format("Samples 0 to {}", count - 1));
  chart.x = {"time", "ms"};
  chart.y = {output.name, output.unit};
  for (const Trace& trace : output.traces) {
    const auto add = [&](const char* what, const std::vector<double>& values, bool thin) {
      if (values.empty()) return;
      report::Series series;
      series.name = fmt::format("sample {}: {}", trace.sample, what);
      series.x = trace.time_ms;
      series.y = values;
      series.color = thin ? report::Series::kGrey : static_cast<int>(trace.sample);
      series.thin = thin;
      chart.series.push_back(std::move(series));
    };
    add("target", trace.target, true);
    add("answer", trace.output, false);
  }
  return chart;
}

}  // namespace

report::Section answers_section(ReportData& data) {
  report::Section section{"answers", "Answers", {}, {}};
  for (std::size_t group = 0; group < data.group_labels.size(); ++group) {
    statistics::Points counts;
    std::size_t runs = 0;
    for (const ReportRun* run : data.of_group(group)) {
      if (!run->missing.empty()) continue;
      if (!run->subject.task->classifies()) {
        if (runs++ > 0) continue;
        std::string id = fmt::format("answers-{}", group);
        for (const TracedOutput& output : traces(run->subject, kTraces, data.pool)) {
          section.blocks.emplace_back(trace_chart(data, *run, output, id));
          id += "-more";
        }
        continue;
      }
      const statistics::Points run_counts = confusion(run->subject, data.pool);
      if (runs++ == 0) {
        counts = run_counts;
      } else {
        counts += run_counts;
      }
    }
    if (counts.size() > 0) {
      section.blocks.emplace_back(confusion_map(data, group, counts, runs));
    }
  }
  return section;
}

}  // namespace afterspike::analysis
