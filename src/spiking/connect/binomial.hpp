#pragma once

#include <cstdint>

#include "afterspike/base/rng.hpp"

namespace afterspike::spiking {

/// A binomial number: successes in `trials`, each with `probability`. Exact, by inversion for few
/// expected successes, else by transformed rejection (BTRS, Hoermann 1993).
std::int64_t binomial(std::int64_t trials, double probability, Rng& rng);

}  // namespace afterspike::spiking
