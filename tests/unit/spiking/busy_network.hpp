#pragma once

#include "afterspike/spiking/simulation.hpp"
#include "networks.hpp"

namespace afterspike::testing {

/// All that a network may have: every leaky model, recorded and random sources, currents; a
/// population of the other engine among them. Delays between neurons are `later` ms longer than a
/// step at least, and so are windows.
inline spiking::Network busy_network(std::uint64_t seed, std::int64_t each = 2, double later = 0) {
  spiking::Network network = random_network(seed, 7, 0.1, each);
  for (auto& projection : network.projections) {
    if (network.populations[static_cast<std::size_t>(projection.source)].model == "spike_source")
      continue;
    for (double& delay : projection.delays_ms) delay += later;
  }
  const Rng rng(seed);
  network.populations.push_back(make_population(
      "noise", "poisson_source", 20, spiking::SynapseShape::delta, {}, rng.stream("noise")));
  const auto noise = static_cast<std::int64_t>(network.populations.size()) - 1;
  for (std::int64_t to : {0, 3}) {
    const auto& target = network.populations[static_cast<std::size_t>(to)];
    const double weight = target.synapse == spiking::SynapseShape::delta ? 2 : 50;
    network.projections.push_back(
        make_projection(network.populations, noise, to,
                        random_synapses(network.populations[static_cast<std::size_t>(noise)],
                                        target, 2, weight, 0.1, 20, rng.stream("from noise"))));
  }
  network.step_currents.push_back({1, {0, 5, 2}, {20, 55.5, 90}, {80, -20, 10}});
  network.step_currents.push_back({4, {}, {10}, {15}});
  network.noise_currents.push_back({2, 5, 60, 0.7});
  return network;
}

struct Setting {
  std::string name;
  spiking::Options options;
  std::int64_t each = 2;  ///< Synapses from a neuron to each population.
  double later = 0;

  spiking::Network network(std::uint64_t seed) const { return busy_network(seed, each, later); }
};

inline std::vector<Setting> settings() {
  using spiking::Engine;
  spiking::Options mixed{5};
  mixed.engines = {{"glif3", Engine::exact}, {"glif5", Engine::exact}};
  std::vector<Setting> settings = {
      {"grid", {5}}, {"exact", {5, Engine::exact}}, {"mixed", mixed}, {"dense", {5}, 120}};
  for (std::size_t at = 0; at < 4; ++at) {
    settings.push_back(settings[at]);
    settings.back().name += ", windows of many steps";
    settings.back().later = 0.9;
  }
  return settings;
}

}  // namespace afterspike::testing
