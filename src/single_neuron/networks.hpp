#pragma once

#include <cstdint>

#include "afterspike/single_neuron/neuron.hpp"

namespace afterspike::single_neuron {

/// A network of `count` unconnected copies of the neuron, in a population called "neuron".
spiking::Network copies_of(const Neuron& neuron, std::int64_t count);

/// The first multiple of the neuron's step at or after a time.
double on_grid(const Neuron& neuron, double time_ms);

}  // namespace afterspike::single_neuron
