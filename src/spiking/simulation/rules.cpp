#include "simulation/rules.hpp"

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <utility>

#include "afterspike/spiking/connect.hpp"
#include "connect/tile_store.hpp"
#include "grid/poisson_drive.hpp"
#include "simulation/steps.hpp"

namespace afterspike::spiking {
namespace {

/// Beyond this, look-ups of runs cost more than synapses.
constexpr std::uint32_t kMostDelays = 1024;

const Population& population_in(const Network& network, std::int64_t index) {
  return network.populations[static_cast<std::size_t>(index)];
}

double step_of(const Network& network, const Options& options) {
  return options.dt_ms > 0 ? options.dt_ms : network.time_step_ms;
}

/// Whether sums of the grid engine can take the synapses of a rule onto this population.
bool takes_rules(const Network& network, const Options& options, std::int64_t population) {
  const Population& target = population_in(network, population);
  const auto found = options.engines.find(target.name);
  const Engine engine = found == options.engines.end() ? options.engine : found->second;
  const bool is_coupled =
      std::any_of(network.electrical_synapses.begin(), network.electrical_synapses.end(),
                  [&](const ElectricalSynapses& synapses) {
                    return synapses.first == population || synapses.second == population;
                  });
  return engine == Engine::grid && target.copies == 1 && !is_coupled;
}

/// Mean number of synapses of a source's neuron by all rules. One tile may hold all of them.
double mean_row(const Network& network, std::int64_t source) {
  double synapses = 0;
  for (const RuleProjection& rule : network.rule_projections) {
    if (rule.source != source || !is_in_tiles(rule)) continue;
    synapses += static_cast<double>(rule.connection.count);
  }
  return synapses / static_cast<double>(population_in(network, source).size);
}

bool stays_total_number(const Network& network, const RuleProjection& rule) {
  const Population& source = population_in(network, rule.source);
  const DelayTable delays(rule.connection.delay, network.time_step_ms);
  return mean_row(network, rule.source) < kMostInTile / 2 && delays.max() <= kMostDelays &&
         source.model != "analog_source";
}

/// Whether everything that a Poisson source does is to drive one neuron each.
bool is_drive(const Network& network, const Options& options, std::int64_t source) {
  if (population_in(network, source).model != "poisson_source") return false;
  for (const Projection& projection : network.projections) {
    if (projection.source == source) return false;
  }
  for (const RuleProjection& rule : network.rule_projections) {
    if (rule.source != source) continue;
    if (rule.connection.rule != ConnectionRule::one_to_one) return false;
    if (!takes_rules(network, options, rule.target)) return false;
  }
  const auto rates = population_in(network, source).column("rate");
  const double per_step = rates[0] * 1e-3 * step_of(network, options);
  return per_step <= kMostPerStep &&
         std::all_of(rates.begin(), rates.end(), [&](double rate) { return rate == rates[0]; });
}

}  // namespace

bool stays_rule(const Network& network, const Options& options, const RuleProjection& rule) {
  const double steps = network.time_step_ms / step_of(network, options);
  if (!is_at_step(network.time_step_ms, step_of(network, options)) || steps < 0.5) return false;
  if (!takes_rules(network, options, rule.target)) return false;
  return is_in_tiles(rule) ? stays_total_number(network, rule)
                           : is_drive(network, options, rule.source);
}

void resolve_rules(Network& network, const Options& options) {
  if (network.rule_projections.empty()) return;
  validate(network);
  std::vector<RuleProjection> kept;
  std::vector<Projection> drawn;
  for (const RuleProjection& rule : network.rule_projections) {
    if (stays_rule(network, options, rule)) {
      kept.push_back(rule);
    } else {
      drawn.push_back(expand(network.populations, rule, network.time_step_ms));
    }
  }
  network.rule_projections = std::move(kept);
  for (Projection& projection : drawn) network.projections.push_back(std::move(projection));
}

}  // namespace afterspike::spiking
