#pragma once

#include <cstdint>

#include "afterspike/kernels/sequence.hpp"

/// GLIFR layers over whole sequences. For each step t from 0 and each neuron, with everything at
/// rest before:
///
///   u(t)   = x(t) W_in + S(t-D) W_lat
///   I_j(t) = current_keep_j I_j(t-1) + (additive_j + multiplicative_j I_j(t-1)) S(t-1)
///   V(t)   = u(t) + (keep - emission S(t-1)) V(t-1) + emission reset S(t-1)
///            + gain (bias + sum_j I_j(t))
///   S(t)   = factor(t) / (1 + exp(-slope (V(t) - threshold)))
///
/// With `spikes`, S(t) = factor(t) if V(t) > threshold and else 0; the backward pass takes the
/// derivatives of the sigmoid above in place of those of the step (surrogate gradient).
///
/// These are equations (1) to (4) of docs/numerics.md with coefficients for keep = 1 - dt k_m,
/// gain = dt k_m R, current_keep = 1 - dt k_j, multiplicative = r_j dt / tau,
/// additive = a_j dt / tau, emission = dt / tau, slope = 1 / sigma. How the coefficients come from
/// what is trained is not known here.
namespace afterspike::kernels {

/// Maximal number of after-spike currents of a neuron.
inline constexpr std::int64_t kMostCurrents = 64;

/// Sizes of a shard of a batch.
struct GlifrShape {
  std::int64_t steps = 0;
  std::int64_t rows = 0;  ///< Sequences side by side.
  std::int64_t inputs = 0;
  std::int64_t neurons = 0;
  std::int64_t currents = 0;  ///< After-spike currents of each neuron, 0 to kMostCurrents.
  std::int64_t delay = 1;     ///< Delay of the recurrent synapses, in steps; at least 1.
};

struct GlifrSettings {
  double emission = 1, reset = 0, bias = 0;
  bool spikes = false;
};

/// Parameters: threshold, slope, keep, gain [neurons]; current_keep, multiplicative, additive
/// [currents, neurons]; input_weight [inputs, neurons], recurrent_weight [neurons, neurons].
///
/// State: emitted [delay, rows, neurons] with the latest last, voltage [rows, neurons],
/// after_spike_current [currents, rows, neurons].
struct Glifr {
  using Shape = GlifrShape;
  using Settings = GlifrSettings;
  static constexpr bool kMagnitude = false;
  static constexpr std::int64_t outputs(const Shape& shape) { return shape.neurons; }
  static constexpr bool kBfloat16 = true;
};

template <typename T>
using GlifrKernel = SequenceKernel<Glifr, T>;

extern template class SequenceKernel<Glifr, float>;
extern template class SequenceKernel<Glifr, double>;

}  // namespace afterspike::kernels
