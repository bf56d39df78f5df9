#pragma once

#include <cstdint>

#include "afterspike/exporters/exporter.hpp"
#include "afterspike/io/json.hpp"

namespace afterspike::exporters {

/// The neuron as a neuron_config.json: SI units, voltages relative to El_reference. A GLIFR neuron
/// takes AllenSDK's order of updates into account and is exact there; `dt_ms` is its time step.
io::Json allen_config(const glifnet::Population& population, std::int64_t neuron, double dt_ms);

}  // namespace afterspike::exporters
