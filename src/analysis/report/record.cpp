#include <algorithm>
#include <filesystem>
#include <set>
#include <system_error>

#include "afterspike/analysis/cluster_files.hpp"
#include "afterspike/analysis/silencing_files.hpp"
#include "afterspike/base/text.hpp"
#include "sections.hpp"

namespace afterspike::analysis {
namespace {

namespace fs = std::filesystem;

std::string text_of(const io::Json& value) {
  return value.is_string() ? value.get<std::string>() : value.dump();
}

report::Table configuration_table(const ReportData& data) {
  report::Table table{"configuration",
                      "Resolved configuration",
                      "Every option with what it came to. Marked: where runs differ.",
                      {"option"},
                      {},
                      {},
                      true};
  std::vector<std::string> options;
  std::set<std::string> seen;
  for (const ReportRun& run : data.runs) {
    table.columns.push_back(run.label);
    for (const auto& [name, value] : run.subject.trained->content.configuration.items()) {
      if (seen.insert(name).second) options.push_back(name);
    }
  }
  for (const std::string& option : options) {
    std::vector<report::Cell> row = {option};
    std::set<std::string> values;
    for (const ReportRun& run : data.runs) {
      const io::Json& configuration = run.subject.trained->content.configuration;
      const auto found = configuration.find(option);
      row.emplace_back(found == configuration.end() ? "" : text_of(*found));
      values.insert(std::get<std::string>(row.back()));
    }
    table.rows.push_back(std::move(row));
    table.differs.push_back(values.size() > 1);
  }
  return table;
}

/// Returns the recorded command line of the run.
std::optional<std::string> training_command(const ReportRun& run) {
  const auto file = run.directory / "run.json";
  if (run.directory.empty() || !std::filesystem::exists(file)) return std::nullopt;
  const io::Json record = io::read_json(file, ErrorKind::checkpoint);
  if (!record.contains("command") || !record["command"].is_string()) return std::nullopt;
  return record["command"].get<std::string>();
}

std::string training_commands(const ReportData& data) {
  std::vector<std::string> lines;
  for (const ReportRun& run : data.runs) {
    const auto command = training_command(run);
    if (command && std::find(lines.begin(), lines.end(), *command) == lines.end()) {
      lines.push_back(*command);
    }
  }
  return fmt::format("{}", fmt::join(lines, "\n"));
}

/// Names of the copies that the commands make, in the directory "again".
class Copies {
 public:
  explicit Copies(const ReportData& data) {
    const ReportRequest& request = data.request;
    for (std::size_t i = 0; i < request.groups.size(); ++i) {
      if (has_options(request.groups[i])) add(request.groups[i].name, data.group_labels[i]);
    }
    for (const fs::path& study : request.studies) {
      const fs::path plain = (study / "").lexically_normal().parent_path();
      add(study.string(), plain.filename().string());
    }
  }

  /// Returns whether a run, or the directory of several seeds, can be trained again.
  static bool has_options(const RunGroup& group) {
    return fs::exists(fs::path(group.name) / "config.toml");
  }

  /// Returns the copy of a path, or of the directory that it lies in; another path as it is.
  std::string of(const std::string& path) const {
    std::error_code failed;
    const fs::path wanted = fs::weakly_canonical(path, failed);
    for (const auto& [original, copy] : copies_) {
      if (!failed && wanted == original) return copy;
    }
    for (const auto& [original, copy] : copies_) {
      if (failed || wanted.parent_path() != original) continue;
      return copy + "/" + wanted.filename().string();
    }
    return path;
  }

 private:
  void add(const std::string& path, const std::string& name) {
    const fs::path whole = fs::weakly_canonical(path);
    copies_.emplace_back(whole.has_filename() ? whole : whole.parent_path(), "again/" + name);
  }

