#pragma once

#include <cmath>

#include "afterspike/base/rng.hpp"
#include "unit/spiking/sample_networks.hpp"

namespace afterspike::testing {

/// A random recurrent network: a small population of every leaky model, with synapses of one shape
/// each, driven by recorded spikes; `each` synapses from a neuron to each population, the weaker
/// the more they are. Many take another way through the grid engine than few.
inline spiking::Network random_network(std::uint64_t seed, std::int64_t size = 3, double grid = 0.1,
                                       std::int64_t each = 2) {
  using spiking::SynapseShape;
  const Rng rng(seed);
  spiking::Network network;
  network.time_step_ms = grid;
  const SynapseShape shapes[] = {SynapseShape::alpha, SynapseShape::exponential,
                                 SynapseShape::delta};
  std::size_t number = seed % 3;
  for (const char* name : {"glif1", "glif2", "glif3", "glif4", "glif5", "lif"}) {
    network.populations.push_back(
        make_population(name, name, size, shapes[number++ % 3], {2.0, 6.0}, rng.stream(name)));
  }
  auto input = make_population("input", "spike_source", 5, SynapseShape::delta, {}, rng);
  Rng times = rng.stream("times");
  input.trains.offsets.push_back(0);
  for (int train = 0; train < 5; ++train) {
    for (double time = 0; time < 300;) {
      time += grid * static_cast<double>(1 + times.below(static_cast<std::uint64_t>(8 / grid)));
      input.trains.times_ms.push_back(grid * std::round(time / grid));
    }
    input.trains.offsets.push_back(static_cast<std::int64_t>(input.trains.times_ms.size()));
  }
  network.populations.push_back(input);
  const auto count = static_cast<std::int64_t>(network.populations.size());
  for (std::int64_t from = 0; from < count; ++from) {
    for (std::int64_t to = 0; to + 1 < count; ++to) {
      const auto& source = network.populations[static_cast<std::size_t>(from)];
      const auto& target = network.populations[static_cast<std::size_t>(to)];
      const double weight = (target.synapse == SynapseShape::delta ? 2.5 : 60) *
                            std::sqrt(2.0 / static_cast<double>(each));
      network.projections.push_back(
          make_projection(network.populations, from, to,
                          random_synapses(source, target, each, weight, grid, 40,
                                          rng.stream("from", static_cast<std::uint64_t>(from))
                                              .stream("to", static_cast<std::uint64_t>(to)))));
    }
  }
  return network;
}

}  // namespace afterspike::testing
