#include "afterspike/train/run.hpp"

#include <sys/resource.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <utility>

#include <ATen/ATen.h>
#include <fmt/format.h>

#include "afterspike/base/log.hpp"
#include "afterspike/checkpoint/run_directory.hpp"
#include "afterspike/data/dataset.hpp"
#include "afterspike/evaluation/evaluate.hpp"
#include "afterspike/io/atomic.hpp"
#include "afterspike/io/lock.hpp"
#include "afterspike/io/toml.hpp"
#include "afterspike/kernels/instructions.hpp"
#include "afterspike/kernels/workspace.hpp"
#include "afterspike/train/memory.hpp"
#include "afterspike/train/observers.hpp"

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

io::Json configuration_of(RunOptions& options) {
  options::Description description;
  options.describe(description);
  return experiment::to_configuration(description);
}

/// Only values of the same parameters under the same transforms can be taken over.
void require_same_parameters(const RunOptions& options, const nn::Network& donor,
                             const std::string& donor_neuron, const nn::Network& network) {
  require(donor_neuron == options.experiment->neuron_name(), ErrorKind::config,
          "inherit '{}': the donor has neurons '{}', expected '{}'", options.inherit, donor_neuron,
          options.experiment->neuron_name());
  const std::vector<nn::Network::Parameter> given = donor.named();
  for (const nn::Network::Parameter& parameter : network.named()) {
    const auto found = std::find_if(given.begin(), given.end(), [&](const auto& candidate) {
      return candidate.name == parameter.name;
    });
    require(found != given.end(), ErrorKind::config,
            "inherit '{}': the donor has no parameter '{}'", options.inherit, parameter.name);
    const std::string wanted = parameter.spec->transform.text();
    require(
        found->spec->transform.text() == wanted, ErrorKind::config,
        "inherit '{}': parameter '{}' has the transform {}, expected {}: the donor must have been "
        "trained with the same settings",
        options.inherit, parameter.name, found->spec->transform.text(), wanted);
  }
}

void warn_of_delay(const nn::Network& network, const tasks::Task& task) {
  const std::int64_t delay = network.layer(0)->delay_steps();
  if (delay < task.shape().steps) return;
  log::warning(
      "the recurrent synapses never act: their delay of {} steps is not below the {} steps of a "
      "sequence",
      delay, task.shape().steps);
}

void report_memory(const MemoryPlan& plan) {
  const auto mib = [](std::size_t bytes) { return static_cast<double>(bytes) / (1 << 20); };
  log::info("memory: {:.0f} MiB at most ({:.0f} now, {:.0f} for each thread)", mib(plan.peak),
            mib(plan.present), mib(plan.workspace));
}

/// Initial values: drawn from the seed, or resampled from a donor.
void initialize(const RunOptions& options, nn::Network& network, const Rng& rng) {
  network.initialize(rng.stream("initial"));
  require(options.experiment->inherits() == !options.inherit.empty(), ErrorKind::config, "{}",
          options.inherit.empty()
              ? "the initial values are to be inherited, but no donor is named; expected "
                "--inherit RUN"
              : "a donor is named (inherit), but the initial values are not inherited; expected "
                "variant fhet, fheta, rhet or rheta, or neuron.initial = \"inherit\"");
  if (options.inherit.empty()) return;
  const experiment::Trained donor = experiment::load(options.inherit);
  require_same_parameters(options, *donor.network, donor.experiment->neuron_name(), network);
  network.resample(checkpoint::model_tensors(*donor.network), rng.stream("inherit"));
}

/// Options that may differ from those of the checkpoint: how long the training is, and where its
/// data are, which are compared themselves.
bool may_change(const std::string& option) {
  return option == "train.epochs" || option == "task.data";
}

