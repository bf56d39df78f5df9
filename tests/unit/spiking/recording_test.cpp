// What is recorded, and what recording costs.

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

}  // namespace
}  // namespace afterspike::spiking
