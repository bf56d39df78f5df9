#pragma once

#include <filesystem>

#include "afterspike/io/json.hpp"

/// Previews of data files for `info`.
namespace afterspike::cli {

/// Whether the file is a table by its name, or by a first line of text with commas.
bool is_table(const std::filesystem::path& path);

/// Columns with values, missing values and range; for tables of sequences also their number,
/// lengths, classes and splits. Throws as io::read_csv().
io::Json describe_table(const std::filesystem::path& path);

/// Data sets with shape, range and NaN; for files with /inputs also samples, lengths, classes and
/// splits. Throws Error(data) for a file that cannot be read.
io::Json describe_hdf5(const std::filesystem::path& path);

void print_data(const io::Json& data);

}  // namespace afterspike::cli
