#include "afterspike/analysis/report.hpp"

#include <algorithm>
#include <map>

#include "afterspike/analysis/cluster_files.hpp"
#include "afterspike/analysis/inspection.hpp"
#include "afterspike/analysis/silencing_files.hpp"
#include "afterspike/base/error.hpp"
#include "sections.hpp"

namespace afterspike::analysis {
namespace {

namespace fs = std::filesystem;

/// Returns the last parts of paths; whole paths if two would be equal.
std::vector<std::string> short_names(const std::vector<RunGroup>& groups) {
  std::vector<std::string> names;
  std::map<std::string, int> uses;
  for (const RunGroup& group : groups) {
    const fs::path path = fs::path(group.name).lexically_normal();
    names.push_back((path.has_filename() ? path : path.parent_path()).filename().string());
    ++uses[names.back()];
  }
  for (std::size_t i = 0; i < groups.size(); ++i) {
    if (uses[names[i]] > 1 || names[i].empty()) names[i] = groups[i].name;
  }
  return names;
}

/// Returns the directory of the run of a checkpoint.
fs::path run_of(const fs::path& checkpoint) {
  const fs::path parent = fs::absolute(checkpoint).lexically_normal().parent_path();
  return parent.filename() == "checkpoints" ? checkpoint.parent_path().parent_path() : fs::path();
}

/// Loads the run with its data; or without them, and the reason.
void load(const ReportRequest& request, ReportRun& run) {
  Partial found = load_available(run.path, request.context, request.split);
  run.subject = std::move(found.subject);
  run.missing = std::move(found.missing);
  run.directory = run_of(run.subject.trained->checkpoint);
  if (run.missing.empty()) require_sample(run.subject, request.sample);
}

void require_studies(const ReportRequest& request) {
  fs::path clusters;
  for (const fs::path& directory : request.studies) {
    const bool is_clusters = has_clustering(directory);
    require(is_clusters || has_study(directory), ErrorKind::config,
            "'{}' holds neither a study of afterspike silence nor clusters of afterspike cluster",
            directory.string());
    require(!is_clusters || clusters.empty(), ErrorKind::config,
            "'{}' and '{}' both hold clusters; expected one directory of them", clusters.string(),
            directory.string());
    if (is_clusters) clusters = directory;
  }
}

/// Refuses the same run twice, which would be two curves of one name.
void require_other(const std::vector<ReportRun>& runs, const ReportRun& next) {
  const auto place = [](const ReportRun& run) {
    return fs::weakly_canonical(run.subject.trained->checkpoint);
  };
  for (const ReportRun& run : runs) {
    require(place(run) != place(next), ErrorKind::usage,
            "'{}' and '{}' are the same checkpoint; expected each run once", run.path.string(),
            next.path.string());
  }
}

ReportData gather(const ReportRequest& request, ThreadPool& pool) {
  require_studies(request);
  ReportData data{request, {}, short_names(request.groups), pool};
  for (std::size_t group = 0; group < request.groups.size(); ++group) {
    for (const fs::path& path : request.groups[group].paths) {
      ReportRun run;
      const std::string& group_label = data.group_labels[group];
      const bool several = request.groups[group].paths.size() > 1;
      run.label =
          several ? fmt::format("{}/{}", group_label, path.filename().string()) : group_label;
      run.group = group;
      run.path = path;
      load(request, run);
      require_other(data.runs, run);
      data.runs.push_back(std::move(run));
    }
  }
  return data;
}

/// "line_mnist, glifr: runs/paper".
std::string title_of(const ReportData& data) {
  std::vector<std::string> kinds;
  for (const ReportRun& run : data.runs) {
    const experiment::Experiment& experiment = *run.subject.trained->experiment;
    std::string kind = fmt::format("{} on {}", experiment.neuron_name(), experiment.task_name());
    if (std::find(kinds.begin(), kinds.end(), kind) == kinds.end())
      kinds.push_back(std::move(kind));
  }
  return fmt::format("{}: {}", fmt::join(data.group_labels, ", "), fmt::join(kinds, ", "));
}

std::string subtitle_of(const ReportData& data) {
  std::vector<std::string> names;
  for (const RunGroup& group : data.request.groups) names.push_back(group.name);
  const std::size_t runs = data.runs.size();
  const std::string origin = data.request.origin.empty() ? "" : data.request.origin + " · ";
  return fmt::format("{}afterspike {} · {} run{}: {}", origin, data.request.version, runs,
                     runs == 1 ? "" : "s", fmt::join(names, ", "));
}

}  // namespace

std::vector<const ReportRun*> ReportData::of_group(std::size_t group) const {
  std::vector<const ReportRun*> found;
  for (const ReportRun& run : runs) {
    if (run.group == group) found.push_back(&run);
  }
  return found;
}

std::vector<const ReportRun*> ReportData::with_data() const {
  std::vector<const ReportRun*> found;
  for (const ReportRun& run : runs) {
    if (run.missing.empty()) found.push_back(&run);
  }
  return found;
}

int ReportData::color(const ReportRun& run) const {
  return static_cast<int>(request.groups.size() > 1 ? run.group
                                                    : static_cast<std::size_t>(&run - runs.data()));
}

std::string ReportData::suffix(const ReportRun& run) const {
  return runs.size() > 1 ? ": " + run.label : "";
}

report::Document make_report(const ReportRequest& request, ThreadPool& pool,
                             const ReportProgress& progress) {
  progress("runs");
  ReportData data = gather(request, pool);
  report::Document document{title_of(data), subtitle_of(data), {}, {}};
  const std::pair<const char*, report::Section (*)(ReportData&)> sections[] = {
      {"results", results_section},       {"training", training_section},
      {"answers", answers_section},       {"silencing", silencing_section},
      {"parameters", parameters_section}, {"clusters", clusters_section},
      {"network", network_section},       {"record", record_section}};
  for (const auto& [what, make] : sections) {
    progress(what);
    report::Section section = make(data);
    if (!section.blocks.empty()) document.sections.push_back(std::move(section));
  }
  document.summary = data.summary;
  return document;
}

}  // namespace afterspike::analysis
