#pragma once

#include <string>
#include <vector>

#include <ATen/core/Tensor.h>

#include "afterspike/bench/bench.hpp"

namespace afterspike::bench {

/// What a step computes.
struct Answer {
  double loss = 0;
  std::vector<std::string> names;  ///< Of the parameters.
  std::vector<at::Tensor> gradients;
};

/// Throws Error(internal) naming what differs by more than `tolerance` of its size (the Euclidean
/// norm), or is not finite.
void require_same(const Answer& found, const Answer& expected, double tolerance);

/// Computes a small shape by the path and by composed operations, these by the kernel, and holds
/// the answers against each other.
void check_answer(const Settings& settings);

}  // namespace afterspike::bench
