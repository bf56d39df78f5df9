#pragma once

#include <ATen/core/Tensor.h>

#include "afterspike/kernels/elm.hpp"
#include "afterspike/nn/elm.hpp"
#include "sequence_pass.hpp"

namespace afterspike::nn {

/// What an ELM neuron computes with, made from its parameters; the names of
/// kernels::ElmParameters.
struct ElmCoefficients {
  at::Tensor input_weight, bias, recurrent_weight;
  at::Tensor hidden_weight, hidden_bias;  ///< [layers - 1, ...]
  at::Tensor output_weight, output_bias;  ///< Undefined without hidden layers.
  at::Tensor keep, gain;                  ///< [memory]
  double trace_keep = 0;
  std::int64_t layers = 1;
  Activation activation = Activation::relu;
  double dropout = 0, recurrent_dropout = 0;
};

/// Bytes that a pass in single precision keeps within `limit` (0: no limit), the masks of dropout
/// included; where it cannot, what it keeps at least.
std::size_t elm_workspace(const kernels::ElmShape& shape, bool dropout, bool recurrent_dropout,
                          std::size_t limit);

/// What the memory emits from step pass.first on, [steps - first, batch, memory], by the whole-
/// sequence kernel; differentiable in input and coefficients.
at::Tensor elm_sequence(const at::Tensor& input, const ElmCoefficients& coefficients,
                        const LayerPass& pass);

}  // namespace afterspike::nn
