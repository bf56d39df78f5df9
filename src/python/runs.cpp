#include <cstring>
#include <filesystem>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <tuple>
#include <utility>
#include <vector>

#include <omp.h>

#include <ATen/ATen.h>
#include <ATen/Parallel.h>
#include <pybind11/functional.h>
#include <pybind11/stl.h>

#include "afterspike/analysis/cluster_files.hpp"
#include "afterspike/analysis/clusters.hpp"
#include "afterspike/analysis/runs.hpp"
#include "afterspike/analysis/selection.hpp"
#include "afterspike/analysis/silencing.hpp"
#include "afterspike/base/blas.hpp"
#include "afterspike/base/log.hpp"
#include "afterspike/base/parallel.hpp"
#include "afterspike/base/registry.hpp"
#include "afterspike/experiment/evaluate.hpp"
#include "afterspike/experiment/experiment.hpp"
#include "afterspike/formats/exporter.hpp"
#include "afterspike/io/safetensors.hpp"
#include "afterspike/io/toml.hpp"
#include "afterspike/nn/layer_stack.hpp"
#include "afterspike/train/observers.hpp"
#include "afterspike/train/run.hpp"
#include "afterspike/transfer/lower.hpp"
#include "bindings.hpp"

namespace afterspike::python {
namespace {

namespace fs = std::filesystem;
using Settings = std::vector<std::pair<std::string, std::string>>;

/// The settings of LibTorch and OpenBLAS under which the program computes, for as long as a
/// command runs: threads are shared by shards, none is used within an operation. Of commands at
/// one time the first saves the settings, and the last restores them.
class AsInTheProgram {
 public:
  /// `alone`: no other thread of Python is at work, so that OpenBLAS may be told its processor.
  AsInTheProgram(int threads, bool alone) {
    require_threaded_blas(threads);
    const std::lock_guard lock(former().mutex);
    if (former().commands++ == 0) {
      former().threads = at::get_num_threads();
      former().blas_threads = blas_threads();
    }
    at::set_num_threads(1);
    set_blas_threads(1);
    if (alone) use_better_openblas_core();
  }
  ~AsInTheProgram() {
    const std::lock_guard lock(former().mutex);
    if (--former().commands > 0) {
      // Only this thread's own number: threads to come serve the other commands.
      omp_set_num_threads(former().threads);
      return;
    }
    at::set_num_threads(former().threads);
    if (former().blas_threads > 0) set_blas_threads(former().blas_threads);
  }
  AsInTheProgram(const AsInTheProgram&) = delete;
  AsInTheProgram& operator=(const AsInTheProgram&) = delete;

