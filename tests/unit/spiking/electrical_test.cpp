// Electrical synapses: against the equations in fine steps, with any number of threads, restored.

#include <cmath>
#include <string>
#include <vector>

#include <gtest/gtest.h>

#include "afterspike/spiking/network_description.hpp"
#include "afterspike/spiking/simulation.hpp"
#include "support/expect_error.hpp"

namespace afterspike::spiking {
namespace {

Population cells(const std::string& name, const std::string& model, std::int64_t size) {
  Population population;
  population.name = name;
  population.model = model;
  population.size = size;
  const Model& kind = spiking::model(model);
  population.synapse = kind.receptors.empty() ? SynapseShape::exponential : SynapseShape::model;
  population.receptors =
      kind.receptors.empty() ? 1 : static_cast<std::int64_t>(kind.receptors.size());
  if (kind.receptors.empty()) {
    population.synapse_time_constants_ms.assign(static_cast<std::size_t>(size), 5);
  }
  set_defaults(population);
  return population;
}

/// Two passive cells, of which one gets a current.
Network passive_pair(const std::string& model, double step_ms) {
  Network network;
  network.time_step_ms = step_ms;
  network.populations = {cells("one", model, 1), cells("other", model, 1)};
  for (Population& population : network.populations) {
    population.columns["threshold"] = {1000};
    if (population.columns.contains("constant_current"))
      population.columns["constant_current"] = {0};
  }
  network.step_currents.push_back({0, {}, {0}, {200}});
  network.electrical_synapses.push_back({0, 1, {0}, {0}, {12}});
  return network;
}

std::vector<double> final_voltages(const Network& network, double until_ms, int threads = 1) {
  Simulation simulation(network, {.seed = 1, .threads = threads});
  simulation.record("one", "V", until_ms);
  simulation.record("other", "V", until_ms);
  simulation.run_until(until_ms);
  return {simulation.recording(0).values.at(0), simulation.recording(1).values.at(0)};
}

/// C V1' = -g (V1 - E) + gc (V2 - V1) + I: sum and difference of two cells decay apart.
TEST(ElectricalSynapses, ConvergeToTheSolutionOfTwoPassiveCells) {
  for (const char* model : {"lif", "iaf_cond_exp"}) {
    SCOPED_TRACE(model);
    const Network reference = passive_pair(model, 0.1);
    const Population& cell = reference.populations[0];
    const double capacitance = cell.column("capacitance")[0];
    const double leak = std::string(model) == "lif"
                            ? capacitance / cell.column("membrane_time_constant")[0]
                            : cell.column("conductance")[0];
    const double rest = cell.column("resting_potential")[0], until = 8, current = 200,
                 coupling = 12;
    const auto charged = [&](double conductance) {
      return current / conductance * (1 - std::exp(-conductance / capacitance * until));
    };
    const double sum = charged(leak), difference = charged(leak + 2 * coupling);
    const std::vector<double> exact = {rest + (sum + difference) / 2,
                                       rest + (sum - difference) / 2};
    double before = 0;
    for (const double step : {0.1, 0.05, 0.025}) {
      const auto found = final_voltages(passive_pair(model, step), until);
      const double error = std::abs(found[0] - exact[0]) + std::abs(found[1] - exact[1]);
      EXPECT_LT(error, 0.5 * step);
      // First order: half the step, half the error.
      if (before > 0) {
        EXPECT_NEAR(before / error, 2, 0.2);
      }
      before = error;
    }
  }
}

Network coupled_spiking(const std::string& model) {
  Network network;
  network.time_step_ms = 0.1;
  network.populations = {cells("one", model, 5), cells("other", model, 4), cells("free", model, 6)};
  for (std::int64_t n = 0; n < 5; ++n) {
    for (std::int64_t m = 0; m < 4; ++m) {
      if (network.electrical_synapses.empty())
        network.electrical_synapses.push_back({0, 1, {}, {}, {}});
      auto& synapses = network.electrical_synapses.back();
      synapses.first_neurons.push_back(n);
      synapses.second_neurons.push_back(m);
      synapses.conductances_ns.push_back(0.3 * static_cast<double>(1 + n));
    }
  }
  network.electrical_synapses.push_back({0, 0, {0, 1}, {1, 2}, {2, 2}});
  network.step_currents.push_back({0, {}, {1.05}, {600}});
  network.step_currents.push_back({2, {}, {1.05}, {600}});
  network.noise_currents.push_back({1, 100, 300, 0.3});
  return network;
}

TEST(ElectricalSynapses, AreTheSameForAnyThreadsAndContinueWhenRestored) {
  for (const char* model : {"lif", "glif3", "iaf_cond_exp", "hh_psc_alpha"}) {
    SCOPED_TRACE(model);
    const Network network = coupled_spiking(model);
    Simulation one(network, {.seed = 2}), three(network, {.seed = 2, .threads = 3});
    one.run_until(60);
    three.run_until(60);
    EXPECT_GT(one.spikes().size(), 5U);
    EXPECT_EQ(one.spikes(), three.spikes());
    EXPECT_EQ(one.save(), three.save());
    Simulation restored(network, {.seed = 2, .threads = 2});
    restored.restore(one.save());
    one.run_until(120);
    restored.run_until(120);
    EXPECT_EQ(restored.save(), one.save());
  }
}

TEST(ElectricalSynapses, AreRefusedWhereTheyCannotBe) {
  Network network = coupled_spiking("lif");
  testing::expect_error(ErrorKind::config, {"exact engine has no electrical synapses"}, [&] {
    Simulation(network, {1, Engine::exact});
  });
  Network itself = network;
  itself.electrical_synapses[1].second_neurons[0] = 0;
  testing::expect_error(ErrorKind::data, {"neuron 0 coupled with itself"},
                        [&] { validate(itself); });
  Network negative = network;
  negative.electrical_synapses[0].conductances_ns[0] = -1;
  testing::expect_error(ErrorKind::data, {"found -1 nS, expected 0 or above"},
                        [&] { validate(negative); });
  Population& glifr = network.populations[1];
  glifr = {"other", "glifr", 4, SynapseShape::delta, 1, {}, {}, {}, 1};
  for (const Parameter& parameter : model("glifr").parameters) {
    glifr.columns[std::string(parameter.name)].assign(parameter.extent == Extent::neuron ? 4 : 0,
                                                      1);
  }
  network.noise_currents.clear();
  testing::expect_error(ErrorKind::data, {"model 'glifr' has no electrical synapses"},
                        [&] { Simulation(network, {1}); });
}

}  // namespace
}  // namespace afterspike::spiking
