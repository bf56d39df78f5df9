#pragma once

#include <cstdint>

#include "afterspike/kernels/elm.hpp"

/// Recurrent layers of ELM neurons over whole sequences. For each step t from 0 and each neuron n,
/// with everything at rest before:
///
///   b(t) = branch_keep b(t-1) + input_scale (sum over each branch of w_s c(t))
///          where c(t) are inputs x(t) or the emissions a step ago, e(t-1), by the connectome
///   o(t) = MLP(b(t), keep m(t-1)): `layers` hidden layers, each neuron its own
///   m(t) = keep m(t-1) + gain 1.7159 tanh(2/3 o(t))
///   z(t) = w_y m(t)
///   l(t) = low_pass_keep l(t-1) + (1 - low_pass_keep) z(t)
///   e(t) = factor(t) max(0, z(t) - l(t) + threshold)     (no max unless rectified; no l if
///                                                         low_pass_keep is 0)
///
/// The magnitude is the mean of |o| over steps and memory units.
namespace afterspike::kernels {

/// Sizes of a shard of a batch.
struct ElmNetworkShape {
  std::int64_t steps = 0;
  std::int64_t rows = 0;  ///< Sequences side by side.
  std::int64_t inputs = 0;
  std::int64_t neurons = 0;
  std::int64_t memory = 0;    ///< Memory units of each neuron.
  std::int64_t width = 0;     ///< Units of each hidden layer; `memory` if there is none.
  std::int64_t layers = 1;    ///< Hidden layers of each MLP; may be 0.
  std::int64_t branches = 0;  ///< Branches of each neuron.
  std::int64_t synapses = 0;  ///< Synapses per neuron, a multiple of branches: contiguous blocks.
};

/// The arrays must outlive the kernel.
struct ElmNetworkSettings {
  /// [neurons, synapses]: the number of an input, or inputs + that of a neuron.
  const std::int64_t* connectome = nullptr;
  double input_scale = 1, branch_keep = 0, low_pass_keep = 0;
  bool rectified = true;
  ElmActivation activation = ElmActivation::relu_squared;
  /// [rows]: the steps of each sequence over which magnitudes are means; nullptr: all.
  const std::int64_t* lengths = nullptr;
};

/// Parameters, with the names and shapes of nn::ElmNetwork: synapse_weight [neurons, synapses],
/// input_weight [neurons, branches, width], recurrent_weight [neurons, memory, width], bias
/// [neurons, width]; with several hidden layers hidden_weight [layers - 1, neurons, width, width]
/// and hidden_bias [layers - 1, neurons, width]; with any output_weight [neurons, width, memory]
/// and output_bias [neurons, memory]; memory_weight, keep and gain [neurons, memory], threshold
/// [neurons]. Values of synapse_weight and input_weight must outlive the kernel.
///
/// State: memory [rows, neurons, memory], emitted and low_pass [rows, neurons]; not the branches,
/// which are folded into the first map.
struct ElmNetwork {
  using Shape = ElmNetworkShape;
  using Settings = ElmNetworkSettings;
  static constexpr bool kMagnitude = true;
  static constexpr std::int64_t outputs(const Shape& shape) { return shape.neurons; }
  static constexpr bool kBfloat16 = false;
};

template <typename T>
using ElmNetworkKernel = SequenceKernel<ElmNetwork, T>;

extern template class SequenceKernel<ElmNetwork, float>;
extern template class SequenceKernel<ElmNetwork, double>;

}  // namespace afterspike::kernels
