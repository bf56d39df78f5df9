#pragma once

#include <cstdint>

#include "afterspike/spiking/simulation.hpp"

namespace afterspike::spiking {

/// Bytes that a simulation of a valid network takes at most, beside the network itself: synapses of
/// rules and of lists in the form that is simulated, sums of future steps, and the state of
/// neurons. It is an estimate, about a tenth too high, and known before anything is built.
std::uint64_t memory_needed(const Network& network, const Options& options);

}  // namespace afterspike::spiking
