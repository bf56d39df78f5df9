#include "afterspike/io/table.hpp"

#include <algorithm>
#include <cctype>
#include <charconv>
#include <cmath>
#include <iterator>
#include <limits>
#include <optional>
#include <set>
#include <string_view>
#include <utility>

#include <fmt/format.h>

#include "afterspike/base/text.hpp"
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
    require(!name->empty() || (column == 1 && !line.empty()), ErrorKind::data,
            "{}: line 1, column {}: expected a name, found none", file, column);
    require(known.insert(*name).second, ErrorKind::data,
            "{}: line 1, column {}: '{}' is there twice", file, column, shown(*name));
    names.push_back(*name);
    if (line.empty()) return names;
    line.remove_prefix(1);
  }
}

/// Refuses a header whose names are separated by something other than commas.
void require_commas(std::string_view header, const std::string& file) {
  if (header.find_first_of(",\"") != std::string_view::npos) return;
  for (const auto& [separator, name] : {std::pair(';', "semicolons"), {'\t', "tabs"}}) {
    require(header.find(separator) == std::string_view::npos, ErrorKind::data,
            "{}: line 1: columns are separated by {}, expected commas. Save the table with commas"
            " between columns and a point in numbers.",
            file, name);
  }
}

std::optional<double> number_of(std::string_view text) {
  if (text.size() > 1 && text[0] == '+' && text[1] != '-') text.remove_prefix(1);
  double number = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  const bool whole = error == std::errc() && end == text.data() + text.size();
  return whole && std::isfinite(number) ? std::optional(number) : std::nullopt;
}

/// From here on, doubles do not represent every integer.
constexpr double kInexact = 9007199254740992;  // 2^53

/// A cell that is not a number.
[[noreturn]] void fail_cell(std::string_view cell, const std::vector<std::string>& names,
                            std::size_t column, const std::string& where) {
  const bool blanks =
      names.size() == 1 && trim(cell).find_first_of(" ;\t") != std::string_view::npos;
  fail(ErrorKind::data, "{}, column {} ('{}'): found '{}', expected a number{}", where, column + 1,
       shown(names[column]), shown(cell), blanks ? ". Separate columns by commas." : "");
}

/// Rows of a table as they are read, and the texts of columns that may hold some.
class Rows {
 public:
  Rows(const std::vector<std::string>& names, std::string_view identity, Gaps gaps,
       std::span<const std::string_view> texts)
      : names_(names), identity_(identity), gaps_(gaps) {
    for (const std::string& name : names) {
      may_be_text_.push_back(std::find(texts.begin(), texts.end(), name) != texts.end());
    }
    texts_.resize(names.size());
  }

  void add(std::string_view line, const std::string& where);
  std::vector<std::vector<double>> take_rows() { return std::move(rows_); }
  std::map<std::string, std::vector<std::string>> number_texts();

 private:
  double cell(std::string_view text, std::size_t column, const std::string& where) const;
  bool takes_text(std::string_view cell, std::size_t column) const;

  const std::vector<std::string>& names_;
  std::string_view identity_;
  Gaps gaps_;
  std::vector<bool> may_be_text_;
  std::vector<std::vector<std::string>> texts_;  ///< By column; empty for a column of numbers.
  std::vector<std::vector<double>> rows_;
};

double Rows::cell(std::string_view text, std::size_t column, const std::string& where) const {
  const bool gap = gaps_ == Gaps::allowed && trim(text).empty();
  const auto number = gap ? std::numeric_limits<double>::quiet_NaN() : number_of(trim(text));
  if (!number) fail_cell(text, names_, column, where);
  require(names_[column] != identity_ || gap || std::abs(*number) < kInexact, ErrorKind::data,
          "{}, column {} ('{}'): found '{}', expected a number below 2^53, {}: larger ones cannot "
          "be told apart",
          where, column + 1, shown(names_[column]), shown(text), kInexact);
  return *number;
}

/// The first row decides: a column that begins with a text holds texts.
bool Rows::takes_text(std::string_view cell, std::size_t column) const {
  if (!may_be_text_[column]) return false;
  if (!rows_.empty()) return !texts_[column].empty();
  const std::string_view text = trim(cell);
  const bool word =
      !text.empty() && (std::isalpha(static_cast<unsigned char>(text[0])) != 0 || text[0] == '"' ||
                        text[0] == '_' || static_cast<unsigned char>(text[0]) >= 0x80);
  double ignored = 0;
  const bool number = std::from_chars(text.data(), text.data() + text.size(), ignored).ptr ==
                      text.data() + text.size();
  return word && !number;
}

