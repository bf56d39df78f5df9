#pragma once

#include <cmath>
#include <string_view>
#include <tuple>
#include <vector>

#include "afterspike/base/registry.hpp"
#include "afterspike/formats/exporter.hpp"
#include "afterspike/spiking/simulation.hpp"
#include "glifr_network.hpp"

namespace afterspike::testing {

using Key = std::tuple<std::int64_t, std::int64_t, std::int64_t>;  ///< Step, population, neuron.

inline std::vector<Key> spikes_of(const spiking::Network& network, double step_ms,
                                  double until_ms) {
  spiking::Options options{1};
  options.dt_ms = step_ms;
  spiking::Simulation simulation(network, options);
  simulation.run_until(until_ms);
  std::vector<Key> keys;
  for (const spiking::Spike& spike : simulation.spikes()) {
    keys.emplace_back(std::llround(spike.time_ms / step_ms), spike.population, spike.neuron);
  }
  return keys;
}

inline const formats::ExporterEntry& format(std::string_view name) {
  return find_entry<formats::ExporterEntry>(formats::entries(), name, "format");
}

/// A lowered network whose source sends spikes, as both formats can hold one.
inline spiking::Network spiking_network() {
  spiking::Network network = glifr_network({{"after_spike_multiplicative", {-0.5, 0.4}},
                                            {"constant_current", {0, 0}},
                                            {"threshold", {-0.1, 1}}});
  spiking::Population& input = network.populations[1];
  input.model = "spike_source";
  Rng rng(3);
  input.trains.offsets = {0};
  for (int train = 0; train < 4; ++train) {
    for (double time = 0; time < 280;) {
      time += static_cast<double>(1 + rng.below(2));
      input.trains.times_ms.push_back(time);
    }
    input.trains.offsets.push_back(static_cast<std::int64_t>(input.trains.times_ms.size()));
  }
  for (double& weight : network.projections[0].weights) weight *= 2;
  return network;
}

}  // namespace afterspike::testing
