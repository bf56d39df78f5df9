#pragma once

#include <ATen/ATen.h>

namespace afterspike::nn {

/// Changes the device or type of a parameter in place: tensors obtained before, such as by raw() or
/// named(), remain the parameter. Only device and dtype of the options count. REQUIRES: no pass
/// runs meanwhile.
inline void convert_in_place(at::Tensor& parameter, const at::TensorOptions& options) {
  parameter.set_data(parameter.detach().to(options));
}

}  // namespace afterspike::nn
