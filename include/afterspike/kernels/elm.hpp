#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>

#include "afterspike/kernels/pass.hpp"

/// ELM neurons over whole sequences: forward, and the exact gradients of any loss of their memory.
/// For each step t from 0, with everything at rest before:
///
///   y(t) = trace_keep y(t-1) + x(t) W_in
///   q(t) = keep e(t-1)
///   o(t) = MLP(y(t) + bias + q(t) W_m): the first map of the MLP has the sum in brackets for its
///          result, `layers` activations and as many maps [width, ...] follow
///   m(t) = keep m(t-1) + gain 1.7159 tanh(2/3 o(t))
///   e(t) = factor(t) m(t)
///
/// Synapses and branches are linear, so that W_in stands for all of it: docs/numerics.md.
namespace afterspike::kernels {

enum class ElmActivation { relu, silu, relu_squared };

/// Sizes of a shard of a batch.
struct ElmShape {
  std::int64_t steps = 0;
  std::int64_t rows = 0;  ///< Sequences side by side.
  std::int64_t inputs = 0;
  std::int64_t memory = 0;  ///< Memory units.
  std::int64_t width = 0;   ///< Units of each hidden layer; `memory` where there is none.
  std::int64_t layers = 1;  ///< Hidden layers of the MLP.
};

/// Weights [from, to] and coefficients, all contiguous. They are copied where the kernel is made.
template <typename T>
struct ElmParameters {
  const T* input_weight;      ///< [inputs, width]
  const T* bias;              ///< [width]
  const T* recurrent_weight;  ///< [memory, width]
  const T* hidden_weight;     ///< [layers - 1, width, width]
  const T* hidden_bias;       ///< [layers - 1, width]
  const T* output_weight;     ///< [width, memory]; not read without hidden layers.
  const T* output_bias;       ///< [memory]; the same.
  const T *keep, *gain;       ///< [memory]
  T trace_keep = 0;
  ElmActivation activation = ElmActivation::relu;
};

/// Where gradients are written, in the shapes of the parameters; `input` [steps, rows, inputs] may
/// be null.
template <typename T>
struct ElmGradients {
  T *input_weight, *bias, *recurrent_weight, *hidden_weight, *hidden_bias;
  T *output_weight, *output_bias, *keep, *gain;
  T* input = nullptr;
};

/// One pass of one shard, on the calling thread. T is float or double. Works in a workspace that is
/// leased for as long as the object lives. Inputs that are mostly zero cost what is not.
template <typename T>
class ElmKernel {
 public:
  /// Takes `workspace` bytes where it needs less, so that one after it with longer sequences finds
  /// them.
  /// REQUIRES: sizes of at least 1 (layers: 0), a history for backward().
  ElmKernel(const ElmShape& shape, const ElmParameters<T>& parameters, const Masks<T>& masks,
            History history, std::size_t workspace = 0);
  ~ElmKernel();
  ElmKernel(const ElmKernel&) = delete;
  ElmKernel& operator=(const ElmKernel&) = delete;

  /// Runs the sequence `input` [steps, rows, inputs] and writes what is emitted from step `first`
  /// on, [steps - first, rows, memory].
  void forward(const T* input, std::int64_t first, T* emitted);

  /// The gradients, for the gradient of the loss by what forward() wrote. Once after forward(),
  /// with the same input.
  void backward(const T* input, const T* emitted_gradient, const ElmGradients<T>& gradients);

  /// Bytes of workspace that such an object takes.
  static std::size_t workspace_bytes(const ElmShape& shape, History history);

  /// The history with the longest segments whose workspace takes at most `limit` bytes; where none
  /// does, the one that takes least.
  static History longest_history(const ElmShape& shape, std::size_t limit);

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace afterspike::kernels
