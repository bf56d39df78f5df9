#include "afterspike/train/run.hpp"

#include <sys/resource.h>

#include <algorithm>
#include <cmath>
#include <initializer_list>
#include <utility>
#include <vector>

#include <fmt/format.h>

#include "afterspike/base/blas.hpp"
#include "afterspike/base/log.hpp"
#include "afterspike/base/text.hpp"
#include "afterspike/experiment/run_directory.hpp"
#include "afterspike/io/atomic.hpp"
#include "afterspike/io/lock.hpp"
#include "afterspike/io/toml.hpp"
#include "afterspike/kernels/instructions.hpp"
#include "afterspike/train/observers.hpp"
#include "afterspike/train/precision.hpp"
#include "collective.hpp"
#include "session.hpp"
#include "several_files.hpp"

namespace afterspike::train {
namespace {

namespace fs = std::filesystem;

/// Version of run.json.
constexpr std::int64_t kRunFormat = 1;

double peak_memory_mib() {
  rusage usage{};
  getrusage(RUSAGE_SELF, &usage);
  return static_cast<double>(usage.ru_maxrss) / 1024;
}

void set_epochs(RunOptions& options, std::int64_t epochs, Continuation continuation) {
  TrainOptions& own = options.train;
  if (epochs > own.epochs && continuation == Continuation::hold && own.schedule_epochs == 0) {
    own.schedule_epochs = own.epochs - own.schedule_start;
  }
  if (epochs > own.epochs && continuation == Continuation::restart) {
    own.schedule_start = own.epochs;
    own.schedule_epochs = 0;
  }
  options::Description description;
  options.describe(description);
  description.find("train.epochs").set(epochs);
}

io::Json split_summary(const tasks::Task& task, const tasks::Tally& tally) {
  const auto samples = static_cast<double>(tally.samples);
  io::Json json = {{"samples", tally.samples}, {"loss", tally.loss / samples}};
  for (const tasks::Measure& measure : task.measures(tally)) {
    json[std::string(measure.name)] = measure.value;
  }
  return json;
}

/// Throws Error(checkpoint) unless `summary` has what finish() writes.
void check_summary(const io::Json& summary, const std::string& where) {
  const auto check = [&]<typename T>(std::initializer_list<const char*> keys, T) {
    for (const char* key : keys) io::member<T>(summary, key, where, ErrorKind::checkpoint);
  };
  check({"task", "neuron", "version"}, std::string());
  check({"parameters", "seed", "epochs", "selected_epoch"}, std::int64_t());
  check({"wall_s", "cpu_s", "peak_memory_mib"}, double());
  check({"configuration"}, io::Json());
  for (const tasks::Split split : tasks::kSplits) {
    const auto found = summary.find(tasks::split_name(split));
    if (found == summary.end()) continue;
    const std::string place = fmt::format("{}: '{}'", where, tasks::split_name(split));
    io::member<double>(*found, "loss", place, ErrorKind::checkpoint);
    for (const auto& [name, value] : found->items()) {
      io::member<double>(*found, name, place, ErrorKind::checkpoint);
    }
  }
}

/// Reads the summary written by finish(); nullopt if there is none. A damaged one can be written
/// again.
std::optional<io::Json> read_summary(const fs::path& path) {
  if (!fs::exists(path)) return std::nullopt;
  try {
    io::Json summary = io::read_json(path, ErrorKind::checkpoint);
    check_summary(summary, path.string());
    return summary;
  } catch (const Error& error) {
    log::warning("{}; the summary is left aside", error.what());
  }
  return std::nullopt;
}

/// Refuses links where the run writes below: a run from somebody else must not have other files
/// written or removed. Links in place of files are replaced.
void require_own_folders(const fs::path& directory) {
  std::error_code ignored;
  const fs::path folder = directory / "checkpoints";
  require(!fs::is_symlink(folder, ignored), ErrorKind::checkpoint,
          "{}: found a link, expected a directory. Replace it by what it names, or link the whole "
          "run.",
          folder.string());
}

/// Evaluates the network on each split, by all ranks together; returns an object by split.
io::Json evaluate_splits(Session& session, const nn::Network& network,
                         const nn::NetworkPass& pass) {
  share_parameters(session.ranks, network);
  io::Json summary = io::Json::object();
  for (const tasks::Split split : tasks::kSplits) {
    if (split == tasks::Split::test && !session.options.train.evaluate_test) continue;
    const auto data = session.task->split(split);
    if (data == nullptr) continue;
    const tasks::Tally tally =
        evaluate_collectively(session.ranks, network, *session.task, *data, pass, session.pool);
    summary[std::string(tasks::split_name(split))] = split_summary(*session.task, tally);
  }
  return summary;
}

bool has_ended(End end) {
  return end == End::finished || end == End::patience;
}

/// Evaluates the selected checkpoint on all splits and writes summary.json.
io::Json finish(const fs::path& directory, Session& session, End end,
                const RunEnvironment& environment) {
  const experiment::Trained selected = experiment::load(directory);
  selected.network->to(environment.device);
  const Progress chosen = Progress::from_json(selected.content.progress);
  const Progress& progress = session.trainer.progress();
  io::Json summary = {{"task", session.options.experiment->task_name()},
                      {"neuron", session.options.experiment->neuron_name()},
                      {"parameters", selected.network->trainable_parameters()},
                      {"seed", session.options.seed},
                      {"epochs", progress.epoch},
                      {"stopped_early", end == End::patience},
                      {"selected_epoch", chosen.epoch}};
  summary.update(evaluate_splits(session, *selected.network, selected.pass));
  const auto fingerprint = [&](tasks::Split split) {
    return selected.content.configuration.value(experiment::fingerprint_key(split), io::Json());
  };
  const io::Json of_test = fingerprint(tasks::Split::test);
  if (!of_test.is_null() && of_test == fingerprint(tasks::Split::train)) {
    summary["test_is_training_data"] = true;
  }
  summary["wall_s"] = progress.wall_s;
  summary["cpu_s"] = progress.cpu_s;
  summary["peak_memory_mib"] = peak_memory_mib();
  summary["threads"] = environment.threads;
  summary["device"] = environment.device.str();
  summary["processes"] = session.ranks.size();
  summary["instructions"] = kernels::instructions();
  summary["openblas"] = openblas_core();
  summary["version"] = AFTERSPIKE_VERSION;
  summary["configuration"] = configuration_of(session.options);
  io::replace_file(directory / "summary.json", summary.dump(2) + "\n");
  return summary;
}

/// Returns the options in a configuration; `where` names its origin in messages.
RunOptions options_of(const io::Json& configuration, const std::string& where) {
  const auto name = [&](std::string_view key) {
    return io::member<std::string>(configuration, key, where, ErrorKind::checkpoint);
  };
  RunOptions options;
  options.experiment =
      std::make_unique<experiment::Experiment>(name("task.name"), name("neuron.name"));
  options::Description description;
  options.describe(description);
  for (const auto& [option, value] : configuration.items()) {
    require(description.find_if(option) != nullptr, ErrorKind::checkpoint,
            "{}: no option called '{}'; the run was made by another version of afterspike", where,
            option);
  }
  experiment::from_configuration(configuration, description);
  return options;
}

/// Returns the checkpoint of the epoch that `latest` records as the best; nullopt if it records
/// none.
std::optional<fs::path> find_best(const std::vector<fs::path>& all, const fs::path& latest) {
  const auto progress_of = [](const fs::path& path) {
    return Progress::from_json(experiment::read_checkpoint(path, experiment::Part::model).progress);
  };
  const std::int64_t epoch = progress_of(latest).best_epoch;
  if (epoch == 0) return std::nullopt;
  for (const fs::path& path : all) {
    const Progress progress = progress_of(path);
    if (progress.epoch == epoch && progress.step_in_epoch == 0) return path;
  }
  fail(ErrorKind::checkpoint,
       "{}: it remembers epoch {} as the best, but there is neither a file 'best' nor a checkpoint "
       "of that epoch; expected one of them",
       latest.string(), epoch);
}

/// Contents of `latest` and `best` of a run.
struct Names {
  std::optional<fs::path> latest, best;
};

/// Returns the names of a run; without `latest`, as after a crash during the first save or if the
/// file was lost, the correct ones.
Names names_of(const experiment::RunDirectory& run) {
  Names names{run.latest(), run.best()};
  const std::vector<fs::path> all = run.checkpoints();
  if (names.latest || all.empty()) return names;
  names.latest = all.back();
  if (!names.best) names.best = find_best(all, *names.latest);
  return names;
}

/// Writes missing names.
void write_names(const experiment::RunDirectory& run, const Names& names) {
  if (run.latest() || !names.latest) return;
  log::warning("{}: there is no 'latest'; going on from the newest checkpoint, {}",
               run.path().string(), names.latest->filename().string());
  if (names.best) run.set_best(*names.best);
  run.set_latest(*names.latest);
}

/// Trains, and adds to an error what is left of the run.
End train(Session& session, const std::vector<Observer*>& observers, const Limits& limits,
          const experiment::RunDirectory& run) {
  try {
    return session.trainer.run(observers, limits);
  } catch (const Error& error) {
    if (error.kind() != ErrorKind::numeric && error.kind() != ErrorKind::lost) throw;
    const auto good = run.latest();
    fail(error.kind(), "{}; the last good checkpoint is {}", error.what(),
         good ? good->string() : "none: it happened before the first was saved");
  }
}

}  // namespace

void RunOptions::describe(options::Description& description) {
  options::Section top(description, "");
  top.add("seed", seed, "Seed of everything random.").at_least(0);
  top.add("inherit", inherit, "Run from which initial values are resampled.");
  experiment->describe(description);
  train.describe(options::Section(description, "train"));
}

void create_run(const fs::path& directory, RunOptions& options, const RunEnvironment& environment,
                const Several& several) {
  require(!fs::exists(directory), ErrorKind::usage, "'{}' exists already{}", directory.string(),
          fs::exists(directory / "run.json") ? fmt::format("; to go on with that run: --resume {}",
                                                           shell_quoted(directory.string()))
                                             : " and is no run; expected a new name");
  options.train.validate();
  if (!options.train.precision) {  // It decides the result, so a run records the choice.
    const auto task = options.experiment->make_task({environment.data_directory});
    const auto network = options.experiment->make_network(*task);
    network->to(environment.device);
    options.train.precision = measured_precision(*network, *task, options.train);
  }
  options::Description description;
  options.describe(description);
  const io::Json record = {{"format", kRunFormat},
                           {"version", AFTERSPIKE_VERSION},
                           {"command", environment.command},
                           {"configuration", experiment::to_configuration(description)}};
  io::AtomicDirectory target(directory);
  io::write_file(target.staging() / "config.toml", io::write_options(description));
  io::write_file(target.staging() / "run.json", record.dump(2) + "\n");
  write_several(target.staging(), several);
  target.commit();
}

void record_epochs(const fs::path& directory, std::int64_t epochs, Continuation continuation) {
  RunOptions options = load_run_options(directory);
  set_epochs(options, epochs, continuation);
  options.train.validate();
  options::Description description;
  options.describe(description);
  const fs::path path = directory / "run.json";
  io::Json record = io::read_json(path, ErrorKind::checkpoint);
  record["configuration"] = experiment::to_configuration(description);
  io::replace_file(path, record.dump(2) + "\n");
  io::replace_file(directory / "config.toml", io::write_options(description));
}

RunOptions load_run_options(const fs::path& directory) {
  const fs::path path = directory / "run.json";
  require(fs::exists(path), ErrorKind::checkpoint, "{}: not a run: there is no run.json",
          directory.string());
  const io::Json record = io::read_json(path, ErrorKind::checkpoint);
  const auto format =
      io::member<std::int64_t>(record, "format", path.string(), ErrorKind::checkpoint);
  require(format == kRunFormat, ErrorKind::checkpoint, "{}: found format {}, expected {}{}",
          path.string(), format, kRunFormat, format > kRunFormat ? "; use a newer afterspike" : "");
  const auto configuration =
      io::member<io::Json>(record, "configuration", path.string(), ErrorKind::checkpoint);
  return options_of(configuration, path.string());
}

RunResult continue_run(const fs::path& directory, const RunEnvironment& environment,
                       std::int64_t epochs, Continuation continuation) {
  RunOptions options = load_run_options(directory);
  const std::optional<io::Lock> lock = io::Lock::try_take(directory);
  require(lock.has_value(), ErrorKind::checkpoint,
          "{}: the run is being trained by another process", directory.string());
  require_own_folders(directory);
  if (epochs > 0) set_epochs(options, epochs, continuation);
  train::share(*environment.ranks, configuration_of(options).dump());
  const bool has_begun = fs::exists(directory / "checkpoints");
  Session session(std::move(options), environment, has_begun ? directory : fs::path());

  const experiment::RunDirectory run(directory);
  const Names names = names_of(run);
  if (names.latest) {
    restore(session, *names.latest);
  } else {
    initialize(session);
  }
  const Trainer& trainer = session.trainer;
  const fs::path summary_path = directory / "summary.json";
  if (const auto summary = read_summary(summary_path)) {
    if (epochs == 0 || trainer.progress().epoch >= trainer.options().epochs) {
      session.share_state(false);
      return {End::finished, *summary};
    }
  }
  session.share_state(true);
  session.prepare(environment);
  // Nothing of the run changes before all checks have passed.
  write_names(run, names);
  fs::remove(summary_path);
  if (epochs > 0) record_epochs(directory, epochs, continuation);

  ProgressPrinter printer(environment.terminal);
  // A run killed before its first checkpoint may also have metrics.
  const bool resumed = names.latest.has_value() || fs::exists(directory / "metrics.jsonl");
  MetricsFiles metrics(directory, trainer.progress().step, resumed, trainer.progress().epoch);
  Checkpointer checkpointer(run, checkpoint_configuration(session),
                            environment.checkpoint_interval_s,
                            names.latest ? trainer.progress().step : -1);
  std::vector<Observer*> observers = {&metrics, &checkpointer};
  if (!environment.quiet) observers.push_back(&printer);
  observers.insert(observers.end(), environment.observers.begin(), environment.observers.end());
  RunResult result;
  result.end = train(session, observers, environment.limits, run);
  if (has_ended(result.end)) result.summary = finish(directory, session, result.end, environment);
  return result;
}

End follow_runs(const RunEnvironment& environment) {
  train::Ranks& ranks = *environment.ranks;
  End end = End::finished;
  for (;;) {
    const io::Json configuration =
        io::parse_json(train::share(ranks, ""), "rank 0", ErrorKind::lost);
    if (configuration.is_null()) return end;
    Session session(options_of(configuration, "rank 0"), environment);
    if (!session.share_state(false)) continue;
    session.prepare(environment);
    end = session.trainer.run({}, environment.limits);
    if (has_ended(end)) {
      evaluate_splits(session, *session.network, session.trainer.evaluation_pass());
    }
  }
}

void end_runs(train::Ranks& ranks) {
  train::share(ranks, io::Json().dump());
}

}  // namespace afterspike::train
