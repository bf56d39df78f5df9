#pragma once

#include "afterspike/io/json.hpp"

namespace afterspike::cli {

/// Prints the description of a network of spiking neurons (spiking::describe()).
void print_network(const io::Json& network);

}  // namespace afterspike::cli
