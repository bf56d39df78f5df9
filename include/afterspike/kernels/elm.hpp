#pragma once

#include <cstdint>

#include "afterspike/kernels/sequence.hpp"

/// ELM neurons over whole sequences. For each step t from 0, with everything at rest before:
///
///   y(t) = trace_keep y(t-1) + x(t) W_in
///   q(t) = keep e(t-1)
///   o(t) = MLP(y(t) + bias + q(t) W_m): the first map of the MLP has the sum in brackets for its
///          result, `layers` activations and as many maps [width, ...] follow
///   m(t) = keep m(t-1) + gain 1.7159 tanh(2/3 o(t))
///   e(t) = factor(t) m(t)
///
/// Synapses and branches are linear, so that W_in stands for all of them: docs/numerics.md.
namespace afterspike::kernels {

enum class ElmActivation { relu, silu, relu_squared };

/// Sizes of a shard of a batch.
struct ElmShape {
  std::int64_t steps = 0;
  std::int64_t rows = 0;  ///< Sequences side by side.
  std::int64_t inputs = 0;
  std::int64_t memory = 0;  ///< Memory units.
  std::int64_t width = 0;   ///< Units of each hidden layer; `memory` if there is none.
  std::int64_t layers = 1;  ///< Hidden layers of the MLP; may be 0.
};

struct ElmSettings {
  double trace_keep = 0;
  ElmActivation activation = ElmActivation::relu;
};

/// Parameters: input_weight [inputs, width], bias [width], recurrent_weight [memory, width]; with
/// several hidden layers hidden_weight [layers - 1, width, width] and hidden_bias
/// [layers - 1, width]; with any output_weight [width, memory] and output_bias [memory]; keep and
/// gain [memory].
///
/// State: memory and emitted [rows, memory]; not the traces, which are folded into the first map.
struct Elm {
  using Shape = ElmShape;
  using Settings = ElmSettings;
  static constexpr bool kMagnitude = false;
  static constexpr std::int64_t outputs(const Shape& shape) { return shape.memory; }
  static constexpr bool kBfloat16 = false;
};

template <typename T>
using ElmKernel = SequenceKernel<Elm, T>;

extern template class SequenceKernel<Elm, float>;
extern template class SequenceKernel<Elm, double>;

}  // namespace afterspike::kernels
