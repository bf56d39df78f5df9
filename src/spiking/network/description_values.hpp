#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "afterspike/io/toml_tree.hpp"
#include "afterspike/spiking/connect.hpp"

/// Values of described networks: distributions and indices.
namespace afterspike::spiking {

/// Reads a number in `unit`, or text with a unit of its kind ("0.2 nA"). Throws Error(config).
double quantity_of(const io::TomlNode& node, const std::string& name, std::string_view unit);
/// Reads a quantity at a key; returns `otherwise` without the key.
double quantity_at(io::TomlTable& table, std::string_view key, std::string_view unit);
double quantity_at(io::TomlTable& table, std::string_view key, std::string_view unit,
                   double otherwise);
/// Reads one quantity or an array of them.
std::vector<double> quantities_at(io::TomlTable& table, std::string_view key,
                                  std::string_view unit);

/// Reads a quantity, or { distribution = "normal", mean = 1.5, std = 0.75, min = 0.1 }.
Distribution distribution_of(const io::TomlNode& node, const std::string& name,
                             std::string_view unit);

/// Returns a number as the index of a neuron or receptor.
std::int64_t whole(io::TomlTable& table, std::string_view key, double value);

}  // namespace afterspike::spiking
