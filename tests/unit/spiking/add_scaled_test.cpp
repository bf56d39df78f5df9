#include "spiking/connect/add_scaled.hpp"

#include <cstdint>
#include <vector>

#include <gtest/gtest.h>

#include "afterspike/base/rng.hpp"

namespace afterspike::spiking {
namespace {

/// Volatile, so that no compiler makes one operation of the two.
double rounded_twice(double sum, double size, double weight) {
  const volatile double product = size * weight;
  return sum + product;
}

template <typename Weight>
void expect_same_bits(std::uint32_t count) {
  Rng rng(count);
  std::vector<double> sums(count), expected(count);
  std::vector<Weight> weights(count);
  const double size = 0.3;
  for (std::uint32_t i = 0; i < count; ++i) {
    sums[i] = rng.normal();
    weights[i] = static_cast<Weight>(rng.normal());
    expected[i] = rounded_twice(sums[i], size, static_cast<double>(weights[i]));
  }
  add_scaled(sums.data(), weights.data(), size, count);
  EXPECT_EQ(sums, expected) << count << " weights";
}

TEST(AddScaled, RoundsTheProductBeforeTheSum) {
  for (const std::uint32_t count : {0U, 1U, 7U, 8U, 19U, 1000U}) {
    expect_same_bits<float>(count);
    expect_same_bits<double>(count);
  }
}

}  // namespace
}  // namespace afterspike::spiking
