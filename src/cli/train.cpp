#include <unistd.h>

#include <algorithm>
#include <charconv>
#include <chrono>
#include <csignal>
#include <cstdio>
#include <filesystem>
#include <functional>
#include <limits>
#include <numeric>
#include <optional>
#include <utility>

#include <fmt/format.h>

#include "afterspike/base/log.hpp"
#include "afterspike/base/registry.hpp"
#include "afterspike/base/text.hpp"
#include "afterspike/base/units.hpp"
#include "afterspike/experiment/run_directory.hpp"
#include "afterspike/io/atomic.hpp"
#include "afterspike/io/toml.hpp"
#include "afterspike/train/run.hpp"
#include "command.hpp"
#include "environment.hpp"
#include "ranks.hpp"

namespace afterspike::cli {
namespace {

namespace fs = std::filesystem;

constexpr std::int64_t kMostSeeds = 10'000;

/// A common flag and the option that it sets.
struct PlainFlag {
  const char* flag;
  const char* shown;
  const char* path;
  const char* besides = "";
};

constexpr PlainFlag kPlainFlags[] = {
    {"epochs", "N", "train.epochs"},
    {"seed", "N", "seed"},
    {"batch-size", "N", "train.batch_size"},
    {"learning-rate", "X", "train.learning_rate"},
    {"optimizer", "NAME", "train.optimizer"},
    {"hidden", "N", "network.hidden", ", in place of a file's match_params"},
    {"layers", "N", "network.layers"},
    {"match-params", "N", "network.match_params"},
    {"delay", "D", "neuron.delay"},
    {"variant", "NAME", "neuron.variant"},
    {"init", "NAME", "neuron.initial"},
    {"inherit", "RUN", "inherit"},
    {"data", "FILE", "task.data"},
    {"read", "STEPS", "task.read"},
    {"precision", "NAME", "train.precision"},
};

Arguments train_arguments() {
  Arguments arguments("train", "Trains a network on a task.",
                      "(--task T --neuron N | --config FILE) --out RUN [--epochs N ...]\n"
                      "  afterspike train --resume RUN [--epochs N]");
  arguments.value("config", "FILE", "Experiment file (TOML). Flags override it.")
      .value("task", "T", "Task; afterspike list tasks prints the names.")
      .value("neuron", "N", "Neuron model; afterspike list neurons prints the names.")
      .value("out", "RUN", "Directory of the run; must not exist.")
      .value("resume", "RUN",
             "Continue a stopped or killed run (or its latest checkpoint), or train more --epochs.")
      .value("seeds", "N", "Train N networks with seeds from --seed on, and print mean and sd.")
      .value("rotate-speakers", "LISTS",
             "Train a network for each list of speakers held out for validation, such as "
             "'3,9; 0,7', without the test split, and print mean and sd of the validation.")
      .value("schedule", "HOW",
             "With --resume and --epochs after the end of a one_cycle schedule: restart (a new "
             "cycle) or hold (the last learning rate).")
      .value("time-limit", "T", "Stop and save after this long, such as 50min.")
      .value("memory-limit", "SIZE",
             "Limit of the process's memory, such as 2GiB; parts of the forward pass are then "
             "recomputed. The result does not depend on it.")
      .value("max-steps", "N", "Stop and save after this many steps in all.")
      .value("checkpoint-interval", "T", "Save at least this often, between epochs too.", "60 s")
      .values("set", "PATH=VALUE", "Set any option, such as train.weight_decay=0.01; repeatable.")
      .flag("dump-config", "Print the resolved configuration and stop.")
      .flag("quiet", "Print no progress.")
      .flag("json", "Print the summary (or what --dump-config prints) as one JSON object, last.");
  add_ranks(add_data_directory(add_device(add_threads(arguments))));
  for (const PlainFlag& flag : kPlainFlags) {
    arguments.value(flag.flag, flag.shown, fmt::format("Sets {}{}.", flag.path, flag.besides));
  }
  return arguments;
}

std::string chosen_name(const Arguments& arguments, const char* flag) {
  const std::string given = arguments.has(flag) ? arguments.text(flag) : "";
  std::string name;
  if (arguments.has("config")) {
    const fs::path path = arguments.text("config");
    require(fs::exists(path), ErrorKind::config, "--config: found '{}', expected a file",
            path.string());
    name = io::peek_text(path, flag, "name");
    // Checked before its options are read, because another model's options do not exist here.
    require(name.empty() || given.empty() || name == given, ErrorKind::config,
            "--{}: found '{}', expected '{}', which '{}' is for", flag, given, name, path.string());
  }
  if (!given.empty()) return given;
  require(
      !name.empty(), ErrorKind::usage,
      "train: no {0} was named; expected --{0} NAME, or [{0}] name = \"NAME\" in --config FILE; "
      "see afterspike list {0}s",
      flag);
  return name;
}

void apply_settings(const Arguments& arguments, const options::Description& description) {
  const options::Field& match_params = description.find("network.match_params");
  // A size on the command line replaces either form of size in a file.
  if (arguments.has("hidden")) match_params.set_text("0");
  for (const PlainFlag& flag : kPlainFlags) {
    if (!arguments.has(flag.flag)) continue;
    const options::Field* field = description.find_if(flag.path);
    require(field != nullptr, ErrorKind::usage,
            "--{}: the chosen task and neuron have no option {}", flag.flag, flag.path);
    field->set_text(arguments.text(flag.flag));
  }
  for (const std::string& setting : arguments.list("set")) {
    const auto equals = setting.find('=');
    require(equals != std::string::npos, ErrorKind::usage, "--set {}: expected PATH=VALUE",
            setting);
    description.find(setting.substr(0, equals)).set_text(setting.substr(equals + 1));
  }
  const std::string matched = options::text(match_params.value());
  require(!arguments.has("hidden") || matched == "0", ErrorKind::usage,
          "--hidden: found network.match_params {} on the command line too, expected one of them",
          matched);
}

/// Makes a recorded path independent of the working directory.
void make_absolute(const options::Description& description, const char* option) {
  const options::Field* field = description.find_if(option);
  if (field == nullptr) return;
  const std::string path = options::text(field->value());
  if (!path.empty()) field->set_text(fs::absolute(path).lexically_normal().string());
}

train::RunOptions new_options(const Arguments& arguments) {
  train::RunOptions options;
  options.seed = 1;
  const std::string task = chosen_name(arguments, "task");
  options.experiment =
      std::make_unique<experiment::Experiment>(task, chosen_name(arguments, "neuron"));
  options::Description description;
  options.describe(description);
  if (arguments.has("config")) io::read_options(arguments.text("config"), description);
  apply_settings(arguments, description);
  make_absolute(description, "task.data");
  make_absolute(description, "inherit");
  make_absolute(description, "train.start_from");
  return options;
}

/// Holds these speakers out for validation, and leaves the test split alone.
void hold_out(train::RunOptions& options, const std::vector<std::int64_t>& speakers) {
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

/// Parses "2GiB", "500 MiB", "1500000000 B".
std::size_t parse_bytes(std::string_view text, std::string_view what) {
  constexpr std::pair<std::string_view, double> kUnits[] = {
      {"GiB", 1 << 30}, {"MiB", 1 << 20}, {"KiB", 1 << 10}, {"GB", 1e9},
      {"MB", 1e6},      {"kB", 1e3},      {"B", 1}};
  double number = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  std::string_view unit = text.substr(static_cast<std::size_t>(end - text.data()));
  while (unit.starts_with(' ')) unit.remove_prefix(1);
  for (const auto& [name, factor] : kUnits) {
    if (error == std::errc() && unit == name && number * factor >= 1 && number * factor < 1e18) {
      return static_cast<std::size_t>(number * factor);
    }
  }
  fail(ErrorKind::config, "{}: found '{}', expected a size such as 2GiB or 500MiB", what, text);
}

train::RunEnvironment environment_of(const Arguments& arguments, std::span<const std::string> words,
                                     train::Ranks& ranks) {
  train::RunEnvironment environment;
  environment.data_directory = data_directory(arguments);
  environment.threads = threads(arguments, ranks.on_this_host());
  environment.device = device(arguments);
  environment.ranks = &ranks;
  environment.quiet = arguments.has("quiet");
  environment.terminal = isatty(STDERR_FILENO) == 1;
  std::vector<std::string> command = {"afterspike", "train"};
  command.insert(command.end(), words.begin(), words.end());
  environment.command = shell_command(command);
  require(is_utf8(environment.command), ErrorKind::usage,
          "train: found '{}', expected UTF-8. The record of a run cannot hold other bytes; choose"
          " another name.",
          printable(environment.command));
  environment.checkpoint_interval_s =
      units::parse(arguments.text("checkpoint-interval"), "s", "--checkpoint-interval");
  require(environment.checkpoint_interval_s > 0, ErrorKind::config,
          "--checkpoint-interval: found '{}', expected more than 0",
          arguments.text("checkpoint-interval"));
  if (arguments.has("time-limit")) {
    environment.limits.seconds = units::parse(arguments.text("time-limit"), "s", "--time-limit");
    require(environment.limits.seconds > 0, ErrorKind::config,
            "--time-limit: found '{}', expected more than 0", arguments.text("time-limit"));
  }
  if (arguments.has("memory-limit")) {
    environment.memory_limit = parse_bytes(arguments.text("memory-limit"), "--memory-limit");
  }
  if (arguments.has("max-steps")) environment.limits.steps = arguments.integer("max-steps", 1);
  environment.limits.interrupted = [] { return interruption() != 0; };
  return environment;
}

/// Refuses flags that --resume does not allow; other settings belong to the run as created.
void require_resume_flags(const Arguments& arguments) {
  for (const char* flag :
       {"config", "task", "neuron", "out", "seeds", "rotate-speakers", "set", "dump-config"}) {
    require(!arguments.has(flag), ErrorKind::usage,
            "--resume: --{} cannot be given too: a run goes on as it was created", flag);
  }
  for (const PlainFlag& flag : kPlainFlags) {
    require(!arguments.has(flag.flag) || std::string_view(flag.flag) == "epochs", ErrorKind::usage,
            "--resume: --{} cannot be given too: a run goes on as it was created", flag.flag);
  }
}

/// "98.62 % (loss 0.0512)"; "loss 0.0194, auc 0.948".
std::string metric_text(const io::Json& split) {
  if (split.contains("accuracy")) {
    return fmt::format("{:.2f} % (loss {:.4f})", 100 * split["accuracy"].get<double>(),
                       split["loss"].get<double>());
  }
  std::string text = fmt::format("loss {:.6g}", split["loss"].get<double>());
  for (const auto& [name, value] : split.items()) {
    if (name == "samples" || name == "loss") continue;
    text += fmt::format(", {} {:.4g}", name, value.get<double>());
  }
  return text;
}

/// Returns the command that continues a run from the current directory.
std::string resume_command(const fs::path& run, const train::RunEnvironment& environment) {
  std::vector<std::string> words = {"afterspike", "train", "--resume", run.string()};
  if (environment.data_directory != usual_data_directory()) {
    words.insert(words.end(), {"--data-dir", environment.data_directory.string()});
  }
  return shell_command(words);
}

void report_run(const fs::path& run, const train::RunResult& result,
                const train::RunEnvironment& environment) {
  if (result.summary.is_null()) {
    log::info("stopped and saved; to go on: {}", resume_command(run, environment));
    return;
  }
  log::info(
      "{}, {} parameters, seed {}, epoch {} selected:", result.summary["neuron"].get<std::string>(),
      result.summary["parameters"].get<int>(), result.summary["seed"].get<std::int64_t>(),
      result.summary["selected_epoch"].get<std::int64_t>());
  for (const char* split : {"train", "validation", "test"}) {
    if (!result.summary.contains(split)) continue;
    const bool same =
        std::string_view(split) == "test" && result.summary.contains("test_is_training_data");
    log::info("  {:10} {}{}", split, metric_text(result.summary[split]),
              same ? "; no test data: these are the training data" : "");
  }
  log::info("{:.0f} s, {:.0f} MiB; everything is in {}", result.summary["wall_s"].get<double>(),
            result.summary["peak_memory_mib"].get<double>(), run.string());
}

/// Returns the --json object of a run to be resumed.
io::Json stop_record(const fs::path& run) {
  return {{"finished", false}, {"run", run.string()}};
}

int status_of(train::End end) {
  if (end != train::End::interrupted) return 0;
  // The signal may have reached another process.
  return 128 + (interruption() != 0 ? interruption() : SIGTERM);
}

/// One of several runs in a directory: its name there, and how its options differ.
struct Member {
  std::string name;
  std::function<void(train::RunOptions&)> change;
};

/// The run of each seed, and of each list of speakers that are held out.
std::vector<Member> members_of(const train::Several& several) {
  std::vector<Member> members;
  for (const std::int64_t seed : several.seeds) {
    members.push_back({fmt::format("seed-{}", seed),
                       [seed](train::RunOptions& options) { options.seed = seed; }});
  }
  for (const std::vector<std::int64_t>& speakers : several.speakers) {
    members.push_back({fmt::format("speakers-{}", fmt::join(speakers, "-")),
                       [speakers](train::RunOptions& options) { hold_out(options, speakers); }});
  }
  return members;
}

/// Trains or resumes one of the runs in `out`; `epochs` > 0 replaces the number in `out`.
train::RunResult train_member(const fs::path& out, const train::RunEnvironment& environment,
                              const Member& member, std::int64_t epochs,
                              train::Continuation continuation) {
  const fs::path run = out / member.name;
  train::RunOptions options = train::load_run_options(out);
  if (epochs > 0) options.train.epochs = epochs;
  const std::int64_t wanted = options.train.epochs;
  if (!fs::exists(run)) {
    member.change(options);
    train::create_run(run, options, environment);
  }
  log::info("{}", member.name);
  const bool extended = train::load_run_options(run).train.epochs != wanted;
  const train::RunResult result =
      train::continue_run(run, environment, extended ? wanted : 0, continuation);
  report_run(run, result, environment);
  return result;
}

/// Writes mean and standard deviation over the runs to summary.json and prints them: of the test
/// split, or of validation if speakers were rotated.
void summarise(const fs::path& out, const std::vector<io::Json>& summaries,
               const train::Several& several, bool json) {
  io::Json summary = train::summarise_seeds(summaries);
  if (!several.speakers.empty()) summary["speakers"] = several.speakers;
  io::replace_file(out / "summary.json", summary.dump(2) + "\n");
  const char* split = summary.contains("test") ? "test" : "validation";
  const char* unit = several.speakers.empty() ? "seed" : "list of speakers";
  const char* units = several.speakers.empty() ? "seeds" : "lists of speakers";
  const io::Json measures = summary.value(split, io::Json::object());
  for (const auto& [metric, over] : measures.items()) {
    const int count = over["n"];
    const double mean = over["mean"];
    log::info("{}", count == 1 ? fmt::format("{} {} of one {}: {:.4f}", split, metric, unit, mean)
                               : fmt::format("{} {} of {} {}: mean {:.4f}, sd {:.4f}", split,
                                             metric, count, units, mean, over["sd"].get<double>()));
  }
  if (json) fmt::print("{}\n", summary.dump());
}

/// Trains or resumes the runs in `out`, one after the other.
int train_several(const fs::path& out, const train::RunEnvironment& environment,
                  const train::Several& several, bool json, std::int64_t epochs = 0,
                  train::Continuation continuation = train::Continuation::stretch) {
  std::vector<io::Json> summaries;
  const auto start = std::chrono::steady_clock::now();
  train::RunEnvironment remaining = environment;
  for (const Member& member : members_of(several)) {
    if (environment.limits.seconds > 0) {
      const std::chrono::duration<double> spent = std::chrono::steady_clock::now() - start;
      // Above 0, which would mean no limit; then the next run stops at its first step.
      remaining.limits.seconds = std::max(1e-9, environment.limits.seconds - spent.count());
    }
    const train::RunResult result = train_member(out, remaining, member, epochs, continuation);
    // The first run accepted the number; from now on it holds for all.
    if (epochs > 0) train::record_epochs(out, std::exchange(epochs, 0), continuation);
    if (result.summary.is_null()) {
      log::info("to go on with all of them: {}", resume_command(out, environment));
      if (json) fmt::print("{}\n", stop_record(out).dump());
      return status_of(result.end);
    }
    summaries.push_back(result.summary);
  }
  summarise(out, summaries, several, json);
  return 0;
}

int train_one(const fs::path& run, const train::RunEnvironment& environment, std::int64_t epochs,
              bool json, train::Continuation continuation = train::Continuation::stretch) {
  const train::RunResult result = train::continue_run(run, environment, epochs, continuation);
  report_run(run, result, environment);
  if (json)
    fmt::print("{}\n", (result.summary.is_null() ? stop_record(run) : result.summary).dump());
  return status_of(result.end);
}

/// Returns whether a run, or one of the runs of several seeds, has ended.
bool has_ended(const fs::path& run) {
  std::error_code ignored;
  for (const auto& entry : fs::directory_iterator(run, ignored)) {
    if (entry.path().filename() == "summary.json" || fs::exists(entry.path() / "summary.json")) {
      return true;
    }
  }
  return false;
}

/// Returns what --schedule asks for. Throws Error(usage) if it is needed and missing.
train::Continuation continuation_of(const Arguments& arguments, const fs::path& run,
                                    std::int64_t epochs) {
  const train::TrainOptions options = train::load_run_options(run).train;
  if (arguments.has("schedule")) {
    const std::string how = arguments.text("schedule");
    require(how == "restart" || how == "hold", ErrorKind::usage,
            "--schedule: found '{}', expected restart or hold", how);
    return how == "restart" ? train::Continuation::restart : train::Continuation::hold;
  }
  const bool over = options.schedule_epochs > 0 &&
                    options.schedule_start + options.schedule_epochs <= options.epochs;
  const bool asks = options.schedule == train::Schedule::one_cycle && epochs > options.epochs &&
                    !over && has_ended(run);
  require(
      !asks, ErrorKind::usage,
      "--epochs: the one_cycle schedule of '{}' has ended after {} epochs. Add --schedule restart"
      " for a new cycle over the next {}, or --schedule hold to keep the last learning rate.",
      run.string(), options.epochs, epochs - options.epochs);
  return train::Continuation::stretch;
}

int resume(const Arguments& arguments, const train::RunEnvironment& environment) {
  const fs::path named = arguments.text("resume");
  const std::int64_t epochs = arguments.has("epochs") ? arguments.integer("epochs", 1) : 0;
  require(fs::is_directory(named), ErrorKind::checkpoint, "--resume: there is no run '{}'",
          named.string());
  const fs::path run = experiment::resolve_run(named);
  const train::Continuation continuation = continuation_of(arguments, run, epochs);
  if (const auto several = train::load_several(run)) {
    return train_several(run, environment, *several, arguments.has("json"), epochs, continuation);
  }
  return train_one(run, environment, epochs, arguments.has("json"), continuation);
}

/// Returns whether anything was trained in a run or in those of several seeds.
bool has_begun(const fs::path& out) {
  std::error_code ignored;
  for (const auto& entry : fs::recursive_directory_iterator(out, ignored)) {
    if (entry.path().filename() == "metrics.jsonl" || entry.path().filename() == "checkpoints") {
      return true;
    }
  }
  return false;
}

/// Removes a directory without any training, so that the corrected command can use the name.
void remove_unless_begun(const fs::path& out) {
  std::error_code ignored;
  if (!has_begun(out)) fs::remove_all(out, ignored);
}

/// Trains the new run, or runs of several seeds.
int train_new(const fs::path& out, const Arguments& arguments,
              const train::RunEnvironment& environment, std::int64_t seed,
              const train::Several& several) {
  const bool json = arguments.has("json");
  try {
    if (several.any()) return train_several(out, environment, several, json);
    log::info("seed {}", seed);
    return train_one(out, environment, 0, json);
  } catch (const Error& error) {
    if (error.kind() != ErrorKind::numeric) remove_unless_begun(out);
    throw;
  } catch (...) {
    remove_unless_begun(out);
    throw;
  }
}

/// Returns the seeds of --seeds, from `first` on; empty if it was not given.
std::vector<std::int64_t> seeds_of(const Arguments& arguments, std::int64_t first) {
  if (!arguments.has("seeds")) return {};
  const std::int64_t count = arguments.integer("seeds", 1, kMostSeeds);
  require(first <= std::numeric_limits<std::int64_t>::max() - count, ErrorKind::usage,
          "--seeds: found {} from seed {} on, expected seeds of 64 bits", count, first);
  std::vector<std::int64_t> seeds(static_cast<std::size_t>(count));
  std::iota(seeds.begin(), seeds.end(), first);
  return seeds;
}

/// The lists of speakers that --rotate-speakers names: "3,9; 0,7".
std::vector<std::vector<std::int64_t>> speakers_of(const Arguments& arguments) {
  std::vector<std::vector<std::int64_t>> lists;
  if (!arguments.has("rotate-speakers")) return lists;
  const std::string text = arguments.text("rotate-speakers");
  std::vector<std::int64_t> speakers;
  for (const char *at = text.data(), *end = at + text.size(); at <= end; ++at) {
    if (at != end && *at == ' ') continue;
    std::int64_t speaker = 0;
    const auto [rest, error] = std::from_chars(at, end, speaker);
    at = rest;
    require(error == std::errc() && speaker >= 0 && (at == end || *at == ',' || *at == ';'),
            ErrorKind::usage,
            "--rotate-speakers: found '{}', expected lists of speakers such as '3,9; 0,7'", text);
    speakers.push_back(speaker);
    if (at == end || *at == ';') lists.push_back(std::exchange(speakers, {}));
  }
  return lists;
}

/// The runs that --seeds or --rotate-speakers ask for.
train::Several several_of(const Arguments& arguments, const train::RunOptions& options) {
  const train::Several several{seeds_of(arguments, options.seed), speakers_of(arguments)};
  require(
      several.seeds.empty() || several.speakers.empty(), ErrorKind::usage,
      "--rotate-speakers: --seeds cannot be given too; train each seed by a command of its own");
  return several;
}

int dump_configuration(const Arguments& arguments) {
  train::RunOptions options = new_options(arguments);
  options::Description description;
  options.describe(description);
  fmt::print("{}", arguments.has("json") ? experiment::to_configuration(description).dump() + "\n"
                                         : io::write_options(description, /*with_help=*/true));
  return 0;
}

int start(const Arguments& arguments, const train::RunEnvironment& environment,
          train::RunOptions& options) {
  require(arguments.has("out") && !arguments.text("out").empty(), ErrorKind::usage,
          "train: expected --out RUN, the directory to make");
  const fs::path out = arguments.text("out");
  const train::Several several = several_of(arguments, options);
  for (const auto& speakers : several.speakers) {
    train::RunOptions tried = new_options(arguments);  // Refuse a task without speakers now.
    hold_out(tried, speakers);
  }
  train::create_run(out, options, environment, several);
  return train_new(out, arguments, environment, options.seed, several);
}

/// Returns every option of the chosen task and neuron with its default; GLIFR on line MNIST if none
/// is chosen.
std::string options_help(const Arguments& arguments) {
  const std::string task = arguments.has("task") ? arguments.text("task") : "line_mnist";
  const std::string neuron = arguments.has("neuron") ? arguments.text("neuron") : "glifr";
  train::RunOptions options;
  options.seed = 1;
  options.experiment = std::make_unique<experiment::Experiment>(task, neuron);
  options::Description description;
  options.describe(description);
  std::string help = fmt::format(
      "\nOptions of task {} with neuron {} (others: --task T --neuron N --help), for --set and "
      "files:\n",
      task, neuron);
  for (const options::Field& field : description.fields()) {
    if (field.path().ends_with(".name")) continue;
    help += fmt::format("  {} = {}\n      {} [{}]\n", field.path(), options::text(field.value()),
                        field.help(), field.type());
  }
  return help;
}

int train_together(const Arguments& arguments, std::span<const std::string> words,
                   train::Ranks& ranks) {
  const train::RunEnvironment environment = environment_of(arguments, words, ranks);
  catch_interruptions();
  std::optional<train::RunOptions> options;
  require(!arguments.has("schedule") || (arguments.has("resume") && arguments.has("epochs")),
          ErrorKind::usage,
          "--schedule: expected --resume and --epochs; a new run takes --set train.schedule=NAME");
  if (arguments.has("resume")) {
    require_resume_flags(arguments);
  } else {
    options = new_options(arguments);
  }
  train::require_same(ranks, facts(arguments, options ? &*options : nullptr));
  if (ranks.rank() > 0) return status_of(train::follow_runs(environment));
  const int status =
      options ? start(arguments, environment, *options) : resume(arguments, environment);
  train::end_runs(ranks);
  return status;
}

int run_train(std::span<const std::string> words) {
  Arguments arguments = train_arguments();
  arguments.epilogue([&] { return options_help(arguments); });
  if (!arguments.parse(words)) return 0;
  if (arguments.has("dump-config") && !arguments.has("resume"))
    return dump_configuration(arguments);
  return work_together(
      arguments, [&](train::Ranks& ranks) { return train_together(arguments, words, ranks); });
}

}  // namespace

CommandEntry entry_train() {
  return {"train", "train a network on a task", run_train};
}

}  // namespace afterspike::cli
