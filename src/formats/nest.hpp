#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "afterspike/io/json.hpp"
#include "afterspike/spiking/network.hpp"

namespace afterspike::formats {

/// Returns the parameters that make a glif_psc neuron a neuron of this population, for
/// nest.SetStatus. REQUIRES: GLIF1 to GLIF5 with alpha synapses. A constant current is not
/// included: glif_psc has none.
io::Json nest_parameters(const spiking::Population& population, std::int64_t neuron);

/// "glif1" to "glif5", by the flags of glif_psc's parameters, which default to false. Throws
/// Error(data) for flags that are no level; `where` names what has them.
std::string nest_level(const io::Json& parameters, const std::string& where);

/// Appends a glif_psc neuron to a population of its level; the first decides numbers of currents
/// and receptors. Absent parameters have NEST's defaults, but V_m is E_L, and asc_r is 1 for each
/// current. Throws Error(data) for a parameter of another type.
void append_nest_neuron(spiking::Population& population, const io::Json& parameters,
                        const std::string& where);

/// Whether `model` is NEST's iaf_psc_alpha, iaf_psc_exp or iaf_psc_delta.
bool is_iaf(std::string_view model);

/// Appends a neuron of one of these models to a population of model lif. Receptor 0 takes positive
/// weights and 1 the others, with tau_syn_ex and tau_syn_in; iaf_psc_delta has receptor 0 only.
/// Absent parameters have NEST's defaults, but V_m is E_L. Throws Error(data) for V_min,
/// refractory_input and an escape rate (delta), which lif does not have.
void append_iaf_neuron(spiking::Population& population, std::string_view model,
                       const io::Json& parameters, const std::string& where);

/// Puts the values that append_nest_neuron() appended by neuron into the order [values, size].
void finish_nest_population(spiking::Population& population);

}  // namespace afterspike::formats
