#pragma once

#include <filesystem>
#include <string>
#include <string_view>
#include <vector>

#include "afterspike/base/error.hpp"

namespace afterspike::io {

/// A table of numbers with named columns (units belong in the names: "V_th_mV").
struct Table {
  std::vector<std::string> columns;
  std::vector<std::vector<double>> rows;  ///< Each as long as `columns`.
};

/// Returns a cell as messages print it: control bytes as "\x1b", at most 60 characters.
std::string shown(std::string_view cell);

/// Whether a table may have empty cells, which become NaN.
enum class Gaps { refused, allowed };

/// Reads comma-separated numbers; the first line has the names of the columns. Quoted names, CRLF
/// and a byte-order mark are understood; empty lines at the end are ignored. Throws Error(data)
/// that names file, line and column for a cell that is not a number or a row of another length;
/// and, in the column called `identity`, for numbers from 2^53 on, where several integers share one
/// double.
Table read_csv(const std::filesystem::path& path, std::string_view identity = "",
               Gaps gaps = Gaps::refused);

/// Writes the table atomically; read_csv() returns the same doubles. Throws Error(numeric) that
/// names row and column of a value that is not finite.
void write_csv(const std::filesystem::path& path, const Table& table);

}  // namespace afterspike::io
