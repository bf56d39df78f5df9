#pragma once

#include <filesystem>

#include "afterspike/spiking/network.hpp"

namespace afterspike::spiking {

/// Version of the native file that is written for networks without rules. In version 1 copies of
/// neurons meant something else; before version 3 there was no checksum (docs/network-format.md).
inline constexpr std::int64_t kFileVersion = 3;
/// Version of files with rules, which older programs would overlook; the newest that is read.
inline constexpr std::int64_t kFileVersionOfRules = 4;

/// Writes the network, atomically, as HDF5 (docs/network-format.md); read_network() gives an equal
/// one back. Throws Error(data) for a network that is not valid or a file that cannot be written.
void write_network(const std::filesystem::path& path, const Network& network);

/// Reads and validates. Throws Error(data) that names the file and what is wrong in it, also where
/// its content is not what was written.
Network read_network(const std::filesystem::path& path);

}  // namespace afterspike::spiking
