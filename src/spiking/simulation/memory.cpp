#include "afterspike/spiking/memory.hpp"

#include <algorithm>
#include <cmath>
#include <cstddef>

#include "connect/block_rows.hpp"
#include "connect/delay_table.hpp"
#include "simulation/rules.hpp"

namespace afterspike::spiking {
namespace {

/// Bytes of a synapse: of a rule in its tile; of a list in its store, at most; of a rule that is
/// listed first.
constexpr double kOfRule = 6, kOfList = 28, kListed = 100;
/// Bytes of a neuron and step of its future input, and of its state and coefficients.
constexpr double kOfPlace = 8, kOfNeuron = 600;

/// Bytes of the look-up of runs, for a tile.
double index_bytes(const Network& network) {
  std::vector<double> longest(network.populations.size());
  double neurons = 0, building = 0;
  for (const RuleProjection& rule : network.rule_projections) {
    if (!is_in_tiles(rule)) continue;
    const auto source = static_cast<std::size_t>(rule.source);
    const DelayTable delays(rule.connection.delay, network.time_step_ms);
    longest[source] = std::max(longest[source], static_cast<double>(delays.max()));
    // Sizes of the rows of each block, while they are drawn.
    building = std::max(building, static_cast<double>(network.populations[source].size) * 4 *
                                      static_cast<double>(network.populations.size() * kBlocks));
  }
  double bytes = building;
  for (std::size_t index = 0; index < longest.size(); ++index) {
    const auto size = static_cast<double>(network.populations[index].size);
    neurons += size;
    if (longest[index] > 0) bytes += size * (longest[index] + 1) * sizeof(std::uint16_t);
  }
  return bytes + neurons * 2 * sizeof(std::uint64_t);
}

double longest_list_ms(const Network& network) {
  double longest = 0;
  for (const Projection& projection : network.projections) {
    for (const double delay : projection.delays_ms) longest = std::max(longest, delay);
  }
  return longest;
}

}  // namespace

std::uint64_t memory_needed(const Network& network, const Options& options) {
  double bytes = 0, places = 0;
  for (const RuleProjection& rule : network.rule_projections) {
    const auto synapses = static_cast<double>(network.synapses(rule));
    const bool is_drive = rule.connection.rule == ConnectionRule::one_to_one;
    if (stays_rule(network, options, rule)) {
      bytes += is_drive ? 0 : synapses * kOfRule;
    } else {
      bytes += synapses * kListed;
    }
  }
  for (const Projection& projection : network.projections) {
    bytes += static_cast<double>(projection.synapses()) * kOfList;
  }
  for (const Population& population : network.populations) {
    const auto size = static_cast<double>(population.cells());
    places += size * static_cast<double>(population.receptors);
    if (!model(population.model).is_source()) bytes += size * kOfNeuron;
  }
  const double dt = options.dt_ms > 0 ? options.dt_ms : network.time_step_ms;
  bytes += places * kOfPlace * (std::ceil(longest_list_ms(network) / dt) + 1);
  if (!network.rule_projections.empty()) {
    constexpr double kPlacesOfTile = 65535;
    bytes +=
        index_bytes(network) * std::max<double>(options.threads, std::ceil(places / kPlacesOfTile));
  }
  constexpr double kRuntime = 64e6, kMargin = 1.05;
  return static_cast<std::uint64_t>(bytes * kMargin + kRuntime);
}

}  // namespace afterspike::spiking
