#pragma once

#include <algorithm>
#include <cmath>
#include <functional>
#include <map>
#include <string>
#include <vector>

#include <ATen/ATen.h>
#include <gtest/gtest.h>
#include <torch/csrc/autograd/autograd.h>

#include "support/tensors.hpp"

namespace afterspike::testing {

using Variables = std::map<std::string, at::Tensor>;

/// Central differences of a function of `variable` (double precision, contiguous), element by
/// element.
inline at::Tensor numeric_gradient(const std::function<at::Tensor()>& function,
                                   const at::Tensor& variable) {
  const at::NoGradGuard no_grad;
  at::Tensor gradient = at::zeros_like(variable);
  double* values = variable.data_ptr<double>();
  for (std::int64_t i = 0; i < variable.numel(); ++i) {
    const double before = values[i];
    // The cube root of the machine epsilon balances truncation and rounding.
    const double step = 6e-6 * std::max(1.0, std::abs(before));
    values[i] = before + step;
    const double above = function().item<double>();
    values[i] = before - step;
    const double below = function().item<double>();
    values[i] = before;
    gradient.data_ptr<double>()[i] = (above - below) / (2 * step);
  }
  return gradient;
}

/// Expects autograd and central differences to agree in every variable. The variables are leaves in
/// double precision; requires_grad is set here. Also fails if a gradient is zero everywhere,
/// because it would agree with anything that ignores the variable.
inline void expect_gradients(const std::function<at::Tensor()>& function,
                             const Variables& variables, double tolerance = 1e-7) {
  std::vector<at::Tensor> leaves;
  for (const auto& [name, variable] : variables) {
    leaves.push_back(at::Tensor(variable).requires_grad_(true));
  }
  const std::vector<at::Tensor> gradients =
      torch::autograd::grad({function()}, leaves, {}, c10::nullopt, false, true);
  std::size_t place = 0;
  for (const auto& [name, variable] : variables) {
    const at::Tensor& gradient = gradients[place++];
    ASSERT_TRUE(gradient.defined()) << name << " has no gradient";
    EXPECT_GT(gradient.abs().max().item<double>(), 0) << name;
    expect_close(gradient, numeric_gradient(function, variable), tolerance, "gradient of " + name);
  }
}

}  // namespace afterspike::testing
