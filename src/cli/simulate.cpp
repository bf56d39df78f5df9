#include <algorithm>
#include <chrono>
#include <filesystem>
#include <optional>
#include <set>
#include <sstream>
#include <utility>

#include <ATen/ATen.h>
#include <fmt/format.h>

#include "afterspike/experiment/evaluate.hpp"
#include "afterspike/io/atomic.hpp"
#include "afterspike/io/table.hpp"
#include "afterspike/spiking/network_description.hpp"
#include "afterspike/spiking/network_file.hpp"
#include "afterspike/spiking/spike_file.hpp"
#include "afterspike/transfer/respond.hpp"
#include "command.hpp"
#include "environment.hpp"
#include "long_run.hpp"
#include "outputs.hpp"
#include "spiking.hpp"

namespace afterspike::cli {
namespace {

Arguments simulate_arguments() {
  Arguments arguments("simulate",
                      "Runs a network of spiking neurons: on the samples of a task, or on recorded "
                      "spikes.",
                      "NET [--task T] [--split test] [--limit N] [--seed S] [--json]\n"
                      "  afterspike simulate NET --until \"500 ms\" --out DIR [--input FILE]\n"
                      "  afterspike simulate NET.toml [--set populations.E.size=800] --out DIR");
  arguments
      .example("afterspike simulate net.toml --until \"500 ms\" --record V --out runs/simulated")
      .positional({"NET"})
      .value("task", "T", "Task (default: the task of the network's training).")
      .value("split", "SPLIT", "train, validation or test.", "test")
      .value("limit", "N", "Use only the first N samples.")
      .value("copies", "N", "Copies of each neuron, for networks exported with --mode population.")
      .value("until", "T", "Run until this time instead of on a task, such as \"500 ms\".")
      .values("set", "PATH=VALUE", "Change a value of NET.toml: parameters.scale=0.1; repeatable.")
      .values("input", "[NAME=]FILE", "Spikes of a source (CSV or SONATA); repeatable.")
      .value("record", "LIST",
             "Recorded variables: spikes, V, w, I_syn, ... of all neurons that have them (default: "
             "those that NET.toml states, else spikes).")
      .value("interval", "T", "Time between recorded samples (default: the time step).")
      .value("dt", "T", "Step of the grid (default: the network's).")
      .value(
          "coupling", "NAME",
          "Electrical synapses: previous_step, previous_partner or iterated (default: as NET.toml "
          "states, else previous_step).")
      .value("out", "DIR", "New directory for spikes and samples.")
      .flag("json", "Print one JSON object.");
  add_data_directory(add_threads(add_engine(arguments)));
  return arguments;
}

/// Sets the number of copies of each neuron from --copies.
void set_copies(const Arguments& arguments, spiking::Network& network) {
  if (!arguments.has("copies")) return;
  const auto mode = network.provenance.find("mode");
  require(mode != network.provenance.end() && mode->second == "population", ErrorKind::usage,
          "--copies: the network was exported with mode '{}', expected mode 'population'",
          mode == network.provenance.end() ? "" : mode->second);
  network.populations.front().copies = arguments.integer("copies", 1, kMaxCopies);
}

spiking::Options read_options(const Arguments& arguments) {
  spiking::Options options = simulation_options(arguments);
  options.dt_ms = positive_ms(arguments, "dt");
  if (arguments.has("coupling")) {
    options.coupling = spiking::electrical_coupling(arguments.text("coupling"));
  }
  return options;
}

/// A network and, if it was described in TOML, the run that its description states.
struct Input {
  spiking::Network network;
  double until_ms = 0;  ///< 0: not stated.
  std::vector<spiking::RecordRequest> records;
  std::uint64_t seed = 1;  ///< Seed of the run: --seed, else the description.
  spiking::ElectricalCoupling coupling = spiking::ElectricalCoupling::previous_step;
};

std::vector<spiking::DescriptionSetting> settings_of(const Arguments& arguments) {
  std::vector<spiking::DescriptionSetting> settings;
  for (const std::string& setting : arguments.list("set")) {
    const auto equals = setting.find('=');
    require(equals != std::string::npos && equals > 0, ErrorKind::usage,
            "--set: found '{}', expected PATH=VALUE, as populations.E.size=800", setting);
    settings.emplace_back(setting.substr(0, equals), setting.substr(equals + 1));
  }
  if (arguments.has("seed")) {
    settings.emplace_back("seed", std::to_string(arguments.integer("seed", 0)));
  }
  return settings;
}

Input read_input(const Arguments& arguments) {
  const std::string& path = arguments.words()[0];
  if (std::filesystem::path(path).extension() != ".toml") {
    require(arguments.list("set").empty(), ErrorKind::usage,
            "--set: found the network '{}', expected a description, NET.toml", path);
    const auto seed = static_cast<std::uint64_t>(arguments.integer("seed", 0));
    return {spiking::read_network(path),
            positive_ms(arguments, "until"),
            {},
            seed,
            spiking::ElectricalCoupling::previous_step};
  }
  spiking::NetworkDescription description = spiking::read_description(path, settings_of(arguments));
  const double until = positive_ms(arguments, "until", description.until_ms);
  require(until > 0, ErrorKind::usage,
          "--until: '{}' states no end of the run; expected --until T, as --until \"1 s\"", path);
  return {std::move(description.network), until, std::move(description.records), description.seed,
          description.coupling};
}

/// Refuses flags of the other way to run.
void require_flags_of_one_way(const Arguments& arguments, bool alone) {
  for (const char* flag : {"out", "record", "input", "interval"}) {
    require(alone || !arguments.has(flag), ErrorKind::usage,
            "--{}: found no --until, expected it too: samples of a task are shown one by one, and"
            " nothing of single ones is written",
            flag);
  }
  for (const char* flag : {"task", "split", "limit"}) {
    require(!alone || !arguments.has(flag), ErrorKind::usage,
            "--{}: found --until too, expected one of them: a run for a time has no task", flag);
  }
}

std::vector<std::string> parts_of(const std::string& list) {
  std::vector<std::string> parts;
  std::istringstream text(list);
  for (std::string part; std::getline(text, part, ',');) parts.push_back(part);
  return parts;
}

/// Returns the source of an input: the named one, or the only one.
std::string source_of(const spiking::Network& network, const std::string& name) {
  if (!name.empty())
    return network.populations[static_cast<std::size_t>(network.population(name))].name;
  std::vector<std::string> sources;
  for (const spiking::Population& population : network.populations) {
    if (population.model == "spike_source") sources.push_back(population.name);
  }
  require(sources.size() == 1, ErrorKind::usage,
          "--input: the network has {} sources of spikes, expected NAME=FILE or one source",
          sources.size());
  return sources.front();
}

void set_inputs(const Arguments& arguments, const spiking::Network& network,
                spiking::Simulation& simulation) {
  std::set<std::string> given;
  for (const std::string& input : arguments.list("input")) {
    const auto equals = input.find('=');
    const bool named = equals != std::string::npos;
    const std::string source = source_of(network, named ? input.substr(0, equals) : "");
    require(given.insert(source).second, ErrorKind::usage,
            "--input: found two files for '{}', expected one for each source", source);
    const std::int64_t index = network.population(source);
    const std::int64_t size = network.populations[static_cast<std::size_t>(index)].size;
    simulation.set_trains(source, spiking::read_trains(named ? input.substr(equals + 1) : input,
                                                       source, index, size));
  }
}

/// Sampled quantities besides spikes: a recording for each population of neurons.
struct Sampled {
  std::string file;
  std::size_t recording;
};

bool has_variable(const spiking::Population& population, const std::string& name) {
  const auto& variables = spiking::model(population.model).variables;
  return std::any_of(variables.begin(), variables.end(), [&](const spiking::Variable& variable) {
    return variable.name == name || (name == "V_m" && variable.name == "V");
  });
}

/// Requests for a variable of --record: every population of neurons that has it, or, if none has,
/// the first one, which names its variables in an error.
void request(const spiking::Network& network, const std::string& name,
             std::vector<spiking::RecordRequest>& requests) {
  const std::size_t before = requests.size();
  for (const spiking::Population& population : network.populations) {
    if (has_variable(population, name)) requests.push_back({population.name, {name}, {}, 0});
  }
  for (const spiking::Population& population : network.populations) {
    if (requests.size() > before) return;
    if (spiking::model(population.model).is_source()) continue;
    requests.push_back({population.name, {name}, {}, 0});
  }
}

/// Requests of --record, else of the description.
std::vector<spiking::RecordRequest> requests_of(const Arguments& arguments, const Input& input) {
  if (!arguments.has("record")) return input.records;
  std::vector<spiking::RecordRequest> requests;
  for (const std::string& name : parts_of(arguments.text("record"))) {
    if (name != "spikes") request(input.network, name, requests);
  }
  return requests;
}

std::vector<Sampled> set_recordings(const std::vector<spiking::RecordRequest>& requests,
                                    spiking::Simulation& simulation, double interval_ms) {
  std::vector<Sampled> sampled;
  std::set<std::string> files;
  for (const spiking::RecordRequest& each : requests) {
    for (const std::string& variable : each.variables) {
      const double interval = each.interval_ms > 0 ? each.interval_ms : interval_ms;
      const std::string file = fmt::format("{}_{}.csv", each.population, variable);
      require(files.insert(file).second, ErrorKind::config,
              "record: found '{}' of population '{}' twice, expected it once: both would be '{}'",
              variable, each.population, file);
      require(file.find('/') == std::string::npos, ErrorKind::config,
              "record: population '{}' cannot name a file. Rename it without '/'", each.population);
      sampled.push_back(
          {file, simulation.record(each.population, variable, interval, each.neurons)});
    }
  }
  return sampled;
}

io::Table table_of(const spiking::Recording& recording) {
  io::Table table{{"time_ms"}, {}};
  for (const std::int64_t neuron : recording.neurons) {
    table.columns.push_back(fmt::format("neuron_{}", neuron));
  }
  const std::size_t width = recording.neurons.size();
  for (std::size_t row = 0; row < recording.times_ms.size(); ++row) {
    std::vector<double> cells = {recording.times_ms[row]};
    const auto begin = recording.values.begin() + static_cast<std::ptrdiff_t>(row * width);
    cells.insert(cells.end(), begin, begin + static_cast<std::ptrdiff_t>(width));
    table.rows.push_back(std::move(cells));
  }
  return table;
}

/// The new directory of a run. Spikes are written as they come.
class Products {
 public:
  Products(const std::filesystem::path& out, const spiking::Network& network)
      : directory_(out),
        spikes_(directory_.staging() / "spikes.csv", directory_.staging() / "spikes.h5", network) {}

