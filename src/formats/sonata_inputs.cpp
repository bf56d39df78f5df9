#include "sonata_inputs.hpp"

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <optional>

#include <fmt/format.h>

#include "afterspike/base/error.hpp"
#include "afterspike/spiking/spike_trains.hpp"

namespace afterspike::formats {
namespace {

using spiking::Population;
using spiking::SpikeTrains;
using spiking::StepCurrent;

/// An input of the configuration, with the nodes that it is for.
struct Input {
  std::string where;  ///< For messages.
  ConfigPart entry;
  NodeSet nodes;
};

/// Times of each node of a population, from several inputs.
using Times = std::map<std::string, std::vector<std::vector<double>>>;

/// Adds the spikes that a file has of one population, for the selected nodes. False if it has none.
bool add_spikes(const std::filesystem::path& path, const std::string& name, std::size_t size,
                const std::vector<std::int64_t>& nodes, Times& times) {
  const std::optional<SpikeTrains> trains =
      spiking::find_spike_trains(path, name, static_cast<std::int64_t>(size));
  if (!trains) return false;
  auto& population = times[name];
  population.resize(size);
  for (const std::int64_t node : nodes) {
    const auto at = static_cast<std::size_t>(node);
    auto& own = population[at];
    own.insert(own.end(), trains->times_ms.begin() + trains->offsets[at],
               trains->times_ms.begin() + trains->offsets[at + 1]);
  }
  return true;
}

void read_spikes(const Input& input, const NodeTables& tables, Times& times) {
  const std::filesystem::path path = input.entry.path("input_file");
  const std::string module =
      input.entry.has("module") ? input.entry.get<std::string>("module") : "sonata";
  require(module == "sonata" || module == "h5" || module == "hdf5" || module == "csv",
          ErrorKind::data, "{}: found module '{}', expected sonata, h5 or csv", input.where,
          module);
  bool has_virtual = false, found = false;
  for (const auto& [name, nodes] : input.nodes) {
    const NodeTable& table = tables.at(name);
    if (!table.is_virtual) continue;
    has_virtual = true;
    found = add_spikes(path, name, table.rows.size(), nodes, times) || found;
  }
  const std::string& first = input.nodes.begin()->first;
  require(has_virtual, ErrorKind::data,
          "{}: found nodes '{}', which are neurons; expected virtual ones", input.where, first);
  require(found, ErrorKind::data, "{}: '{}' has no spikes of these nodes", input.where,
          path.string());
}

/// A number or a list of numbers.
std::vector<double> numbers_of(const Input& input, const char* key) {
  const io::Json value = input.entry.at(key).json();
  const io::Json list = value.is_array() ? value : io::Json::array({value});
  std::vector<double> numbers;
  for (const io::Json& each : list) {
    require(each.is_number(), ErrorKind::data, "{}: '{}': found {}, expected a number", input.where,
            key, each.dump());
    numbers.push_back(each.get<double>());
  }
  return numbers;
}

/// The steps of a clamp: each value from its delay for its duration, 0 elsewhere. One that begins
/// before the end of another takes its place.
StepCurrent clamp_steps(const Input& input) {
  const auto amplitudes = numbers_of(input, "amp"), delays = numbers_of(input, "delay"),
             durations = numbers_of(input, "duration");
  require(amplitudes.size() == delays.size() && delays.size() == durations.size(), ErrorKind::data,
          "{}: found {} of amp, {} of delay and {} of duration, expected as many", input.where,
          amplitudes.size(), delays.size(), durations.size());
  StepCurrent current;
  for (std::size_t at = 0; at < delays.size(); ++at) {
    const double stop = delays[at] + durations[at];
    const bool last = at + 1 == delays.size();
    require(delays[at] >= 0 && durations[at] > 0 && (last || delays[at + 1] > delays[at]),
            ErrorKind::data,
            "{}: found a delay of {} ms and a duration of {} ms, expected ascending delays from 0"
            " on and durations above 0",
            input.where, delays[at], durations[at]);
    current.times_ms.push_back(delays[at]);
    current.amplitudes_pa.push_back(amplitudes[at]);
    if (!last && stop >= delays[at + 1]) continue;
    current.times_ms.push_back(stop);
    current.amplitudes_pa.push_back(0);
  }
  return current;
}

void read_clamp(const Input& input, const NodeTables& tables, Import& import) {
  const StepCurrent steps = clamp_steps(input);
  std::map<std::int64_t, std::vector<std::int64_t>> neurons;  // By population.
  for (const auto& [name, nodes] : input.nodes) {
    if (tables.at(name).is_virtual) continue;
    for (const std::int64_t node : nodes) {
      const auto [population, neuron] = import.nodes.at(name)[static_cast<std::size_t>(node)];
      neurons[population].push_back(neuron);
    }
  }
  require(!neurons.empty(), ErrorKind::data,
          "{}: found nodes '{}', which are virtual; expected neurons", input.where,
          input.nodes.begin()->first);
  for (auto& [population, list] : neurons) {
    StepCurrent current = steps;
    current.population = population;
    std::sort(list.begin(), list.end());
    current.neurons = list;
    import.network.step_currents.push_back(std::move(current));
  }
}

void give_trains(const Times& times, Import& import) {
  for (const auto& [name, nodes] : times) {
    const std::int64_t index = import.nodes.at(name).front().first;
    SpikeTrains& trains = import.network.populations[static_cast<std::size_t>(index)].trains;
    trains.offsets = {0};
    for (std::vector<double> own : nodes) {
      std::sort(own.begin(), own.end());
      trains.times_ms.insert(trains.times_ms.end(), own.begin(), own.end());
      trains.offsets.push_back(static_cast<std::int64_t>(trains.times_ms.size()));
    }
  }
}

}  // namespace

bool is_disabled(const ConfigPart& entry) {
  return entry.has("enabled") && !entry.get<bool>("enabled");
}

void read_sonata_inputs(const SonataConfig& config, const NodeTables& tables, Import& import) {
  if (!config.has("inputs")) return;
  const ConfigPart inputs = config.at("inputs");
  Times times;
  for (const auto& [name, ignored] : inputs.json().items()) {
    const ConfigPart entry = inputs.at(name.c_str());
    if (is_disabled(entry)) continue;
    const std::string where = fmt::format("{}: input '{}'", entry.name(), name);
    const auto type = entry.get<std::string>("input_type");
    require(type == "spikes" || type == "current_clamp", ErrorKind::data,
            "{}: found input_type '{}', expected spikes or current_clamp", where, type);
    const io::Json set = entry.has("node_set") ? entry.at("node_set").json() : io::Json("all");
    const Input input{where, entry, resolve_node_set(set, tables, config, where)};
    if (type == "spikes") {
      read_spikes(input, tables, times);
    } else {
      read_clamp(input, tables, import);
    }
  }
  give_trains(times, import);
}

}  // namespace afterspike::formats