 private:
  /// The commands that run, and the settings before them.
  struct Former {
    std::mutex mutex;
    int commands = 0, threads = 1, blas_threads = 0;
  };
  static Former& former() {
    static Former own;
    return own;
  }
};

/// Settings of all commands.
struct Command {
  std::string data_directory;
  int threads = 1;
  bool alone = false;
};

void bind_command(py::module_& module) {
  py::class_<Command>(module, "Command")
      .def(py::init([](std::string data_directory, int threads, bool alone) {
        return Command{std::move(data_directory), threads, alone};
      }));
}

at::Tensor tensor_of(const io::Array& array) {
  const auto type = array.type == io::ElementType::F32   ? at::kFloat
                    : array.type == io::ElementType::F64 ? at::kDouble
                    : array.type == io::ElementType::I64 ? at::kLong
                                                         : at::kByte;
  at::Tensor tensor = at::empty(array.shape, type);
  if (!array.bytes.empty()) std::memcpy(tensor.data_ptr(), array.bytes.data(), array.bytes.size());
  return tensor;
}

nn::NamedTensors read_safetensors(const fs::path& path) {
  nn::NamedTensors tensors;
  for (const auto& [name, array] : io::read_safetensors(path).arrays) {
    tensors[name] = tensor_of(array);
  }
  return tensors;
}

void write_safetensors(const fs::path& path, nn::NamedTensors tensors) {
  for (auto& [name, tensor] : tensors) tensor = tensor.to(at::kFloat);
  experiment::write_tensors(path, tensors);
}

/// The network of a configuration (experiment::Checkpoint::configuration), with parameters at the
/// centre of their ranges.
std::shared_ptr<nn::Network> network_of(const io::Json& configuration) {
  const auto text = [&](const char* key) {
    return io::member<std::string>(configuration, key, "configuration", ErrorKind::checkpoint);
  };
  const auto number = [&](const char* key) {
    return io::member<double>(configuration, key, "configuration", ErrorKind::checkpoint);
  };
  experiment::Experiment experiment(text("task.name"), text("neuron.name"));
  options::Description description;
  experiment.describe(description);
  experiment::from_configuration(configuration, description);
  return experiment.make_network({static_cast<std::int64_t>(number("shape.input_size")),
                                  static_cast<std::int64_t>(number("shape.output_size")),
                                  number("shape.dt_ms")});
}

/// Returns the layers, and (input size, neurons of the last layer, layers, time step in ms, whether
/// there is dropout).
auto stack_of_configuration(const std::string& text) {
  const io::Json configuration = io::parse_json(text, "configuration", ErrorKind::checkpoint);
  const auto network = network_of(configuration);
  bool dropout = false;
  for (const char* key : {"neuron.dropout", "neuron.input_dropout", "neuron.recurrent_dropout"}) {
    dropout = dropout || configuration.value(key, "0") != "0";
  }
  auto stack = std::make_shared<nn::LayerStack>(network->layers());
  const auto shape = std::make_tuple(stack->input_size(), stack->hidden_size(),
                                     static_cast<std::int64_t>(stack->layers().size()),
                                     network->shape().dt_ms, dropout);
  return std::make_pair(stack, shape);
}

/// Returns the checkpoint's path, its manifest without files as JSON, and its values.
std::tuple<std::string, std::string, nn::NamedTensors> load(const fs::path& path) {
  const experiment::Trained trained = experiment::load(path);
  const io::Json content = {{"configuration", trained.content.configuration},
                            {"progress", trained.content.progress},
                            {"parameters", trained.content.parameters}};
  return {trained.checkpoint.string(), content.dump(), trained.content.model};
}

/// Writes a checkpoint with other values of the parameters, without the state of the optimiser.
void save_checkpoint(const fs::path& from, const nn::NamedTensors& values, const fs::path& to) {
  experiment::Trained trained = experiment::load(from);
  trained.content.training = {};
  nn::NamedTensors model;
  for (const auto& [name, tensor] : values) {
    model[name] = tensor.detach().to(at::kCPU, at::kFloat).contiguous();
  }
  experiment::assign(model, *trained.network);
  trained.content.model = experiment::model_tensors(*trained.network);
  experiment::write_checkpoint(to, trained.content);
}

/// Calls Python after each step and each epoch.
class Listener final : public train::Observer {
 public:
  using Callback = std::function<void(const std::string& report)>;

  explicit Listener(Callback callback) : callback_(std::move(callback)) {}

  void on_step(const train::Trainer& trainer) override {
    const train::Progress& progress = trainer.progress();
    report({{"event", "step"},
            {"step", progress.step},
            {"steps", trainer.total_steps()},
            {"epoch", progress.epoch + 1}});
  }

  void on_epoch(const train::Trainer& trainer, const train::EpochReport& epoch) override {
    io::Json own = {{"event", "epoch"},
                    {"epoch", epoch.epoch},
                    {"epochs", trainer.options().epochs},
                    {"step", epoch.step},
                    {"steps", trainer.total_steps()},
                    {"learning_rate", epoch.learning_rate}};
    add(own, "train", epoch.train, trainer.task());
    if (epoch.validation.samples > 0) add(own, "validation", epoch.validation, trainer.task());
    report(own);
  }

  /// Returns true once Python wants the training to stop: by Ctrl-C, or an error in the callback.
  bool interrupted() {
    if (stopped_) return true;
    const py::gil_scoped_acquire acquired;
    if (PyErr_CheckSignals() == 0) return false;
    PyErr_Clear();
    return stopped_ = true;
  }

  /// Raises the error of the callback, if there was one. REQUIRES: the interpreter is held.
  void raise() {
    if (error_) std::rethrow_exception(std::exchange(error_, nullptr));
  }