  std::vector<std::pair<fs::path, std::string>> copies_;
};

/// Quotes words for a shell, with a space before each; paths become those of the copies. The path
/// after --out or --spiking is in "again" in any case.
std::string words_of(const std::vector<std::string>& words, const Copies& copies) {
  std::string text;
  bool moved = false;
  for (const std::string& word : words) {
    const std::string copy =
        moved ? "again/" + fs::path(word).filename().string() : copies.of(word);
    moved = word == "--out" || word == "--spiking";
    text += fmt::format(" {}", shell_quoted(copy));
  }
  return text;
}

/// Returns the command that repeats a clustering.
std::string cluster_command(const fs::path& directory, const Copies& copies) {
  const ClusterSettings settings = read_cluster_settings(directory);
  const statistics::ClusteringOptions& options = settings.options;
  const bool table = settings.runs.size() == 1 && fs::is_regular_file(settings.runs.front());
  const bool standardised = options.standardise == statistics::Standardise::zscore;
  const std::string limit =
      settings.has_exact_limit ? fmt::format(" --exact-limit {}", options.exact_limit) : "";
  return fmt::format(
      "afterspike cluster{}{} --standardise {} --k {}:{} --clusters {} --replicates {} --seed {}"
      "{} --out {}\n",
      table ? " --csv" : "", words_of(settings.runs, copies), standardised ? "zscore" : "none",
      options.least, options.most, settings.clusters, options.replicates, settings.seed, limit,
      shell_quoted(copies.of(directory.string())));
}

/// Returns the flags of a study of silencing, without the source of neurons.
std::string protocol_flags(const StudyRecord& record) {
  std::string flag = record.perturbation == Perturbation::silence
                         ? "fractions"
                         : std::string(perturbation_name(record.perturbation));
  std::replace(flag.begin(), flag.end(), '_', '-');
  return fmt::format(" --{} {} --trials {} --seed {} --split {} --limit {}", flag,
                     fmt::join(record.levels, ","), record.trials, record.seed, record.split,
                     record.samples);
}

/// Returns the command that repeats a study of silencing, or what is missing for it.
std::string silence_command(const fs::path& directory, const Copies& copies) {
  const StudyRecord record = read_record(directory);
  if (record.words.empty()) {
    return fmt::format("# {}: silencing.json does not say of which runs, as they were named\n",
                       directory.string());
  }
  std::string flags;
  if (record.by == "clusters") {
    flags = fmt::format(" --by {}", shell_quoted(copies.of(record.by_file)));
  } else if (record.by != "random") {
    flags = fmt::format(" --by {} --order {}", shell_quoted(record.by),
                        record.highest_first ? "highest" : "lowest");
  }
  return fmt::format("afterspike silence{}{}{} --out {}\n", words_of(record.words, copies),
                     protocol_flags(record), flags, shell_quoted(copies.of(directory.string())));
}

/// Returns the command that trains a run, or several seeds, again.
std::string train_command(const ReportData& data, std::size_t group, const Copies& copies) {
  const RunGroup& runs = data.request.groups[group];
  if (!Copies::has_options(runs)) {
    return fmt::format("# {}: the options that it was trained with are not beside it\n",
                       data.group_labels[group]);
  }
  std::string seeds;
  if (runs.paths.size() > 1 || runs.paths.front() != fs::path(runs.name)) {
    seeds = fmt::format(" --seeds {}", runs.paths.size());
  }
  return fmt::format("afterspike train --config {}{} --out {}\n",
                     shell_quoted((fs::path(runs.name) / "config.toml").string()), seeds,
                     shell_quoted(copies.of(runs.name)));
}

/// Returns the commands that make the runs, the studies and the page again, in a new directory.
std::string commands(const ReportData& data) {
  const ReportRequest& request = data.request;
  const Copies copies(data);
  std::string text;
  for (std::size_t group = 0; group < request.groups.size(); ++group) {
    text += train_command(data, group, copies);
  }
  for (const ReportRun& run : data.runs) {
    text +=
        fmt::format("afterspike evaluate {} --split {}\n",
                    shell_quoted(copies.of(run.path.string())), tasks::split_name(request.split));
  }
  // Clusters first: neurons may be silenced by them.
  for (const auto& study : request.studies) {
    if (!has_study(study)) text += cluster_command(study, copies);
  }
  for (const auto& study : request.studies) {
    if (has_study(study)) text += silence_command(study, copies);
  }
  for (const std::vector<std::string>* command : {&request.export_command, &request.command}) {
    if (!command->empty()) text += words_of(*command, copies).substr(1) + "\n";
  }
  return text;
}

}  // namespace

report::Section record_section(ReportData& data) {
  report::Section section{
      "record",
      "Record",
      {"The same commands, seeds and program give the same numbers, whatever the number of "
       "threads; the processor's instruction set must be the same for the same bits. Paths are "
       "as they were given, from where the commands were called."},
      {}};
  const std::string trained = training_commands(data);
  if (!trained.empty()) section.blocks.emplace_back(report::Code{"The runs were made by", trained});
  section.blocks.emplace_back(report::Code{"To make everything again", commands(data)});
  section.blocks.emplace_back(configuration_table(data));
  return section;
}

}  // namespace afterspike::analysis
