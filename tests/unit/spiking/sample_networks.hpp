#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "afterspike/base/rng.hpp"
#include "afterspike/spiking/network.hpp"

/// Small networks for tests.
namespace afterspike::testing {

/// A population of a model whose columns hold usual values, slightly different for each neuron.
inline spiking::Population make_population(const std::string& name, const std::string& model,
                                           std::int64_t size, spiking::SynapseShape synapse,
                                           const std::vector<double>& time_constants, Rng rng) {
  spiking::Population population;
  population.name = name;
  population.model = model;
  population.size = size;
  population.synapse = synapse;
  const spiking::Model& kind = spiking::model(model);
  const bool delta = synapse == spiking::SynapseShape::delta;
  population.receptors =
      kind.is_source() ? 0 : (delta ? 1 : static_cast<std::int64_t>(time_constants.size()));
  if (!delta && !kind.is_source()) {
    for (const double tau : time_constants) {
      for (std::int64_t n = 0; n < size; ++n) population.synapse_time_constants_ms.push_back(tau);
    }
  }
  const std::map<std::string, double> usual = {{"capacitance", 80},
                                               {"conductance", 5},
                                               {"membrane_time_constant", 14},
                                               {"resting_potential", -70},
                                               {"threshold", -52},
                                               {"reset", -71},
                                               {"refractory", 2.5},
                                               {"constant_current", 60},
                                               {"initial_potential", -68},
                                               {"threshold_spike_add", 1.2},
                                               {"threshold_spike_decay", 0.04},
                                               {"reset_fraction", 0.25},
                                               {"reset_add", 3},
                                               {"threshold_voltage_index", 0.006},
                                               {"threshold_voltage_decay", 0.05},
                                               {"after_spike_decay", 0.05},
                                               {"after_spike_amplitude", -30},
                                               {"after_spike_multiplier", 0.9},
                                               {"rate", 40},
                                               {"amplitude", 30},
                                               {"frequency", 8},
                                               {"phase", 90}};
  for (const spiking::Parameter& column : kind.parameters) {
    const std::int64_t rows = column.extent == spiking::Extent::current ? 2 : 1;
    auto& values = population.columns[std::string(column.name)];
    for (std::int64_t index = 0; index < rows * size; ++index) {
      const double value = usual.at(std::string(column.name));
      values.push_back(column.name == "refractory" ? value
                                                   : value * (1 + 0.05 * rng.uniform(-1, 1)));
    }
  }
  return population;
}

/// `each` synapses from every neuron of one population to random ones of another.
inline std::vector<spiking::Synapse> random_synapses(const spiking::Population& from,
                                                     const spiking::Population& to,
                                                     std::int64_t each, double weight, double grid,
                                                     std::int64_t most_steps, Rng rng) {
  std::vector<spiking::Synapse> synapses;
  for (std::int64_t source = 0; source < from.size; ++source) {
    for (std::int64_t index = 0; index < each; ++index) {
      spiking::Synapse synapse;
      synapse.source = source;
      synapse.target = static_cast<std::int64_t>(rng.below(static_cast<std::uint64_t>(to.size)));
      synapse.weight = weight * rng.uniform(0.3, 1) * (rng.uniform() < 0.25 ? -1 : 1);
      synapse.delay_ms =
          grid * static_cast<double>(1 + rng.below(static_cast<std::uint64_t>(most_steps)));
      synapse.receptor =
          static_cast<std::uint8_t>(rng.below(static_cast<std::uint64_t>(to.receptors)));
      synapses.push_back(synapse);
    }
  }
  return synapses;
}

}  // namespace afterspike::testing
