// Where a run stops, and what is recorded, changes nothing.

#include <vector>

#include <fmt/format.h>
#include <gtest/gtest.h>

#include "busy_network.hpp"

namespace afterspike::spiking {
namespace {

using testing::make_population;
using testing::Setting;
using testing::settings;

TEST(Stopping, RecordingAndStoppingChangeNothing) {
  for (const Setting& setting : settings()) {
    SCOPED_TRACE(setting.name);
    const Network network = setting.network(5);
    Simulation whole(network, setting.options);
    whole.run_until(120);
    Simulation parts(network, setting.options);
    parts.record("glif1", "threshold", 0.3);
    for (const double until : {0.1, 7.3, 7.4, 50.0, 119.9, 120.0}) parts.run_until(until);
    EXPECT_EQ(parts.spikes(), whole.spikes());
    EXPECT_EQ(parts.save(), whole.save());
  }
}

/// Two sources and a neuron that spikes at 0.1 ms, between them, onto one target at 2 ms: weights
/// whose sum depends on its order.
Network order_network() {
  Network network;
  network.time_step_ms = 0.1;
  for (const double time : {0.1, 0.9}) {
    auto source = make_population(fmt::format("at {}", time), "spike_source", 1,
                                  SynapseShape::delta, {}, Rng(1));
    source.trains = {{0, 1}, {time}};
    network.populations.push_back(source);
  }
  auto neurons = make_population("n", "lif", 2, SynapseShape::exponential, {2.0}, Rng(1));
  neurons.columns["threshold"] = {-60, 1e300};
  neurons.columns["initial_potential"] = {-50, -70};
  network.populations.push_back(neurons);
  network.projections.push_back(
      make_projection(network.populations, 0, 2, std::vector<Synapse>{{0, 1, 1e16, 1.9, 0}}));
  network.projections.push_back(
      make_projection(network.populations, 2, 2, std::vector<Synapse>{{0, 1, -1e16, 1.9, 0}}));
  network.projections.push_back(
      make_projection(network.populations, 1, 2, std::vector<Synapse>{{0, 1, 1, 1.1, 0}}));
  return network;
}

TEST(Stopping, SumsAreFormedInTheSameOrder) {
  for (const std::vector<double>& stops :
       std::vector<std::vector<double>>{{}, {0.5}, {0.1, 0.9, 1}}) {
    Simulation simulation(order_network(), {1});
    simulation.record("n", "I_syn", 2, {1});
    for (const double stop : stops) simulation.run_until(stop);
    simulation.run_until(2);
    EXPECT_EQ(simulation.spikes().size(), 1u);
    EXPECT_EQ(simulation.statistics().synaptic_events, 3);
    EXPECT_EQ(simulation.recording(0).values, std::vector<double>{0});
  }
}

}  // namespace
}  // namespace afterspike::spiking
