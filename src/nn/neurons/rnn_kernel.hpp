#pragma once

#include <ATen/core/Tensor.h>

#include "afterspike/kernels/rnn.hpp"
#include "sequence_pass.hpp"

namespace afterspike::nn {

/// The names of kernels::RnnParameters; recurrent_bias may be undefined.
struct RnnWeights {
  at::Tensor input_weight, recurrent_weight, input_bias, recurrent_bias;
};

/// Bytes that a pass in single precision keeps within `limit` (0: no limit), the masks of dropout
/// included; where it cannot, what it keeps at least.
std::size_t rnn_workspace(const kernels::RnnShape& shape, bool dropout, bool recurrent_dropout,
                          std::size_t limit);

/// What the units emit from step pass.first on, [steps - first, batch, units], by the whole-
/// sequence kernel; differentiable in input and weights.
at::Tensor rnn_sequence(const at::Tensor& input, kernels::RnnCell cell, std::int64_t delay,
                        const RnnWeights& weights, double dropout, double recurrent_dropout,
                        const LayerPass& pass);

}  // namespace afterspike::nn
