#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>

#include "afterspike/kernels/pass.hpp"

/// The recurrent units of machine learning over whole sequences: forward, and the exact gradients
/// of any loss of what they emit. For each step t from 0, with everything at rest before, where
/// e(t) = factor(t) h(t) is emitted and q(t) = mask(t) e(t - delay) comes back:
///
///   vanilla  h(t) = tanh(a),  a = x(t) W_in + b_in + q(t) W + b
///   GRU      h(t) = n + z (e(t-1) - n),  n = tanh(x(t) W_in + b_in + r (q(t) W + b)),
///            r and z the logistic function of a
///   LSTM     h(t) = o tanh(c(t)),  c(t) = f c(t-1) + i g,
///            g = tanh(a), and i, f and o the logistic function of a
///
/// each gate with its part of the weights and of the two biases, in PyTorch's order: r, z, n of a
/// GRU (Cho et al. 2014, with the reset after the product), i, f, g, o of an LSTM (Hochreiter and
/// Schmidhuber 1997, Gers et al. 2000).
namespace afterspike::kernels {

enum class RnnCell { vanilla, gru, lstm };

/// How many gates a cell has, and with them weights.
constexpr std::int64_t rnn_gates(RnnCell cell) noexcept {
  return cell == RnnCell::lstm ? 4 : cell == RnnCell::gru ? 3 : 1;
}

/// Sizes of a shard of a batch.
struct RnnShape {
  RnnCell cell = RnnCell::vanilla;
  std::int64_t steps = 0;
  std::int64_t rows = 0;  ///< Sequences side by side.
  std::int64_t inputs = 0;
  std::int64_t units = 0;
  std::int64_t delay = 1;  ///< Steps after which emissions come back; 1 but for vanilla units.
};

/// Weights [from, gates units] and biases [gates units], contiguous. They are copied where the
/// kernel is made.
template <typename T>
struct RnnParameters {
  const T *input_weight, *recurrent_weight, *input_bias;
  const T* recurrent_bias = nullptr;  ///< Null: 0.
};

/// Where gradients are written, in the shapes of the parameters.
template <typename T>
struct RnnGradients {
  T *input_weight, *recurrent_weight, *input_bias;
  T* recurrent_bias = nullptr;  ///< May be null, as `input` may.
  T* input = nullptr;           ///< [steps, rows, inputs]
};

/// One pass of one shard, on the calling thread. T is float or double. Works in a workspace that is
/// leased for as long as the object lives. Where at most one input in eight is not zero, of those
/// of a chunk of steps, only these cost anything.
template <typename T>
class RnnKernel {
 public:
  /// Takes `workspace` bytes where it needs less, so that one after it with longer sequences finds
  /// them.
  /// REQUIRES: sizes of at least 1, a history for backward(). Throws Error(internal) for a delay
  /// that the cell has not.
  RnnKernel(const RnnShape& shape, const RnnParameters<T>& parameters, const Masks<T>& masks,
            History history, std::size_t workspace = 0);
  ~RnnKernel();
  RnnKernel(const RnnKernel&) = delete;
  RnnKernel& operator=(const RnnKernel&) = delete;

  /// Runs the sequence `input` [steps, rows, inputs] and writes what is emitted from step `first`
  /// on, [steps - first, rows, units].
  void forward(const T* input, std::int64_t first, T* emitted);

  /// The gradients, for the gradient of the loss by what forward() wrote. Once after forward(),
  /// with the same input.
  void backward(const T* input, const T* emitted_gradient, const RnnGradients<T>& gradients);

  /// Bytes of workspace that such an object takes, with or without a mask of what comes back.
  static std::size_t workspace_bytes(const RnnShape& shape, History history, bool recurrent_mask);

  /// The history with the longest segments whose workspace takes at most `limit` bytes; where none
  /// does, the one that takes least.
  static History longest_history(const RnnShape& shape, bool recurrent_mask, std::size_t limit);

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace afterspike::kernels
