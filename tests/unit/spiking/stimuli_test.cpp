// Injected currents: both engines inject the same ones at the same times.

#include <algorithm>
#include <cmath>
#include <map>

#include <gtest/gtest.h>

#include "busy_network.hpp"

namespace afterspike::spiking {
namespace {

/// Neurons that never spike: their voltage is that of the current alone.
Network silent_network() {
  Network network;
  network.time_step_ms = 0.1;
  network.populations.push_back(
      testing::make_population("n", "lif", 4, SynapseShape::delta, {}, Rng(2)));
  network.populations[0].columns["threshold"].assign(4, 1e6);
  return network;
}

/// The largest difference of voltages between the engines. Currents that change at steps are
/// constant within them, so that the grid is exact.
double difference_of_engines(const Network& network) {
  std::vector<std::vector<double>> voltages;
  for (const Engine engine : {Engine::grid, Engine::exact}) {
    Simulation simulation(network, {3, engine});
    simulation.record("n", "V", 0.1);
    simulation.run_until(200);
    voltages.push_back(simulation.recording(0).values);
  }
  EXPECT_EQ(voltages[0].size(), 2000u * 4);
  EXPECT_EQ(voltages[1].size(), voltages[0].size());
  double worst = 0;
  for (std::size_t at = 0; at < voltages[0].size(); ++at) {
    worst = std::max(worst, std::abs(voltages[0][at] - voltages[1].at(at)));
  }
  return worst;
}

TEST(Stimuli, BothEnginesDrawTheSameNoise) {
  for (const double interval : {0.1, 0.3, 0.7, 1.1}) {
    SCOPED_TRACE(interval);
    Network network = silent_network();
    network.noise_currents.push_back({0, 30, 500, interval});
    EXPECT_LT(difference_of_engines(network), 1e-9);
  }
}

TEST(Stimuli, BothEnginesInjectTheSameSteps) {
  Network network = silent_network();
  StepCurrent steps{0, {1, 3}, {}, {}};
  for (int step = 1; step < 1500; step += 1 + step % 3) {
    steps.times_ms.push_back(step * 0.1);
    steps.amplitudes_pa.push_back(100 * std::sin(step));
  }
  network.step_currents.push_back(steps);
  EXPECT_LT(difference_of_engines(network), 1e-9);
}

}  // namespace
}  // namespace afterspike::spiking