/// A training goes on with the options it began with, however they were changed meanwhile.
/// `options` are resolved; `saved` is the checkpoint, whose experiment is.
void require_same_options(RunOptions& options, const experiment::Trained& saved,
                          const tasks::Task& task) {
  const io::Json& configuration = saved.content.configuration;
  const io::Json found = configuration_of(options);
  // What an older version recorded as it was given, such as neuron.initial, resolves to the same.
  saved.experiment->resolve(task, *saved.network);
  options::Description description;
  saved.experiment->describe(description);
  for (const auto& [option, value] : found.items()) {
    const io::Json expected = configuration.value(option, value);
    const options::Field* resolved =
        option.starts_with("neuron.") ? description.find_if(option) : nullptr;
    require(may_change(option) || value == expected ||
                (resolved != nullptr && value == options::text(resolved->value())),
            ErrorKind::checkpoint,
            "option '{}': found {} in run.json, expected {}: that of the checkpoint", option,
            value.dump(), expected.dump());
  }
}

/// Under which names a checkpoint's configuration has the fingerprints of what a training sees.
constexpr std::array kRecordedSplits = {std::pair("data.train", tasks::Split::train),
                                        std::pair("data.validation", tasks::Split::validation),
                                        std::pair("data.test", tasks::Split::test)};

/// A training goes on with the data it began with.
void require_same_data(const io::Json& configuration, const tasks::Task& task) {
  for (const auto& [key, split] : kRecordedSplits) {
    // Older checkpoints do not have that of the test data.
    if (split == tasks::Split::test && !configuration.contains(key)) continue;
    const auto data = task.split(split);
    const io::Json found = data ? io::Json(data::fingerprint(*data)) : io::Json();
    const io::Json expected = configuration.value(key, io::Json());
    require(found == expected, ErrorKind::checkpoint,
            "the {} data are not those that the training began with: found fingerprint {}, "
            "expected {}",
            tasks::split_name(split), found.dump(), expected.dump());
  }
}

/// The configuration that checkpoints carry: all options, and what is needed to rebuild the network
/// without the data.
io::Json checkpoint_configuration(RunOptions& options, const tasks::Task& task,
                                  const std::optional<double>& evaluation_sigma) {
  io::Json configuration = configuration_of(options);
  configuration["shape.input_size"] = task.shape().input_size;
  configuration["shape.output_size"] = task.shape().output_size;
  configuration["shape.dt_ms"] = task.shape().dt_ms;
  configuration["objective.kind"] = task.classifies() ? "classify" : "trace";
  configuration["objective.read"] = task.objective().read.text();
  for (const auto& [key, split] : kRecordedSplits) {
    if (const auto data = task.split(split)) configuration[key] = data::fingerprint(*data);
  }
  if (evaluation_sigma) configuration["evaluation.sigma_mV"] = *evaluation_sigma;
  return configuration;
}

void set_epochs(RunOptions& options, std::int64_t epochs) {
  options::Description description;
  options.describe(description);
  description.find("train.epochs").set(epochs);
}

/// A training that has come further cannot end after fewer epochs.
void require_later_end(const Trainer& trainer) {
  const Progress& progress = trainer.progress();
  const std::int64_t begun = progress.epoch + (progress.step_in_epoch > 0 ? 1 : 0);
  require(progress.step <= trainer.total_steps(), ErrorKind::config,
          "--epochs: found {}, expected at least the {} epochs that have begun: the checkpoint is "
          "of step {}, each epoch of {} steps",
          trainer.options().epochs, begun, progress.step, trainer.steps_per_epoch());
}

io::Json split_summary(const tasks::Task& task, const tasks::Tally& tally) {
  const auto samples = static_cast<double>(tally.samples);
  io::Json json = {{"samples", tally.samples}, {"loss", tally.loss / samples}};
  if (task.classifies()) json["accuracy"] = static_cast<double>(tally.correct) / samples;
  return json;
}

/// What finish() wrote; nothing where there is none. A damaged one can be written again.
std::optional<io::Json> read_summary(const fs::path& path) {
  if (!fs::exists(path)) return std::nullopt;
  try {
    io::Json summary = io::read_json(path, ErrorKind::checkpoint);
    if (summary.is_object() && summary.contains("configuration")) return summary;
    log::warning("{}: not the summary of a run; it is left aside", path.string());
  } catch (const Error& error) {
    log::warning("{}; the summary is left aside", error.what());
  }
  return std::nullopt;
}

