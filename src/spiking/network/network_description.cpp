#include "afterspike/spiking/network_description.hpp"

#include <algorithm>
#include <array>
#include <cstddef>
#include <limits>
#include <set>
#include <utility>

#include <fmt/format.h>

#include "afterspike/base/registry.hpp"
#include "network/description_builder.hpp"
#include "network/description_tree.hpp"
#include "network/description_values.hpp"
#include "network/within.hpp"

namespace afterspike::spiking {

using io::TomlNode;
using io::TomlTable;

namespace {

/// The stop of a current that a description leaves open.
constexpr double kLatest_ms = 1e12;

/// Calls action() and puts file, line and key before the message of an Error.
template <typename Action>
void within_table(const TomlTable& table, const Action& action) {
  within(fmt::format("{}: {}", table.where(), table.name()), ErrorKind::config, action,
         table.where());
}

}  // namespace

std::int64_t DescriptionBuilder::population_at(TomlTable& table, std::string_view key,
                                               const std::string& name) {
  try {
    return description_.network.population(name);
  } catch (const Error& error) {
    table.refuse(table.at(key), key, error.what());
  }
}

const Grid& DescriptionBuilder::grid_of(TomlTable& table, std::string_view key,
                                        std::int64_t population) {
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
std::vector<std::int64_t> DescriptionBuilder::neurons_of(TomlTable& table,
                                                         std::int64_t population) {
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

void DescriptionBuilder::read_current(TomlTable& table) {
  Network& network = description_.network;
  const std::string kind = table.text("type", "constant");
  for (const std::string& name : table.texts("target")) {
    const std::int64_t population = population_at(table, "target", name);
    const std::string_view unit =
        model(network.populations[static_cast<std::size_t>(population)].model).current_unit;
    if (kind == "constant") {
      network.step_currents.push_back({population,
                                       neurons_of(table, population),
                                       {table.ms("start", 0)},
                                       {quantity_at(table, "amplitude", unit)}});
      const double stop = table.ms("stop", std::numeric_limits<double>::infinity());
      if (std::isfinite(stop)) {
        network.step_currents.back().times_ms.push_back(stop);
        network.step_currents.back().amplitudes_pa.push_back(0);
      }
    } else if (kind == "steps") {
      network.step_currents.push_back({population, neurons_of(table, population),
                                       quantities_at(table, "times", "ms"),
                                       quantities_at(table, "amplitudes", unit)});
    } else if (kind == "noise") {
      network.noise_currents.push_back({population, quantity_at(table, "mean", unit, 0),
                                        quantity_at(table, "std", unit),
                                        table.ms("interval", network.time_step_ms)});
    } else if (kind == "sinusoid") {
      network.sinusoid_currents.push_back(
          {population, neurons_of(table, population), quantity_at(table, "offset", unit, 0),
           quantity_at(table, "amplitude", unit), quantity_at(table, "frequency", "Hz"),
           table.number("phase", 0), table.ms("start", 0), table.ms("stop", kLatest_ms)});
    } else if (kind == "ornstein_uhlenbeck") {
      network.ornstein_uhlenbeck_currents.push_back(
          {population, quantity_at(table, "mean", unit, 0), quantity_at(table, "std", unit),
           table.ms("tau"), table.ms("interval", network.time_step_ms)});
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

void DescriptionBuilder::read_record(TomlTable& table) {
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

NetworkDescription DescriptionBuilder::build() {
  Network& network = description_.network;
  network.time_step_ms = root_.ms("time_step", network.time_step_ms);
  description_.until_ms = root_.ms("until", 0);
  const std::string coupling = root_.text("coupling", name_of(description_.coupling));
  try {
    description_.coupling = electrical_coupling(coupling);
  } catch (const Error& error) {
    root_.refuse(root_.at("coupling"), "coupling", error.what());
  }
  root_.find("parameters");
  root_.find("seed");
  const std::vector<TomlTable> populations = root_.named_tables("populations");
  if (populations.empty()) {
    fail(ErrorKind::config, "{}: expected at least one population, [populations.NAME]",
         root_.where());
  }
  for (const TomlTable& table : populations) {
    const std::string name = table.name().substr(std::string_view("populations.").size());
    within_table(table, [&] { read_population(table, name); });
  }
  for (TomlTable& table : root_.tables("projections")) {
    within_table(table, [&] { read_projection(table); });
  }
  for (TomlTable& table : root_.tables("electrical")) {
    within_table(table, [&] { read_electrical(table); });
  }
  for (TomlTable& table : root_.tables("currents"))
    within_table(table, [&] { read_current(table); });
  for (TomlTable& table : root_.tables("record")) within_table(table, [&] { read_record(table); });
  root_.finish();
  return std::move(description_);
}

NetworkDescription read_description(const std::filesystem::path& path,
                                    const std::vector<DescriptionSetting>& settings) {
  TomlNode root = io::read_toml(path);
  resolve_description(root, settings);
  TomlTable table(root, "");
  const std::int64_t seed = table.integer("seed", 1);
  if (seed < 0) table.refuse(table.at("seed"), "seed", "expected 0 or above");
  NetworkDescription description =
      DescriptionBuilder(table, static_cast<std::uint64_t>(seed)).build();
  description.seed = static_cast<std::uint64_t>(seed);
  within(path.string(), ErrorKind::config, [&] { validate(description.network); });
  return description;
}

}  // namespace afterspike::spiking
