#include "afterspike/spiking/network_description.hpp"

#include <algorithm>
#include <array>
#include <cmath>
#include <cstddef>
#include <limits>
#include <map>
#include <set>
#include <utility>

#include <fmt/format.h>

#include "afterspike/base/registry.hpp"
#include "afterspike/io/toml_tree.hpp"
#include "afterspike/spiking/connect.hpp"
#include "network/expression.hpp"

namespace afterspike::spiking {
namespace {

using io::TomlNode;
using io::TomlTable;
/// The stop of a current that a description leaves open.
constexpr double kLatest_ms = 1e12;
using Names = std::map<std::string, double, std::less<>>;

/// Calls action() and puts file, line and key before the message of an Error.
template <typename Action>
auto within(const TomlTable& table, const Action& action) {
  try {
    return action();
  } catch (const Error& error) {
    const std::string place = fmt::format("{}: {}", table.where(), table.name());
    const bool placed = std::string_view(error.what()).starts_with(table.where());
    throw placed ? error : Error(ErrorKind::config, fmt::format("{}: {}", place, error.what()));
  }
}

/// Replaces texts that begin with '=' by the value of their expression.
void evaluate_all(TomlNode& node, const Names& names) {
  if (auto* table = std::get_if<TomlNode::Table>(&node.value)) {
    for (auto& [key, child] : *table) evaluate_all(child, names);
  } else if (auto* array = std::get_if<TomlNode::Array>(&node.value)) {
    for (TomlNode& child : *array) evaluate_all(child, names);
  } else if (const auto* text = std::get_if<std::string>(&node.value)) {
    if (!text->starts_with('=')) return;
    try {
      node.value = evaluate(text->substr(1), names);
    } catch (const Error& error) {
      throw error.within(node.where);
    }
  }
}

/// [parameters]: numbers, and expressions of those above.
Names read_parameters(TomlNode& root) {
  Names names;
  auto& entries = std::get<TomlNode::Table>(root.value);
  const auto found = std::find_if(entries.begin(), entries.end(),
                                  [](const auto& entry) { return entry.first == "parameters"; });
  if (found == entries.end()) return names;
  TomlTable table(found->second, "parameters");
  for (const std::string& key : table.keys()) {
    auto& values = std::get<TomlNode::Table>(found->second.value);
    auto& node = std::find_if(values.begin(), values.end(), [&](const auto& entry) {
                   return entry.first == key;
                 })->second;
    evaluate_all(node, names);
    names[key] = io::toml_number(node, "parameters." + key);
  }
  return names;
}

/// A number, or { distribution = "normal", mean = 1.5, std = 0.75, min = 0.1 }.
Distribution distribution_of(const TomlNode& node, const std::string& name) {
  Distribution distribution;
  if (!std::holds_alternative<TomlNode::Table>(node.value)) {
    distribution.first = io::toml_number(node, name);
    return distribution;
  }
  TomlTable table(node, name);
  const std::string kind = table.text("distribution");
  if (kind == "normal" || kind == "lognormal") {
    distribution.kind =
        kind == "normal" ? Distribution::Kind::normal : Distribution::Kind::lognormal;
    distribution.first = table.number("mean");
    distribution.second = table.number("std");
    if (distribution.second < 0) table.refuse(table.at("std"), "std", "expected 0 or above");
  } else if (kind == "exponential") {
    distribution.kind = Distribution::Kind::exponential;
    distribution.first = table.number("mean");
  } else if (kind == "uniform") {
    distribution.kind = Distribution::Kind::uniform;
    distribution.first = table.number("min");
    distribution.second = table.number("max");
    if (distribution.first > distribution.second) {
      table.refuse(table.at("max"), "max", "expected at least min");
    }
    table.finish();
    return distribution;
  } else {
    const std::array<std::string_view, 4> names = {"normal", "lognormal", "uniform", "exponential"};
    table.refuse(table.at("distribution"), "distribution",
                 fmt::format("found '{}'{}, expected {}", kind, did_you_mean(kind, names),
                             fmt::join(names, ", ")));
  }
  distribution.min = table.number("min", distribution.min);
  distribution.max = table.number("max", distribution.max);
  if (distribution.min > distribution.max) {
    table.refuse(table.at("max"), "max", "expected at least min");
  }
  table.finish();
  return distribution;
}

/// A number as the index of a neuron or receptor.
std::int64_t whole(TomlTable& table, std::string_view key, double value) {
  constexpr double kEnd = 4294967296;
  if (!(value >= 0 && value < kEnd) || value != std::floor(value)) {
    table.refuse(table.at(key), key,
                 fmt::format("found {}, expected a whole number from 0 on", value));
  }
  return static_cast<std::int64_t>(value);
}

/// Reads one description; random numbers come from streams named by population or projection.
class Builder {
 public:
  Builder(TomlTable root, std::uint64_t seed)
      : root_(std::move(root)), rng_(Rng(seed).stream("network")) {}

