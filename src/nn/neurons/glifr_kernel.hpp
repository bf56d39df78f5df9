#pragma once

#include <ATen/core/Tensor.h>

#include "afterspike/kernels/glifr.hpp"
#include "afterspike/nn/neuron_layer.hpp"
#include "sequence_pass.hpp"

namespace afterspike::nn {

/// What a GLIFR layer computes with, made from its parameters; the names of
/// kernels::GlifrParameters.
struct GlifrCoefficients {
  at::Tensor threshold, slope, keep, gain;            ///< [neurons]
  at::Tensor current_keep, multiplicative, additive;  ///< [currents, neurons]
  at::Tensor input_weight, recurrent_weight;          ///< [from, to]
  double emission = 1, reset_mV = 0, bias_current_pA = 0;
  std::int64_t delay = 1;
  double dropout = 0, recurrent_dropout = 0;
};

/// Bytes that a pass in single precision keeps within `limit` (0: no limit), the masks of dropout
/// included; where it cannot, what it keeps at least.
std::size_t glifr_workspace(const kernels::GlifrShape& shape, bool dropout, bool recurrent_dropout,
                            Precision precision, std::size_t limit);

/// What the layer emits from step pass.first on, [steps - first, batch, neurons], by the whole-
/// sequence kernel; differentiable in input and coefficients. The same as composed operations up to
/// rounding, dropout included (it draws from pass.dropout in the same order).
at::Tensor glifr_sequence(const at::Tensor& input, const GlifrCoefficients& coefficients,
                          const LayerPass& pass);

}  // namespace afterspike::nn
