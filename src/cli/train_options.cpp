#include "train_options.hpp"

#include <unistd.h>

#include <algorithm>
#include <filesystem>
#include <initializer_list>
#include <memory>
#include <string_view>
#include <vector>

#include <fmt/format.h>

#include "afterspike/base/text.hpp"
#include "afterspike/base/units.hpp"
#include "afterspike/io/toml.hpp"
#include "afterspike/train/memory.hpp"
#include "environment.hpp"
#include "ranks.hpp"

namespace afterspike::cli {
namespace {

namespace fs = std::filesystem;

/// A flag for a common option.
struct OptionFlag {
  const char* name;
  const char* placeholder;
  const char* option;
  const char* help;
};

constexpr OptionFlag kOptionFlags[] = {
    {"seed", "N", "seed", "Seed of everything random"},
    {"data", "FILE", "task.data", "File of sequences, for tasks that read one"},
    {"read", "STEPS", "task.read", "Steps at which the output is read"},
    {"hidden", "N", "network.hidden", "Neurons in a layer; replaces match_params of a file"},
    {"layers", "N", "network.layers", "Hidden layers"},
    {"match-params", "N", "network.match_params", "Chooses --hidden for this many parameters"},
    {"delay", "D", "neuron.delay", "Delay of recurrent synapses, such as 15ms or 300steps"},
    {"variant", "NAME", "neuron.variant", "Variant of the neuron model"},
    {"init", "NAME", "neuron.initial", "Initial values of the neurons' parameters"},
    {"inherit", "RUN", "inherit", "Run from which initial values are drawn"},
    {"epochs", "N", "train.epochs", "Epochs in all"},
    {"batch-size", "N", "train.batch_size", "Samples of a training step"},
    {"learning-rate", "X", "train.learning_rate", "Learning rate; the largest one of a schedule"},
    {"optimizer", "NAME", "train.optimizer", "Optimizer"},
    {"precision", "NAME", "train.precision", "Type of the recurrent products"},
};

/// Adds the flags with these names.
void add_options(Arguments& arguments, std::initializer_list<std::string_view> names) {
  for (const OptionFlag& flag : kOptionFlags) {
    if (std::find(names.begin(), names.end(), flag.name) == names.end()) continue;
    arguments.value(flag.name, flag.placeholder, fmt::format("{} ({}).", flag.help, flag.option));
  }
}

/// Returns every option of the named task and neuron with its value; a hint if none is named.
std::string options_help(const Arguments& arguments) {
  if (!arguments.has("task") && !arguments.has("neuron")) {
    return "\nAll options of a task and a neuron model, for --set and files:\n"
           "  afterspike train --task line_mnist --neuron glifr --help\n";
  }
  const std::string task = arguments.has("task") ? arguments.text("task") : "line_mnist";
  const std::string neuron = arguments.has("neuron") ? arguments.text("neuron") : "glifr";
  train::RunOptions options;
  options.seed = 1;
  options.experiment = std::make_unique<experiment::Experiment>(task, neuron);
  options::Description description;
  options.describe(description);
  std::string help = "\nOptions for --set and files:\n";
  for (const options::Field& field : description.fields()) {
    if (field.path().ends_with(".name")) continue;
    const bool of_task = field.path().starts_with("task."),
               of_neuron = field.path().starts_with("neuron.");
    if ((of_task && !arguments.has("task")) || (of_neuron && !arguments.has("neuron"))) continue;
    help += fmt::format("  {} = {}\n      {} [{}]\n", field.path(), options::text(field.value()),
                        field.help(), field.type());
  }
  return help;
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
  for (const OptionFlag& flag : kOptionFlags) {
    if (!arguments.has(flag.name)) continue;
    const options::Field* field = description.find_if(flag.option);
    require(field != nullptr, ErrorKind::usage,
            "--{}: the chosen task and neuron have no option {}", flag.name, flag.option);
    field->set_text(arguments.text(flag.name));
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

/// Returns the command line, for the record of the run.
std::string command_of(std::span<const std::string> words) {
  std::vector<std::string> all = {"afterspike", "train"};
  all.insert(all.end(), words.begin(), words.end());
  std::string command = shell_command(all);
  require(is_utf8(command), ErrorKind::usage,
          "train: found '{}', expected UTF-8. The record of a run cannot hold other bytes; choose"
          " another name.",
          printable(command));
  return command;
}

/// Returns a duration in seconds. Throws Error(config) unless it is more than 0.
double seconds(const Arguments& arguments, const std::string& flag) {
  const std::string text = arguments.text(flag);
  const double value = units::parse(text, "s", "--" + flag);
  require(value > 0, ErrorKind::config, "--{}: found '{}', expected more than 0", flag, text);
  return value;
}

}  // namespace

Arguments train_arguments() {
  Arguments arguments("train", "Trains a network on a task.",
                      "(--task T --neuron N | --config FILE) --out RUN [--epochs N ...]\n"
                      "  afterspike train --resume RUN [--epochs N]");
  arguments.value("config", "FILE", "Experiment file (TOML). Flags override it.")
      .value("task", "T", "Task; 'afterspike list tasks' prints the names.")
      .value("neuron", "N", "Neuron model; 'afterspike list neurons' prints the names.")
      .value("out", "RUN", "New directory of the run.")
      .values("set", "OPTION=VALUE", "Sets any option: train.weight_decay=0.01; repeatable.");
  add_options(arguments, {"seed", "data", "read"});
  arguments.group("Network");
  add_options(arguments,
              {"hidden", "layers", "match-params", "delay", "variant", "init", "inherit"});
  arguments.group("Training");
  add_options(arguments, {"epochs", "batch-size", "learning-rate", "optimizer", "precision"});
  arguments.value("seeds", "N", "Trains N networks, with seeds from --seed on.")
      .value("rotate-speakers", "LISTS",
             "Trains a network for each list of speakers held out for validation, such as "
             "'3,9; 0,7', and leaves the test split alone.")
      .group("Resuming")
      .value("resume", "RUN", "Continues a stopped or killed run, or trains it for more --epochs.")
      .value("schedule", "HOW",
             "Learning rate after the end of a one_cycle schedule: restart (a new cycle) or hold "
             "(the last rate).")
      .group("Limits")
      .value("time-limit", "T", "Stops and saves after this time, such as 50min.")
      .value("max-steps", "N", "Stops and saves after this many steps in all.")
      .value("memory-limit", "SIZE",
             "Limit of the process's memory, such as 2GiB. Parts of the forward pass are then "
             "computed twice; the result is the same.")
      .value("checkpoint-interval", "T", "Longest time between two saves.", "60 s")
      .group("Output")
      .flag("dump-config", "Prints all options with their values and stops.")
      .flag("quiet", "Prints no progress.")
      .flag("json", "Prints the summary (or --dump-config) as one JSON object, last.");
  add_ranks(add_data_directory(add_device(add_threads(arguments))));
  arguments.example("afterspike train --task line_mnist --neuron glifr --epochs 10 --out runs/a")
      .epilogue(options_help);
  return arguments;
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

void print_options(const Arguments& arguments) {
  train::RunOptions options = new_options(arguments);
  options::Description description;
  options.describe(description);
  fmt::print("{}", arguments.has("json") ? experiment::to_configuration(description).dump() + "\n"
                                         : io::write_options(description, /*with_help=*/true));
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
  environment.command = command_of(words);
  environment.checkpoint_interval_s = seconds(arguments, "checkpoint-interval");
  if (arguments.has("time-limit")) environment.limits.seconds = seconds(arguments, "time-limit");
  if (arguments.has("memory-limit")) {
    environment.memory_limit = train::parse_bytes(arguments.text("memory-limit"), "--memory-limit");
  }
  if (arguments.has("max-steps")) environment.limits.steps = arguments.integer("max-steps", 1);
  environment.limits.interrupted = [] { return interruption() != 0; };
  return environment;
}

void require_resume_flags(const Arguments& arguments) {
  std::vector<const char*> refused = {"config", "task", "neuron",          "out",
                                      "seeds",  "set",  "rotate-speakers", "dump-config"};
  for (const OptionFlag& flag : kOptionFlags) {
    if (std::string_view(flag.name) != "epochs") refused.push_back(flag.name);
  }
  for (const char* flag : refused) {
    require(!arguments.has(flag), ErrorKind::usage,
            "--resume: --{} cannot be given too: a run goes on as it was created", flag);
  }
}

}  // namespace afterspike::cli
