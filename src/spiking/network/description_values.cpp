#include "network/description_values.hpp"

#include <algorithm>
#include <array>
#include <cmath>
#include <variant>

#include <fmt/format.h>

#include "afterspike/base/registry.hpp"
#include "network/expression.hpp"

namespace afterspike::spiking {

using io::TomlNode;
using io::TomlTable;

void evaluate_all(TomlNode& node, const Names& names) {
  if (auto* table = std::get_if<TomlNode::Table>(&node.value)) {
    for (auto& [key, child] : *table) evaluate_all(child, names);
  } else if (auto* array = std::get_if<TomlNode::Array>(&node.value)) {
    for (TomlNode& child : *array) evaluate_all(child, names);
  } else if (const auto* text = std::get_if<std::string>(&node.value)) {
    if (!text->starts_with('=')) return;
    try {
      node.value = evaluate(text->substr(1), names);
    } catch (const Error& error) {
      throw error.within(node.where);
    }
  }
}

Names read_parameters(TomlNode& root) {
  Names names;
  auto& entries = std::get<TomlNode::Table>(root.value);
  const auto found = std::find_if(entries.begin(), entries.end(),
                                  [](const auto& entry) { return entry.first == "parameters"; });
  if (found == entries.end()) return names;
  TomlTable table(found->second, "parameters");
  for (const std::string& key : table.keys()) {
    auto& values = std::get<TomlNode::Table>(found->second.value);
    auto& node = std::find_if(values.begin(), values.end(), [&](const auto& entry) {
                   return entry.first == key;
                 })->second;
    evaluate_all(node, names);
    names[key] = io::toml_number(node, "parameters." + key);
  }
  return names;
}

Distribution distribution_of(const TomlNode& node, const std::string& name) {
  Distribution distribution;
  if (!std::holds_alternative<TomlNode::Table>(node.value)) {
    distribution.first = io::toml_number(node, name);
    return distribution;
  }
  TomlTable table(node, name);
  const std::string kind = table.text("distribution");
  if (kind == "normal" || kind == "lognormal") {
    distribution.kind =
        kind == "normal" ? Distribution::Kind::normal : Distribution::Kind::lognormal;
    distribution.first = table.number("mean");
    distribution.second = table.number("std");
    if (distribution.second < 0) table.refuse(table.at("std"), "std", "expected 0 or above");
  } else if (kind == "exponential") {
    distribution.kind = Distribution::Kind::exponential;
    distribution.first = table.number("mean");
  } else if (kind == "uniform") {
    distribution.kind = Distribution::Kind::uniform;
    distribution.first = table.number("min");
    distribution.second = table.number("max");
    if (distribution.first > distribution.second) {
      table.refuse(table.at("max"), "max", "expected at least min");
    }
    table.finish();
    return distribution;
  } else {
    const std::array<std::string_view, 4> names = {"normal", "lognormal", "uniform", "exponential"};
    table.refuse(table.at("distribution"), "distribution",
                 fmt::format("found '{}'{}, expected {}", kind, did_you_mean(kind, names),
                             fmt::join(names, ", ")));
  }
  distribution.min = table.number("min", distribution.min);
  distribution.max = table.number("max", distribution.max);
  if (distribution.min > distribution.max) {
    table.refuse(table.at("max"), "max", "expected at least min");
  }
  table.finish();
  return distribution;
}

std::int64_t whole(TomlTable& table, std::string_view key, double value) {
  constexpr double kEnd = 4294967296;
  if (!(value >= 0 && value < kEnd) || value != std::floor(value)) {
    table.refuse(table.at(key), key,
                 fmt::format("found {}, expected a whole number from 0 on", value));
  }
  return static_cast<std::int64_t>(value);
}

}  // namespace afterspike::spiking
