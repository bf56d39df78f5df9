#pragma once

#include "afterspike/spiking/simulation.hpp"

namespace afterspike::spiking {

/// Replaces by synapses those rules that the grid engine does not compute as rules: onto neurons of
/// the exact engine, with copies or with electrical synapses; onto a step that does not divide that
/// of the network; and from Poisson sources that are more than a drive of single neurons. Throws
/// Error(data) for an invalid network with rules.
void resolve_rules(Network& network, const Options& options);

/// Whether resolve_rules() leaves a rule of a valid network as it is.
bool stays_rule(const Network& network, const Options& options, const RuleProjection& rule);

}  // namespace afterspike::spiking
