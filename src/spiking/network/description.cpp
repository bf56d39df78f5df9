#include "afterspike/spiking/description.hpp"

#include <algorithm>
#include <cmath>
#include <cstddef>

#include "afterspike/spiking/connect.hpp"

namespace afterspike::spiking {
namespace {

io::Json statistics(std::span<const double> values) {
  if (values.empty()) return nullptr;
  // Welford's: the mean of equal values is that value, to the bit.
  double count = 0, mean = 0, squares = 0;
  for (const double value : values) {
    const double before = value - mean;
    mean += before / ++count;
    squares += before * (value - mean);
  }
  const auto [least, most] = std::minmax_element(values.begin(), values.end());
  return {{"n", values.size()},
          {"mean", mean},
          {"sd", values.size() > 1 ? std::sqrt(squares / (count - 1)) : 0},
          {"min", *least},
          {"max", *most}};
}

io::Json describe(const Population& population) {
  io::Json parameters = io::Json::array();
  for (const Parameter& column : model(population.model).parameters) {
    parameters.push_back({{"name", column.name},
                          {"symbol", column.symbol},
                          {"unit", column.unit},
                          {"values", statistics(population.column(column.name))}});
  }
  return {{"name", population.name},
          {"model", population.model},
          {"source", model(population.model).is_source()},
          {"size", population.size},
          {"copies", population.copies},
          {"receptors", population.receptors},
          {"synapse", name_of(population.synapse)},
          {"synapse_time_constants_ms", statistics(population.synapse_time_constants_ms)},
          {"after_spike_currents", population.currents()},
          {"recorded_spikes", population.trains.times_ms.size()},
          {"rate_steps", population.rates.times_ms.size()},
          {"parameters", parameters}};
}

io::Json describe(const Projection& projection, const std::vector<Population>& populations) {
  const Population& target = populations[static_cast<std::size_t>(projection.target)];
  return {{"source", populations[static_cast<std::size_t>(projection.source)].name},
          {"target", target.name},
          {"synapses", projection.synapses()},
          {"weight_unit", target.weight_unit()},
          {"weights", statistics(projection.weights)},
          {"delays_ms", statistics(projection.delays_ms)}};
}

io::Json describe(const RuleProjection& rule, const Network& network) {
  const Population& target = network.populations[static_cast<std::size_t>(rule.target)];
  return {{"source", network.populations[static_cast<std::size_t>(rule.source)].name},
          {"target", target.name},
          {"synapses", network.synapses(rule)},
          {"rule", name_of(rule.connection.rule)},
          {"weight_unit", target.weight_unit()},
          {"weights", nullptr},
          {"delays_ms", nullptr}};
}

io::Json describe(const Readout& readout, const std::vector<Population>& populations) {
  if (readout.population < 0) return nullptr;
  return {{"population", populations[static_cast<std::size_t>(readout.population)].name},
          {"outputs", readout.bias.size()},
          {"window_ms", readout.window_ms},
          {"scale", readout.scale},
          {"weights", statistics(readout.weights)},
          {"bias", statistics(readout.bias)}};
}

}  // namespace

io::Json describe(const Network& network) {
  io::Json populations = io::Json::array(), projections = io::Json::array();
  std::int64_t neurons = 0;
  for (const Population& population : network.populations) {
    populations.push_back(describe(population));
    if (!model(population.model).is_source()) neurons += population.cells();
  }
  for (const Projection& projection : network.projections) {
    projections.push_back(describe(projection, network.populations));
  }
  for (const RuleProjection& rule : network.rule_projections) {
    projections.push_back(describe(rule, network));
  }
  return {{"time_step_ms", network.time_step_ms},
          {"neurons", neurons},
          {"synapses", network.synapses()},
          {"populations", populations},
          {"projections", projections},
          {"step_currents", network.step_currents.size()},
          {"noise_currents", network.noise_currents.size()},
          {"sinusoid_currents", network.sinusoid_currents.size()},
          {"ornstein_uhlenbeck_currents", network.ornstein_uhlenbeck_currents.size()},
          {"readout", describe(network.readout, network.populations)},
          {"provenance", network.provenance}};
}

}  // namespace afterspike::spiking