  NetworkDescription build();

 private:
  void read_population(TomlTable table, const std::string& name);
  void read_size(TomlTable& table, Population& population);
  void read_receptors(TomlTable& table, Population& population);
  void read_trains(TomlTable& table, Population& population);
  void read_parameter(TomlTable& table, Population& population, const Parameter& parameter);
  void draw_parameter(const TomlNode& node, const std::string& what, Population& population,
                      const Parameter& parameter, std::uint64_t row = 0);
  void read_projection(TomlTable& table);
  static Connection read_rule(TomlTable& table);
  void read_radius(TomlTable& table, std::int64_t source, std::int64_t target,
                   Connection& connection);
  const Grid& grid_of(TomlTable& table, std::string_view key, std::int64_t population);
  Connection read_connection(TomlTable& table, const Population& target);
  Projection read_synapses(TomlTable& table, std::int64_t source, std::int64_t target);
  void read_electrical(TomlTable& table);
  void read_current(TomlTable& table);
  void read_record(TomlTable& table);
  std::int64_t population_at(TomlTable& table, std::string_view key, const std::string& name);
  std::vector<std::int64_t> neurons_of(TomlTable& table, std::int64_t population);

  TomlTable root_;
  Rng rng_;
  std::vector<Grid> grids_;  ///< Grid of each population; without columns if it has none.
  NetworkDescription description_;
};

std::int64_t Builder::population_at(TomlTable& table, std::string_view key,
                                    const std::string& name) {
  try {
    return description_.network.population(name);
  } catch (const Error& error) {
    table.refuse(table.at(key), key, error.what());
  }
}

const Grid& Builder::grid_of(TomlTable& table, std::string_view key, std::int64_t population) {
  const Grid& grid = grids_[static_cast<std::size_t>(population)];
  if (grid.columns == 0) {
    const auto& populations = description_.network.populations;
    table.refuse(table.at(key), key,
                 fmt::format("population '{}' has no grid. Give it grid = [COLUMNS, ROWS]",
                             populations[static_cast<std::size_t>(population)].name));
  }
  return grid;
}

/// `neurons`: indices, or { center = [x, y], radius = r } on a grid. Empty without the key.
std::vector<std::int64_t> Builder::neurons_of(TomlTable& table, std::int64_t population) {
  std::vector<std::int64_t> neurons;
  const TomlNode* node = table.find("neurons");
  if (node == nullptr) return neurons;
  if (std::holds_alternative<TomlNode::Table>(node->value)) {
    const Grid& grid = grid_of(table, "neurons", population);
    TomlTable disc(*node, table.name() + ".neurons");
    const std::vector<double> center = disc.numbers("center");
    if (center.size() != 2) disc.refuse(disc.at("center"), "center", "expected [x, y]");
    neurons = neurons_within(grid, center[0], center[1], disc.number("radius"));
    disc.finish();
    if (neurons.empty()) table.refuse(*node, "neurons", "found no neurons within the radius");
    return neurons;
  }
  for (const double neuron : table.numbers("neurons")) {
    neurons.push_back(whole(table, "neurons", neuron));
  }
  const std::set<std::int64_t> distinct(neurons.begin(), neurons.end());
  if (distinct.size() < neurons.size()) {
    table.refuse(table.at("neurons"), "neurons", "found a neuron twice, expected each once");
  }
  if (neurons.empty()) {
    table.refuse(table.at("neurons"), "neurons", "found no neurons; leave the key out for all");
  }
  return neurons;
}

void Builder::read_receptors(TomlTable& table, Population& population) {
  const Model& kind = model(population.model);
  population.synapse = SynapseShape::model;
  population.receptors = static_cast<std::int64_t>(kind.receptors.size());
  if (kind.is_source() || !kind.receptors.empty()) {
    if (kind.is_source()) population.synapse = SynapseShape::delta;
    return;
  }
  const std::string shape =
      table.text("synapse", kind.shapes.size() == 1 ? name_of(kind.shapes[0]) : "exponential");
  const auto found = std::find_if(kind.shapes.begin(), kind.shapes.end(),
                                  [&](SynapseShape each) { return name_of(each) == shape; });
  if (found == kind.shapes.end()) {
    std::vector<std::string_view> names;
    for (const SynapseShape each : kind.shapes) names.push_back(name_of(each));
    table.refuse(table.at("synapse"), "synapse",
                 fmt::format("found '{}', expected {}", shape, fmt::join(names, ", ")));
  }
  population.synapse = *found;
  population.receptors = 1;
  if (*found == SynapseShape::delta) return;
  const std::vector<double> taus = table.numbers("tau_syn");
  population.receptors = static_cast<std::int64_t>(taus.size());
  for (const double tau : taus) {
    population.synapse_time_constants_ms.insert(population.synapse_time_constants_ms.end(),
                                                static_cast<std::size_t>(population.size), tau);
  }
}

/// spike_times = [[neuron 0], [neuron 1], ...] in ms.
void Builder::read_trains(TomlTable& table, Population& population) {
  const TomlNode* node = table.find("spike_times");
  if (node == nullptr) return;
  const auto* trains = std::get_if<TomlNode::Array>(&node->value);
  if (trains == nullptr || static_cast<std::int64_t>(trains->size()) != population.size) {
    table.refuse(*node, "spike_times",
                 fmt::format("expected {} arrays of times, one per neuron", population.size));
  }
  population.trains.offsets = {0};
  for (const TomlNode& train : *trains) {
    const auto* times = std::get_if<TomlNode::Array>(&train.value);
    if (times == nullptr) table.refuse(train, "spike_times", "expected an array of times");
    for (const TomlNode& time : *times) {
      population.trains.times_ms.push_back(io::toml_number(time, "spike_times"));
    }
    population.trains.offsets.push_back(
        static_cast<std::int64_t>(population.trains.times_ms.size()));
  }
}

void Builder::draw_parameter(const TomlNode& node, const std::string& what, Population& population,
                             const Parameter& parameter, std::uint64_t row) {
  const Distribution distribution = distribution_of(node, what);
  Rng rng = rng_.stream("parameter").stream(population.name).stream(parameter.symbol, row);
  auto& column = population.columns[std::string(parameter.name)];
  for (std::int64_t neuron = 0; neuron < population.size; ++neuron) {
    column.push_back(draw(distribution, rng));
  }
}

/// One value or distribution for all neurons, or an array with a value for each neuron; for
/// after-spike currents an array with an entry for each current.
void Builder::read_parameter(TomlTable& table, Population& population, const Parameter& parameter) {
  const TomlNode* node = table.find(parameter.symbol);
  std::string_view key = parameter.symbol;
  if (node == nullptr) {
    node = table.find(parameter.name);
    key = parameter.name;
  }
  if (node == nullptr) return;
  const std::string what = fmt::format("{}.{}", table.name(), key);
  population.columns[std::string(parameter.name)].clear();
  const auto* array = std::get_if<TomlNode::Array>(&node->value);
  if (array == nullptr) return draw_parameter(*node, what, population, parameter);
  const bool currents = parameter.extent == Extent::current;
  if (!currents && static_cast<std::int64_t>(array->size()) != population.size) {
    table.refuse(*node, key,
                 fmt::format("found {} values, expected one, or {} for the neurons", array->size(),
                             population.size));
  }
  auto& column = population.columns[std::string(parameter.name)];
  std::uint64_t row = 0;
  for (const TomlNode& each : *array) {
    if (currents) {
      draw_parameter(each, what, population, parameter, row++);
    } else {
      column.push_back(io::toml_number(each, what));
    }
  }
}

/// `size`, or `grid = [columns, rows]` with `spacing` and `edge_wrap`.
void Builder::read_size(TomlTable& table, Population& population) {
  Grid grid;
  if (const TomlNode* node = table.find("grid"); node != nullptr) {
    const std::vector<double> sides = table.numbers("grid");
    if (sides.size() != 2 || table.find("size") != nullptr) {
      table.refuse(*node, "grid", "expected [COLUMNS, ROWS], and no size besides");
    }
    grid.columns = whole(table, "grid", sides[0]);
    grid.rows = whole(table, "grid", sides[1]);
    grid.spacing = table.number("spacing", 1);
    grid.edge_wrap = table.flag("edge_wrap", false);
    if (!(grid.spacing > 0)) table.refuse(table.at("spacing"), "spacing", "expected above 0");
    population.size = grid.columns * grid.rows;
  } else {
    population.size = table.integer("size", 1);
  }
  const std::string_view key = table.find("grid") != nullptr ? "grid" : "size";
  if (population.size < 1 || population.size > std::numeric_limits<std::uint32_t>::max()) {
    table.refuse(table.at(key), key,
                 fmt::format("found {} neurons, expected 1 to 4294967295", population.size));
  }
  grids_.push_back(grid);
}

void Builder::read_population(TomlTable table, const std::string& name) {
  Population population;
  population.name = name;
  require(name.find('/') == std::string::npos, ErrorKind::config,
          "found '/' in the name, expected none: files are named after populations");
  population.model = table.text("model");
  const Model& kind = model(population.model);
  read_size(table, population);
  set_defaults(population, table.text("preset", ""));
  read_receptors(table, population);
  for (const Parameter& parameter : kind.parameters) read_parameter(table, population, parameter);
  // Neurons start at E_L if the description gives it and no V_m.
  const bool starts = table.find("V_m") != nullptr || table.find("initial_potential") != nullptr;
  const bool rests = table.find("E_L") != nullptr || table.find("resting_potential") != nullptr;
  const auto rest = population.columns.find("resting_potential");
  const auto initial = population.columns.find("initial_potential");
  if (rests && !starts && rest != population.columns.end() && initial != population.columns.end()) {
    initial->second = rest->second;
  }
  if (kind.source_input == SourceInput::trains) read_trains(table, population);
  if (kind.has_copies) population.copies = table.integer("copies", 1);
  table.finish();
  description_.network.populations.push_back(std::move(population));
}

/// The rule of a connection with its numbers.
Connection Builder::read_rule(TomlTable& table) {
  Connection connection;
  connection.rule = connection_rule(table.text("rule", "all_to_all"));
  switch (connection.rule) {
    case ConnectionRule::fixed_indegree:
      connection.count = table.integer("indegree");
      break;
    case ConnectionRule::fixed_outdegree:
      connection.count = table.integer("outdegree");
      break;
    case ConnectionRule::fixed_total_number:
      connection.count = table.integer("N");
      break;
    case ConnectionRule::pairwise_bernoulli:
      connection.probability = table.number("p");
      break;
    default:
      break;
  }
  return connection;
}

/// The mask of a connection between populations on grids.
void Builder::read_radius(TomlTable& table, std::int64_t source, std::int64_t target,
                          Connection& connection) {
  if (table.find("radius") == nullptr) return;
  connection.radius = table.number("radius");
  if (!(connection.radius >= 0)) table.refuse(table.at("radius"), "radius", "expected 0 or above");
  connection.source_grid = grid_of(table, "radius", source);
  connection.target_grid = grid_of(table, "radius", target);
}

Connection Builder::read_connection(TomlTable& table, const Population& target) {
  Connection connection = read_rule(table);
  connection.allow_autapses = table.flag("allow_autapses", true);
  connection.allow_multapses = table.flag("allow_multapses", true);
  connection.weight = distribution_of(table.at("weight"), table.name() + ".weight");
  connection.delay = distribution_of(table.at("delay"), table.name() + ".delay");
  const TomlNode* receptor = table.find("receptor");
  if (receptor == nullptr) return connection;
  if (!std::holds_alternative<std::string>(receptor->value)) {
    connection.receptor = table.integer("receptor");
    if (connection.receptor < 0 || connection.receptor >= target.receptors) {
      table.refuse(
          *receptor, "receptor",
          fmt::format("found {}, expected 0 to {}", connection.receptor, target.receptors - 1));
    }
    return connection;
  }
  const std::string name = table.text("receptor");
  std::vector<std::string_view> names;
  for (const Receptor& each : model(target.model).receptors) {
    if (each.name == name) connection.receptor = static_cast<std::int64_t>(names.size());
    names.push_back(each.name);
  }
  if (connection.receptor < 0) {
    table.refuse(*receptor, "receptor",
                 fmt::format("model '{}' has no receptor '{}'{}; there are: {}", target.model, name,
                             did_you_mean(name, names), fmt::join(names, ", ")));
  }
  return connection;
}

/// synapses = [[source neuron, target neuron, weight, delay in ms], ...], optionally with a fifth
/// number, the receptor.
Projection Builder::read_synapses(TomlTable& table, std::int64_t source, std::int64_t target) {
  std::vector<Synapse> synapses;
  const TomlNode& list = table.at("synapses");
  const auto* rows = std::get_if<TomlNode::Array>(&list.value);
  if (rows == nullptr) table.refuse(list, "synapses", "expected an array of arrays");
  for (const TomlNode& row : *rows) {
    const auto* entries = std::get_if<TomlNode::Array>(&row.value);
    if (entries == nullptr || entries->size() < 4 || entries->size() > 5) {
      table.refuse(row, "synapses",
                   "expected [source, target, weight, delay] or [..., receptor] for each synapse");
    }
    std::vector<double> values;
    for (const TomlNode& entry : *entries) {
      values.push_back(io::toml_number(entry, table.name() + ".synapses"));
    }
    const std::int64_t receptor = values.size() == 5 ? whole(table, "synapses", values[4]) : 0;
    if (receptor > 255) table.refuse(row, "synapses", "expected receptor 0 to 255");
    synapses.push_back({whole(table, "synapses", values[0]), whole(table, "synapses", values[1]),
                        values[2], values[3], static_cast<std::uint8_t>(receptor)});
  }
  return make_projection(description_.network.populations, source, target, synapses);
}

void Builder::read_projection(TomlTable& table) {
  Network& network = description_.network;
  const std::vector<std::string> sources = table.texts("source"), targets = table.texts("target");
  for (const std::string& source_name : sources) {
    for (const std::string& target_name : targets) {
      const std::int64_t source = population_at(table, "source", source_name);
      const std::int64_t target = population_at(table, "target", target_name);
      const Population& to = network.populations[static_cast<std::size_t>(target)];
      if (model(to.model).is_source()) {
        table.refuse(table.at("target"), "target",
                     fmt::format("'{}' is a source, expected neurons", target_name));
      }
      if (table.find("synapses") != nullptr) {
        network.projections.push_back(read_synapses(table, source, target));
        continue;
      }
      const Rng rng = rng_.stream("projection", network.projections.size())
                          .stream(source_name)
                          .stream(target_name);
      Connection connection = read_connection(table, to);
      read_radius(table, source, target, connection);
      network.projections.push_back(
          connect(network.populations, source, target, connection, network.time_step_ms, rng));
    }
  }
  table.finish();
}

/// Pairs by the rules of projections; within a population each pair once.
void Builder::read_electrical(TomlTable& table) {
  Network& network = description_.network;
  const std::int64_t first = population_at(table, "first", table.text("first"));
  const std::int64_t second = population_at(table, "second", table.text("second"));
  Connection connection = read_rule(table);
  connection.allow_autapses = false;
  connection.allow_multapses = false;
  connection.receptor = 0;
  read_radius(table, first, second, connection);
  connection.weight = distribution_of(table.at("conductance"), table.name() + ".conductance");
  table.finish();
  const Rng rng = rng_.stream("electrical", network.electrical_synapses.size());
  const Projection pairs =
      connect(network.populations, first, second, connection, network.time_step_ms, rng);
  ElectricalSynapses synapses{first, second, {}, {}, {}};
  std::set<std::pair<std::int64_t, std::int64_t>> coupled;
  for (std::size_t row = 0; row + 1 < pairs.offsets.size(); ++row) {
    for (auto at = pairs.offsets[row]; at < pairs.offsets[row + 1]; ++at) {
      const auto neuron = static_cast<std::int64_t>(row);
      const std::int64_t other = pairs.targets[static_cast<std::size_t>(at)];
      if (first == second && !coupled.insert(std::minmax(neuron, other)).second) continue;
      synapses.first_neurons.push_back(neuron);
      synapses.second_neurons.push_back(other);
      synapses.conductances_ns.push_back(pairs.weights[static_cast<std::size_t>(at)]);
    }
  }
  network.electrical_synapses.push_back(std::move(synapses));
}

void Builder::read_current(TomlTable& table) {
  Network& network = description_.network;
  const std::string kind = table.text("type", "constant");
  for (const std::string& name : table.texts("target")) {
    const std::int64_t population = population_at(table, "target", name);
    if (kind == "constant") {
      network.step_currents.push_back({population,
                                       neurons_of(table, population),
                                       {table.ms("start", 0)},
                                       {table.number("amplitude")}});
      const double stop = table.ms("stop", std::numeric_limits<double>::infinity());
      if (std::isfinite(stop)) {
        network.step_currents.back().times_ms.push_back(stop);
        network.step_currents.back().amplitudes_pa.push_back(0);
      }
    } else if (kind == "steps") {
      network.step_currents.push_back({population, neurons_of(table, population),
                                       table.numbers("times"), table.numbers("amplitudes")});
    } else if (kind == "noise") {
      network.noise_currents.push_back({population, table.number("mean", 0), table.number("std"),
                                        table.ms("interval", network.time_step_ms)});
    } else if (kind == "sinusoid") {
      network.sinusoid_currents.push_back({population, neurons_of(table, population),
                                           table.number("offset", 0), table.number("amplitude"),
                                           table.number("frequency"), table.number("phase", 0),
                                           table.ms("start", 0), table.ms("stop", kLatest_ms)});
    } else if (kind == "ornstein_uhlenbeck") {
      network.ornstein_uhlenbeck_currents.push_back({population, table.number("mean", 0),
                                                     table.number("std"), table.ms("tau"),
                                                     table.ms("interval", network.time_step_ms)});
    } else {
      const std::array<std::string_view, 5> names = {"constant", "steps", "noise", "sinusoid",
                                                     "ornstein_uhlenbeck"};
      table.refuse(table.at("type"), "type",
                   fmt::format("found '{}'{}, expected {}", kind, did_you_mean(kind, names),
                               fmt::join(names, ", ")));
    }
  }
  table.finish();
}

void Builder::read_record(TomlTable& table) {
  const std::vector<std::string> variables = table.texts("variables");
  for (const std::string& name : table.texts("population")) {
    const std::int64_t index = population_at(table, "population", name);
    const Population& population =
        description_.network.populations[static_cast<std::size_t>(index)];
    for (const std::string& variable : variables) model(population.model).variable(variable);
    const double interval_ms = table.ms("interval", 0);
    if (table.find("interval") != nullptr && !(interval_ms > 0)) {
      table.refuse(table.at("interval"), "interval", "expected a time above 0");
    }
    description_.records.push_back({name, variables, neurons_of(table, index), interval_ms});
  }
  table.finish();
}

NetworkDescription Builder::build() {
  Network& network = description_.network;
  network.time_step_ms = root_.ms("time_step", network.time_step_ms);
  description_.until_ms = root_.ms("until", 0);
  root_.find("parameters");
  root_.find("seed");
  const std::vector<TomlTable> populations = root_.named_tables("populations");
  if (populations.empty()) {
    fail(ErrorKind::config, "{}: expected at least one population, [populations.NAME]",
         root_.where());
  }
  for (const TomlTable& table : populations) {
    const std::string name = table.name().substr(std::string_view("populations.").size());
    within(table, [&] { read_population(table, name); });
  }
  for (TomlTable& table : root_.tables("projections")) {
    within(table, [&] { read_projection(table); });
  }
  for (TomlTable& table : root_.tables("electrical")) {
    within(table, [&] { read_electrical(table); });
  }
  for (TomlTable& table : root_.tables("currents")) within(table, [&] { read_current(table); });
  for (TomlTable& table : root_.tables("record")) within(table, [&] { read_record(table); });
  root_.finish();
  return std::move(description_);
}

}  // namespace

NetworkDescription read_description(const std::filesystem::path& path,
                                    const std::vector<DescriptionSetting>& settings) {
  TomlNode root = io::read_toml(path);
  for (const auto& [key, value] : settings) io::set_toml(root, key, value);
  evaluate_all(root, read_parameters(root));
  TomlTable table(root, "");
  const std::int64_t seed = table.integer("seed", 1);
  if (seed < 0) table.refuse(table.at("seed"), "seed", "expected 0 or above");
  NetworkDescription description = Builder(table, static_cast<std::uint64_t>(seed)).build();
  description.seed = static_cast<std::uint64_t>(seed);
  try {
    validate(description.network);
  } catch (const Error& error) {
    throw Error(ErrorKind::config, fmt::format("{}: {}", path.string(), error.what()));
  }
  return description;
}

}  // namespace afterspike::spiking
