#pragma once

#include <map>
#include <utility>

#include "afterspike/base/rng.hpp"
#include "afterspike/spiking/network.hpp"

namespace afterspike::testing {

using Ranges = std::map<std::string, std::pair<double, double>>;

/// A recurrent network of GLIFR neurons as training leaves one, with an analog source.
inline spiking::Network glifr_network(const Ranges& changes = {}, std::int64_t size = 12,
                                      std::int64_t inputs = 4, double dt_ms = 1,
                                      std::int64_t currents = 2) {
  using spiking::SynapseShape;
  Ranges ranges = {{"threshold", {0.4, 1.2}},
                   {"reset", {0, 0}},
                   {"membrane_decay", {0.02, 0.2}},
                   {"resistance", {0.1, 0.1}},
                   {"constant_current", {5, 10}},
                   {"softness", {0, 0}},
                   {"spike_fraction", {1, 1}},
                   {"after_spike_decay", {0.03, 0.4}},
                   {"after_spike_multiplicative", {-0.3, 0.02}},
                   {"after_spike_additive", {-20, 20}}};
  for (const auto& [name, range] : changes) ranges[name] = range;
  spiking::Network network;
  network.time_step_ms = dt_ms;
  Rng rng(4);
  spiking::Population neurons{"hidden", "glifr", size, SynapseShape::delta, 1, {}, {}, {}, 1};
  for (const auto& column : spiking::model("glifr").parameters) {
    const auto [low, high] = ranges.at(std::string(column.name));
    auto& values = neurons.columns[std::string(column.name)];
    for (std::int64_t n = 0; n < (column.extent == spiking::Extent::current ? currents : 1) * size;
         ++n) {
      values.push_back(rng.uniform(low, high));
    }
  }
  network.populations = {neurons,
                         {"input", "analog_source", inputs, SynapseShape::delta, 0, {}, {}, {}, 1}};
  std::vector<spiking::Synapse> in, lateral;
  for (std::int64_t target = 0; target < size; ++target) {
    for (std::int64_t source = 0; source < inputs; ++source) {
      in.push_back({source, target, rng.uniform(-0.4, 0.6), dt_ms, 0});
    }
    for (std::int64_t source = 0; source < size; ++source) {
      lateral.push_back({source, target, rng.uniform(-0.4, 0.4), 2 * dt_ms, 0});
    }
  }
  network.projections = {make_projection(network.populations, 1, 0, in),
                         make_projection(network.populations, 0, 0, lateral)};
  return network;
}

inline std::vector<double> random_signal(std::int64_t steps, std::int64_t channels = 4) {
  Rng rng(8);
  std::vector<double> values;
  for (std::int64_t at = 0; at < steps * channels; ++at) values.push_back(rng.uniform());
  return values;
}

}  // namespace afterspike::testing
