#pragma once

#include <algorithm>
#include <bit>
#include <cstdint>

#include <ATen/ATen.h>

namespace afterspike::train {

/// Returns whether all elements are finite. One pass, where at::isfinite() needs four: a tenth of a
/// short training step.
inline bool is_finite(const float* values, std::int64_t count) {
  std::int32_t largest = 0;  // Magnitudes order like their bits.
  for (std::int64_t i = 0; i < count; ++i) {
    largest = std::max(largest, std::bit_cast<std::int32_t>(values[i]) & 0x7fffffff);
  }
  return largest < 0x7f800000;
}

/// Returns whether all elements are finite; an undefined tensor has none.
inline bool is_finite(const at::Tensor& tensor) {
  if (!tensor.defined()) return true;
  if (tensor.is_cpu() && tensor.scalar_type() == at::kFloat && tensor.is_contiguous()) {
    return is_finite(tensor.data_ptr<float>(), tensor.numel());
  }
  return at::isfinite(tensor).all().item<bool>();
}

}  // namespace afterspike::train
