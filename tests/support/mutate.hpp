#pragma once

#include <filesystem>
#include <string>

#include "afterspike/base/rng.hpp"

/// Damages files in their structure, as a fuzzer that knows the format: depth, keys, counts, shapes
/// and types rather than bytes. The result depends on the generator alone.
namespace afterspike::testing {

/// A JSON text with one to three changes: a value of another type or size, a member removed,
/// renamed or repeated, thousands of members, hundreds of levels.
std::string mutated_json(const std::string& text, Rng& rng);

/// A text of lines (CSV, TOML) with one to three changes: cells and lines removed, repeated,
/// exchanged or replaced by odd values.
std::string mutated_lines(const std::string& text, Rng& rng);

/// Bytes with one to eight changes: bits flipped, parts removed, repeated or overwritten by
/// lengths.
std::string mutated_bytes(std::string bytes, Rng& rng);

/// Changes one to three objects of an HDF5 file in place: removes or replaces data sets and
/// attributes by others of any rank, extent and type, or overwrites values.
void mutate_hdf5(const std::filesystem::path& path, Rng& rng);

}  // namespace afterspike::testing
