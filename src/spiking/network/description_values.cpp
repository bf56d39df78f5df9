#include "network/description_values.hpp"

#include <algorithm>
#include <array>
#include <cmath>
#include <variant>

#include <fmt/format.h>

#include "afterspike/base/registry.hpp"

namespace afterspike::spiking {

using io::TomlNode;
using io::TomlTable;

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
