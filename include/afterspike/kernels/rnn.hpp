#pragma once

#include <cstdint>

#include "afterspike/kernels/sequence.hpp"

/// The recurrent units of machine learning over whole sequences. For each step t from 0, with
/// everything at rest before, where e(t) = factor(t) h(t) is emitted and
/// q(t) = mask(t) e(t - delay) arrives:
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

/// Number of gates of a cell: blocks of its weights.
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
  std::int64_t delay = 1;  ///< Steps after which emissions arrive; more than 1: vanilla units only.
};

struct RnnSettings {};

/// Parameters: input_weight [inputs, gates units], recurrent_weight [units, gates units],
/// input_bias [gates units] and, optional, recurrent_bias [gates units]. The kernel throws
/// Error(internal) for a delay that the cell does not have.
///
/// State: emitted [delay, rows, units] with the latest last, and of an LSTM cell [rows, units].
struct Rnn {
  using Shape = RnnShape;
  using Settings = RnnSettings;
  static constexpr bool kMagnitude = false;
  static constexpr std::int64_t outputs(const Shape& shape) { return shape.units; }
  static constexpr bool kBfloat16 = false;
};

template <typename T>
using RnnKernel = SequenceKernel<Rnn, T>;

extern template class SequenceKernel<Rnn, float>;
extern template class SequenceKernel<Rnn, double>;

}  // namespace afterspike::kernels
