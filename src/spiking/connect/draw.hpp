#pragma once

#include <cmath>

#include "afterspike/base/error.hpp"
#include "afterspike/spiking/connection.hpp"

namespace afterspike::spiking {

/// A value of a distribution without bounds. `Generator` has uniform(), uniform(low, high),
/// normal().
template <typename Generator>
double draw_unbounded(const Distribution& distribution, Generator& generator) {
  switch (distribution.kind) {
    case Distribution::Kind::normal:
      return distribution.first + distribution.second * generator.normal();
    case Distribution::Kind::lognormal:
      return std::exp(distribution.first + distribution.second * generator.normal());
    case Distribution::Kind::uniform:
      return generator.uniform(distribution.first, distribution.second);
    case Distribution::Kind::exponential:
      return -distribution.first * std::log1p(-generator.uniform());
    default:
      return distribution.first;
  }
}

/// A value of a distribution within its bounds: others are drawn again. Throws Error(config) if a
/// million draws in a row lie outside.
template <typename Generator>
double draw_with(const Distribution& distribution, Generator& generator) {
  constexpr int kTries = 1'000'000;
  for (int tried = 0; tried < kTries; ++tried) {
    const double value = draw_unbounded(distribution, generator);
    if (value >= distribution.min && value <= distribution.max) return value;
  }
  fail(ErrorKind::config,
       "distribution: found no value from {} to {} in {} draws, expected a wider range",
       distribution.min, distribution.max, kTries);
}

}  // namespace afterspike::spiking
