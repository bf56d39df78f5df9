#include "session.hpp"

#include <algorithm>
#include <utility>

#include <ATen/ATen.h>
#include <fmt/format.h>

#include "afterspike/base/log.hpp"
#include "afterspike/experiment/checkpoint.hpp"
#include "afterspike/experiment/evaluate.hpp"
#include "afterspike/kernels/workspace.hpp"
#include "afterspike/tasks/dataset.hpp"
#include "afterspike/train/memory.hpp"
#include "collective.hpp"

namespace afterspike::train {
namespace {

/// Values are inherited only between parameters with the same transforms.
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
  if (delay < task.shape().steps || task.shape().steps == 1) return;
  log::warning(
      "the recurrent synapses never act: their delay of {} steps is not below the {} steps of a "
      "sequence",
      delay, task.shape().steps);
}

/// Warns of idle ranks: ranks share a batch by whole shards, of which there may be fewer than
/// ranks.
void warn_of_idle(const train::Ranks& ranks, const TrainOptions& options, at::Device device) {
  const std::int64_t rows = experiment::shard_rows(options.batch_size, device);
  const std::int64_t shards = experiment::shard_count(options.batch_size, rows);
  if (shards >= ranks.size()) return;
  log::warning(
      "a batch of {} samples is {} shard{} of {}: {} of {} processes have nothing to do; expected "
      "a larger train.batch_size, or fewer processes",
      options.batch_size, shards, shards == 1 ? "" : "s", rows, ranks.size() - shards,
      ranks.size());
}

void report_memory(const MemoryPlan& plan) {
  const auto mib = [](std::size_t bytes) { return static_cast<double>(bytes) / (1 << 20); };
  log::info("expected memory: {}{:.0f} MiB ({:.0f} now, {:.0f} for each thread)",
            plan.workspace_limit > 0 ? "at most " : "", mib(plan.peak), mib(plan.present),
            mib(plan.workspace));
}

/// Returns whether an option may differ from the checkpoint's: the length of the training, and the
/// place of its data, which are compared themselves.
bool may_change(const std::string& option) {
  return option == "train.epochs" || option == "train.schedule_start" ||
         option == "train.schedule_epochs" || option == "task.data";
}

/// Requires the options that the training began with. `options` are resolved; `saved` is the
/// checkpoint, with a resolved experiment.
void require_same_options(RunOptions& options, const experiment::Trained& saved,
                          const tasks::Task& task) {
  const io::Json& configuration = saved.content.configuration;
  const io::Json found = configuration_of(options);
  // Resolves options that an older version recorded as given, such as neuron.initial.
  saved.experiment->resolve(task, *saved.network);
  options::Description description;
  saved.experiment->describe(description);
  for (const auto& [option, value] : found.items()) {
    io::Json expected = configuration.value(option, value);
    // The spelling of older versions.
    if (option == "train.precision" && expected == "bf16") expected = "bfloat16";
    const options::Field* resolved =
        option.starts_with("neuron.") ? description.find_if(option) : nullptr;
    require(may_change(option) || value == expected ||
                (resolved != nullptr && value == options::text(resolved->value())),
            ErrorKind::checkpoint,
            "option '{}': found {} in run.json, expected {}: that of the checkpoint", option,
            value.dump(), expected.dump());
  }
}

/// Requires the data that the training began with.
void require_same_data(const io::Json& configuration, const tasks::Task& task) {
  for (const tasks::Split split : tasks::kSplits) {
    const std::string key = experiment::fingerprint_key(split);
    // Older checkpoints lack the fingerprint of the test data.
    if (split == tasks::Split::test && !configuration.contains(key)) continue;
    const auto data = task.split(split);
    const io::Json found = data ? io::Json(tasks::fingerprint(*data)) : io::Json();
    const io::Json expected = configuration.value(key, io::Json());
    require(found == expected, ErrorKind::checkpoint,
            "the {} data are not those that the training began with: found fingerprint {}, "
            "expected {}",
            tasks::split_name(split), found.dump(), expected.dump());
  }
}

/// Requires an end that the training has not passed.
void require_later_end(const Trainer& trainer) {
  const Progress& progress = trainer.progress();
  const std::int64_t begun = progress.epoch + (progress.step_in_epoch > 0 ? 1 : 0);
  require(progress.step <= trainer.total_steps(), ErrorKind::config,
          "--epochs: found {}, expected at least the {} epochs that have begun: the checkpoint is "
          "of step {}, each epoch of {} steps",
          trainer.options().epochs, begun, progress.step, trainer.steps_per_epoch());
}

/// Returns fingerprints of the splits by name, for comparison.
io::Json fingerprints(const tasks::Task& task) {
  io::Json facts = io::Json::object();
  for (const tasks::Split split : tasks::kSplits) {
    const auto data = task.split(split);
    if (!data) continue;
    facts[fmt::format("fingerprint of {}", experiment::fingerprint_key(split))] =
        tasks::fingerprint(*data);
  }
  return facts;
}

std::unique_ptr<tasks::Task> make_task(const RunOptions& options, const RunEnvironment& environment,
                                       const std::filesystem::path& run) {
  std::unique_ptr<tasks::Task> task =
      options.experiment->make_task({environment.data_directory, run});
  if (environment.ranks->size() > 1) {
    train::require_same(*environment.ranks, fingerprints(*task));
  }
  return task;
}

std::shared_ptr<nn::Network> make_network(const RunOptions& options, const tasks::Task& task,
                                          at::Device device) {
  std::shared_ptr<nn::Network> network = options.experiment->make_network(task);
  options.experiment->resolve(task, *network);
  warn_of_delay(*network, task);
  network->to(device);
  return network;
}

}  // namespace

