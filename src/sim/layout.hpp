#pragma once

#include "part.hpp"

namespace afterspike::sim {

/// Checks network and options, and what they have to do with each other.
Layout make_layout(const glifnet::Network& network, const Options& options);

Engine engine_of(const Layout& layout, std::int64_t population);

/// Whether anything of the network happens on the grid.
bool has_grid(const Layout& layout);

}  // namespace afterspike::sim
