#include "afterspike/analysis/report.hpp"
#include "afterspike/experiment/run_directory.hpp"

#include <algorithm>
#include <ctime>
#include <filesystem>
#include <fstream>
#include <optional>
#include <utility>

#include <fmt/chrono.h>
#include <fmt/format.h>

#include "afterspike/base/log.hpp"
#include "afterspike/io/atomic.hpp"
#include "afterspike/report/page.hpp"
#include "afterspike/spiking/network_file.hpp"
#include "afterspike/transfer/section.hpp"
#include "command.hpp"
#include "environment.hpp"
#include "spiking.hpp"

namespace afterspike::cli {
namespace {

constexpr std::int64_t kMaxReportTrials = 1000;

Arguments report_arguments() {
  Arguments arguments("report",
                      "Writes one HTML page on finished runs: results, training, answers, "
                      "robustness, learned neurons,\n"
                      "configuration and commands. The page needs no network. Several runs, or a "
                      "directory of several\n"
                      "seeds, are compared.",
                      "RUN... --out report.html [--studies DIR] [--split test]");
  arguments.example("afterspike report runs/a --studies runs/silencing --out report.html")
      .any_number("RUN", 1)
      .value("out", "FILE", "Page to write.")
      .values("studies", "DIR",
              "Directory written by afterspike silence or cluster; repeatable. By default, a small "
              "study of silencing and clusters with the defaults are computed.")
      .value("spiking", "NET", "Spiking network exported from the (only) run, to compare with it.")
      .value("split", "SPLIT", "train, validation or test.", "test")
      .value("sample", "N", "Sample of the split whose activity is shown, from 0.", "0")
      .group("Small study")
      .value("trials", "N", "Draws at each level of the small study.", "3")
      .value("limit", "N", "Samples of the small study.", "1000")
      .group("Output")
      .flag("quiet", "Prints no progress.");
  add_data_directory(add_threads(arguments));
  return arguments;
}

/// Returns "2026-12-01, AMD EPYC 7B13".
std::string today_and_processor() {
  const std::time_t now = std::time(nullptr);
  std::string text = fmt::format("{:%Y-%m-%d}", fmt::gmtime(now));
  std::ifstream file("/proc/cpuinfo");
  for (std::string line; std::getline(file, line);) {
    const auto colon = line.find(": ");
    if (!line.starts_with("model name") || colon == line.npos) continue;
    return text + ", " + line.substr(colon + 2);
  }
  return text;
}

analysis::ReportRequest make_request(const Arguments& arguments,
                                     std::span<const std::string> words) {
  analysis::ReportRequest request;
  for (const std::string& word : arguments.words()) {
    request.groups.push_back(analysis::find_runs(word));
  }
  for (const std::string& study : arguments.list("studies")) request.studies.emplace_back(study);
  request.context = {data_directory(arguments)};
  request.split = tasks::parse_split(arguments.text("split"));
  request.sample = arguments.integer("sample", 0);
  request.trials = arguments.integer("trials", 1, kMaxReportTrials);
  request.limit = arguments.integer("limit", 1);
  request.command = {"afterspike", "report"};
  request.command.insert(request.command.end(), words.begin(), words.end());
  request.version = AFTERSPIKE_VERSION;
  request.origin = today_and_processor();
  return request;
}

/// Refuses flags of the small study if a study of silencing is given.
void require_flags_of_studies(const Arguments& arguments) {
  for (const std::string& study : arguments.list("studies")) {
    if (!std::filesystem::exists(std::filesystem::path(study) / "settings.json")) continue;
    require(!arguments.has("trials"), ErrorKind::usage,
            "--trials: found with the study '{}', expected without one: it is shown as it is",
            study);
    // --limit is also the number of samples for a spiking network.
    require(!arguments.has("limit") || arguments.has("spiking"), ErrorKind::usage,
            "--limit: found with the study '{}', expected without one: it is shown as it is",
            study);
  }
}

/// Inserts the section on the spiking network before the record, and its verdict at the top.
void add_spiking(report::Section section, report::Document& document) {
  document.summary.push_back(section.text.front());
  const auto record = std::find_if(document.sections.begin(), document.sections.end(),
                                   [](const auto& other) { return other.id == "record"; });
  document.sections.insert(record, std::move(section));
}

/// Returns the command that exports the network of --spiking again.
std::vector<std::string> export_command(const Arguments& arguments,
                                        const spiking::Network& network) {
  std::vector<std::string> words = {"afterspike", "export", arguments.words().front()};
  const auto mode = network.provenance.find("mode");
  if (mode != network.provenance.end()) words.insert(words.end(), {"--mode", mode->second});
  const std::int64_t copies = network.populations.front().copies;
  if (copies > 1) words.insert(words.end(), {"--copies", std::to_string(copies)});
  words.insert(words.end(), {"--out", arguments.text("spiking")});
  return words;
}

/// Returns the network of --spiking, which must be of the only run.
spiking::Network read_spiking(const Arguments& arguments, const experiment::Trained& trained) {
  spiking::Network network = spiking::read_network(arguments.text("spiking"));
  require_of_run(network, trained);
  return network;
}

/// Returns the section on the spiking network of --spiking.
report::Section spiking_section(const Arguments& arguments, const experiment::Trained& trained,
                                const spiking::Network& network, ThreadPool& pool) {
  const auto task = trained.experiment->make_task(
      {data_directory(arguments), experiment::run_of(trained.checkpoint)});
  const auto data = samples_of(*task, arguments);
  constexpr std::uint64_t kSeed = 1;
  return transfer::section(
      transfer::compare(trained, network, *data, spiking::Options{kSeed}, pool),
      arguments.text("spiking"));
}

/// Loads the only run, for --spiking.
experiment::Trained only_run(const Arguments& arguments) {
  const auto runs = analysis::find_runs(arguments.words().front());
  require(arguments.words().size() == 1 && runs.paths.size() == 1, ErrorKind::usage,
          "--spiking: found several runs, expected the one that '{}' was made from",
          arguments.text("spiking"));
  return experiment::load(runs.paths.front());
}

/// Refuses to replace a file that is no page.
void require_page(const std::filesystem::path& out) {
  std::error_code ignored;
  if (!std::filesystem::exists(out, ignored) || io::is_stream(out)) return;
  std::string begin(9, ' ');
  std::ifstream(out, std::ios::binary).read(begin.data(), 9);
  require(begin == "<!DOCTYPE", ErrorKind::usage,
          "--out: '{}' exists already and is no page, expected a new name or a page to replace",
          out.string());
}

int run_report(std::span<const std::string> words) {
  Arguments arguments = report_arguments();
  if (!arguments.parse(words)) return 0;
  require(arguments.has("out"), ErrorKind::usage, "report: expected --out FILE");
  require_flags_of_studies(arguments);
  const std::filesystem::path out = arguments.text("out");
  const std::filesystem::path folder = std::filesystem::absolute(out).parent_path();
  require(std::filesystem::is_directory(folder) && !std::filesystem::is_directory(out),
          ErrorKind::usage, "--out: found '{}', expected a file in a directory that is there",
          out.string());
  require_page(out);
  ThreadPool pool(threads(arguments));
  const bool quiet = arguments.has("quiet");
  analysis::ReportRequest request = make_request(arguments, words);
  std::optional<experiment::Trained> trained;
  std::optional<spiking::Network> network;
  if (arguments.has("spiking")) {
    trained = only_run(arguments);
    network = read_spiking(arguments, *trained);
    request.export_command = export_command(arguments, *network);
  }
  report::Document document = analysis::make_report(request, pool, [&](const std::string& what) {
    if (!quiet) log::info("report: {}", what);
  });
  if (network) add_spiking(spiking_section(arguments, *trained, *network, pool), document);
  report::write_page(out, document);
  log::info("the report is {}", out.string());
  return 0;
}

}  // namespace

CommandEntry entry_report() {
  return {"report", "write a page on finished runs", run_report};
}

}  // namespace afterspike::cli
