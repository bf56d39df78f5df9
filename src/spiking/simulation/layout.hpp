#pragma once

#include "simulation/part.hpp"

namespace afterspike::spiking {

/// Checks network and options, and what they have to do with each other.
Layout make_layout(const Network& network, const Options& options);

Engine engine_of(const Layout& layout, std::int64_t population);

/// Whether anything of the network happens on the grid.
bool has_grid(const Layout& layout);

}  // namespace afterspike::spiking
