#include "hdf5_handle.hpp"

#include <algorithm>
#include <cstddef>

namespace afterspike::io {
namespace {

/// Recursive, so that destructors of files may run while another call holds it.
std::recursive_mutex& library_mutex() {
  static std::recursive_mutex mutex;
  return mutex;
}

}  // namespace

Hdf5Lock::Hdf5Lock() : lock_(library_mutex()) {
  H5Eget_auto2(H5E_DEFAULT, &printer_, &printer_data_);
  H5Eset_auto2(H5E_DEFAULT, nullptr, nullptr);
}

Hdf5Lock::~Hdf5Lock() {
  H5Eset_auto2(H5E_DEFAULT, printer_, printer_data_);
}

std::string hdf5_reason() {
  std::string reason;
  const H5E_walk2_t keep_first = [](unsigned, const H5E_error2_t* error, void* data) -> herr_t {
    auto& text = *static_cast<std::string*>(data);
    if (text.empty() && error->desc != nullptr) text = error->desc;
    return 0;
  };
  H5Ewalk2(H5E_DEFAULT, H5E_WALK_UPWARD, keep_first, &reason);
  return reason;
}

std::vector<hsize_t> extents(const std::vector<std::int64_t>& shape) {
  return {shape.begin(), shape.end()};
}

Handle space_of(const std::vector<std::int64_t>& shape) {
  if (shape.empty()) return Handle(H5Screate(H5S_SCALAR), H5Sclose);
  const auto dimensions = extents(shape);
  return Handle(H5Screate_simple(static_cast<int>(shape.size()), dimensions.data(), nullptr),
                H5Sclose);
}

Handle creation_list(hid_t property_class) {
  Handle list(H5Pcreate(property_class), H5Pclose);
  H5Pset_obj_track_times(list, false);
  return list;
}

void compress(hid_t creation, const std::vector<std::int64_t>& shape, std::size_t value_size) {
  auto chunk = extents(shape);
  hsize_t row = value_size;
  for (std::size_t i = 1; i < chunk.size(); ++i) row *= chunk[i];
  chunk[0] = std::clamp<hsize_t>((hsize_t{1} << 20) / row, 1, chunk[0]);
  H5Pset_chunk(creation, static_cast<int>(chunk.size()), chunk.data());
  H5Pset_shuffle(creation);
  H5Pset_deflate(creation, 6);
}

}  // namespace afterspike::io
