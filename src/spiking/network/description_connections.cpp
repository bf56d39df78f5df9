// Projections and electrical synapses of described networks.

#include <algorithm>
#include <cstddef>
#include <set>
#include <utility>

#include <fmt/format.h>

#include "afterspike/base/registry.hpp"
#include "network/description_builder.hpp"
#include "network/description_values.hpp"

namespace afterspike::spiking {

using io::TomlNode;
using io::TomlTable;

/// The rule of a connection with its numbers.
Connection DescriptionBuilder::read_rule(TomlTable& table) {
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
void DescriptionBuilder::read_radius(TomlTable& table, std::int64_t source, std::int64_t target,
                                     Connection& connection) {
  if (table.find("radius") == nullptr) return;
  connection.radius = table.number("radius");
  if (!(connection.radius >= 0)) table.refuse(table.at("radius"), "radius", "expected 0 or above");
  connection.source_grid = grid_of(table, "radius", source);
  connection.target_grid = grid_of(table, "radius", target);
}

Connection DescriptionBuilder::read_connection(TomlTable& table, const Population& target) {
  Connection connection = read_rule(table);
  connection.allow_autapses = table.flag("allow_autapses", true);
  connection.allow_multapses = table.flag("allow_multapses", true);
  connection.delay = distribution_of(table.at("delay"), table.name() + ".delay", "ms");
  read_receptor(table, target, connection);
  const std::string_view unit = target.weight_unit(std::max<std::int64_t>(connection.receptor, 0));
  connection.weight = distribution_of(table.at("weight"), table.name() + ".weight", unit);
  return connection;
}

/// The receptor of a connection, by index or name.
void DescriptionBuilder::read_receptor(TomlTable& table, const Population& target,
                                       Connection& connection) {
  const TomlNode* receptor = table.find("receptor");
  if (receptor == nullptr) return;
  if (!std::holds_alternative<std::string>(receptor->value)) {
    connection.receptor = table.integer("receptor");
    if (connection.receptor < 0 || connection.receptor >= target.receptors) {
      table.refuse(
          *receptor, "receptor",
          fmt::format("found {}, expected 0 to {}", connection.receptor, target.receptors - 1));
    }
    return;
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
}

/// synapses = [[source neuron, target neuron, weight, delay in ms], ...], optionally with a fifth
/// number, the receptor.
Projection DescriptionBuilder::read_synapses(TomlTable& table, std::int64_t source,
                                             std::int64_t target) {
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

void DescriptionBuilder::read_projection(TomlTable& table) {
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
      const std::size_t number = network.projections.size() + network.rule_projections.size();
      const Rng rng = rng_.stream("projection", number).stream(source_name).stream(target_name);
      Connection connection = read_connection(table, to);
      read_radius(table, source, target, connection);
      if (can_stay_rule(network.populations, source, target, connection)) {
        network.rule_projections.push_back({source, target, connection, rng.key()});
        continue;
      }
      memory_.add_synapses(table, connection, network.populations[static_cast<std::size_t>(source)],
                           to);
      network.projections.push_back(
          connect(network.populations, source, target, connection, network.time_step_ms, rng));
    }
  }
  table.finish();
}

/// Pairs by the rules of projections; within a population each pair once.
void DescriptionBuilder::read_electrical(TomlTable& table) {
  Network& network = description_.network;
  const std::int64_t first = population_at(table, "first", table.text("first"));
  const std::int64_t second = population_at(table, "second", table.text("second"));
  Connection connection = read_rule(table);
  if (first == second && connection.rule == ConnectionRule::one_to_one) {
    table.refuse(
        table.at("rule"), "rule",
        fmt::format("one_to_one couples each neuron of '{}' with itself, which has no effect."
                    " Take all_to_all, pairwise_bernoulli or a fixed number, or a second"
                    " population",
                    table.text("first")));
  }
  connection.allow_autapses = false;
  connection.allow_multapses = false;
  connection.receptor = 0;
  read_radius(table, first, second, connection);
  connection.weight = distribution_of(table.at("conductance"), table.name() + ".conductance", "nS");
  table.finish();
  memory_.add_synapses(table, connection, network.populations[static_cast<std::size_t>(first)],
                       network.populations[static_cast<std::size_t>(second)]);
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

}  // namespace afterspike::spiking
