// Derivatives of models against steps of the grid.

#include "afterspike/spiking/dynamics.hpp"

#include <gtest/gtest.h>

#include <cmath>

#include "afterspike/spiking/network_description.hpp"
#include "afterspike/spiking/simulation.hpp"

namespace afterspike::spiking {
namespace {

Population one_neuron(const ModelEntry& entry) {
  Population population;
  population.name = "neuron";
  population.model = entry.name;
  population.size = 1;
  const bool fixed = !entry.model.receptors.empty();
  population.synapse = fixed ? SynapseShape::model : SynapseShape::delta;
  population.receptors = fixed ? static_cast<std::int64_t>(entry.model.receptors.size()) : 1;
  set_defaults(population);
  return population;
}

/// States at the first two steps of the grid, under a current.
std::vector<std::vector<double>> first_states(const Population& population, std::size_t count,
                                              double current, double step_ms) {
  Network network;
  network.time_step_ms = step_ms;
  network.populations = {population};
  network.step_currents = {{0, {}, {0}, {current}}};
  Simulation simulation(network, Options{1});
  std::vector<std::size_t> indices;
  const Model& kind = model(population.model);
  for (std::size_t at = 0; at < count; ++at) {
    indices.push_back(simulation.record("neuron", kind.variables[at].name, step_ms));
  }
  simulation.run_until(2 * step_ms);
  std::vector<std::vector<double>> states(2);
  for (const std::size_t index : indices) {
    for (std::size_t row = 0; row < 2; ++row) {
      states[row].push_back(simulation.recording(index).values[row]);
    }
  }
  return states;
}

TEST(Dynamics, AreTheSlopesOfTheSimulation) {
  constexpr double kStep_ms = 1e-3, kCurrent = 3;
  std::size_t tested = 0;
  for (const ModelEntry& entry : models()) {
    if (entry.model.is_source() || entry.name == "glifr") continue;
    SCOPED_TRACE(entry.name);
    const Population population = one_neuron(entry);
    const Dynamics dynamics(population, kStep_ms);
    const std::size_t count = dynamics.states().size();
    if (count == 0) continue;
    ++tested;
    const auto states = first_states(population, count, kCurrent, kStep_ms);
    std::vector<double> middle(count), slopes(count);
    for (std::size_t at = 0; at < count; ++at) middle[at] = (states[0][at] + states[1][at]) / 2;
    dynamics.derivatives(kCurrent, middle, slopes);
    for (std::size_t at = 0; at < count; ++at) {
      const double slope = (states[1][at] - states[0][at]) / kStep_ms;
      EXPECT_NEAR(slopes[at], slope, 2e-3 * std::abs(slope) + 1e-8) << dynamics.states()[at].name;
    }
  }
  EXPECT_GE(tested, 13U) << "models that are differential equations";
}

}  // namespace
}  // namespace afterspike::spiking
