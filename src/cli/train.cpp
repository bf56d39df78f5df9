#include <csignal>
#include <filesystem>
#include <optional>

#include <fmt/format.h>

#include "afterspike/base/log.hpp"
#include "afterspike/experiment/run_directory.hpp"
#include "afterspike/train/resume.hpp"
#include "afterspike/train/several.hpp"
#include "command.hpp"
#include "environment.hpp"
#include "ranks.hpp"
#include "train_options.hpp"
#include "train_report.hpp"

namespace afterspike::cli {
namespace {

namespace fs = std::filesystem;

constexpr std::int64_t kMaxSeeds = 10'000;

/// Prints the result as JSON if asked for, and returns the exit status.
int conclude(const fs::path& run, const train::RunResult& result, bool json) {
  const io::Json stopped = {{"finished", false}, {"run", run.string()}};
  if (json) fmt::print("{}\n", (result.summary.is_null() ? stopped : result.summary).dump());
  if (result.end != train::End::interrupted) return 0;
  // The signal may have reached another process.
  return 128 + (interruption() != 0 ? interruption() : SIGTERM);
}

/// Trains or resumes a run, or several of them.
int train_runs(const fs::path& run, const train::RunEnvironment& environment,
               const std::optional<train::Several>& several, bool json, std::int64_t epochs = 0,
               train::Continuation continuation = train::Continuation::stretch) {
  const auto report = [&](const fs::path& path, const train::RunResult& result) {
    report_run(path, result, environment);
  };
  train::RunResult result;
  if (several) {
    result = train::train_several(run, environment, *several, report, epochs, continuation);
    if (result.summary.is_null()) {
      log::info("to go on with all of them: {}", resume_command(run, environment));
    } else {
      report_several(result.summary);
    }
  } else {
    result = train::continue_run(run, environment, epochs, continuation);
    report(run, result);
  }
  return conclude(run, result, json);
}

int resume(const Arguments& arguments, const train::RunEnvironment& environment) {
  const fs::path named = arguments.text("resume");
  const std::int64_t epochs = arguments.has("epochs") ? arguments.integer("epochs", 1) : 0;
  require(fs::is_directory(named), ErrorKind::checkpoint, "--resume: there is no run '{}'",
          named.string());
  const fs::path run = experiment::resolve_run(named);
  const train::Continuation continuation = train::choose_continuation(
      run, epochs, arguments.has("schedule") ? arguments.text("schedule") : "");
  return train_runs(run, environment, train::load_several(run), arguments.has("json"), epochs,
                    continuation);
}

/// Returns the runs that --seeds or --rotate-speakers ask for; nullopt for a single run.
std::optional<train::Several> several_of(const Arguments& arguments, std::int64_t seed) {
  train::Several several;
  if (arguments.has("seeds")) {
    several.seeds = train::consecutive_seeds(seed, arguments.integer("seeds", 1, kMaxSeeds));
  }
  if (arguments.has("rotate-speakers")) {
    several.speakers = train::parse_speakers(arguments.text("rotate-speakers"));
  }
  require(
      several.seeds.empty() || several.speakers.empty(), ErrorKind::usage,
      "--rotate-speakers: --seeds cannot be given too; train each seed by a command of its own");
  if (!several.any()) return std::nullopt;
  return several;
}

int start(const Arguments& arguments, const train::RunEnvironment& environment,
          train::RunOptions& options) {
  require(arguments.has("out") && !arguments.text("out").empty(), ErrorKind::usage,
          "train: expected --out RUN, the directory to make");
  const fs::path out = arguments.text("out");
  const std::optional<train::Several> several = several_of(arguments, options.seed);
  for (const auto& speakers : several ? several->speakers : decltype(several->speakers)()) {
    train::RunOptions tried = new_options(arguments);  // Refuse a task without speakers now.
    train::hold_out(tried, speakers);
  }
  train::create_run(out, options, environment, several.value_or(train::Several()));
  try {
    return train_runs(out, environment, several, arguments.has("json"));
  } catch (const Error& error) {
    if (error.kind() != ErrorKind::numeric) train::remove_unless_begun(out);
    throw;
  } catch (...) {
    train::remove_unless_begun(out);
    throw;
  }
}

int train_on(const Arguments& arguments, std::span<const std::string> words, train::Ranks& ranks) {
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
  if (ranks.rank() > 0) return conclude({}, {train::follow_runs(environment), {}}, false);
  const int status =
      options ? start(arguments, environment, *options) : resume(arguments, environment);
  train::end_runs(ranks);
  return status;
}

int run_train(std::span<const std::string> words) {
  Arguments arguments = train_arguments();
  if (!arguments.parse(words)) return 0;
  if (arguments.has("dump-config") && !arguments.has("resume")) {
    print_options(arguments);
    return 0;
  }
  return work_together(arguments,
                       [&](train::Ranks& ranks) { return train_on(arguments, words, ranks); });
}

}  // namespace

CommandEntry entry_train() {
  return {"train", "train a network on a task", run_train};
}

}  // namespace afterspike::cli
