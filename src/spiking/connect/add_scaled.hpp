#pragma once

#include <cstdint>

namespace afterspike::spiking {

/// sums[i] += size * weights[i], the product rounded before the sum: to the same bits as one by
/// one.
void add_scaled(double* sums, const float* weights, double size, std::uint32_t count);
void add_scaled(double* sums, const double* weights, double size, std::uint32_t count);

}  // namespace afterspike::spiking
