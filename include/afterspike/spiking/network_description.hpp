#pragma once

#include <cstdint>
#include <filesystem>
#include <string>
#include <utility>
#include <vector>

#include "afterspike/spiking/network.hpp"

namespace afterspike::spiking {

/// Variables of a population to record.
struct RecordRequest {
  std::string population;
  std::vector<std::string> variables;  ///< Names in Model::variables.
  std::vector<std::int64_t> neurons;   ///< Empty: all.
  double interval_ms = 0;              ///< 0: the time step.
};

/// A network with what its description says of a run.
struct NetworkDescription {
  Network network;
  std::uint64_t seed = 1;  ///< Seed of the network's random numbers, and the default of the run's.
  double until_ms = 0;     ///< 0: the description states no end.
  std::vector<RecordRequest> records;
  ElectricalCoupling coupling = ElectricalCoupling::previous_step;  ///< `coupling` of the file.
};

/// A setting of a description: a dotted path ("populations.E.C_m", "projections.0.weight",
/// "parameters.scale") and a value in TOML's syntax.
using DescriptionSetting = std::pair<std::string, std::string>;

/// Reads a network that is described in TOML (docs/network-description.md) and draws its random
/// parameters and synapses. The same file, settings and seed give the same network. Throws
/// Error(config) that names file, line and key, with "did you mean" for unknown ones.
NetworkDescription read_description(const std::filesystem::path& path,
                                    const std::vector<DescriptionSetting>& settings = {});

/// Sets every parameter of a population to its default, or to the value of a preset. Throws
/// Error(usage) for a preset that the model lacks.
void set_defaults(Population& population, std::string_view preset = {});

}  // namespace afterspike::spiking
