// Random networks against slow simulators that share no code with the engines.

#include "dense.hpp"

#include <gtest/gtest.h>

#include "networks.hpp"

namespace afterspike::sim {
namespace {

using testing::random_network;

std::vector<Spike> sorted(std::vector<Spike> spikes) {
  std::sort(spikes.begin(), spikes.end(), [](const Spike& one, const Spike& other) {
    return std::tie(one.time_ms, one.population, one.neuron) <
           std::tie(other.time_ms, other.population, other.neuron);
  });
  return spikes;
}

TEST(Dense, GridEngineComputesNestsRule) {
  for (std::uint64_t seed = 1; seed <= 6; ++seed) {
    SCOPED_TRACE(seed);
    const double h = seed % 2 == 0 ? 0.1 : 0.05;
    const auto network = random_network(seed, 3, 0.1, seed % 3 == 0 ? 120 : 2);
    Options options{1};
    options.dt_ms = h;
    Simulation simulation(network, options);
    simulation.run_until(250);
    const auto expected = sorted(testing::dense_grid(network, h, 250));
    EXPECT_GT(expected.size(), 100u);
    EXPECT_EQ(simulation.spikes(), expected) << expected.size();
  }
}

TEST(Dense, ExactEngineSolvesTheContinuousEquations) {
  for (std::uint64_t seed = 1; seed <= 3; ++seed) {
    SCOPED_TRACE(seed);
    auto network = random_network(seed, 2, 0.1);
    Rng rng(seed);
    for (auto& projection : network.projections) {
      for (double& delay : projection.delays_ms) delay = rng.uniform(0.3, 4);
    }
    Simulation simulation(network, {1, Engine::exact});
    simulation.run_until(150);
    const auto expected = sorted(testing::DenseExact(network, 0.02).run(150));
    ASSERT_GT(expected.size(), 60u);
    ASSERT_EQ(simulation.spikes().size(), expected.size());
    for (std::size_t at = 0; at < expected.size(); ++at) {
      ASSERT_EQ(simulation.spikes()[at].population, expected[at].population) << at;
      ASSERT_EQ(simulation.spikes()[at].neuron, expected[at].neuron) << at;
      ASSERT_NEAR(simulation.spikes()[at].time_ms, expected[at].time_ms, 1e-7) << at;
    }
  }
}

}  // namespace
}  // namespace afterspike::sim
