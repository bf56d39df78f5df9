#pragma once

#include <ATen/ATen.h>

namespace afterspike::train {

/// True where all elements are finite; what is not defined has none.
inline bool is_finite(const at::Tensor& tensor) {
  return !tensor.defined() || at::isfinite(tensor).all().item<bool>();
}

}  // namespace afterspike::train
