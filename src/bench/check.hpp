#pragma once

#include <string>
#include <vector>

#include <ATen/core/Tensor.h>

#include "afterspike/bench/bench.hpp"

namespace afterspike::bench {

/// Result of a step.
struct Answer {
  double loss = 0;
  std::vector<std::string> names;  ///< Names of the parameters.
  std::vector<at::Tensor> gradients;
};

/// Throws Error(internal) naming a tensor that differs by more than `tolerance` of its size (the
/// Euclidean norm), or is not finite.
void require_same(const Answer& found, const Answer& expected, double tolerance);

/// Computes a small shape by the path and by composed operations, and these by the kernel, and
/// compares the results.
void check_answer(const Settings& settings);

}  // namespace afterspike::bench