io::Json configuration_of(RunOptions& options) {
  options::Description description;
  options.describe(description);
  return experiment::to_configuration(description);
}

Session::Session(RunOptions run_options, const RunEnvironment& environment,
                 const std::filesystem::path& run)
    : options(std::move(run_options)),
      task(make_task(options, environment, run)),
      network(make_network(options, *task, environment.device)),
      pool(environment.threads),
      ranks(*environment.ranks),
      trainer(*network, *task, options.train, Rng(static_cast<std::uint64_t>(options.seed)), pool,
              ranks) {
  warn_of_idle(ranks, options.train, environment.device);
}

bool Session::share_state(bool trains) {
  const io::Json message = {{"trains", trains}, {"progress", trainer.progress().to_json()}};
  const io::Json state =
      io::parse_json(train::share(ranks, message.dump()), "rank 0", ErrorKind::lost);
  if (!state.at("trains").get<bool>() || ranks.size() == 1) return state.at("trains");
  share_parameters(ranks, *network);
  const nn::NamedTensors optimizer_state = trainer.optimizer_state();
  for (const auto& [name, tensor] : optimizer_state) train::share(ranks, tensor);
  if (ranks.rank() > 0) trainer.restore(Progress::from_json(state.at("progress")), optimizer_state);
  return true;
}

void Session::prepare(const RunEnvironment& environment) {
  // Remains of another run of this process would count twice.
  kernels::Workspace::release_all();
  for (const std::string& remark : task->remarks()) log::warning("{}", remark);
  if (!environment.quiet) {
    for (const std::string& remark : network->remarks()) log::info("{}", remark);
  }
  if (!environment.device.is_cpu()) {
    require(environment.memory_limit == 0, ErrorKind::config,
            "--memory-limit: found a limit with --device {}; expected none: only on the CPU is it "
            "known how much memory a training takes",
            environment.device.str());
    return;
  }
  if (environment.memory_limit > 0) return_freed_memory();
  const MemoryPlan plan = plan_memory(*network, *task, options.train, environment.threads,
                                      environment.memory_limit, ranks);
  trainer.plan_workspace(plan.workspace_limit, plan.largest);
  if (plan.known && !environment.quiet) report_memory(plan);
}

void initialize(Session& session) {
  const RunOptions& options = session.options;
  nn::Network& network = *session.network;
  const auto seed = static_cast<std::uint64_t>(options.seed);
  require(options.experiment->inherits() == !options.inherit.empty(), ErrorKind::config, "{}",
          options.inherit.empty()
              ? "the initial values are to be inherited, but no donor is named; expected "
                "--inherit RUN"
              : "a donor is named (inherit), but the initial values are not inherited; expected "
                "variant fhet, fheta, rhet or rheta, or neuron.initial = \"inherit\"");
  if (options.inherit.empty()) {
    experiment::initialize(network, seed, nullptr);
  } else {
    const experiment::Trained donor = experiment::load(options.inherit);
    require_same_parameters(options, *donor.network, donor.experiment->neuron_name(), network);
    experiment::initialize(network, seed, &donor.content.model);
  }
  if (options.train.start_from.empty()) return;
  experiment::start_from(network, options.experiment->neuron_name(), options.train.start_from,
                         options.train.start_groups);
}

io::Json checkpoint_configuration(Session& session) {
  const tasks::Task& task = *session.task;
  const nn::NetworkPass evaluation = session.trainer.evaluation_pass();
  io::Json configuration = configuration_of(session.options);
  configuration["shape.input_size"] = task.shape().input_size;
  configuration["shape.output_size"] = task.shape().output_size;
  configuration["shape.dt_ms"] = task.shape().dt_ms;
  configuration["objective.kind"] = tasks::objective_kind_name(task.objective().kind);
  configuration["objective.read"] = task.objective().read.text();
  if (!task.objective().class_names.empty()) {
    configuration["objective.classes"] = task.objective().class_names;
  }
  for (const tasks::Split split : tasks::kSplits) {
    const auto data = task.split(split);
    if (data) configuration[experiment::fingerprint_key(split)] = tasks::fingerprint(*data);
  }
  if (evaluation.sigma_mV) configuration["evaluation.sigma_mV"] = *evaluation.sigma_mV;
  if (evaluation.spikes) configuration["evaluation.spikes"] = true;
  return configuration;
}

void restore(Session& session, const std::filesystem::path& checkpoint) {
  const experiment::Trained saved = experiment::load(checkpoint, experiment::Part::all);
  try {
    require_same_options(session.options, saved, *session.task);
    require_same_data(saved.content.configuration, *session.task);
    experiment::require_same_parameters(saved.content.parameters, *session.network);
    experiment::assign(saved.content.model, *session.network);
    session.trainer.restore(Progress::from_json(saved.content.progress), saved.content.training);
  } catch (const Error& error) {
    throw error.within(fmt::format("checkpoint '{}'", checkpoint.string()));
  }
  require_later_end(session.trainer);
  log::info("resumed from {}: {} of {} epochs done", checkpoint.string(),
            session.trainer.progress().epoch, session.options.train.epochs);
}

}  // namespace afterspike::train
