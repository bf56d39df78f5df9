#pragma once

#include <cstdint>
#include <filesystem>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "afterspike/io/json.hpp"
#include "afterspike/spiking/network.hpp"

/// Networks of spiking neurons in the formats of others. What a format cannot say is listed and
/// refused, or with `approximate` replaced; nothing is changed in silence.
namespace afterspike::formats {

/// A property of neurons, or of a network, that a format cannot express, and its replacement.
struct Deviation {
  std::string what;         ///< "after-spike multiplier above 1".
  std::string replacement;  ///< "1".
  std::string population;
  std::vector<std::int64_t> neurons;  ///< Empty: it concerns the population as a whole.
  std::int64_t values = 0;            ///< How many parameters, or synapses, were changed.
};

/// "population 'hidden': after-spike multiplier above 1 (12 values of 9 neurons: 0, 3, 4, ...):
/// replaced by 1", with the first eight neurons.
std::string text_of(const Deviation& deviation);

/// The members of a deviation, with all its neurons.
io::Json json_of(const Deviation& deviation);

struct Options {
  bool approximate = false;
  double resolution_ms = 0;  ///< Step of simulators with a grid; 0: the network's time step.
  /// Time constant of the synaptic currents that stand for jumps of the voltage; 0: a quarter of
  /// that step.
  double synapse_ms = 0;
};

/// A network as a format can express it, with all deviations.
struct Conversion {
  spiking::Network network;  ///< The network that is written.
  std::vector<Deviation> deviations;
  double resolution_ms = 0;  ///< Step that a simulator with a grid should take.
  /// For formats that keep as metadata what they cannot say: the forms that each population, by
  /// index, had before, the first as it was given.
  std::vector<std::vector<spiking::Population>> metadata = {};
  /// Network that our core simulates to verify the written one; nullopt: `network`. Its analog
  /// source and its readout may not be written.
  std::optional<spiking::Network> shown = std::nullopt;

  const spiking::Network& to_verify() const { return shown ? *shown : network; }
};

/// A format as it is listed.
struct ExporterEntry {
  std::string_view name;
  std::string_view summary;
  /// Converts a valid network to what the format supports. Throws Error(config) if nothing can be
  /// expressed.
  Conversion (*convert)(const spiking::Network& network, const Options& options);
  /// Writes what convert() gave. Throws Error(data) where that cannot be written.
  void (*write)(const Conversion& conversion, const std::filesystem::path& path);
  bool has_steps = false;  ///< Options::resolution_ms and synapse_ms mean something to it.
  /// Why Conversion::to_verify() cannot be shown the samples of a task, as in "... has no input";
  /// empty where it can.
  std::string_view deaf = "";
  /// Patterns (fnmatch) of the files that write() makes in a directory, separated by spaces; empty
  /// if it writes one HDF5 file.
  std::string_view files = "";
};

/// All formats, one file of src/formats/exporters each.
std::span<const ExporterEntry> entries();

/// Converts `network` for `format`. Throws Error(config) that lists all deviations if there are any
/// and `options` does not allow them.
Conversion converted(const ExporterEntry& format, const spiking::Network& network,
                     const Options& options);

/// Converts and writes; gives what was written. Where that is refused, nothing is written.
Conversion export_network(const ExporterEntry& format, const spiking::Network& network,
                          const std::filesystem::path& path, const Options& options);

}  // namespace afterspike::formats
