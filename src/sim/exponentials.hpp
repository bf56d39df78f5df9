#pragma once

#include <cstdint>
#include <span>

namespace afterspike::sim {

/// exp(-rates[i] * time) for so many rates, a multiple of 8; error at most one unit in the last
/// place. Compiled for several instruction sets, of which the best runs.
void decay_factors(const double* rates, std::int64_t count, double time, double* factors);

/// The convolution of exp(-r t) over the rates, at `time`:
///   E[r0](t) = exp(-r0 t),  E[r0, ..., rn] = (E[r0, ..., r(n-1)] - E[r1, ..., rn]) / (rn - r0).
/// It is what a chain of leaky integrators makes of an impulse. Rates may coincide or nearly so: a
/// cluster of them is summed as a series, since the quotient would lose all digits. At most 6
/// rates; they are sorted in place.
double convolved_decays(std::span<double> rates, double time);

}  // namespace afterspike::sim
