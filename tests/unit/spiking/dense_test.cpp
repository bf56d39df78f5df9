// Random networks against slow simulators that share no code with the engines.

#include "dense.hpp"

#include <gtest/gtest.h>

#include "busy_network.hpp"

namespace afterspike::spiking {
namespace {

using testing::busy_network;

std::vector<Spike> by_neuron(std::vector<Spike> spikes) {
  std::sort(spikes.begin(), spikes.end(), [](const Spike& one, const Spike& other) {
    return std::tie(one.population, one.neuron, one.time_ms) <
           std::tie(other.population, other.neuron, other.time_ms);
  });
  return spikes;
}

TEST(Dense, GridEngineComputesNestsRule) {
  for (std::uint64_t seed = 1; seed <= 6; ++seed) {
    SCOPED_TRACE(seed);
    const double h = seed % 2 == 0 ? 0.1 : 0.05;
    const auto network = busy_network(seed, seed % 3 == 0 ? 120 : 2, seed % 4 == 0 ? 0.9 : 0);
    Options options{seed};
    options.dt_ms = h;
    Simulation simulation(network, options);
    simulation.run_until(150);
    const auto expected = by_neuron(testing::dense_grid(network, seed, h, 150));
    EXPECT_GT(expected.size(), 300u);
    EXPECT_EQ(by_neuron(simulation.spikes()), expected) << expected.size();
  }
}

TEST(Dense, ExactEngineSolvesTheContinuousEquations) {
  for (std::uint64_t seed = 1; seed <= 3; ++seed) {
    SCOPED_TRACE(seed);
    auto network = busy_network(seed);
    Rng rng(seed);
    for (auto& projection : network.projections) {
      for (double& delay : projection.delays_ms) delay = rng.uniform(0.3, 4);
    }
    Simulation simulation(network, {seed, Engine::exact});
    simulation.run_until(100);
    const auto found = by_neuron(simulation.spikes());
    const auto expected = by_neuron(testing::DenseExact(network, seed, 0.02, 100).run());
    ASSERT_GT(expected.size(), 200u);
    ASSERT_EQ(found.size(), expected.size());
    for (std::size_t at = 0; at < expected.size(); ++at) {
      ASSERT_EQ(found[at].population, expected[at].population) << at;
      ASSERT_EQ(found[at].neuron, expected[at].neuron) << at;
      ASSERT_NEAR(found[at].time_ms, expected[at].time_ms, 1e-7) << at;
    }
  }
}

}  // namespace
}  // namespace afterspike::spiking
