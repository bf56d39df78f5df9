#include <algorithm>
#include <set>

#include "report_parts.hpp"

namespace afterspike::analysis {
namespace {

/// A word as a shell takes it.
std::string quoted(const std::string& word) {
  const auto plain = [](char c) {
    return std::isalnum(static_cast<unsigned char>(c)) != 0 ||
           std::string_view("_-./:=,+@%").find(c) != std::string_view::npos;
  };
  if (!word.empty() && std::all_of(word.begin(), word.end(), plain)) return word;
  std::string text = "'";
  for (const char c : word) text += c == '\'' ? "'\\''" : std::string(1, c);
  return text + "'";
}

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

/// How the run was made, as it says itself.
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

/// The command that gives a study again; empty where it took a file of clusters.
std::string study_command(const std::filesystem::path& directory, const std::string& runs) {
  const std::string out = " --out " + quoted(directory.string());
  if (!std::filesystem::exists(directory / "settings.json")) {
    const io::Json found = io::read_json(directory / "clustering.json", ErrorKind::data);
    const io::Json& scores = found.at("scores");
    return fmt::format(
        "afterspike cluster {} --standardise {} --k {}:{} --clusters {} --replicates {} --seed "
        "{}{}\n",
        runs, found.at("standardise").get<std::string>(), scores.front().at("k").dump(),
        scores.back().at("k").dump(), found.at("clusters").dump(), found.at("replicates").dump(),
        found.at("seed").dump(), out);
  }
  const io::Json settings = io::read_json(directory / "settings.json", ErrorKind::data);
  const auto text = [&](const char* key) { return settings.at(key).get<std::string>(); };
  std::string flag = text("perturbation") == "silence" ? "fractions" : text("perturbation");
  std::replace(flag.begin(), flag.end(), '_', '-');
  if (text("by") == "clusters") return "";
  std::string by;
  if (text("by") != "random") {
    by = fmt::format(" --by {} --order {}", quoted(text("by")),
                     settings.at("highest_first").get<bool>() ? "highest" : "lowest");
  }
  return fmt::format(
      "afterspike silence {} --{} {}{} --trials {} --seed {} --split {} --limit {}{}\n", runs, flag,
      fmt::join(settings.at("levels").get<std::vector<double>>(), ","), by,
      settings.at("trials").dump(), settings.at("seed").dump(), text("split"),
      settings.at("samples").dump(), out);
}

std::string commands(const Material& material) {
  const ReportRequest& request = material.request;
  std::vector<std::string> names;
  std::string text;
  for (const RunGroup& group : request.groups) names.push_back(quoted(group.name));
  for (const ReportRun& run : material.runs) {
    if (run.directory.empty()) continue;
    text += fmt::format("afterspike train --config {} --out again/{}\n",
                        quoted((run.directory / "config.toml").string()), quoted(run.label));
  }
  for (const ReportRun& run : material.runs) {
    text += fmt::format("afterspike evaluate {} --split {}\n", quoted(run.path.string()),
                        tasks::split_name(request.split));
  }
  const std::string all = fmt::format("{}", fmt::join(names, " "));
  for (const auto& study : request.studies) text += study_command(study, all);
  std::vector<std::string> words;
  for (const std::string& word : request.command) words.push_back(quoted(word));
  return text + fmt::format("{}", fmt::join(words, " "));
}

}  // namespace

report::Section record_section(Material& material) {
  report::Section section{
      "record",
      "Record",
      {"The same commands, seeds and program give the same numbers, whatever the number of "
       "threads; the processor's instruction set must be the same for the same bits."},
      {}};
  const std::string trained = training_commands(material);
  if (!trained.empty()) section.blocks.emplace_back(report::Code{"The runs were made by", trained});
  section.blocks.emplace_back(report::Code{"To make everything again", commands(material)});
  section.blocks.emplace_back(configuration_table(material));
  return section;
}

}  // namespace afterspike::analysis
