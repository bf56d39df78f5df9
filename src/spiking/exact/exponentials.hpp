#pragma once

#include <cstdint>
#include <span>

namespace afterspike::spiking {

/// exp(-rates[i] * time) for so many rates, a multiple of 8; error at most one unit in the last
/// place. Compiled for several instruction sets, of which the best runs.
void decay_factors(const double* rates, std::int64_t count, double time, double* factors);

/// Moves amounts that decay by `time`: to[i] = from[i] exp(-rates[i] time). The first also takes
/// what the others drive into it, the sum of from[i] gains[i] (exp(-rates[i] time) - exp(-rates[0]
/// time)). So many of each, a multiple of 8; `to` may be `from`. To be called through
/// decaying_step(), which chooses for the processor once and not with each call.
using DecayingStep = void(const double* rates, const double* gains, std::int64_t count,
                          const double* from, double time, double* to);
DecayingStep* decaying_step();

/// The convolution of exp(-r t) over the rates, at `time`:
///   E[r0](t) = exp(-r0 t),  E[r0, ..., rn] = (E[r0, ..., r(n-1)] - E[r1, ..., rn]) / (rn - r0).
/// It is what a chain of leaky integrators makes of an impulse. Rates may coincide or nearly so: a
/// cluster of them is summed as a series, since the quotient would lose all digits. At most 6
/// rates; they are sorted in place.
double convolved_decays(std::span<double> rates, double time);

}  // namespace afterspike::spiking
