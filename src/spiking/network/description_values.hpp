#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "afterspike/io/toml_tree.hpp"
#include "afterspike/spiking/connect.hpp"

/// Values of described networks: distributions and indices.
namespace afterspike::spiking {

/// Reads a number, or { distribution = "normal", mean = 1.5, std = 0.75, min = 0.1 }.
Distribution distribution_of(const io::TomlNode& node, const std::string& name);

/// Returns a number as the index of a neuron or receptor.
std::int64_t whole(io::TomlTable& table, std::string_view key, double value);

}  // namespace afterspike::spiking
