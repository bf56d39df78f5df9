#pragma once

#include "afterspike/io/toml_tree.hpp"
#include "afterspike/spiking/network_description.hpp"

namespace afterspike::spiking {

/// Applies settings, chooses variants, evaluates expressions, and writes out groups of populations
/// and projections: what is left states each population and each projection by itself. Throws
/// Error(config) naming file, line and key.
void resolve_description(io::TomlNode& root, const std::vector<DescriptionSetting>& settings);

}  // namespace afterspike::spiking
