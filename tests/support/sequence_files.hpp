#pragma once

#include <cstdint>
#include <filesystem>
#include <string>
#include <vector>

#include <ATen/ATen.h>

#include "afterspike/io/hdf5.hpp"

namespace afterspike::testing {

/// Writes tensors as the data sets of an HDF5 file; omits undefined ones.
inline void write_hdf5(const std::filesystem::path& path,
                       const std::vector<std::pair<std::string, at::Tensor>>& tensors) {
  io::Hdf5File file(path, io::Hdf5File::Mode::create);
  for (const auto& [name, tensor] : tensors) {
    if (!tensor.defined()) continue;
    const at::Tensor values = tensor.to(at::kDouble).contiguous();
    const double* data = values.data_ptr<double>();
    file.write<double>("/" + name, {values.sizes().vec(), {data, data + values.numel()}});
  }
}

}  // namespace afterspike::testing
