#include <algorithm>
#include <set>

#include "afterspike/base/text.hpp"
#include "report_parts.hpp"

namespace afterspike::analysis {
namespace {

std::string text_of(const io::Json& value) {
  return value.is_string() ? value.get<std::string>() : value.dump();
}

report::Table configuration_table(const Material& material) {
  report::Table table{"configuration",
                      "Resolved configuration",
                      "Every option with what it came to. Marked: where runs differ.",
                      {"option"},
                      {},
                      {},
                      true};
  std::vector<std::string> options;
  std::set<std::string> seen;
  for (const ReportRun& run : material.runs) {
    table.columns.push_back(run.label);
    for (const auto& [name, value] : run.subject.trained->content.configuration.items()) {
      if (seen.insert(name).second) options.push_back(name);
    }
  }
  for (const std::string& option : options) {
    std::vector<report::Cell> row = {option};
    std::set<std::string> values;
    for (const ReportRun& run : material.runs) {
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

std::string training_commands(const Material& material) {
  std::vector<std::string> lines;
  for (const ReportRun& run : material.runs) {
    const auto command = training_command(run);
    if (command && std::find(lines.begin(), lines.end(), *command) == lines.end()) {
      lines.push_back(*command);
    }
  }
  return fmt::format("{}", fmt::join(lines, "\n"));
}

/// Quotes words for a shell, with a space before each.
std::string words_of(const std::vector<std::string>& words) {
  std::string text;
  for (const std::string& word : words) text += fmt::format(" {}", shell_quoted(word));
  return text;
}

/// Returns the command that repeats a clustering.
std::string cluster_command(const std::filesystem::path& directory) {
  const auto file = directory / "clustering.json";
  const io::Json found = io::read_json(file, ErrorKind::data);
  return reading(file, [&] {
    const io::Json& scores = found.at("scores");
    const auto runs = found.at("runs").get<std::vector<std::string>>();
    const bool table = runs.size() == 1 && std::filesystem::is_regular_file(runs.front());
    const std::string limit =
        found.contains("exact_limit") ? " --exact-limit " + found.at("exact_limit").dump() : "";
    return fmt::format(
        "afterspike cluster{}{} --standardise {} --k {}:{} --clusters {} --replicates {} --seed {}"
        "{} --out {}\n",
        table ? " --csv" : "", words_of(runs), found.at("standardise").get<std::string>(),
        scores.front().at("k").dump(), scores.back().at("k").dump(), found.at("clusters").dump(),
        found.at("replicates").dump(), found.at("seed").dump(), limit,
        shell_quoted(directory.string()));
  });
}

/// Returns the flags of a study of silencing, without the source of neurons.
std::string protocol_flags(const io::Json& settings) {
  const auto perturbation = settings.at("perturbation").get<std::string>();
  std::string flag = perturbation == "silence" ? "fractions" : perturbation;
  std::replace(flag.begin(), flag.end(), '_', '-');
  const auto split = settings.at("split").get<std::string>();
  return fmt::format(" --{} {} --trials {} --seed {} --split {} --limit {}", flag,
                     fmt::join(settings.at("levels").get<std::vector<double>>(), ","),
                     settings.at("trials").dump(), settings.at("seed").dump(), split,
                     settings.at("samples").dump());
}

/// Returns the command that repeats a study of silencing, or what is missing for it.
std::string silence_command(const std::filesystem::path& directory) {
  const auto file = directory / "silencing.json";
  const io::Json study = io::read_json(file, ErrorKind::data);
  return reading(file, [&] {
    const io::Json& settings = study.at("settings");
    if (!study.contains("asked_for")) {
      return fmt::format("# {}: {} does not say of which runs, as they were named\n",
                         directory.string(), file.filename().string());
    }
    const io::Json& asked_for = study.at("asked_for");
    const auto by = settings.at("by").get<std::string>();
    std::string flags;
    if (by == "clusters") {
      flags = fmt::format(" --by {}", shell_quoted(asked_for.at("by_file").get<std::string>()));
    } else if (by != "random") {
      flags = fmt::format(" --by {} --order {}", shell_quoted(by),
                          settings.at("highest_first").get<bool>() ? "highest" : "lowest");
    }
    return fmt::format("afterspike silence{}{}{} --out {}\n",
                       words_of(asked_for.at("runs").get<std::vector<std::string>>()),
                       protocol_flags(settings), flags, shell_quoted(directory.string()));
  });
}

std::string commands(const Material& material) {
  const ReportRequest& request = material.request;
  std::string text;
  for (const ReportRun& run : material.runs) {
    const auto options = run.directory / "config.toml";
    if (run.directory.empty() || !std::filesystem::exists(options)) {
      text +=
          fmt::format("# {}: the options that it was trained with are not beside it\n", run.label);
      continue;
    }
    text += fmt::format("afterspike train --config {} --out {}\n", shell_quoted(options.string()),
                        shell_quoted(fmt::format("again/{}", run.label)));
  }
  for (const ReportRun& run : material.runs) {
    text += fmt::format("afterspike evaluate {} --split {}\n", shell_quoted(run.path.string()),
                        tasks::split_name(request.split));
  }
  for (const auto& study : request.studies) {
    text += std::filesystem::exists(study / "settings.json") ? silence_command(study)
                                                             : cluster_command(study);
  }
  if (request.command.empty()) return text;
  return text + words_of(request.command).substr(1);
}

}  // namespace

report::Section record_section(Material& material) {
  report::Section section{
      "record",
      "Record",
      {"The same commands, seeds and program give the same numbers, whatever the number of "
       "threads; the processor's instruction set must be the same for the same bits. Paths are "
       "as they were given, from where the commands were called."},
      {}};
  const std::string trained = training_commands(material);
  if (!trained.empty()) section.blocks.emplace_back(report::Code{"The runs were made by", trained});
  section.blocks.emplace_back(report::Code{"To make everything again", commands(material)});
  section.blocks.emplace_back(configuration_table(material));
  return section;
}

}  // namespace afterspike::analysis
