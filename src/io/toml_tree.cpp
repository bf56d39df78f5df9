#include "afterspike/io/toml_tree.hpp"

#include <algorithm>
#include <charconv>
#include <cmath>
#include <cstddef>

#include <fmt/format.h>

#include "afterspike/base/registry.hpp"
#include "afterspike/base/units.hpp"

namespace afterspike::io {
namespace {

TomlNode* entry_of(TomlNode::Table& table, std::string_view key) {
  const auto found = std::find_if(table.begin(), table.end(),
                                  [&](const auto& entry) { return entry.first == key; });
  return found == table.end() ? nullptr : &found->second;
}

/// The element of an array that a part of a path names.
TomlNode& element_of(TomlNode::Array& array, std::string_view part, std::string_view path) {
  std::size_t index = 0;
  const auto [end, error] = std::from_chars(part.data(), part.data() + part.size(), index);
  require(error == std::errc() && end == part.data() + part.size() && index < array.size(),
          ErrorKind::config, "'{}': found element '{}', expected 0 to {}", path, part,
          static_cast<std::int64_t>(array.size()) - 1);
  return array[index];
}

/// The child of `node` at `part`, made if it is missing.
TomlNode& child_of(TomlNode& node, std::string_view part, std::string_view path) {
  if (auto* array = std::get_if<TomlNode::Array>(&node.value)) {
    return element_of(*array, part, path);
  }
  auto* table = std::get_if<TomlNode::Table>(&node.value);
  require(table != nullptr, ErrorKind::config, "'{}': found a value above '{}', expected a table",
          path, part);
  if (TomlNode* found = entry_of(*table, part)) return *found;
  table->emplace_back(std::string(part), TomlNode{std::string(path), TomlNode::Table{}});
  return table->back().second;
}

double number_of(const TomlNode& node) {
  if (const auto* whole = std::get_if<std::int64_t>(&node.value)) {
    return static_cast<double>(*whole);
  }
  if (const auto* number = std::get_if<double>(&node.value)) return *number;
  return std::nan("");
}

}  // namespace

double toml_number(const TomlNode& node, const std::string& what) {
  const double value = number_of(node);
  require(std::isfinite(value), ErrorKind::config, "{}: {}: found no finite number, expected one",
          node.where, what);
  return value;
}

void set_toml(TomlNode& root, std::string_view path, std::string_view text) {
  TomlNode* node = &root;
  for (std::size_t begin = 0; begin <= path.size();) {
    const std::size_t dot = std::min(path.find('.', begin), path.size());
    const std::string_view part = path.substr(begin, dot - begin);
    require(!part.empty(), ErrorKind::config, "'{}': found an empty name between dots", path);
    node = &child_of(*node, part, path);
    begin = dot + 1;
  }
  *node = parse_toml_value(text, fmt::format("--set {}", path));
}

TomlTable::TomlTable(const TomlNode& node, std::string name)
    : node_(&node), table_(std::get_if<TomlNode::Table>(&node.value)), name_(std::move(name)) {
  require(table_ != nullptr, ErrorKind::config, "{}: {}: found a value, expected a table",
          node.where, name_);
}

const TomlNode* TomlTable::find(std::string_view key) {
  asked_.emplace(key);
  for (const auto& [name, node] : *table_) {
    if (name == key) return &node;
  }
  return nullptr;
}

const TomlNode& TomlTable::at(std::string_view key) {
  const TomlNode* found = find(key);
  require(found != nullptr, ErrorKind::config, "{}: {}: expected '{}', which is missing", where(),
          name_, key);
  return *found;
}

void TomlTable::refuse(const TomlNode& node, std::string_view key,
                       const std::string& message) const {
  fail(ErrorKind::config, "{}: {}.{}: {}", node.where, name_, key, message);
}

double TomlTable::number(std::string_view key) {
  return toml_number(at(key), fmt::format("{}.{}", name_, key));
}
double TomlTable::number(std::string_view key, double otherwise) {
  return find(key) == nullptr ? otherwise : number(key);
}

std::int64_t TomlTable::integer(std::string_view key) {
  const TomlNode& node = at(key);
  const double value = number_of(node);
  // Products of decimals, such as 400 * 0.07, are whole but for rounding.
  const double whole = std::round(value);
  constexpr double kLargest = 1e15, kRounding = 1e-9;
  if (!(std::abs(value) <= kLargest) ||
      std::abs(value - whole) > kRounding * std::max(1.0, std::abs(whole))) {
    refuse(node, key,
           std::isnan(value) ? "found no number, expected a whole one"
                             : fmt::format("found {}, expected a whole number", value));
  }
  return static_cast<std::int64_t>(whole);
}
std::int64_t TomlTable::integer(std::string_view key, std::int64_t otherwise) {
  return find(key) == nullptr ? otherwise : integer(key);
}

bool TomlTable::flag(std::string_view key, bool otherwise) {
  const TomlNode* node = find(key);
  if (node == nullptr) return otherwise;
  const bool* value = std::get_if<bool>(&node->value);
  if (value == nullptr) refuse(*node, key, "expected true or false");
  return *value;
}

std::string TomlTable::text(std::string_view key) {
  const TomlNode& node = at(key);
  const auto* value = std::get_if<std::string>(&node.value);
  if (value == nullptr) refuse(node, key, "expected text in quotes");
  return *value;
}
std::string TomlTable::text(std::string_view key, std::string_view otherwise) {
  return find(key) == nullptr ? std::string(otherwise) : text(key);
}

double TomlTable::ms(std::string_view key) {
  const TomlNode& node = at(key);
  if (const auto* value = std::get_if<std::string>(&node.value)) {
    return units::parse(*value, "ms", fmt::format("{}: {}.{}", node.where, name_, key));
  }
  return number(key);
}
double TomlTable::ms(std::string_view key, double otherwise) {
  return find(key) == nullptr ? otherwise : ms(key);
}

std::vector<double> TomlTable::numbers(std::string_view key) {
  const TomlNode& node = at(key);
  const auto* array = std::get_if<TomlNode::Array>(&node.value);
  if (array == nullptr) return {number(key)};
  std::vector<double> values;
  for (const TomlNode& each : *array) {
    values.push_back(toml_number(each, fmt::format("{}.{}", name_, key)));
  }
  return values;
}

std::vector<std::string> TomlTable::texts(std::string_view key) {
  const TomlNode& node = at(key);
  const auto* array = std::get_if<TomlNode::Array>(&node.value);
  if (array == nullptr) return {text(key)};
  std::vector<std::string> values;
  for (const TomlNode& each : *array) {
    const auto* value = std::get_if<std::string>(&each.value);
    if (value == nullptr) refuse(each, key, "expected text in quotes");
    values.push_back(*value);
  }
  return values;
}

std::vector<TomlTable> TomlTable::tables(std::string_view key) {
  const TomlNode* node = find(key);
  if (node == nullptr) return {};
  const auto* array = std::get_if<TomlNode::Array>(&node->value);
  if (array == nullptr) refuse(*node, key, fmt::format("expected an array of tables, [[{}]]", key));
  std::vector<TomlTable> tables;
  for (std::size_t index = 0; index < array->size(); ++index) {
    tables.emplace_back((*array)[index], fmt::format("{}.{}", key, index));
  }
  return tables;
}

std::vector<TomlTable> TomlTable::named_tables(std::string_view key) {
  const TomlNode* node = find(key);
  if (node == nullptr) return {};
  const auto* entries = std::get_if<TomlNode::Table>(&node->value);
  if (entries == nullptr) refuse(*node, key, fmt::format("expected tables, [{}.NAME]", key));
  std::vector<TomlTable> tables;
  for (const auto& [name, each] : *entries) {
    tables.emplace_back(each, fmt::format("{}.{}", key, name));
  }
  return tables;
}

std::optional<TomlTable> TomlTable::table(std::string_view key) {
  const TomlNode* node = find(key);
  if (node == nullptr) return std::nullopt;
  return TomlTable(*node, name_.empty() ? std::string(key) : fmt::format("{}.{}", name_, key));
}

std::vector<std::string> TomlTable::keys() const {
  std::vector<std::string> keys;
  for (const auto& entry : *table_) keys.push_back(entry.first);
  return keys;
}

void TomlTable::finish() const {
  const std::vector<std::string_view> names(asked_.begin(), asked_.end());
  for (const auto& [key, node] : *table_) {
    if (asked_.contains(key)) continue;
    fail(ErrorKind::config, "{}: {}{}no key '{}'{}; there are: {}", node.where, name_,
         name_.empty() ? "" : ": ", key, did_you_mean(key, names), fmt::join(names, ", "));
  }
}

}  // namespace afterspike::io
