#pragma once

#include <cstdint>
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

/// When so many steps end, in ms: dt, 2 dt, ...
inline std::vector<double> step_ends_ms(std::int64_t steps, double dt_ms) {
  std::vector<double> times;
  for (std::int64_t step = 1; step <= steps; ++step) {
    times.push_back(static_cast<double>(step) * dt_ms);
  }
  return times;
}

/// For parameters of which each neuron has several values (after-spike currents), [neurons,
/// several]: the canonical order of neuron_parameters(). Undefined where there are none.
at::Tensor canonical_order(const nn::NeuronLayer& layer);

}  // namespace afterspike::analysis
