#pragma once

#include <cstddef>
#include <cstdint>
#include <mutex>
#include <string>
#include <type_traits>
#include <utility>
#include <vector>

#include <hdf5.h>

namespace afterspike::io {

/// Exclusive use of the HDF5 library, which is not thread-safe, with its error printer silenced.
/// Errors stay on its stack for hdf5_reason().
class Hdf5Lock {
 public:
  Hdf5Lock();
  ~Hdf5Lock();
  Hdf5Lock(const Hdf5Lock&) = delete;
  Hdf5Lock& operator=(const Hdf5Lock&) = delete;

 private:
  std::unique_lock<std::recursive_mutex> lock_;
  H5E_auto2_t printer_ = nullptr;
  void* printer_data_ = nullptr;
};

/// Returns the first cause on HDF5's error stack, or "" if it is empty.
std::string hdf5_reason();

/// Owns an HDF5 identifier.
class Handle {
 public:
  using Closer = herr_t (*)(hid_t);

  Handle(hid_t id, Closer closer) : id_(id), closer_(closer) {}
  ~Handle() {
    if (id_ >= 0) closer_(id_);
  }
  Handle(Handle&& other) noexcept : id_(std::exchange(other.id_, -1)), closer_(other.closer_) {}
  Handle& operator=(Handle&&) = delete;

  explicit operator bool() const { return id_ >= 0; }
  operator hid_t() const { return id_; }  // NOLINT(google-explicit-constructor): as HDF5 takes it

 private:
  hid_t id_;
  Closer closer_;
};

/// Converts a shape to HDF5's type.
std::vector<hsize_t> extents(const std::vector<std::int64_t>& shape);

/// Returns the data space of a shape; an empty shape is a scalar.
Handle space_of(const std::vector<std::int64_t>& shape);

/// A creation list for data sets and groups without the times of their creation: the same content
/// gives the same bytes.
Handle creation_list(hid_t property_class);

/// Compresses data sets made with this creation list, in chunks of whole rows of about a megabyte.
/// REQUIRES: a shape with values.
void compress(hid_t creation, const std::vector<std::int64_t>& shape, std::size_t value_size);

/// Returns the type of T in memory.
template <typename T>
hid_t memory_type() {
  if constexpr (std::is_same_v<T, float>) return H5T_NATIVE_FLOAT;
  if constexpr (std::is_same_v<T, double>) return H5T_NATIVE_DOUBLE;
  if constexpr (std::is_same_v<T, std::int64_t>) return H5T_NATIVE_INT64;
  if constexpr (std::is_same_v<T, std::uint8_t>) return H5T_NATIVE_UINT8;
  if constexpr (std::is_same_v<T, std::uint32_t>) return H5T_NATIVE_UINT32;
  if constexpr (std::is_same_v<T, std::uint64_t>) return H5T_NATIVE_UINT64;
}

/// Returns the type of T in a file: the same on every machine.
template <typename T>
hid_t file_type() {
  if constexpr (std::is_same_v<T, float>) return H5T_IEEE_F32LE;
  if constexpr (std::is_same_v<T, double>) return H5T_IEEE_F64LE;
  if constexpr (std::is_same_v<T, std::int64_t>) return H5T_STD_I64LE;
  if constexpr (std::is_same_v<T, std::uint8_t>) return H5T_STD_U8LE;
  if constexpr (std::is_same_v<T, std::uint32_t>) return H5T_STD_U32LE;
  if constexpr (std::is_same_v<T, std::uint64_t>) return H5T_STD_U64LE;
}

/// Refuses conversions that HDF5 would clip silently, such as 300 to 255.
inline H5T_conv_ret_t refuse_inexact(H5T_conv_except_t exception, hid_t, hid_t, void*, void*,
                                     void*) {
  return exception == H5T_CONV_EXCEPT_PRECISION ? H5T_CONV_UNHANDLED : H5T_CONV_ABORT;
}

/// Returns conversion settings that turn an integer beyond T into an error.
template <typename T>
Handle conversion_list() {
  Handle list(H5Pcreate(H5P_DATASET_XFER), H5Pclose);
  if (std::is_integral_v<T>) H5Pset_type_conv_cb(list, refuse_inexact, nullptr);
  return list;
}

}  // namespace afterspike::io
