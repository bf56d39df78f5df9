#pragma once

#include "afterspike/spiking/network.hpp"

namespace afterspike::formats {

/// The current, pA, that brings in `input_step_ms` the charge of an alpha current of this peak.
double step_current(double peak_pa, double synapse_ms, double input_step_ms);

/// The network with each value of an analog source as a step current that lasts for the network's
/// time step, from where its alpha synapse would begin: for simulators with such generators. Our
/// core has no currents that a source gives; they are impulses here, one for each step of
/// `resolution_ms`, that move voltages on that grid as the current does, to rounding (a threshold
/// that follows the voltage hears of them a step later). Populations have alpha synapses.
spiking::Network with_step_currents(spiking::Network network, double resolution_ms);

}  // namespace afterspike::formats