void Rows::add(std::string_view line, const std::string& where) {
  std::vector<double> row;
  for (;;) {
    const std::size_t column = row.size();
    const std::string_view text = line.substr(0, line.find(','));
    require(column < names_.size(), ErrorKind::data, "{}: found more than {} columns, expected {}",
            where, names_.size(), names_.size());
    if (takes_text(text, column)) {
      const auto own = take_name(line);
      require(own && !own->empty(), ErrorKind::data,
              "{}, column {} ('{}'): found '{}', expected a"
              " text",
              where, column + 1, shown(names_[column]), shown(text));
      texts_[column].push_back(*own);
      row.push_back(0);
    } else {
      row.push_back(cell(text, column, where));
      line.remove_prefix(text.size());
    }
    if (line.empty()) break;
    line.remove_prefix(1);
  }
  require(row.size() == names_.size(), ErrorKind::data, "{}: found {} columns, expected {}", where,
          row.size(), names_.size());
  rows_.push_back(std::move(row));
}

/// Numbers the texts of each column, in alphabetical order, and returns them by column.
std::map<std::string, std::vector<std::string>> Rows::number_texts() {
  std::map<std::string, std::vector<std::string>> distinct;
  for (std::size_t column = 0; column < names_.size(); ++column) {
    if (texts_[column].empty()) continue;
    std::vector<std::string> sorted = texts_[column];
    std::sort(sorted.begin(), sorted.end());
    sorted.erase(std::unique(sorted.begin(), sorted.end()), sorted.end());
    for (std::size_t row = 0; row < rows_.size(); ++row) {
      const auto place = std::lower_bound(sorted.begin(), sorted.end(), texts_[column][row]);
      rows_[row][column] = static_cast<double>(place - sorted.begin());
    }
    distinct[names_[column]] = std::move(sorted);
  }
  return distinct;
}

/// Leaves out a first column without a name that counts the rows from 0, as pandas writes it.
void drop_index(Table& table, const std::string& file) {
  if (!table.columns[0].empty()) return;
  for (std::size_t row = 0; row < table.rows.size(); ++row) {
    require(table.rows[row][0] == static_cast<double>(row), ErrorKind::data,
            "{}: line 1, column 1: expected a name, found none. An index of pandas is left out only"
            " if it counts 0, 1, 2, ...: write the table with to_csv(index=False).",
            file);
  }
  table.columns.erase(table.columns.begin());
  for (std::vector<double>& row : table.rows) row.erase(row.begin());
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
  for (std::string_view rest = cell.substr(0, size); !rest.empty();) {
    const std::size_t length = utf8_letter_size(rest);
    const auto code = static_cast<unsigned char>(rest[0]);
    const bool plain = length > 0 && code >= 0x20 && code != 0x7f;
    text += plain ? std::string(rest.substr(0, length)) : fmt::format("\\x{:02x}", code);
    rest.remove_prefix(std::max<std::size_t>(length, 1));
  }
  return size < cell.size() ? text + "..." : text;
}

Table read_csv(const std::filesystem::path& path, std::string_view identity, Gaps gaps,
               std::span<const std::string_view> texts) {
  const std::string file = fmt::format("'{}'", path.string());
  const std::string content = read_text(path);
  const auto lines = lines_of(content);
  require(!lines.empty(), ErrorKind::data,
          "{}: expected a line with the names of the columns, found none", file);
  require_commas(lines[0], file);
  Table table;
  table.columns = read_names(lines[0], file);
  Rows rows(table.columns, identity, gaps, texts);
  for (std::size_t i = 1; i < lines.size(); ++i) {
    rows.add(lines[i], fmt::format("{}: line {}", file, i + 1));
  }
  table.texts = rows.number_texts();
  table.rows = rows.take_rows();
  drop_index(table, file);
  return table;
}

namespace {

void append_cell(const Table& table, const std::vector<double>& row, std::size_t column,
                 std::string& text) {
  const auto texts = table.texts.find(table.columns[column]);
  if (texts == table.texts.end()) {
    fmt::format_to(std::back_inserter(text), "{}", row[column]);
  } else {
    text += cell_of(texts->second.at(static_cast<std::size_t>(row[column])));
  }
}

}  // namespace

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
      text += j == 0 ? "" : ",";
      append_cell(table, row, j, text);
    }
    text += '\n';
  }
  write_file(path, text);
}

}  // namespace afterspike::io
