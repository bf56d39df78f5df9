#pragma once

#include <cstdint>
#include <vector>

namespace afterspike::spiking {

/// Poisson numbers of a mean, by inversion: 32 random bits select a number. Probabilities are
/// multiples of 2^-32.
class PoissonTable {
 public:
  /// REQUIRES: 0 <= mean <= kMostPerStep.
  explicit PoissonTable(double mean);

  std::uint32_t first() const { return first_; }
  /// Least bits that select first() + 1, first() + 2, ...
  const std::vector<std::uint32_t>& bounds() const { return bounds_; }

 private:
  std::uint32_t first_ = 0;
  std::vector<std::uint32_t> bounds_;
};

/// Above this mean, another way to draw is meant.
inline constexpr double kMostPerStep = 1e4;

/// Adds `weight` times a Poisson number to the sums of neurons [first, first + count) of a
/// population: sums[0] is that of neuron `first`. The number of a neuron is a function of key,
/// table and neuron. Returns the sum of the numbers.
std::int64_t add_poisson(std::uint64_t key, const PoissonTable& table, std::int64_t first,
                         std::int64_t count, double weight, double* sums);

}  // namespace afterspike::spiking
