#include "preview.hpp"

#include <algorithm>
#include <cmath>
#include <fstream>
#include <limits>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include <fmt/format.h>

#include "afterspike/base/error.hpp"
#include "afterspike/base/text.hpp"
#include "afterspike/io/hdf5.hpp"
#include "afterspike/io/table.hpp"

namespace afterspike::cli {
namespace {

namespace fs = std::filesystem;

/// Number of values, NaN, and the range of the others.
class Range {
 public:
  void add(double value) {
    ++count_;
    if (std::isnan(value)) {
      ++nan_;
      return;
    }
    low_ = std::min(low_, value);
    high_ = std::max(high_, value);
  }
  io::Json json() const {
    const bool any = count_ > nan_;
    return {{"values", count_},
            {"nan", nan_},
            {"min", any ? io::Json(low_) : io::Json()},
            {"max", any ? io::Json(high_) : io::Json()}};
  }

 private:
  std::int64_t count_ = 0, nan_ = 0;
  double low_ = std::numeric_limits<double>::infinity(), high_ = -low_;
};

io::Json range_of(const std::vector<double>& values) {
  Range range;
  for (const double value : values) range.add(value);
  return range.json();
}

/// How often each value occurs, by its text.
io::Json counts_of(const std::vector<std::string>& values) {
  std::map<std::string, std::int64_t> counts;
  for (const std::string& value : values) ++counts[value];
  io::Json json = io::Json::object();
  for (const auto& [value, count] : counts) json[value] = count;
  return json;
}

std::string number_text(double number) {
  return fmt::format("{:.6g}", number);
}

std::optional<std::size_t> place_of(const io::Table& table, const std::string& column) {
  const auto found = std::find(table.columns.begin(), table.columns.end(), column);
  if (found == table.columns.end()) return std::nullopt;
  return static_cast<std::size_t>(found - table.columns.begin());
}

std::string cell_text(const io::Table& table, std::size_t row, std::size_t column) {
  const auto texts = table.texts.find(table.columns[column]);
  const double cell = table.rows[row][column];
  return texts == table.texts.end() ? number_text(cell)
                                    : texts->second[static_cast<std::size_t>(cell)];
}

/// The first row of each sequence, and one past the last row.
std::vector<std::size_t> starts_of(const io::Table& table, std::size_t column) {
  std::vector<std::size_t> starts;
  for (std::size_t row = 0; row < table.rows.size(); ++row) {
    if (row == 0 || table.rows[row][column] != table.rows[row - 1][column]) starts.push_back(row);
  }
  starts.push_back(table.rows.size());
  return starts;
}

void add_sequences(const io::Table& table, io::Json& result) {
  const auto column = place_of(table, "sequence");
  if (!column) return;
  const std::vector<std::size_t> starts = starts_of(table, *column);
  std::vector<double> lengths;
  for (std::size_t at = 0; at + 1 < starts.size(); ++at) {
    lengths.push_back(static_cast<double>(starts[at + 1] - starts[at]));
  }
  result["samples"] = lengths.size();
  result["lengths"] = range_of(lengths);
  for (const auto& [name, key] : {std::pair("label", "classes"), {"split", "splits"}}) {
    const auto place = place_of(table, name);
    if (!place) continue;
    std::vector<std::string> cells;
    for (std::size_t at = 0; at + 1 < starts.size(); ++at) {
      cells.push_back(cell_text(table, starts[at], *place));
    }
    result[key] = counts_of(cells);
  }
}

/// Data sets below a group, by path.
std::vector<std::string> data_sets(const io::Hdf5File& file, const std::string& group) {
  std::vector<std::string> paths;
  for (const std::string& name : file.members(group.empty() ? "/" : group)) {
    const std::string path = group + "/" + name;
    if (!file.is_group(path)) {
      paths.push_back(path);
      continue;
    }
    const std::vector<std::string> below = data_sets(file, path);
    paths.insert(paths.end(), below.begin(), below.end());
  }
  return paths;
}

std::vector<double> read_list(const io::Hdf5File& file, const char* path) {
  return file.exists(path) ? file.read<double>(path).values : std::vector<double>();
}

void add_samples(const io::Hdf5File& file, io::Json& result) {
  if (!file.exists("/inputs")) return;
  const std::vector<std::int64_t> shape = file.shape("/inputs");
  if (!shape.empty()) result["samples"] = shape[0];
  const std::vector<double> lengths = read_list(file, "/lengths");
  if (!lengths.empty()) result["lengths"] = range_of(lengths);
  if (lengths.empty() && shape.size() > 1) {
    result["lengths"] = range_of({static_cast<double>(shape[1])});
  }
  for (const auto& [path, key] : {std::pair("/labels", "classes"), {"/split", "splits"}}) {
    std::vector<std::string> values;
    for (const double value : read_list(file, path)) values.push_back(number_text(value));
    if (!values.empty()) result[key] = counts_of(values);
  }
}

io::Json describe_set(const io::Hdf5File& file, const std::string& path) {
  io::Json set = {{"name", path}, {"shape", file.shape(path)}};
  try {
    set.update(range_of(file.read<double>(path).values));
  } catch (const Error& error) {
    set["unread"] = error.what();  // Texts, rows of variable length, a filter that is missing.
  }
  return set;
}

/// "0: 12, 1: 8"; the first ones of many.
std::string counts_text(const io::Json& counts) {
  constexpr std::size_t kMax = 12;
  std::vector<std::string> parts;
  for (const auto& [value, count] : counts.items()) {
    if (parts.size() == kMax) {
      parts.push_back(fmt::format("and {} more", counts.size() - kMax));
      break;
    }
    parts.push_back(fmt::format("{}: {}", value, count.get<std::int64_t>()));
  }
  return fmt::format("{}", fmt::join(parts, ", "));
}

std::string bound_text(const io::Json& bound) {
  return bound.is_null() ? "" : number_text(bound.get<double>());
}

}  // namespace

bool is_table(const fs::path& path) {
  const std::string extension = path.extension().string();
  if (extension == ".csv" || extension == ".tsv" || extension == ".txt") return true;
  std::string line(256, '\0');
  std::ifstream file(path, std::ios::binary);
  file.read(line.data(), static_cast<std::streamsize>(line.size()));
  line.resize(static_cast<std::size_t>(file.gcount()));
  line = line.substr(0, line.find('\n'));
  const bool text = std::all_of(line.begin(), line.end(), [](char letter) {
    return static_cast<unsigned char>(letter) >= 0x20 || letter == '\t' || letter == '\r';
  });
  return text && is_utf8(line) && line.find(',') != std::string::npos;
}

io::Json describe_table(const fs::path& path) {
  constexpr std::string_view kTexts[] = {"sequence", "label"};
  const io::Table table = io::read_csv(path, "", io::Gaps::allowed, kTexts);
  io::Json result = {{"file", path.string()}, {"form", "CSV"}, {"rows", table.rows.size()}};
  add_sequences(table, result);
  io::Json& columns = result["columns"] = io::Json::array();
  for (std::size_t column = 0; column < table.columns.size(); ++column) {
    io::Json row = {{"name", table.columns[column]}};
    if (table.texts.contains(table.columns[column])) {
      row["texts"] = table.texts.at(table.columns[column]).size();
    } else {
      Range range;
      for (const std::vector<double>& cells : table.rows) range.add(cells[column]);
      row.update(range.json());
    }
    columns.push_back(std::move(row));
  }
  return result;
}

io::Json describe_hdf5(const fs::path& path) {
  const io::Hdf5File file(path);
  io::Json result = {{"file", path.string()}, {"form", "HDF5"}};
  add_samples(file, result);
  io::Json& columns = result["columns"] = io::Json::array();
  for (const std::string& set : data_sets(file, "")) columns.push_back(describe_set(file, set));
  return result;
}

void print_data(const io::Json& data) {
  for (const char* key : {"file", "form", "rows", "samples"}) {
    if (!data.contains(key)) continue;
    const io::Json& value = data[key];
    fmt::print("{:10} {}\n", key, value.is_string() ? value.get<std::string>() : value.dump());
  }
  if (data.contains("lengths")) {
    fmt::print("{:10} {} to {} steps\n", "lengths", bound_text(data["lengths"]["min"]),
               bound_text(data["lengths"]["max"]));
  }
  if (data.contains("classes")) {
    fmt::print("{:10} {} ({})\n", "classes", data["classes"].size(), counts_text(data["classes"]));
  }
  if (data.contains("splits")) {
    fmt::print("{:10} {} (0 training, 1 validation, 2 test)\n", "splits",
               counts_text(data["splits"]));
  }
  fmt::print("\n{:32} {:>20} {:>12} {:>12} {:>8}\n", "", "shape", "min", "max", "NaN");
  for (const io::Json& column : data["columns"]) {
    const std::string shape = column.contains("shape") ? column["shape"].dump() : "";
    if (!column.contains("nan")) {
      fmt::print("{:32} {:>20} {}\n", column["name"].get<std::string>(), shape,
                 column.contains("texts") ? fmt::format("{} names", column["texts"].dump())
                                          : "no numbers");
      continue;
    }
    fmt::print("{:32} {:>20} {:>12} {:>12} {:>8}\n", column["name"].get<std::string>(), shape,
               bound_text(column["min"]), bound_text(column["max"]), column["nan"].dump());
  }
}

}  // namespace afterspike::cli
