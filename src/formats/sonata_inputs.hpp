#pragma once

#include "afterspike/formats/importer.hpp"
#include "sonata_config.hpp"
#include "sonata_nodes.hpp"

namespace afterspike::formats {

/// Whether a part of the configuration is switched off by "enabled": false.
bool is_disabled(const ConfigPart& entry);

/// Gives the virtual nodes of a network the spikes of the configuration's inputs, and its neurons
/// their current clamps. Spikes of several inputs for the same nodes add up. Throws Error(data)
/// that names the input.
void read_sonata_inputs(const SonataConfig& config, const NodeTables& tables, Import& import);

}  // namespace afterspike::formats
