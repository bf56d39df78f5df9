#pragma once

#include <cstdint>
#include <vector>

#include <ATen/ATen.h>

#include "afterspike/nn/neuron_layer.hpp"
#include "afterspike/statistics/points.hpp"

/// Conversions from LibTorch's tensors.
namespace afterspike::analysis {

/// Returns all values, row by row.
inline std::vector<double> values_of(const at::Tensor& tensor) {
  const at::Tensor copy = tensor.detach().to(at::kDouble).contiguous();
  return {copy.data_ptr<double>(), copy.data_ptr<double>() + copy.numel()};
}

/// Returns a matrix.
inline statistics::Points points_of(const at::Tensor& matrix) {
  const at::Tensor copy = matrix.detach().to(at::kDouble).contiguous();
  return Eigen::Map<const statistics::Points>(copy.data_ptr<double>(), copy.size(0), copy.size(1));
}

/// Returns the ends of steps in ms: dt, 2 dt, ...
inline std::vector<double> step_ends_ms(std::int64_t steps, double dt_ms) {
  std::vector<double> times;
  for (std::int64_t step = 1; step <= steps; ++step) {
    times.push_back(static_cast<double>(step) * dt_ms);
  }
  return times;
}

/// Returns the canonical order of neuron_parameters() for parameters with several values per neuron
/// (after-spike currents), [neurons, several]. Undefined if there are none.
at::Tensor canonical_order(const nn::NeuronLayer& layer);

}  // namespace afterspike::analysis