 private:
  static void add(io::Json& to, const std::string& split, const tasks::Tally& tally,
                  const tasks::Task& task) {
    to[split + "_loss"] = tally.loss / static_cast<double>(tally.samples);
    for (const tasks::Measure& measure : task.measures(tally)) {
      to[split + "_" + std::string(measure.name)] = measure.value;
    }
  }

  void report(const io::Json& own) {
    if (!callback_ || stopped_) return;
    const py::gil_scoped_acquire acquired;
    try {
      callback_(own.dump());
    } catch (py::error_already_set& error) {
      stopped_ = true;
      // KeyboardInterrupt ends the training as it does between steps.
      if (!error.matches(PyExc_KeyboardInterrupt)) error_ = std::current_exception();
    }
  }

  Callback callback_;
  std::exception_ptr error_;
  bool stopped_ = false;
};

struct TrainRequest {
  std::string task, neuron, config, out;
  Settings settings;
  bool resume = false;
  std::int64_t epochs = 0, max_steps = 0;
  double time_limit_s = 0;
};

void create(const TrainRequest& request, const train::RunEnvironment& environment) {
  train::RunOptions options;
  options.seed = 1;
  options.experiment = std::make_unique<experiment::Experiment>(request.task, request.neuron);
  options::Description description;
  options.describe(description);
  if (!request.config.empty()) io::read_options(request.config, description);
  for (const auto& [path, value] : request.settings) description.find(path).set_text(value);
  train::create_run(request.out, options, environment);
}

/// Trains, and returns how it ended: "finished", "interrupted" ...
std::string train_run(const TrainRequest& request, const Command& command,
                      Listener::Callback callback) {
  Listener listener(std::move(callback));
  train::RunEnvironment environment;
  environment.data_directory = command.data_directory;
  environment.threads = command.threads;
  environment.quiet = true;
  environment.command = "afterspike.train(...) of Python";
  environment.limits.steps = request.max_steps;
  environment.limits.seconds = request.time_limit_s;
  environment.limits.interrupted = [&] { return listener.interrupted(); };
  environment.observers = {&listener};
  train::RunResult result;
  {
    const py::gil_scoped_release released;
    const AsInTheProgram settings(command.threads, command.alone);
    if (!request.resume) create(request, environment);
    result = train::continue_run(request.out, environment, request.resume ? request.epochs : 0);
  }
  listener.raise();
  constexpr const char* kEnds[] = {"finished", "patience", "interrupted", "time_limit",
                                   "step_limit"};
  return kEnds[static_cast<int>(result.end)];
}

/// Returns a run's task with the data of a split. Throws Error(config) if there is no such split.
std::pair<std::unique_ptr<tasks::Task>, std::shared_ptr<const tasks::Dataset>> data_of(
    const experiment::Trained& trained, const Command& command, const std::string& split) {
  auto task = trained.experiment->make_task(
      {command.data_directory, experiment::run_of(trained.checkpoint)});
  auto data = task->split(tasks::parse_split(split));
  require(data != nullptr, ErrorKind::config, "split '{}': the task of this run has no such split",
          split);
  return {std::move(task), std::move(data)};
}

std::string evaluate(const fs::path& path, const std::string& split, const Command& command) {
  const AsInTheProgram settings(command.threads, command.alone);
  const experiment::Trained trained = experiment::load(path);
  const auto [task, data] = data_of(trained, command, split);
  ThreadPool pool(command.threads);
  const tasks::Tally tally =
      experiment::evaluate(*trained.network, *task, *data, trained.pass, pool);
  require(std::isfinite(tally.loss), ErrorKind::numeric,
          "evaluate: the loss on the {} split is {}: a parameter of {} or the data are not finite",
          split, tally.loss, trained.checkpoint.string());
  io::Json result;
  for (const tasks::Measure& measure : task->measures(tally)) {
    result[std::string(measure.name)] = measure.value;
  }
  result["loss"] = tally.loss / static_cast<double>(tally.samples);
  result["samples"] = tally.samples;
  result["task"] = trained.experiment->task_name();
  result["neuron"] = trained.experiment->neuron_name();
  result["parameters"] = trained.network->trainable_parameters();
  result["split"] = split;
  result["checkpoint"] = trained.checkpoint.string();
  return result.dump();
}

/// Returns the outputs for sequences [samples, steps, features] (experiment::predict()) and whether
/// they are those of classes.
std::pair<at::Tensor, bool> predict(const fs::path& path, const at::Tensor& inputs,
                                    const std::optional<at::Tensor>& lengths,
                                    const Command& command) {
  const AsInTheProgram settings(command.threads, command.alone);
  const experiment::Trained trained = experiment::load(path);
  const std::int64_t features = trained.network->shape().input_size;
  require(inputs.dim() == 3 && inputs.size(2) == features, ErrorKind::data,
          "predict: found an array of shape [{}], expected [samples, steps, {}]",
          fmt::join(inputs.sizes().begin(), inputs.sizes().end(), ", "), features);
  const tasks::Sequences sequences(inputs, {}, lengths.value_or(at::Tensor()));
  ThreadPool pool(command.threads);
  return {experiment::predict(*trained.network, trained.objective, sequences, trained.pass, pool),
          trained.objective.kind == tasks::Objective::Kind::classify};
}

/// The measurements of a study, a column each.
using Columns = std::map<std::string, std::vector<double>>;

struct SilenceRequest {
  std::vector<std::string> runs;
  std::vector<double> fractions;
  std::string by, split;
  std::int64_t trials = 10, limit = 0;
  std::uint64_t seed = 1;
};

/// Calls Python with the number of finished and of all measurements. Returns true, to go on; throws
/// what Python raised, KeyboardInterrupt for Ctrl-C.
bool report_measured(const std::function<void(std::size_t, std::size_t)>& callback,
                     std::size_t done, std::size_t all) {
  const py::gil_scoped_acquire acquired;
  if (PyErr_CheckSignals() != 0) throw py::error_already_set();
  if (callback) callback(done, all);
  return true;
}

Columns silence(const SilenceRequest& request, const Command& command,
                const std::function<void(std::size_t, std::size_t)>& callback) {
  const py::gil_scoped_release released;
  const AsInTheProgram settings(command.threads, command.alone);
  ThreadPool pool(command.threads);
  std::vector<analysis::Subject> subjects;
  for (const std::string& word : request.runs) {
    for (const auto& path : analysis::find_runs(word).paths) {
      subjects.push_back(analysis::load_subject(path, {command.data_directory},
                                                tasks::parse_split(request.split), request.limit));
    }
  }
  const auto difference = analysis::difference_of_tasks(subjects);
  require(!difference, ErrorKind::usage, "silence: {}", difference.value_or(""));
  analysis::Protocol protocol;
  for (const double level : request.fractions) {
    analysis::require_level(protocol.perturbation, level);
    protocol.levels.push_back(level);
  }
  protocol.selection = analysis::select_neurons(request.by, true, subjects, pool);
  const bool ranked = protocol.selection.kind == analysis::Selection::Kind::ranked;
  protocol.trials = ranked ? 1 : request.trials;
  protocol.seed = request.seed;
  const auto plan = analysis::plan(protocol, subjects);
  std::vector<analysis::Measurement> measured;
  analysis::measure(protocol, subjects, plan, measured, pool, [&](const auto& so_far) {
    return report_measured(callback, so_far.size(), plan.size());
  });
  Columns columns;
  for (const analysis::Measurement& own : measured) {
    columns["run"].push_back(static_cast<double>(own.run));
    columns["fraction"].push_back(own.level);
    columns["trial"].push_back(static_cast<double>(own.trial));
    columns["neurons"].push_back(static_cast<double>(own.neurons));
    columns["loss"].push_back(own.loss);
    if (subjects.front().task->classifies()) columns["accuracy"].push_back(own.accuracy);
    if (protocol.selection.kind == analysis::Selection::Kind::clusters) {
      columns["cluster"].push_back(static_cast<double>(own.cluster));
      columns["control"].push_back(own.control ? 1 : 0);
    }
  }
  return columns;
}

/// Returns the report, and the parameters of each neuron with its run, layer, number and cluster.
std::pair<std::string, Columns> cluster(const std::vector<std::string>& runs, std::int64_t least,
                                        std::int64_t most, std::int64_t chosen, bool standardise,
                                        int replicates, std::uint64_t seed,
                                        const Command& command) {
  const AsInTheProgram settings(command.threads, command.alone);
  ThreadPool pool(command.threads);
  std::vector<analysis::RunGroup> groups;
  for (const std::string& word : runs) groups.push_back(analysis::find_runs(word));
  analysis::ClusterStudy study;
  study.population = analysis::gather_population(groups);
  study.options.least = least;
  study.options.most = most;
  study.options.replicates = replicates;
  study.options.standardise =
      standardise ? statistics::Standardise::zscore : statistics::Standardise::none;
  study.seed = seed;
  study.chosen = chosen;
  const auto clustering = analysis::cluster_population(study, pool);
  const io::Json report = analysis::to_json(analysis::cluster_report(study, clustering, pool));
  Columns columns;
  const analysis::NeuronTable& table = study.population.table;
  for (std::size_t i = 0; i < table.neurons.size(); ++i) {
    columns["run"].push_back(static_cast<double>(study.population.run[i]));
    columns["layer"].push_back(static_cast<double>(table.neurons[i].layer));
    columns["neuron"].push_back(static_cast<double>(table.neurons[i].neuron));
  }
  for (const std::string& name : table.columns) columns[name] = table.column(name);
  return {report.dump(), std::move(columns)};
}

/// Writes the network of a run for another simulator, and returns the replacements.
std::vector<std::string> export_run(const fs::path& path, const fs::path& out,
                                    const std::string& format, const std::string& mode,
                                    std::int64_t copies, double time_step_ms, bool approximate) {
  const auto& entry = find_entry<formats::ExporterEntry>(formats::entries(), format, "format");
  const experiment::Trained trained = experiment::load(path);
  transfer::Options options;
  options.mode = transfer::parse_mode(mode);
  options.copies = copies;
  options.time_step_ms = time_step_ms;
  const spiking::Network network = transfer::lower(trained, options);
  formats::Options own;
  own.approximate = approximate;
  const formats::Conversion written = formats::export_network(entry, network, out, own);
  std::vector<std::string> all;
  for (const formats::Deviation& each : written.deviations) all.push_back(formats::text_of(each));
  return all;
}

/// Sends the library's messages to Python: receive(level, text).
void log_to(std::function<void(const std::string&, const std::string&)> receive) {
  // Never destroyed: messages may come while the interpreter ends.
  auto* const held = new std::function(std::move(receive));
  log::set_sink([held](log::Level level, std::string_view message) {
    if (Py_IsInitialized() == 0) return;
    const py::gil_scoped_acquire acquired;
    constexpr const char* kLevels[] = {"debug", "info", "warning"};
    (*held)(kLevels[static_cast<int>(level)], std::string(message));
  });
}

}  // namespace

void bind_runs(py::module_& module) {
  module.attr("version") = AFTERSPIKE_VERSION;
  bind_command(module);
  module.def("read_safetensors", &read_safetensors, Released());
  module.def("write_safetensors", &write_safetensors, Released());
  module.def("stack_of_configuration", &stack_of_configuration, Released());
  module.def("load", &load, Released());
  module.def("save_checkpoint", &save_checkpoint, Released());
  module.def("train", [](const std::string& task, const std::string& neuron,
                         const std::string& config, const std::string& out,
                         const Settings& settings, bool resume, std::int64_t epochs,
                         std::int64_t max_steps, double time_limit_s, const Command& command,
                         Listener::Callback callback) {
    return train_run({task, neuron, config, out, settings, resume, epochs, max_steps, time_limit_s},
                     command, std::move(callback));
  });
  module.def("evaluate", &evaluate, Released());
  module.def("predict", &predict, Released());
  module.def("silence", [](std::vector<std::string> runs, std::vector<double> fractions,
                           std::string by, std::string split, std::int64_t trials,
                           std::int64_t limit, std::uint64_t seed, const Command& command,
                           const std::function<void(std::size_t, std::size_t)>& callback) {
    return silence({std::move(runs), std::move(fractions), std::move(by), std::move(split), trials,
                    limit, seed},
                   command, callback);
  });
  module.def("cluster", &cluster, Released());
  module.def("export_run", &export_run, Released());
  module.def("log_to", &log_to);
}

}  // namespace afterspike::python
