#pragma once

#include <filesystem>
#include <map>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "afterspike/base/error.hpp"

namespace afterspike::io {

/// A table of numbers with named columns (units belong in the names: "V_th_mV").
struct Table {
  std::vector<std::string> columns;
  std::vector<std::vector<double>> rows;  ///< Each as long as `columns`.
  /// The texts of columns that hold texts, by name of the column, in alphabetical order
  /// when read. The cells of such a column are places in this list.
  std::map<std::string, std::vector<std::string>> texts = {};
};

/// A cell as messages show it: control bytes, and bytes that are no UTF-8, as "\x1b"; at most 60
/// characters.
std::string shown(std::string_view cell);

/// Whether a table may have empty cells, which become NaN.
enum class Gaps { refused, allowed };

/// Reads comma-separated numbers; the first line holds the names of the columns. Quoted names,
/// CRLF, a byte-order mark and a plus sign are understood; empty lines at the end are ignored, and
/// so is a first column without a name that counts the rows (an index of pandas). Columns of
/// `texts` hold texts if their first cell is one. Throws Error(data) that names file, line and
/// column for anything that is not a number, for a row of another length, for other separators and
/// for UTF-16; and, in the column called `identity`, for numbers from 2^53 on, of which several
/// become one double.
Table read_csv(const std::filesystem::path& path, std::string_view identity = "",
               Gaps gaps = Gaps::refused, std::span<const std::string_view> texts = {});

/// Writes the table atomically; read_csv() returns the same doubles. Throws Error(numeric) that
/// names row and column of a value that is not finite.
void write_csv(const std::filesystem::path& path, const Table& table);

}  // namespace afterspike::io