/// Evaluates the selected checkpoint on all splits and writes summary.json.
io::Json finish(const fs::path& directory, RunOptions& options, const tasks::Task& task,
                const Trainer& trainer, End end, const RunEnvironment& environment,
                ThreadPool& pool) {
  const experiment::Trained selected = experiment::load(directory);
  const Progress chosen = Progress::from_json(selected.content.progress);
  io::Json summary = {{"task", options.experiment->task_name()},
                      {"neuron", options.experiment->neuron_name()},
                      {"parameters", selected.network->trainable_parameters()},
                      {"seed", options.seed},
                      {"epochs", trainer.progress().epoch},
                      {"stopped_early", end == End::patience},
                      {"selected_epoch", chosen.epoch}};
  for (const tasks::Split split :
       {tasks::Split::train, tasks::Split::validation, tasks::Split::test}) {
    const auto data = task.split(split);
    if (data == nullptr) continue;
    const tasks::Tally tally =
        evaluation::evaluate(*selected.network, task, *data, selected.pass, pool);
    summary[std::string(tasks::split_name(split))] = split_summary(task, tally);
  }
  summary["wall_s"] = trainer.progress().wall_s;
  summary["cpu_s"] = trainer.progress().cpu_s;
  summary["peak_memory_mib"] = peak_memory_mib();
  summary["threads"] = environment.threads;
  summary["instructions"] = kernels::instructions();
  summary["version"] = AFTERSPIKE_VERSION;
  summary["configuration"] = configuration_of(options);
  io::write_file(directory / "summary.json", summary.dump(2) + "\n");
  return summary;
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
                const std::vector<std::int64_t>& seeds) {
  require(!fs::exists(directory), ErrorKind::usage, "'{}' exists already{}", directory.string(),
          fs::exists(directory / "run.json")
              ? fmt::format("; to go on with that run: --resume {}", directory.string())
              : " and is no run; expected a new name");
  options.train.validate();
  options::Description description;
  options.describe(description);
  const io::Json record = {{"format", kRunFormat},
                           {"version", AFTERSPIKE_VERSION},
                           {"command", environment.command},
                           {"configuration", experiment::to_configuration(description)}};
  io::AtomicDirectory target(directory);
  io::write_file(target.staging() / "config.toml", io::write_options(description));
  io::write_file(target.staging() / "run.json", record.dump(2) + "\n");
  if (!seeds.empty()) {
    io::write_file(target.staging() / "seeds.json", io::Json{{"seeds", seeds}}.dump() + "\n");
  }
  target.commit();
}

void record_epochs(const fs::path& directory, std::int64_t epochs) {
  RunOptions options = load_run_options(directory);
  set_epochs(options, epochs);
  options.train.validate();
  options::Description description;
  options.describe(description);
  const fs::path path = directory / "run.json";
  io::Json record = io::read_json(path, ErrorKind::checkpoint);
  record["configuration"] = experiment::to_configuration(description);
  io::write_file(path, record.dump(2) + "\n");
  io::write_file(directory / "config.toml", io::write_options(description));
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
  const auto name = [&](std::string_view key) {
    return io::member<std::string>(configuration, key, path.string(), ErrorKind::checkpoint);
  };
  RunOptions options;
  options.experiment =
      std::make_unique<experiment::Experiment>(name("task.name"), name("neuron.name"));
  options::Description description;
  options.describe(description);
  for (const auto& [option, value] : configuration.items()) {
    require(description.find_if(option) != nullptr, ErrorKind::checkpoint,
            "{}: no option called '{}'; the run was made by another version of afterspike",
            path.string(), option);
  }
  experiment::from_configuration(configuration, description);
  return options;
}

