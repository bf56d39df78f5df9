#include "afterspike/train/several.hpp"

#include <algorithm>
#include <charconv>
#include <chrono>
#include <cmath>
#include <limits>
#include <numeric>
#include <utility>

#include <fmt/format.h>

#include "afterspike/base/log.hpp"
#include "afterspike/io/atomic.hpp"
#include "several_files.hpp"

namespace afterspike::train {
namespace {

namespace fs = std::filesystem;

/// Trains or resumes one of the runs in `directory`; `change` turns the common options into those
/// of a new run. `epochs` > 0 replaces the number in `directory`.
RunResult train_member(const fs::path& directory, const std::string& name,
                       const std::function<void(RunOptions&)>& change,
                       const RunEnvironment& environment, std::int64_t epochs,
                       Continuation continuation) {
  const fs::path run = directory / name;
  RunOptions options = load_run_options(directory);
  if (epochs > 0) options.train.epochs = epochs;
  const std::int64_t wanted = options.train.epochs;
  if (!fs::exists(run)) {
    change(options);
    create_run(run, options, environment);
  }
  log::info("{}", name);
  const bool extended = load_run_options(run).train.epochs != wanted;
  return continue_run(run, environment, extended ? wanted : 0, continuation);
}

/// Returns how the options of each run differ from the common ones.
std::vector<std::function<void(RunOptions&)>> changes_of(const Several& several) {
  std::vector<std::function<void(RunOptions&)>> changes;
  for (const std::int64_t seed : several.seeds) {
    changes.emplace_back([seed](RunOptions& options) { options.seed = seed; });
  }
  for (const std::vector<std::int64_t>& speakers : several.speakers) {
    changes.emplace_back([&speakers](RunOptions& options) { hold_out(options, speakers); });
  }
  return changes;
}

/// Returns number, mean and sample standard deviation of a value over runs; runs without it are
/// null among the values.
io::Json over_runs(const std::vector<io::Json>& summaries, const std::string& pointer) {
  const io::Json::json_pointer member(pointer);
  io::Json values = io::Json::array();
  std::vector<double> present;
  for (const io::Json& summary : summaries) {
    values.push_back(summary.contains(member) ? summary.at(member) : io::Json());
    if (values.back().is_number()) present.push_back(values.back().get<double>());
  }
  const auto count = static_cast<double>(present.size());
  double mean = 0;
  for (const double value : present) mean += value / count;
  double square = 0;
  for (const double value : present) square += (value - mean) * (value - mean);
  const double sd = present.size() > 1 ? std::sqrt(square / (count - 1)) : 0;
  return {{"n", present.size()}, {"mean", mean}, {"sd", sd}, {"values", std::move(values)}};
}

}  // namespace

std::vector<std::int64_t> consecutive_seeds(std::int64_t first, std::int64_t count) {
  require(first <= std::numeric_limits<std::int64_t>::max() - count, ErrorKind::usage,
          "--seeds: found {} from seed {} on, expected seeds of 64 bits", count, first);
  std::vector<std::int64_t> seeds(static_cast<std::size_t>(count));
  std::iota(seeds.begin(), seeds.end(), first);
  return seeds;
}

std::vector<std::vector<std::int64_t>> parse_speakers(std::string_view text) {
  std::vector<std::vector<std::int64_t>> lists;
  std::vector<std::int64_t> speakers;
  const char* const end = text.data() + text.size();
  for (const char* next = text.data(); next <= end; ++next) {
    if (next != end && *next == ' ') continue;
    std::int64_t speaker = 0;
    const auto [rest, error] = std::from_chars(next, end, speaker);
    next = rest;
    require(error == std::errc() && speaker >= 0 && (next == end || *next == ',' || *next == ';'),
            ErrorKind::usage,
            "--rotate-speakers: found '{}', expected lists of speakers such as '3,9; 0,7'", text);
    speakers.push_back(speaker);
    if (next == end || *next == ';') lists.push_back(std::exchange(speakers, {}));
  }
  return lists;
}

void hold_out(RunOptions& options, const std::vector<std::int64_t>& speakers) {
  options::Description description;
  options.describe(description);
  const options::Field* held_out = description.find_if("task.validation_speakers");
  require(held_out != nullptr, ErrorKind::usage,
          "--rotate-speakers: task '{}' has no option task.validation_speakers",
          options.experiment->task_name());
  held_out->set_text(fmt::format("{}", fmt::join(speakers, ",")));
  description.find("task.validation").set_text("speakers");
  options.train.evaluate_test = false;
}

std::vector<std::string> names_of(const Several& several) {
  std::vector<std::string> names;
  for (const std::int64_t seed : several.seeds) names.push_back(fmt::format("seed-{}", seed));
  for (const std::vector<std::int64_t>& speakers : several.speakers) {
    names.push_back(fmt::format("speakers-{}", fmt::join(speakers, "-")));
  }
  return names;
}

void write_several(const fs::path& directory, const Several& several) {
  if (!several.seeds.empty()) {
    io::write_file(directory / kSeedsFile, io::Json{{"seeds", several.seeds}}.dump() + "\n");
  }
  if (!several.speakers.empty()) {
    io::write_file(directory / kSpeakersFile,
                   io::Json{{"speakers", several.speakers}}.dump() + "\n");
  }
}

std::optional<Several> load_several(const fs::path& directory) {
  const auto read = [&]<typename T>(const char* file, const char* key, T& target) {
    const fs::path path = directory / file;
    if (!fs::exists(path)) return;
    target = io::member<T>(io::read_json(path, ErrorKind::checkpoint), key, path.string(),
                           ErrorKind::checkpoint);
  };
  Several several;
  read(kSeedsFile, "seeds", several.seeds);
  read(kSpeakersFile, "speakers", several.speakers);
  if (!several.any()) return std::nullopt;
  return several;
}

RunResult train_several(const fs::path& directory, const RunEnvironment& environment,
                        const Several& several, const RunReport& report, std::int64_t epochs,
                        Continuation continuation) {
  const std::vector<std::string> names = names_of(several);
  const auto changes = changes_of(several);
  std::vector<io::Json> summaries;
  const auto start = std::chrono::steady_clock::now();
  RunEnvironment remaining = environment;
  for (std::size_t i = 0; i < names.size(); ++i) {
    if (environment.limits.seconds > 0) {
      const std::chrono::duration<double> spent = std::chrono::steady_clock::now() - start;
      // Above 0, which would mean no limit; then the next run stops at its first step.
      remaining.limits.seconds = std::max(1e-9, environment.limits.seconds - spent.count());
    }
    RunResult result =
        train_member(directory, names[i], changes[i], remaining, epochs, continuation);
    report(directory / names[i], result);
    // The first run accepted the number; from now on it holds for all.
    if (epochs > 0) record_epochs(directory, std::exchange(epochs, 0), continuation);
    if (result.summary.is_null()) return result;
    summaries.push_back(std::move(result.summary));
  }
  RunResult all{End::finished, summarise_runs(summaries)};
  if (!several.speakers.empty()) all.summary["speakers"] = several.speakers;
  io::replace_file(directory / "summary.json", all.summary.dump(2) + "\n");
  return all;
}

io::Json summarise_runs(const std::vector<io::Json>& summaries) {
  io::Json result = {{"seeds", io::Json::array()}};
  for (const io::Json& summary : summaries) result["seeds"].push_back(summary.at("seed"));
  for (const char* split : {"train", "validation", "test"}) {
    for (const io::Json& summary : summaries) {
      if (!summary.contains(split)) continue;
      for (const auto& [metric, value] : summary.at(split).items()) {
        if (metric == "samples" || (result.contains(split) && result[split].contains(metric))) {
          continue;
        }
        result[split][metric] = over_runs(summaries, fmt::format("/{}/{}", split, metric));
      }
    }
  }
  result["wall_s"] = over_runs(summaries, "/wall_s");
  for (const char* key : {"task", "neuron", "parameters", "version"}) {
    result[key] = summaries.front().at(key);
  }
  return result;
}

}  // namespace afterspike::train
