#pragma once

#include <vector>

#include "afterspike/formats/exporter.hpp"
#include "afterspike/spiking/network.hpp"

/// Networks in the terms of others; docs/export-semantics.md has the parameter map and what of it
/// is exact.
namespace afterspike::formats {

/// Discrete GLIFR neurons as GLIF3 neurons in continuous time (GLIF1 where they have no after-spike
/// currents), with delta synapses: on a grid of the network's time step they do the same but for
/// the reset, which is hard instead of a leak. On that grid they need no refractory period; off it
/// nothing else keeps them from spiking more than once in a step. Provenance "approximated" counts
/// the parameters that were changed. Other populations stay as they are. Throws Error(config) for
/// neurons that escape or have copies: GLIF3 has no chance.
Conversion as_glif3(const spiking::Network& network, double refractory_ms = 0);

/// The network in what NEST's glif_psc can say: GLIF1 to GLIF5 with alpha synapses, multipliers of
/// after-spike currents and fractions of the voltage in [0, 1], V_reset below V_th, a refractory
/// period above 0, delays of whole steps of `options` and at least one, recorded spikes at the ends
/// of steps from the first on; constant currents only where the threshold follows the voltage: a
/// resting potential that is I / g higher does the same elsewhere. GLIFR neurons become GLIF3
/// first. A jump of w mV becomes a current that brings the charge C w, w C / (e tau) pA at its
/// peak, earlier by its mean lag of 2 tau; the delay that is left comes to the nearest step, to the
/// later where it lies halfway between two. Throws Error(config) for models that glif_psc has no
/// counterpart of, and for steps of no whole number of NEST's tics, 0.001 ms.
Conversion as_nest(const spiking::Network& network, const Options& options);

/// Notes in provenance "approximated" how many values the deviations changed, where there are any.
void count_approximated(Conversion& conversion);

}  // namespace afterspike::formats
