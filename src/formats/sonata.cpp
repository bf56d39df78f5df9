#include "sonata.hpp"

#include <algorithm>
#include <charconv>
#include <cstddef>
#include <map>
#include <numeric>
#include <sstream>
#include <utility>

#include <fmt/format.h>

#include "afterspike/base/error.hpp"
#include "afterspike/io/bytes.hpp"

namespace afterspike::formats {
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
  const char* const begin = text.data() + (text.size() > 1 && text[0] == '+' && text[1] != '-');
  const auto [end, error] = std::from_chars(begin, text.data() + text.size(), value);
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

namespace {

/// Refuses a header whose names are separated by something else.
void require_blanks(const std::vector<std::string>& columns, const std::filesystem::path& path) {
  const auto at = columns.size() == 1 ? columns[0].find_first_of(",;") : std::string::npos;
  require(
      at == std::string::npos, ErrorKind::data,
      "'{}': columns are separated by '{}', expected blanks. SONATA's type tables have one blank"
      " between columns.",
      path.string(), at == std::string::npos ? ' ' : columns[0][at]);
}

}  // namespace

TextTable read_text_table(const std::filesystem::path& path) {
  std::istringstream text(io::read_text(path));
  TextTable table{path.string(), {}, {}};
  std::size_t number = 0;
  for (std::string line; std::getline(text, line);) {
    ++number;
    std::vector<std::string> cells = cells_of(line);
    if (cells.empty()) continue;
    if (table.columns.empty()) {
      require_blanks(cells, path);
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

namespace {

/// A data set of one number for each node or edge; empty if it is absent.
std::vector<std::int64_t> read_numbers(const io::Hdf5File& file, const std::string& name,
                                       std::size_t count) {
  if (!file.exists(name)) return {};
  auto values = file.read<std::int64_t>(name).values;
  require(values.size() == count, ErrorKind::data, "'{}': found {} values, expected {}", name,
          values.size(), count);
  return values;
}

/// Numbers the members of each group in the order in which they come.
std::vector<std::int64_t> counted_rows(const std::vector<std::int64_t>& groups) {
  std::map<std::int64_t, std::int64_t> next;
  std::vector<std::int64_t> rows;
  for (const std::int64_t group : groups) rows.push_back(next[group]++);
  return rows;
}

void require_distinct_rows(const SonataGroups& groups, const std::string& name) {
  std::vector<std::size_t> order(groups.rows.size());
  std::iota(order.begin(), order.end(), std::size_t{0});
  const auto place = [&](std::size_t at) { return std::pair(groups.ids[at], groups.rows[at]); };
  std::sort(order.begin(), order.end(), [&](std::size_t one, std::size_t other) {
    return std::pair(place(one), one) < std::pair(place(other), other);
  });
  for (std::size_t at = 0; at < order.size(); ++at) {
    const std::size_t own = order[at];
    require(groups.rows[own] >= 0, ErrorKind::data,
            "'{}': value {}: found {}, expected a row from 0 on", name, own, groups.rows[own]);
    require(at == 0 || place(order[at - 1]) != place(own), ErrorKind::data,
            "'{}': value {}: found {}, which value {} has already", name, own, groups.rows[own],
            order[at - 1]);
  }
}

}  // namespace

SonataGroups read_sonata_groups(const io::Hdf5File& file, const std::string& group,
                                const std::string& kind, std::size_t count,
                                const std::vector<std::string>& refused) {
  const std::string ids = fmt::format("{}/{}_group_id", group, kind),
                    rows = fmt::format("{}/{}_group_index", group, kind);
  SonataGroups groups{read_numbers(file, ids, count), read_numbers(file, rows, count), {}};
  groups.ids.resize(count);
  if (groups.rows.size() != count) groups.rows = counted_rows(groups.ids);
  require_distinct_rows(groups, rows);
  std::map<std::int64_t, std::size_t> first;
  for (std::size_t at = 0; at < count; ++at) first.emplace(groups.ids[at], at);
  for (const auto& [id, at] : first) {
    const std::string own = fmt::format("{}/{}", group, id);
    require(id == 0 || file.exists(own), ErrorKind::data,
            "'{}': value {}: found {}, but the file has no group '{}'", ids, at, id, own);
    for (const std::string& name : refused) {
      require(!file.exists(own + "/" + name), ErrorKind::data,
              "'{}/{}': values of single {}s are not read. Give them to the {} types instead.", own,
              name, kind, kind);
    }
    groups.distinct.push_back(id);
  }
  return groups;
}

}  // namespace afterspike::formats
