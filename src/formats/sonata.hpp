#pragma once

#include <cstdint>
#include <filesystem>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "afterspike/io/hdf5.hpp"

/// The parts of SONATA files that reader and writer share.
namespace afterspike::formats {

inline constexpr std::uint32_t kSonataMagic = 0x0A7A;

/// A file with SONATA's magic number and version.
io::Hdf5File create_sonata_file(const std::filesystem::path& path);

/// A table of texts with a header, separated by blanks. Quoted cells may hold blanks.
struct TextTable {
  std::string path;  ///< Path of the file, for messages.
  std::vector<std::string> columns;
  std::vector<std::vector<std::string>> rows;

  /// The cell of a row, or `fallback` where there is no such column or it says NULL.
  std::string cell(std::size_t row, std::string_view column,
                   const std::string& fallback = "") const;
  bool has(std::size_t row, std::string_view column) const { return !cell(row, column).empty(); }
  /// A cell that is a number. Throws Error(data) that names file, row and column for another.
  double number(std::size_t row, std::string_view column) const;
  std::int64_t integer(std::size_t row, std::string_view column) const;
};

/// Throws Error(data) that names file and line for a row of another length.
TextTable read_text_table(const std::filesystem::path& path);

/// The row of the table of each entry's type, `column` of it. Throws Error(data) that names `group`
/// for a type that is not there.
std::vector<std::size_t> rows_of(const std::vector<std::int64_t>& ids, const TextTable& types,
                                 const char* column, const std::string& group);

/// The group of each node or edge, and its row among the values of that group.
struct SonataGroups {
  std::vector<std::int64_t> ids, rows;
  std::vector<std::int64_t> distinct;  ///< Every group that occurs, ascending.
};

/// Reads <group>/<kind>_group_id and <kind>_group_index of `count` nodes or edges, in any order.
/// Absent ids are 0, absent rows count up within each group. Throws Error(data) for a group that
/// the file does not have, for a row that occurs twice, and for a group with one of `refused`:
/// values of single nodes or edges that would change what they mean.
SonataGroups read_sonata_groups(const io::Hdf5File& file, const std::string& group,
                                const std::string& kind, std::size_t count,
                                const std::vector<std::string>& refused);

}  // namespace afterspike::formats
