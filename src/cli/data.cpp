#include <fmt/format.h>

#include "afterspike/base/log.hpp"
#include "afterspike/base/registry.hpp"
#include "afterspike/datasets/datasets.hpp"
#include "afterspike/fetch/fetch.hpp"
#include "afterspike/io/json.hpp"
#include "command.hpp"
#include "environment.hpp"

namespace afterspike::cli {
namespace {

/// Returns "" if the data set is complete and valid, else the problem.
std::string problem(const datasets::DatasetEntry& entry, const std::filesystem::path& directory) {
  try {
    datasets::verify(entry, directory);
    return "";
  } catch (const Error& error) {
    return error.what();
  }
}

int list(const std::filesystem::path& directory, bool json) {
  io::Json all = io::Json::array();
  for (const auto& entry : datasets::entries()) {
    const bool present = problem(entry, directory).empty();
    all.push_back({{"name", entry.name},
                   {"summary", entry.summary},
                   {"licence", entry.licence},
                   {"present", present}});
    if (!json) {
      fmt::print("{:15} {:8} {} ({})\n", entry.name, present ? "present" : "absent", entry.summary,
                 entry.licence);
    }
  }
  if (json) fmt::print("{}\n", io::Json{{"datasets", all}}.dump());
  return 0;
}

/// Checks a data set and prints its state.
void report(const datasets::DatasetEntry& entry, const std::filesystem::path& directory,
            bool json) {
  const std::vector<std::string> by_form = datasets::verify(entry, directory);
  const std::string place = datasets::directory(entry, directory).string();
  if (json) {
    io::Json result = {{"name", entry.name}, {"directory", place}};
    result["content"] = by_form.empty() ? "published" : "unknown";
    if (!by_form.empty()) result["files"] = by_form;
    fmt::print("{}\n", result.dump());
    return;
  }
  if (by_form.empty()) {
    fmt::print("{}: complete and verified in {}\n", entry.name, place);
    return;
  }
  fmt::print(
      "{}: complete and of the right form in {}\n"
      "Whether this is the published content cannot be told: its checksums are not known.\n"
      "    {}\n",
      entry.name, place, fmt::join(by_form, "\n    "));
}

/// Returns the action. Throws Error(usage) for words and flags that contradict each other.
std::string action_of(const Arguments& arguments) {
  const std::vector<std::string>& words = arguments.words();
  const std::string& action = words[0];
  require(action == "list" || action == "fetch" || action == "verify", ErrorKind::usage,
          "data: no action '{}'; there are: list, fetch, verify", action);
  const std::size_t expected = action == "list" ? 1 : 2;
  require(words.size() == expected, ErrorKind::usage, "data: expected {}, found {} word{}",
          action == "list" ? "list" : action + " NAME", words.size(), words.size() == 1 ? "" : "s");
  require(action == "fetch" || !arguments.has("from"), ErrorKind::usage,
          "--from: found with {}, expected with fetch only", action);
  return action;
}

int run_data(std::span<const std::string> words) {
  Arguments arguments("data", "Lists, obtains and checks data sets.",
                      "list | fetch NAME [--from DIR] | verify NAME [--json]");
  arguments.example("afterspike data fetch mnist")
      .any_number("list | fetch NAME | verify NAME", 1)
      .value("from", "DIR", "fetch: a directory with the files, tried first.")
      .flag("json", "Print one JSON object.");
  add_data_directory(arguments);
  if (!arguments.parse(words)) return 0;
  const std::string action = action_of(arguments);
  const std::filesystem::path directory = data_directory(arguments);
  if (action == "list") return list(directory, arguments.has("json"));

  const auto& entry =
      find_entry<datasets::DatasetEntry>(datasets::entries(), arguments.words()[1], "data set");
  if (action == "fetch") {
    fetch::FetchOptions options{directory, std::nullopt,
                                [](std::string_view line) { log::info("{}", line); }};
    if (arguments.has("from")) options.from = arguments.text("from");
    fetch::fetch(entry, options);
  }
  report(entry, directory, arguments.has("json"));
  return 0;
}

}  // namespace

CommandEntry entry_data() {
  return {"data", "list, fetch and verify data sets", run_data};
}

}  // namespace afterspike::cli
