#pragma once

#include <cstdint>

#include "afterspike/kernels/sequence.hpp"

/// Adaptive leaky integrate-and-fire neurons that emit rates, over whole sequences: the neurons of
/// Bellec et al. 2018 (LSNN) with a sigmoid for the threshold. For each step t from 0 and each
/// neuron, with everything at rest before:
///
///   u(t) = x(t) W_in + S(t-D) W_rec
///   V(t) = keep V(t-1) + u(t) - threshold S(t-1)
///   a(t) = adaptation_keep a(t-1) + (1 - adaptation_keep) S(t-1)
///   S(t) = factor(t) / (1 + exp(-slope (V(t) - threshold - strength a(t))))
namespace afterspike::kernels {

/// Sizes of a shard of a batch.
struct AlifShape {
  std::int64_t steps = 0;
  std::int64_t rows = 0;  ///< Sequences side by side.
  std::int64_t inputs = 0;
  std::int64_t neurons = 0;
  std::int64_t delay = 1;  ///< Delay of the recurrent synapses, in steps; at least 1.
};

struct AlifSettings {
  double slope = 1;  ///< Slope of the sigmoid, 1 / sigma.
};

/// Parameters: threshold, strength, keep, adaptation_keep [neurons]; input_weight
/// [inputs, neurons], recurrent_weight [neurons, neurons].
struct Alif {
  using Shape = AlifShape;
  using Settings = AlifSettings;
  static constexpr bool kMagnitude = false;
  static constexpr std::int64_t outputs(const Shape& shape) { return shape.neurons; }
  static constexpr bool kBfloat16 = true;
};

template <typename T>
using AlifKernel = SequenceKernel<Alif, T>;

extern template class SequenceKernel<Alif, float>;
extern template class SequenceKernel<Alif, double>;

}  // namespace afterspike::kernels
