#include "afterspike/io/table.hpp"

#include <algorithm>
#include <charconv>
#include <cmath>
#include <iterator>
#include <limits>
#include <optional>
#include <set>
#include <string_view>

#include <fmt/format.h>

#include "afterspike/io/atomic.hpp"
#include "afterspike/io/bytes.hpp"

namespace afterspike::io {
namespace {

std::string_view trim(std::string_view text) {
  const auto first = text.find_first_not_of(" \t");
  if (first == std::string_view::npos) return {};
  return text.substr(first, text.find_last_not_of(" \t") - first + 1);
}

/// Returns the text's lines without their ends, and without empty ones at the end.
std::vector<std::string_view> lines_of(std::string_view text) {
  constexpr std::string_view kByteOrderMark = "\xef\xbb\xbf";
  if (text.starts_with(kByteOrderMark)) text.remove_prefix(kByteOrderMark.size());
  std::vector<std::string_view> lines;
  while (!text.empty()) {
    const auto end = text.find('\n');
    std::string_view line = text.substr(0, end);
    if (line.ends_with('\r')) line.remove_suffix(1);
    lines.push_back(line);
    text.remove_prefix(end == std::string_view::npos ? text.size() : end + 1);
  }
  while (!lines.empty() && trim(lines.back()).empty()) lines.pop_back();
  return lines;
}

/// Takes the next name from `line`; nullopt if its quotes do not match.
std::optional<std::string> take_name(std::string_view& line) {
  line = line.substr(std::min(line.find_first_not_of(" \t"), line.size()));
  if (!line.starts_with('"')) {
    const std::string_view name = line.substr(0, line.find(','));
    line.remove_prefix(name.size());
    return std::string(trim(name));
  }
  std::string name;
  for (std::size_t i = 1; i < line.size(); ++i) {
    const bool doubled = line.substr(i).starts_with("\"\"");
    if (line[i] == '"' && !doubled) {
      line.remove_prefix(i + 1);
      line.remove_prefix(std::min(line.find_first_not_of(" \t"), line.size()));
      return line.empty() || line.starts_with(',') ? std::optional(name) : std::nullopt;
    }
    name += line[i];
    if (doubled) ++i;
  }
  return std::nullopt;
}

std::vector<std::string> read_names(std::string_view line, const std::string& file) {
  std::vector<std::string> names;
  std::set<std::string> known;
  for (;;) {
    const auto name = take_name(line);
    const std::size_t column = names.size() + 1;
    require(name.has_value(), ErrorKind::data, "{}: line 1, column {}: its quotes are out of order",
            file, column);
    require(!name->empty(), ErrorKind::data, "{}: line 1, column {}: expected a name, found none",
            file, column);
    require(known.insert(*name).second, ErrorKind::data,
            "{}: line 1, column {}: '{}' is there twice", file, column, shown(*name));
    names.push_back(*name);
    if (line.empty()) return names;
    line.remove_prefix(1);
  }
}

std::optional<double> number_of(std::string_view text) {
  double number = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  const bool whole = error == std::errc() && end == text.data() + text.size();
  return whole && std::isfinite(number) ? std::optional(number) : std::nullopt;
}

/// From here on, doubles do not represent every integer.
constexpr double kInexact = 9007199254740992;  // 2^53

std::vector<double> read_row(std::string_view line, const std::vector<std::string>& names,
                             std::string_view identity, Gaps gaps, const std::string& where) {
  std::vector<double> row;
  for (;;) {
    const std::string_view cell = line.substr(0, line.find(','));
    require(row.size() < names.size(), ErrorKind::data,
            "{}: found more than {} columns, expected {}", where, names.size(), names.size());
    const bool gap = gaps == Gaps::allowed && trim(cell).empty();
    const auto number = gap ? std::numeric_limits<double>::quiet_NaN() : number_of(trim(cell));
    require(number.has_value(), ErrorKind::data,
            "{}, column {} ('{}'): found '{}', expected a number", where, row.size() + 1,
            shown(names[row.size()]), shown(cell));
    require(
        names[row.size()] != identity || gap || std::abs(*number) < kInexact, ErrorKind::data,
        "{}, column {} ('{}'): found '{}', expected a number below 2^53, {}: larger ones cannot "
        "be told apart",
        where, row.size() + 1, shown(names[row.size()]), shown(cell), kInexact);
    row.push_back(*number);
    line.remove_prefix(cell.size());
    if (line.empty()) break;
    line.remove_prefix(1);
  }
  require(row.size() == names.size(), ErrorKind::data, "{}: found {} columns, expected {}", where,
          row.size(), names.size());
  return row;
}

std::string cell_of(const std::string& name) {
  if (name.find_first_of(",\"") == std::string::npos && trim(name) == name) return name;
  std::string result = "\"";
  for (const char letter : name) result += letter == '"' ? "\"\"" : std::string(1, letter);
  return result + '"';
}

std::string header_of(const std::vector<std::string>& names, const std::string& file) {
  std::set<std::string_view> known;
  std::vector<std::string> cells;
  for (const std::string& name : names) {
    require(!name.empty() && name.find_first_of("\r\n") == std::string::npos &&
                known.insert(name).second,
            ErrorKind::internal,
            "{}: '{}' cannot name a column: empty, twice, or with a line break", file, name);
    cells.push_back(cell_of(name));
  }
  require(!cells.empty(), ErrorKind::internal, "{}: a table without columns", file);
  return fmt::format("{}\n", fmt::join(cells, ","));
}

}  // namespace

std::string shown(std::string_view cell) {
  constexpr std::size_t kLongest = 60;
  std::size_t size = std::min(cell.size(), kLongest);
  const auto continues = [](char byte) {
    return (static_cast<unsigned char>(byte) & 0xc0) == 0x80;
  };
  while (size > 0 && size < cell.size() && continues(cell[size])) --size;
  std::string text;
  for (const char letter : cell.substr(0, size)) {
    const auto code = static_cast<unsigned char>(letter);
    text += code < 0x20 || code == 0x7f ? fmt::format("\\x{:02x}", code) : std::string(1, letter);
  }
  return size < cell.size() ? text + "..." : text;
}

Table read_csv(const std::filesystem::path& path, std::string_view identity, Gaps gaps) {
  const std::string file = fmt::format("'{}'", path.string());
  const std::vector<std::uint8_t> bytes = read_file(path, ErrorKind::data);
  const auto lines = lines_of({reinterpret_cast<const char*>(bytes.data()), bytes.size()});
  require(!lines.empty(), ErrorKind::data,
          "{}: expected a line with the names of the columns, found none", file);
  Table table;
  table.columns = read_names(lines[0], file);
  for (std::size_t i = 1; i < lines.size(); ++i) {
    table.rows.push_back(
        read_row(lines[i], table.columns, identity, gaps, fmt::format("{}: line {}", file, i + 1)));
  }
  return table;
}

void write_csv(const std::filesystem::path& path, const Table& table) {
  const std::string file = fmt::format("'{}'", path.string());
  std::string text = header_of(table.columns, file);
  for (std::size_t i = 0; i < table.rows.size(); ++i) {
    const std::vector<double>& row = table.rows[i];
    require(row.size() == table.columns.size(), ErrorKind::internal,
            "{}: row {} has {} values, expected {}", file, i + 1, row.size(), table.columns.size());
    for (std::size_t j = 0; j < row.size(); ++j) {
      require(std::isfinite(row[j]), ErrorKind::numeric,
              "{}: row {}, column '{}': {} is not finite", file, i + 1, table.columns[j], row[j]);
    }
    fmt::format_to(std::back_inserter(text), "{}\n", fmt::join(row, ","));
  }
  write_file(path, text);
}

}  // namespace afterspike::io