  spiking::SpikeWriter* spikes() { return &spikes_; }

  /// Adds the samples and publishes the directory.
  void commit(const spiking::Simulation& simulation, const std::vector<Sampled>& sampled) {
    spikes_.close();
    for (const Sampled& each : sampled) {
      io::write_csv(directory_.staging() / each.file,
                    table_of(simulation.recording(each.recording)));
    }
    directory_.commit();
  }

 private:
  io::AtomicDirectory directory_;
  spiking::SpikeWriter spikes_;
};

/// Runs for a time, on recorded spikes. Takes the network out of `input`.
io::Json run_for(const Arguments& arguments, Input& input) {
  const std::vector<spiking::RecordRequest> requests = requests_of(arguments, input);
  require(arguments.has("out") || !arguments.has("record"), ErrorKind::usage,
          "--record: expected --out DIR, where it is written");
  require(!requests.empty() || !arguments.has("interval"), ErrorKind::usage,
          "--interval: expected --record V or another quantity: spikes are recorded as they come");
  if (arguments.has("out")) require_free(arguments.text("out"), false);
  spiking::Options options = read_options(arguments);
  if (!arguments.has("coupling")) options.coupling = input.coupling;
  options.threads = threads(arguments);
  options.seed = input.seed;
  const double until = input.until_ms;
  require_memory(input.network, options);
  const auto start = std::chrono::steady_clock::now();
  spiking::Simulation simulation(std::move(input.network), options);
  const std::chrono::duration<double> built = std::chrono::steady_clock::now() - start;
  const spiking::Network& network = simulation.network();
  set_inputs(arguments, network, simulation);
  const double step = options.dt_ms > 0 ? options.dt_ms : network.time_step_ms;
  const auto sampled =
      set_recordings(requests, simulation, positive_ms(arguments, "interval", step));
  std::optional<Products> products;
  if (arguments.has("out")) products.emplace(arguments.text("out"), network);
  const double taken =
      run_reporting(simulation, until, step, products ? products->spikes() : nullptr);
  if (products) products->commit(simulation, sampled);
  const spiking::Statistics counted = simulation.statistics();
  std::int64_t neurons = 0;
  for (const spiking::Population& population : network.populations) {
    if (!spiking::model(population.model).is_source()) neurons += population.cells();
  }
  const double seconds = until * 1e-3;
  return {
      {"time_ms", until},
      {"neurons", neurons},
      {"spikes", counted.spikes},
      {"rate_per_s", static_cast<double>(counted.spikes) / static_cast<double>(neurons) / seconds},
      {"synaptic_events", counted.synaptic_events},
      {"synaptic_events_per_s", static_cast<double>(counted.synaptic_events) / taken},
      {"real_time_factor", taken / seconds},
      {"build_s", built.count()},
      {"wall_s", taken}};
}

io::Json classify(const Arguments& arguments, const spiking::Network& network) {
  const std::string named = arguments.has("task") ? arguments.text("task") : "";
  const auto task = task_of(network, named, {data_directory(arguments)});
  const auto data = samples_of(*task, arguments);
  ThreadPool pool(threads(arguments));
  const auto start = std::chrono::steady_clock::now();
  const transfer::Responses responses =
      transfer::respond(network, *data, read_options(arguments), pool);
  const std::chrono::duration<double> taken = std::chrono::steady_clock::now() - start;
  const auto samples = static_cast<double>(data->size());
  const at::Tensor right = responses.outputs.argmax(1).eq(experiment::classes(*data, pool));
  const transfer::Energy energy = transfer::energy(network, responses);
  constexpr double kMicro = 1e-6;
  return {{"split", arguments.text("split")},
          {"accuracy", right.to(at::kDouble).mean().item<double>()},
          {"samples", data->size()},
          {"samples_per_s", samples / taken.count()},
          {"spikes_per_sample", static_cast<double>(responses.counted.spikes) / samples},
          {"synaptic_events_per_sample",
           static_cast<double>(responses.counted.synaptic_events) / samples},
          {"synaptic_events_per_s",
           static_cast<double>(responses.counted.synaptic_events) / taken.count()},
          {"energy_uJ_per_sample", energy.spiking_pJ * kMicro / samples},
          {"energy_rate_network_uJ_per_sample", energy.rate_pJ * kMicro / samples},
          {"energy_assumes",
           fmt::format("{} pJ an addition, {} pJ a multiplication (Horowitz 2014, 45 nm, float32)",
                       transfer::kAddition_pJ, transfer::kMultiplication_pJ)}};
}

void require_neurons(const std::string& path, const spiking::Network& network) {
  const bool any = std::any_of(network.populations.begin(), network.populations.end(),
                               [](const spiking::Population& population) {
                                 return !spiking::model(population.model).is_source();
                               });
  require(any, ErrorKind::data, "'{}': found no neurons, expected a population of them", path);
}

int run_simulate(std::span<const std::string> words) {
  Arguments arguments = simulate_arguments();
  if (!arguments.parse(words)) return 0;
  const bool is_description = std::filesystem::path(arguments.words()[0]).extension() == ".toml";
  const bool alone = arguments.has("until") || is_description;
  require_flags_of_one_way(arguments, alone);
  Input input = read_input(arguments);
  spiking::Network& network = input.network;
  require_neurons(arguments.words()[0], network);
  set_copies(arguments, network);
  network = converted(arguments, std::move(network));
  const std::int64_t copies = network.populations.front().copies;
  io::Json result = alone ? run_for(arguments, input) : classify(arguments, network);
  result["engine"] = arguments.text("engine");
  if (arguments.has("as")) result["as"] = arguments.text("as");
  result["copies"] = copies;
  result["seed"] = input.seed;
  print_result(result, arguments.has("json"));
  return 0;
}

}  // namespace

CommandEntry entry_simulate() {
  return {"simulate", "run a network of spiking neurons", run_simulate};
}

}  // namespace afterspike::cli
