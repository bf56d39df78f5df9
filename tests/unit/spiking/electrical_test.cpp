// Electrical synapses: against the equations in fine steps, with any number of threads, restored.

#include <algorithm>
#include <cmath>
#include <string>
#include <utility>
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
    const std::string threshold = model == "mat2_psc_exp" ? "resting_threshold" : "threshold";
    if (model != "hh_psc_alpha_gap") population.columns[threshold] = {1000};
    if (population.columns.contains("constant_current"))
      population.columns["constant_current"] = {0};
  }
  network.step_currents.push_back({0, {}, {0}, {200}});
  network.electrical_synapses.push_back({0, 1, {0}, {0}, {12}});
  return network;
}

std::vector<double> final_voltages(
    const Network& network, double until_ms,
    ElectricalCoupling coupling = ElectricalCoupling::previous_step) {
  Simulation simulation(network, {.seed = 1, .coupling = coupling});
  simulation.record("one", "V", until_ms);
  simulation.record("other", "V", until_ms);
  simulation.run_until(until_ms);
  return {simulation.recording(0).values.at(0), simulation.recording(1).values.at(0)};
}

/// C V1' = -g (V1 - E) + gc (V2 - V1) + I: sum and difference of two cells decay apart.
std::vector<double> exact_voltages(const Network& network, double until) {
  const Population& cell = network.populations[0];
  const double capacitance = cell.column("capacitance")[0];
  const double leak = cell.model == "lif" ? capacitance / cell.column("membrane_time_constant")[0]
                                          : cell.column("conductance")[0];
  const double rest = cell.column("resting_potential")[0], current = 200;
  const double coupling = network.electrical_synapses[0].conductances_ns[0];
  const auto charged = [&](double conductance) {
    return current / conductance * (1 - std::exp(-conductance / capacitance * until));
  };
  const double sum = charged(leak), difference = charged(leak + 2 * coupling);
  return {rest + (sum + difference) / 2, rest + (sum - difference) / 2};
}

double error_of(const std::string& model, double step, double until, ElectricalCoupling coupling) {
  const Network network = passive_pair(model, step);
  const auto exact = exact_voltages(network, until);
  const auto found = final_voltages(network, until, coupling);
  return std::abs(found[0] - exact[0]) + std::abs(found[1] - exact[1]);
}

TEST(ElectricalSynapses, ConvergeToTheSolutionOfTwoPassiveCells) {
  for (const char* model : {"lif", "iaf_cond_exp"}) {
    SCOPED_TRACE(model);
    double before = 0;
    for (const double step : {0.1, 0.05, 0.025}) {
      const double error = error_of(model, step, 8, ElectricalCoupling::previous_step);
      EXPECT_LT(error, 0.5 * step);
      // First order: half the step, half the error.
      if (before > 0) {
        EXPECT_NEAR(before / error, 2, 0.2);
      }
      before = error;
    }
  }
}

/// A leaky neuron takes the mean of the current in a step: order 2. Equations follow its course.
TEST(ElectricalSynapses, IteratedConvergeAtAHigherOrder) {
  for (const auto& [model, order] : {std::pair("lif", 2.0), std::pair("iaf_cond_exp", 4.0)}) {
    SCOPED_TRACE(model);
    const double coarse = error_of(model, 0.8, 8, ElectricalCoupling::iterated);
    const double fine = error_of(model, 0.4, 8, ElectricalCoupling::iterated);
    EXPECT_LT(coarse, 0.02);
    EXPECT_GT(std::log2(coarse / fine), order - 0.15);
  }
}

/// The charge that flows in a step nearly makes both voltages equal.
TEST(ElectricalSynapses, StrongOnesAreStableAndStrongerOnesRefused) {
  for (const char* model : {"lif", "iaf_cond_exp", "mat2_psc_exp", "hh_psc_alpha_gap"}) {
    for (const auto coupling :
         {ElectricalCoupling::previous_step, ElectricalCoupling::previous_partner,
          ElectricalCoupling::iterated}) {
      SCOPED_TRACE(model + std::string(" ") + std::string(name_of(coupling)));
      Network network = passive_pair(model, 0.1);
      network.step_currents.clear();
      network.populations[0].columns["initial_potential"] = {-60};
      const double capacitance = network.populations[0].column("capacitance")[0];
      network.electrical_synapses[0].conductances_ns = {0.9 * capacitance / 0.1};
      const auto found = final_voltages(network, 20, coupling);
      EXPECT_NEAR(found[0], found[1], 0.1);
      EXPECT_GT(found[0], -100);
      EXPECT_LT(found[0], -40);
    }
  }
  Network network = passive_pair("iaf_cond_exp", 0.1);
  network.electrical_synapses[0].conductances_ns = {1e5};
  testing::expect_error(
      ErrorKind::config,
      {"neuron 0 has 100000 nS of electrical synapses and 250 pF", "a step below 0.0025 ms"},
      [&] { final_voltages(network, 1); });
  network.electrical_synapses[0].conductances_ns = {1e6};
  testing::expect_error(
      ErrorKind::numeric,
      {"step that ends at 0.1 ms do not converge", "with 1000000 nS", "Take a shorter step"},
      [&] { final_voltages(network, 1, ElectricalCoupling::iterated); });
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
  for (const char* model : {"lif", "glif3", "iaf_cond_exp", "hh_psc_alpha", "aeif_cond_exp"}) {
    for (const auto coupling :
         {ElectricalCoupling::previous_step, ElectricalCoupling::previous_partner,
          ElectricalCoupling::iterated}) {
      SCOPED_TRACE(model + std::string(" ") + std::string(name_of(coupling)));
      const Network network = coupled_spiking(model);
      const auto simulation_of = [&](int threads) {
        return Simulation(network, {.seed = 2, .coupling = coupling, .threads = threads});
      };
      Simulation one = simulation_of(1), two = simulation_of(2), three = simulation_of(3);
      for (Simulation* each : {&one, &two, &three}) each->run_until(60);
      EXPECT_GT(one.spikes().size(), 5U);
      EXPECT_EQ(one.spikes(), two.spikes());
      EXPECT_EQ(one.spikes(), three.spikes());
      EXPECT_EQ(one.save(), three.save());
      Simulation restored = simulation_of(2);
      restored.restore(one.save());
      one.run_until(120);
      restored.run_until(120);
      EXPECT_EQ(restored.save(), one.save());
    }
  }
}

TEST(ElectricalSynapses, IteratedStepsAreThoseOfUncoupledNeuronsIfNothingFlows) {
  for (const char* model : {"lif", "iaf_cond_exp", "aeif_cond_exp", "mat2_psc_exp"}) {
    SCOPED_TRACE(model);
    Network network = coupled_spiking(model);
    for (auto& synapses : network.electrical_synapses) {
      std::fill(synapses.conductances_ns.begin(), synapses.conductances_ns.end(), 0.0);
    }
    Simulation coupled(network, {.seed = 2, .coupling = ElectricalCoupling::iterated});
    network.electrical_synapses.clear();
    Simulation free(network, {.seed = 2});
    for (Simulation* each : {&coupled, &free}) each->run_until(60);
    EXPECT_EQ(coupled.spikes(), free.spikes());
    EXPECT_EQ(coupled.save(), free.save());
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
