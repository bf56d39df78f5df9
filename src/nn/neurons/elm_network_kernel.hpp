#pragma once

#include <vector>

#include <ATen/core/Tensor.h>

#include "afterspike/kernels/elm_network.hpp"
#include "sequence_pass.hpp"

namespace afterspike::nn {

/// What a layer of ELM neurons computes with; the names and shapes are those of
/// kernels::ElmNetworkParameters.
struct ElmNetworkCoefficients {
  at::Tensor connectome;  ///< [neurons, synapses], int64.
  at::Tensor synapse_weight, input_weight, recurrent_weight, bias;
  at::Tensor hidden_weight, hidden_bias, output_weight, output_bias;  ///< May be undefined.
  at::Tensor memory_weight, threshold, keep, gain;
  double input_scale = 1, branch_keep = 0, low_pass_keep = 0;
  bool rectified = true;
  std::int64_t layers = 1;
  kernels::ElmActivation activation = kernels::ElmActivation::relu_squared;
};

/// Bytes that a pass in single precision keeps within `limit` (0: no limit), `masks` included;
/// where it cannot, what it keeps at least.
std::size_t elm_network_workspace(const kernels::ElmNetworkShape& shape, std::size_t masks,
                                  std::size_t limit);

/// What neurons emit from step `first` on, [steps - first, batch, neurons], and the mean over the
/// steps of each sequence and memory units of |MLP output|, [batch, neurons], by the whole-sequence
/// kernel; both differentiable in input and coefficients. Of `pass`, lengths and what it says of
/// memory count.
std::vector<at::Tensor> elm_network_sequence(const at::Tensor& input,
                                             const ElmNetworkCoefficients& coefficients,
                                             const PassMasks& masks, std::int64_t first,
                                             const LayerPass& pass);

}  // namespace afterspike::nn
