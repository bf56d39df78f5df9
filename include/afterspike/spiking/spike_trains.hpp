#pragma once

#include <cstdint>
#include <filesystem>
#include <optional>
#include <span>
#include <string>
#include <string_view>

#include "afterspike/spiking/network.hpp"

namespace afterspike::spiking {

/// Sorts spikes, given by time in ms and neuron in any order, into trains of `neurons` neurons.
/// Throws Error(data) that begins with `where` for a neuron that is not there and for a negative
/// time.
SpikeTrains trains_of(std::span<const double> times_ms, std::span<const std::int64_t> neuron_of,
                      std::int64_t neurons, const std::string& where);

/// Reads the spikes of the population `name` from a SONATA spike file: HDF5 with
/// /spikes/<name>/{timestamps, node_ids}, or a text table with the columns timestamps, node_ids and
/// population, separated by blanks, tabs, commas or semicolons. Older files are understood too,
/// whose spikes name no population: /spikes/{timestamps, gids}, or a table without that column, or
/// with the columns gid and spike-times (comma-separated times of one neuron). Times are in ms.
///
/// Returns nullopt if the file has spikes of other populations only. Throws Error(data) that names
/// the file and what is wrong in it.
std::optional<SpikeTrains> find_spike_trains(const std::filesystem::path& path,
                                             std::string_view name, std::int64_t neurons);

/// Whether the first line of a text file names the columns of such a table.
bool is_sonata_spike_table(const std::filesystem::path& path);

}  // namespace afterspike::spiking
