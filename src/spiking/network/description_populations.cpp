// Populations of described networks: sizes, parameters, receptors and spike trains.

#include <algorithm>
#include <array>
#include <cmath>
#include <cstddef>
#include <limits>
#include <utility>

#include <fmt/format.h>

#include "afterspike/base/registry.hpp"
#include "network/description_builder.hpp"
#include "network/description_values.hpp"

namespace afterspike::spiking {

using io::TomlNode;
using io::TomlTable;

void DescriptionBuilder::read_receptors(TomlTable& table, Population& population) {
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
  const std::vector<double> taus = quantities_at(table, "tau_syn", "ms");
  population.receptors = static_cast<std::int64_t>(taus.size());
  for (const double tau : taus) {
    population.synapse_time_constants_ms.insert(population.synapse_time_constants_ms.end(),
                                                static_cast<std::size_t>(population.size), tau);
  }
}

/// spike_times = [[neuron 0], [neuron 1], ...] in ms.
void DescriptionBuilder::read_trains(TomlTable& table, Population& population) {
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
      population.trains.times_ms.push_back(quantity_of(time, "spike_times", "ms"));
    }
    population.trains.offsets.push_back(
        static_cast<std::int64_t>(population.trains.times_ms.size()));
  }
}

/// poisson_pulses = { rate, starts, duration }: Poisson spikes of each neuron in these intervals.
void DescriptionBuilder::draw_pulses(TomlTable& table, Population& population) {
  const TomlNode* node = table.find("poisson_pulses");
  if (node == nullptr) return;
  TomlTable pulses(*node, table.name() + ".poisson_pulses");
  const double rate = pulses.number("rate"), duration = pulses.ms("duration");
  const std::vector<double> starts = pulses.numbers("starts");
  pulses.finish();
  if (!(rate >= 0)) pulses.refuse(pulses.at("rate"), "rate", "expected 0 spikes/s or above");
  if (!(duration >= 0)) pulses.refuse(pulses.at("duration"), "duration", "expected 0 or above");
  if (!std::is_sorted(starts.begin(), starts.end())) {
    pulses.refuse(pulses.at("starts"), "starts", "expected ascending times");
  }
  if (table.find("spike_times") != nullptr) {
    table.refuse(*node, "poisson_pulses", "found spike_times, too; expected one of them");
  }
  population.trains.offsets = {0};
  auto& times = population.trains.times_ms;
  for (std::int64_t neuron = 0; neuron < population.size; ++neuron) {
    Rng rng = rng_.stream("pulses")
                  .stream(population.name)
                  .stream("neuron", static_cast<std::uint64_t>(neuron));
    for (std::size_t pulse = 0; pulse < starts.size() && rate > 0; ++pulse) {
      const double end = pulse + 1 < starts.size()
                             ? std::min(starts[pulse] + duration, starts[pulse + 1])
                             : starts[pulse] + duration;
      for (double time = starts[pulse];;) {
        time -= std::log1p(-rng.uniform()) * 1e3 / rate;
        if (time >= end) break;
        times.push_back(time);
      }
    }
    population.trains.offsets.push_back(static_cast<std::int64_t>(times.size()));
  }
}

void DescriptionBuilder::draw_parameter(const TomlNode& node, const std::string& what,
                                        Population& population, const Parameter& parameter,
                                        std::uint64_t row) {
  const Distribution distribution = distribution_of(node, what, parameter.unit);
  Rng rng = rng_.stream("parameter").stream(population.name).stream(parameter.symbol, row);
  auto& column = population.columns[std::string(parameter.name)];
  for (std::int64_t neuron = 0; neuron < population.size; ++neuron) {
    column.push_back(draw(distribution, rng));
  }
}

/// One value or distribution for all neurons, or an array with a value for each neuron; for
/// after-spike currents an array with an entry for each current.
void DescriptionBuilder::read_parameter(TomlTable& table, Population& population,
                                        const Parameter& parameter) {
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
      column.push_back(quantity_of(each, what, parameter.unit));
    }
  }
}

/// Models without defaults, such as glifr, need all of their parameters.
void DescriptionBuilder::require_parameters(const Population& population, const Model& kind) {
  std::vector<std::string> missing;
  for (const Parameter& parameter : kind.parameters) {
    if (parameter.extent != Extent::neuron) continue;
    if (!population.columns.at(std::string(parameter.name)).empty()) continue;
    missing.push_back(parameter.unit == "1"
                          ? std::string(parameter.symbol)
                          : fmt::format("{} ({})", parameter.symbol, parameter.unit));
  }
  require(
      missing.empty(), ErrorKind::config,
      "model '{}' has no defaults for {}. Give their values, or take them from a trained network"
      " with `afterspike export`",
      population.model, fmt::join(missing, ", "));
}

/// `size`, or `grid = [columns, rows]` with `spacing` and `edge_wrap`.
void DescriptionBuilder::read_size(TomlTable& table, Population& population) {
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

void DescriptionBuilder::read_population(TomlTable table, const std::string& name) {
  Population population;
  population.name = name;
  require(name.find('/') == std::string::npos, ErrorKind::config,
          "found '/' in the name, expected none: files are named after populations");
  population.model = table.text("model");
  const Model& kind = model(population.model);
  read_size(table, population);
  memory_.add_population(table, population);
  set_defaults(population, table.text("preset", ""));
  read_receptors(table, population);
  for (const Parameter& parameter : kind.parameters) read_parameter(table, population, parameter);
  require_parameters(population, kind);
  // Neurons start at E_L if the description gives it and no V_m.
  const bool starts = table.find("V_m") != nullptr || table.find("initial_potential") != nullptr;
  const bool rests = table.find("E_L") != nullptr || table.find("resting_potential") != nullptr;
  const auto rest = population.columns.find("resting_potential");
  const auto initial = population.columns.find("initial_potential");
  if (rests && !starts && rest != population.columns.end() && initial != population.columns.end()) {
    initial->second = rest->second;
  }
  if (kind.source_input == SourceInput::trains) read_trains(table, population);
  if (kind.source_input == SourceInput::trains) draw_pulses(table, population);
  if (kind.source_input == SourceInput::rates) {
    population.rates = {table.numbers("rate_times"), table.numbers("rate_values")};
  }
  if (kind.has_copies) population.copies = table.integer("copies", 1);
  table.finish();
  description_.network.populations.push_back(std::move(population));
}

}  // namespace afterspike::spiking
