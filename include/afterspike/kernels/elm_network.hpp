#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>

#include "afterspike/kernels/elm.hpp"
#include "afterspike/kernels/pass.hpp"

/// Recurrent layers of ELM neurons over whole sequences: forward, and the exact gradients. For each
/// step t from 0 and each neuron n, with everything at rest before:
///
///   b(t) = branch_keep b(t-1) + input_scale (sum over each branch of w_s c(t))
///          where c(t) are inputs x(t) or what neurons emitted a step ago, e(t-1), by the
///          connectome
///   o(t) = MLP(b(t), keep m(t-1)): `layers` hidden layers, each neuron its own
///   m(t) = keep m(t-1) + gain 1.7159 tanh(2/3 o(t))
///   z(t) = w_y m(t)
///   l(t) = low_pass_keep l(t-1) + (1 - low_pass_keep) z(t)
///   e(t) = factor(t) max(0, z(t) - l(t) + threshold)     (no max where not rectified; no l where
///                                                         low_pass_keep is 0)
namespace afterspike::kernels {

/// Sizes of a shard of a batch.
struct ElmNetworkShape {
  std::int64_t steps = 0;
  std::int64_t rows = 0;  ///< Sequences side by side.
  std::int64_t inputs = 0;
  std::int64_t neurons = 0;
  std::int64_t memory = 0;    ///< Memory units of each neuron.
  std::int64_t width = 0;     ///< Units of each hidden layer; `memory` where there is none.
  std::int64_t layers = 1;    ///< Hidden layers of each MLP.
  std::int64_t branches = 0;  ///< Of each neuron.
  std::int64_t synapses = 0;  ///< Of each neuron, a multiple of branches: contiguous blocks.
};

/// Parameters, all contiguous; their names and shapes are those of nn::ElmNetwork. They must live
/// as long as the kernel.
template <typename T>
struct ElmNetworkParameters {
  const std::int64_t* connectome;  ///< [neurons, synapses]: an input, or inputs + a neuron.
  const T* synapse_weight;         ///< [neurons, synapses]
  const T* input_weight;           ///< [neurons, branches, width]
  const T* recurrent_weight;       ///< [neurons, memory, width]
  const T* bias;                   ///< [neurons, width]
  const T* hidden_weight;          ///< [layers - 1, neurons, width, width]
  const T* hidden_bias;            ///< [layers - 1, neurons, width]
  const T* output_weight;          ///< [neurons, width, memory]; not read without hidden layers.
  const T* output_bias;            ///< [neurons, memory]; the same.
  const T* memory_weight;          ///< [neurons, memory]
  const T* threshold;              ///< [neurons]
  const T *keep, *gain;            ///< [neurons, memory]
  T input_scale = 1, branch_keep = 0, low_pass_keep = 0;
  bool rectified = true;
  ElmActivation activation = ElmActivation::relu_squared;
};

/// Where gradients are written, in the shapes of the parameters; `input` [steps, rows, inputs] may
/// be null.
template <typename T>
struct ElmNetworkGradients {
  T *synapse_weight, *input_weight, *recurrent_weight, *bias, *hidden_weight, *hidden_bias;
  T *output_weight, *output_bias, *memory_weight, *threshold, *keep, *gain;
  T* input = nullptr;
};

/// One pass of one shard, on the calling thread. T is float or double.
template <typename T>
class ElmNetworkKernel {
 public:
  /// Takes `workspace` bytes where it needs less, so that one after it with longer sequences finds
  /// them.
  /// REQUIRES: sizes of at least 1 (layers: 0), a connectome within its bounds, a history for
  /// backward().
  ElmNetworkKernel(const ElmNetworkShape& shape, const ElmNetworkParameters<T>& parameters,
                   const Masks<T>& masks, History history, std::size_t workspace = 0);
  ~ElmNetworkKernel();
  ElmNetworkKernel(const ElmNetworkKernel&) = delete;
  ElmNetworkKernel& operator=(const ElmNetworkKernel&) = delete;

  /// Runs the sequence `input` [steps, rows, inputs]; writes what is emitted from step `first` on,
  /// [steps - first, rows, neurons], and the mean of |o| over steps and memory units, [rows,
  /// neurons]. `lengths` [rows] says over how many steps of each sequence, 1 to `steps`; null: all.
  /// It must live until backward() is done.
  void forward(const T* input, std::int64_t first, T* emitted, T* magnitude,
               const std::int64_t* lengths = nullptr);

  /// The gradients, for the gradients of the loss by what forward() wrote (either may be null: 0).
  /// Once after forward(), with the same input.
  void backward(const T* input, const T* emitted_gradient, const T* magnitude_gradient,
                const ElmNetworkGradients<T>& gradients);

  /// Bytes of workspace that such an object takes.
  static std::size_t workspace_bytes(const ElmNetworkShape& shape, History history);

  /// The history with the longest segments whose workspace takes at most `limit` bytes; where none
  /// does, the one that takes least.
  static History longest_history(const ElmNetworkShape& shape, std::size_t limit);

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace afterspike::kernels
