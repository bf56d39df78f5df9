#pragma once

#include <cstdint>
#include <string>

#include "afterspike/glifnet/network.hpp"
#include "afterspike/io/json.hpp"

namespace afterspike::exporters {

/// What nest.SetStatus takes for a glif_psc neuron that is a neuron of this population, of GLIF1 to
/// GLIF5 with alpha synapses. A constant current is not among it: glif_psc has none.
io::Json nest_parameters(const glifnet::Population& population, std::int64_t neuron);

/// "glif1" to "glif5", by the flags of NEST's parameters. Throws Error(data) for flags that are no
/// level; `where` names what has them.
std::string nest_level(const io::Json& parameters, const std::string& where);

/// Appends a neuron to a population of its level; the first decides numbers of currents and
/// receptors. Throws Error(data) for a parameter that is missing or of another kind.
void append_nest_neuron(glifnet::Population& population, const io::Json& parameters,
                        const std::string& where);

/// Puts the values that append_nest_neuron() appended by neuron into the order [values, size].
void finish_nest_population(glifnet::Population& population);

}  // namespace afterspike::exporters