RunResult continue_run(const fs::path& directory, const RunEnvironment& environment,
                       std::int64_t epochs) {
  RunOptions options = load_run_options(directory);
  const std::optional<io::Lock> lock = io::Lock::try_take(directory);
  require(lock.has_value(), ErrorKind::checkpoint,
          "{}: the run is being trained by another process", directory.string());
  if (epochs > 0) set_epochs(options, epochs);
  const std::unique_ptr<tasks::Task> task =
      options.experiment->make_task({environment.data_directory});
  const std::shared_ptr<nn::Network> network = options.experiment->make_network(*task);
  options.experiment->resolve(*task, *network);
  warn_of_delay(*network, *task);
  const Rng rng(static_cast<std::uint64_t>(options.seed));
  ThreadPool pool(environment.threads);
  Trainer trainer(*network, *task, options.train, rng, pool);

  const checkpoint::RunDirectory run(directory);
  const auto latest = run.latest();
  if (latest) {
    const experiment::Trained saved = experiment::load(*latest);
    try {
      require_same_options(options, saved, *task);
      require_same_data(saved.content.configuration, *task);
      checkpoint::require_same_parameters(saved.content.parameters, *network);
      checkpoint::assign(saved.content.model, *network);
      trainer.restore(Progress::from_json(saved.content.progress), saved.content.training);
    } catch (const Error& error) {
      throw error.within(fmt::format("checkpoint '{}'", latest->string()));
    }
    require_later_end(trainer);
    log::info("resumed from {}: {} of {} epochs done", latest->string(), trainer.progress().epoch,
              options.train.epochs);
  } else {
    initialize(options, *network, rng);
  }
  const fs::path summary_path = directory / "summary.json";
  if (const auto summary = read_summary(summary_path)) {
    if (epochs == 0 || trainer.progress().epoch >= options.train.epochs) {
      return {End::finished, *summary};
    }
  }
  fs::remove(summary_path);
  if (epochs > 0) record_epochs(directory, epochs);

  // What another run of this process left would count twice.
  kernels::Workspace::release_all();
  const MemoryPlan plan =
      plan_memory(*network, *task, options.train, environment.threads, environment.memory_limit);
  trainer.limit_workspace(plan.workspace_limit);
  if (plan.known && !environment.quiet) report_memory(plan);

  ProgressPrinter printer(environment.terminal);
  // A run that was killed before its first checkpoint has metrics, too.
  const bool resumed = latest.has_value() || fs::exists(directory / "metrics.jsonl");
  MetricsFiles metrics(directory, trainer.progress().step, resumed);
  Checkpointer checkpointer(
      run, checkpoint_configuration(options, *task, trainer.evaluation_sigma()),
      environment.checkpoint_interval_s, latest ? trainer.progress().step : -1);
  std::vector<Observer*> observers = {&metrics, &checkpointer};
  if (!environment.quiet) observers.push_back(&printer);
  RunResult result;
  try {
    result.end = trainer.run(observers, environment.limits);
  } catch (const Error& error) {
    if (error.kind() != ErrorKind::numeric) throw;
    const auto good = run.latest();
    fail(ErrorKind::numeric, "{}; the last good checkpoint is {}", error.what(),
         good ? good->string() : "none: it happened before the first was saved");
  }
  if (result.end == End::finished || result.end == End::patience) {
    result.summary = finish(directory, options, *task, trainer, result.end, environment, pool);
  }
  return result;
}

io::Json summarise_seeds(const std::vector<io::Json>& summaries) {
  io::Json result = {{"seeds", io::Json::array()}};
  for (const io::Json& summary : summaries) result["seeds"].push_back(summary.at("seed"));
  const auto statistics = [&](const io::Json::json_pointer& pointer) {
    std::vector<double> values;
    for (const io::Json& summary : summaries) values.push_back(summary.at(pointer).get<double>());
    double mean = 0;
    for (const double value : values) mean += value / static_cast<double>(values.size());
    double square = 0;
    for (const double value : values) square += (value - mean) * (value - mean);
    const double sd =
        values.size() > 1 ? std::sqrt(square / static_cast<double>(values.size() - 1)) : 0;
    return io::Json{{"mean", mean}, {"sd", sd}, {"values", values}};
  };
  for (const char* split : {"train", "validation", "test"}) {
    for (const char* metric : {"loss", "accuracy"}) {
      const io::Json::json_pointer pointer(fmt::format("/{}/{}", split, metric));
      if (summaries.front().contains(pointer)) result[split][metric] = statistics(pointer);
    }
  }
  result["wall_s"] = statistics(io::Json::json_pointer("/wall_s"));
  for (const char* key : {"task", "neuron", "parameters", "version"}) {
    result[key] = summaries.front().at(key);
  }
  return result;
}

}  // namespace afterspike::train
