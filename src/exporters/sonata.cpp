#include "sonata.hpp"

#include <algorithm>
#include <charconv>
#include <cstddef>
#include <map>
#include <sstream>

#include <fmt/format.h>

#include "afterspike/base/error.hpp"
#include "afterspike/io/bytes.hpp"

namespace afterspike::exporters {
namespace {

std::vector<std::string> cells_of(const std::string& line) {
  std::vector<std::string> cells;
  std::string cell;
  bool quoted = false, begun = false;
  for (const char letter : line) {
    if (letter == '"') {
      quoted = !quoted;
      begun = true;
    } else if (!quoted && (letter == ' ' || letter == '\t' || letter == '\r')) {
      if (begun) cells.push_back(std::exchange(cell, {}));
      begun = false;
    } else {
      cell += letter;
      begun = true;
    }
  }
  if (begun) cells.push_back(cell);
  return cells;
}

}  // namespace

io::Hdf5File create_sonata_file(const std::filesystem::path& path) {
  io::Hdf5File file(path, io::Hdf5File::Mode::create);
  file.write_attribute<std::uint32_t>("/", "magic", {{}, {kSonataMagic}});
  file.write_attribute<std::uint32_t>("/", "version", {{2}, {0, 1}});
  return file;
}

std::string TextTable::cell(std::size_t row, std::string_view column,
                            const std::string& fallback) const {
  const auto found = std::find(columns.begin(), columns.end(), column);
  if (found == columns.end()) return fallback;
  const std::string& text = rows[row][static_cast<std::size_t>(found - columns.begin())];
  return text == "NULL" ? fallback : text;
}

namespace {

template <typename T>
T parse_cell(const TextTable& table, std::size_t row, std::string_view column,
             std::string_view expected) {
  const std::string text = table.cell(row, column);
  T value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  require(error == std::errc() && end == text.data() + text.size(), ErrorKind::data,
          "'{}': row {}: column '{}': found '{}', expected {}", table.path, row + 1, column, text,
          expected);
  return value;
}

}  // namespace

double TextTable::number(std::size_t row, std::string_view column) const {
  return parse_cell<double>(*this, row, column, "a number");
}

std::int64_t TextTable::integer(std::size_t row, std::string_view column) const {
  return parse_cell<std::int64_t>(*this, row, column, "a whole number");
}

TextTable read_text_table(const std::filesystem::path& path) {
  const std::vector<std::uint8_t> bytes = io::read_file(path);
  std::istringstream text(std::string(bytes.begin(), bytes.end()));
  TextTable table{path.string(), {}, {}};
  std::size_t number = 0;
  for (std::string line; std::getline(text, line);) {
    ++number;
    std::vector<std::string> cells = cells_of(line);
    if (cells.empty()) continue;
    if (table.columns.empty()) {
      table.columns = std::move(cells);
      continue;
    }
    require(cells.size() == table.columns.size(), ErrorKind::data,
            "'{}', line {}: found {} columns, expected {}", path.string(), number, cells.size(),
            table.columns.size());
    table.rows.push_back(std::move(cells));
  }
  require(!table.columns.empty(), ErrorKind::data, "'{}': expected a header, found nothing",
          path.string());
  return table;
}

std::vector<std::size_t> rows_of(const std::vector<std::int64_t>& ids, const TextTable& types,
                                 const char* column, const std::string& group) {
  std::map<std::int64_t, std::size_t> known;
  for (std::size_t row = 0; row < types.rows.size(); ++row) known[types.integer(row, column)] = row;
  std::vector<std::size_t> rows;
  for (const std::int64_t id : ids) {
    const auto found = known.find(id);
    require(found != known.end(), ErrorKind::data, "'{}': found {} {}, which '{}' does not have",
            group, column, id, types.path);
    rows.push_back(found->second);
  }
  return rows;
}

void require_plain(const io::Hdf5File& file, const std::string& name, std::size_t count,
                   bool counts) {
  if (!file.exists(name)) return;
  const auto values = file.read<std::int64_t>(name).values;
  require(values.size() == count, ErrorKind::data, "'{}': found {} values, expected {}", name,
          values.size(), count);
  for (std::size_t at = 0; at < count; ++at) {
    const std::int64_t expected = counts ? static_cast<std::int64_t>(at) : 0;
    require(values[at] == expected, ErrorKind::data, "'{}': value {}: found {}, expected {}: {}",
            name, at, values[at], expected, counts ? "0, 1, 2, ... in order" : "one group");
  }
}

}  // namespace afterspike::exporters
