#pragma once

#include "afterspike/io/json.hpp"
#include "afterspike/spiking/network.hpp"

namespace afterspike::spiking {

/// Describes a valid network, for people and for programs. Members: time_step_ms; neurons (each
/// copy counted, sources not) and synapses of all; populations with their model and, for each
/// parameter, symbol, unit and statistics; projections with statistics of weights (in weight_unit)
/// and delays, or with their rule; numbers of step and noise currents; readout (null: none);
/// provenance. Statistics are n, mean, sd (of a sample; 0 for one value), min and max; null if
/// there are no values.
io::Json describe(const Network& network);

}  // namespace afterspike::spiking
