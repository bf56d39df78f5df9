// Recorded values, and the cost of recording.

#include <algorithm>
#include <cmath>
#include <ctime>

#include <gtest/gtest.h>

#include "busy_network.hpp"

namespace afterspike::spiking {
namespace {

using testing::Setting;
using testing::settings;

TEST(Recording, RecordersDoNotDisturbEachOther) {
  for (const Setting& setting : settings()) {
    SCOPED_TRACE(setting.name);
    Simulation simulation(setting.network(4), setting.options);
    simulation.record("glif3", "V", 0.2);
    simulation.record("glif3", "I_syn", 0.1);
    simulation.record("glif3", "V", 0.1, {6, 2, 2});
    simulation.run_until(30);
    const Recording &all = simulation.recording(0), &some = simulation.recording(2);
    ASSERT_EQ(all.values.size(), 150u * 7);
    ASSERT_EQ(some.values.size(), 300u * 3);
    for (std::size_t row = 0; row < 150; ++row) {
      const double *seven = all.values.data() + 7 * row,
                   *three = some.values.data() + 3 * (2 * row + 1);
      EXPECT_NEAR(three[0], seven[6], 1e-9);
      EXPECT_NEAR(three[1], seven[2], 1e-9);
      EXPECT_EQ(three[1], three[2]);
    }
  }
}

/// Processor time of some windows with all neurons of a population recorded: the least of several.
double cost_of_recording(std::int64_t neurons) {
  Network network;
  network.populations.push_back(
      testing::make_population("n", "glif1", neurons, SynapseShape::delta, {}, Rng(1)));
  double least = 1e9;
  for (int repeat = 0; repeat < 5; ++repeat) {
    Simulation simulation(network, {1, Engine::exact});
    simulation.record("n", "V", 1);
    const std::clock_t start = std::clock();
    simulation.run_until(10);
    least = std::min(least, static_cast<double>(std::clock() - start));
  }
  return least;
}

TEST(Recording, CostsAsMuchAsIsRecorded) {
  // Sixteen times the neurons; a search among all of them would take 256 times as long.
  EXPECT_LT(cost_of_recording(32000), 80 * cost_of_recording(2000));
}

/// A leaky neuron under a constant current.
Network network_of_lif() {
  Network network;
  Population population;
  population.name = "n";
  population.model = "lif";
  population.size = 1;
  population.synapse = SynapseShape::delta;
  population.columns = {{"capacitance", {100}},
                        {"membrane_time_constant", {10}},
                        {"resting_potential", {-70}},
                        {"threshold", {-55}},
                        {"reset", {-70}},
                        {"refractory", {2}},
                        {"constant_current", {250}},
                        {"initial_potential", {-70}}};
  network.populations.push_back(population);
  return network;
}

/// Also those before a spike in the same window.
TEST(Recording, SamplesOfTheExactEngineAreOfTheirTime) {
  const Network network = network_of_lif();
  Simulation simulation(network, {1, Engine::exact});
  simulation.record("n", "V", 0.05);
  simulation.run_until(12);
  ASSERT_EQ(simulation.spikes().size(), 1u);
  // From -70 mV towards -45 mV with 10 ms; at the threshold, -55 mV, after 10 ln(25 / 10) ms.
  const double spike = 10 * std::log(2.5);
  EXPECT_NEAR(simulation.spikes()[0].time_ms, spike, 1e-11);
  const Recording& found = simulation.recording(0);
  for (std::size_t at = 0; at < found.times_ms.size(); ++at) {
    const double time = found.times_ms[at];
    double expected = -45 - 25 * std::exp(-time / 10);
    if (time > spike) expected = -70;
    if (time > spike + 2) expected = -45 - 25 * std::exp(-(time - spike - 2) / 10);
    EXPECT_NEAR(found.values[at], expected, 1e-9) << time;
  }
}

}  // namespace
}  // namespace afterspike::spiking
