#pragma once

#include <vector>

#include <ATen/ATen.h>

#include "afterspike/nn/neuron_layer.hpp"
#include "afterspike/statistics/points.hpp"

/// What the analyses take out of LibTorch's tensors.
namespace afterspike::analysis {

/// All values, row by row.
inline std::vector<double> values_of(const at::Tensor& tensor) {
  const at::Tensor own = tensor.detach().to(at::kDouble).contiguous();
  return {own.data_ptr<double>(), own.data_ptr<double>() + own.numel()};
}

/// A matrix.
inline statistics::Points points_of(const at::Tensor& matrix) {
  const at::Tensor own = matrix.detach().to(at::kDouble).contiguous();
  return Eigen::Map<const statistics::Points>(own.data_ptr<double>(), own.size(0), own.size(1));
}

/// For parameters of which each neuron has several values (after-spike currents), [neurons,
/// several]: the canonical order of neuron_parameters(). Undefined where there are none.
at::Tensor canonical_order(const nn::NeuronLayer& layer);

}  // namespace afterspike::analysis
