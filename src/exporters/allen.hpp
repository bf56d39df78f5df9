#pragma once

#include <cstdint>

#include "afterspike/exporters/exporter.hpp"
#include "afterspike/io/json.hpp"

namespace afterspike::exporters {

// What a SI unit, as these files have them, is in ours.
inline constexpr double kMilli = 1e3, kPico = 1e12, kNano = 1e9, kGiga = 1e-9;

/// Alpha synapses of 5.5, 8.5, 2.8 and 5.8 ms, as BMTK gives them to these neurons.
void give_bmtk_synapses(glifnet::Population& population);

/// The neuron, of glif1 to glif5 or glifr, as a neuron_config.json: SI units, voltages relative to
/// El_reference. A GLIFR neuron takes AllenSDK's order of updates into account and is exact there;
/// `dt_ms` is its time step. Constant currents are no part of it.
io::Json allen_config(const glifnet::Population& population, std::int64_t neuron, double dt_ms);

}  // namespace afterspike::exporters
