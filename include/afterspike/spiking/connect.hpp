#pragma once

#include <cstdint>
#include <string_view>
#include <vector>

#include "afterspike/base/rng.hpp"
#include "afterspike/spiking/connection.hpp"
#include "afterspike/spiking/network.hpp"

/// Connections by rule and values by distribution, under the names of NEST.
namespace afterspike::spiking {

/// Draws a value. Throws Error(config) if a million draws in a row lie outside of min and max.
double draw(const Distribution& distribution, Rng& rng);

std::string_view name_of(ConnectionRule rule);
/// The rule of this name. Throws Error(config) that lists the names.
ConnectionRule connection_rule(std::string_view name);

/// Neurons within `radius` of a point, in ascending order. Distances on a torus are the shortest.
std::vector<std::int64_t> neurons_within(const Grid& grid, double x, double y, double radius);

/// Expected number of synapses of a connection; of pairs on grids the number without edges.
double expected_synapses(const Connection& connection, std::int64_t sources, std::int64_t targets);

/// Draws the synapses of a connection. Delays are rounded to multiples of `time_step_ms`, at least
/// one for neurons, and none below a step for sources. The result depends on `rng` alone. Throws
/// Error(config) for a rule that the sizes do not allow, or a receptor that the target lacks.
Projection connect(const std::vector<Population>& populations, std::int64_t source,
                   std::int64_t target, const Connection& connection, double time_step_ms,
                   const Rng& rng);

/// Whether the synapses of a connection may stay a rule (RuleProjection): those of
/// `fixed_total_number` with multapses and autapses, and of `one_to_one` with one weight and one
/// delay from a `poisson_source`.
bool can_stay_rule(const std::vector<Population>& populations, std::int64_t source,
                   std::int64_t target, const Connection& connection);

/// Draws the synapses of a rule, the same ones that a simulation builds. Weights are float32.
Projection expand(const std::vector<Population>& populations, const RuleProjection& rule,
                  double time_step_ms);

/// Replaces all rules of a network by their synapses.
void expand_rules(Network& network);

}  // namespace afterspike::spiking
