#pragma once

#include <cstdint>
#include <filesystem>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

namespace afterspike::io {

/// A numeric HDF5 data set in memory: converted to T, row-major.
template <typename T>
struct Hdf5Array {
  std::vector<std::int64_t> shape;
  std::vector<T> values;
};

/// An HDF5 file. Paths are absolute within the file: "/group/dataset". Every error is an
/// Error(data) that names file and path; the HDF5 library prints nothing. Not thread-safe: one
/// object per thread, and calls are serialised inside.
///
/// T is one of float, double, std::int64_t, std::uint8_t.
class Hdf5File {
 public:
  enum class Mode { read, create };  ///< create truncates what is there.

  explicit Hdf5File(const std::filesystem::path& path, Mode mode = Mode::read);
  ~Hdf5File();
  Hdf5File(Hdf5File&&) noexcept;
  Hdf5File& operator=(Hdf5File&&) noexcept;

  bool exists(std::string_view path) const;
  bool is_group(std::string_view path) const;

  /// Names of the members of a group, in alphabetical order.
  std::vector<std::string> members(std::string_view group) const;

  /// Shape without reading.
  std::vector<std::int64_t> shape(std::string_view dataset) const;

  /// Reads a whole data set; fails on one that is not numeric or not fixed-size.
  template <typename T>
  Hdf5Array<T> read(std::string_view dataset) const;

  /// Reads rows [begin, end) along the first dimension.
  template <typename T>
  Hdf5Array<T> read_rows(std::string_view dataset, std::int64_t begin, std::int64_t end) const;

  bool has_attribute(std::string_view object, std::string_view name) const;

  /// A numeric attribute, scalar or array (a scalar has an empty shape).
  template <typename T>
  Hdf5Array<T> attribute(std::string_view object, std::string_view name) const;

  /// A text attribute, of fixed or variable length.
  std::string text_attribute(std::string_view object, std::string_view name) const;

  /// Writes a data set, creating missing groups; `gzip` compresses it.
  template <typename T>
  void write(std::string_view dataset, const Hdf5Array<T>& array, bool gzip = false);

  template <typename T>
  void write_attribute(std::string_view object, std::string_view name, const Hdf5Array<T>& array);
  void write_text_attribute(std::string_view object, std::string_view name, std::string_view text);

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace afterspike::io
