#include "network/description_values.hpp"

#include <algorithm>
#include <array>
#include <cmath>
#include <variant>

#include <fmt/format.h>

#include "afterspike/base/registry.hpp"
#include "afterspike/base/units.hpp"

namespace afterspike::spiking {

using io::TomlNode;
using io::TomlTable;

double quantity_of(const TomlNode& node, const std::string& name, std::string_view unit) {
  const auto* text = std::get_if<std::string>(&node.value);
  if (text == nullptr) return io::toml_number(node, name);
  const std::string place = fmt::format("{}: {}", node.where, name);
  const bool dimensionless = unit.empty() || unit == "1";
  require(units::is_known(unit), ErrorKind::config, "{}: found '{}'. Write a number{}", place,
          *text, dimensionless ? " without quotes" : fmt::format(", in {}", unit));
  return units::parse(*text, unit, place);
}

double quantity_at(TomlTable& table, std::string_view key, std::string_view unit) {
  return quantity_of(table.at(key), fmt::format("{}.{}", table.name(), key), unit);
}
double quantity_at(TomlTable& table, std::string_view key, std::string_view unit,
                   double otherwise) {
  return table.find(key) == nullptr ? otherwise : quantity_at(table, key, unit);
}

std::vector<double> quantities_at(TomlTable& table, std::string_view key, std::string_view unit) {
  const TomlNode& node = table.at(key);
  const auto* array = std::get_if<TomlNode::Array>(&node.value);
  if (array == nullptr) return {quantity_at(table, key, unit)};
  std::vector<double> values;
  for (const TomlNode& each : *array) {
    values.push_back(quantity_of(each, fmt::format("{}.{}", table.name(), key), unit));
  }
  return values;
}

Distribution distribution_of(const TomlNode& node, const std::string& name, std::string_view unit) {
  Distribution distribution;
  if (!std::holds_alternative<TomlNode::Table>(node.value)) {
    distribution.first = quantity_of(node, name, unit);
    return distribution;
  }
  TomlTable table(node, name);
  const std::string kind = table.text("distribution");
  if (kind == "normal" || kind == "lognormal") {
    distribution.kind =
        kind == "normal" ? Distribution::Kind::normal : Distribution::Kind::lognormal;
    const std::string_view of = kind == "normal" ? unit : "1";  // Else of the logarithm.
    distribution.first = quantity_at(table, "mean", of);
    distribution.second = quantity_at(table, "std", of);
    if (distribution.second < 0) table.refuse(table.at("std"), "std", "expected 0 or above");
  } else if (kind == "exponential") {
    distribution.kind = Distribution::Kind::exponential;
    distribution.first = quantity_at(table, "mean", unit);
  } else if (kind == "uniform") {
    distribution.kind = Distribution::Kind::uniform;
    distribution.first = quantity_at(table, "min", unit);
    distribution.second = quantity_at(table, "max", unit);
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
  distribution.min = quantity_at(table, "min", unit, distribution.min);
  distribution.max = quantity_at(table, "max", unit, distribution.max);
  if (table.flag("keep_sign", false)) {
    auto& bound = distribution.first < 0 ? distribution.max : distribution.min;
    bound = 0;
  }
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
