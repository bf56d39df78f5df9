#pragma once

#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>
#include <string_view>

#include "afterspike/formats/exporter.hpp"
#include "afterspike/io/json.hpp"

namespace afterspike::formats {

// Factors from the SI units of these files to our units.
inline constexpr double kMilli = 1e3, kPico = 1e12, kNano = 1e9, kGiga = 1e-9;

/// Alpha synapses of 5.5, 8.5, 2.8 and 5.8 ms, as BMTK gives them to these neurons.
void give_bmtk_synapses(spiking::Population& population);

/// The neuron, of glif1 to glif5 or glifr, as a neuron_config.json: SI units, voltages relative to
/// El_reference. A GLIFR neuron takes AllenSDK's order of updates into account and is exact there;
/// `dt_ms` is its time step. Constant currents are no part of it.
io::Json allen_config(const spiking::Population& population, std::int64_t neuron, double dt_ms);

/// The level, "glif1" to "glif5", of a template by which BMTK takes such a file, as
/// "nest:glif_lif_asc_psc"; none for others.
std::optional<std::string> bmtk_level(std::string_view model_template);

/// All these templates, with commas.
std::string bmtk_templates();

/// The neuron of a file as BMTK makes it of this level, a population of one. Throws Error(data) for
/// files that import_allen() refuses, and for what BMTK would make something else of: methods of
/// another level, multipliers of after-spike currents other than 1, a reset that depends on the
/// voltage where rest is not El_reference.
spiking::Population import_bmtk_neuron(const std::filesystem::path& path, const std::string& level);

}  // namespace afterspike::formats
