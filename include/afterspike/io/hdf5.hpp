#pragma once

#include <cstdint>
#include <filesystem>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace afterspike::io {

/// A numeric HDF5 data set in memory: converted to T, row-major.
template <typename T>
struct Hdf5Array {
  std::vector<std::int64_t> shape;
  std::vector<T> values;
};

/// Rows of various lengths, stored contiguously.
template <typename T>
struct Hdf5Rows {
  std::vector<std::int64_t> offsets = {
      0};  ///< Row r is values[offsets[r]] up to but excluding offsets[r+1].
  std::vector<T> values;
};

/// Storage types of numbers, all little-endian.
enum class Hdf5Type { float16, float32, float64, uint16, int64 };

/// Whether a file holds HDF5, also behind a user block of 512, 1024, ... bytes as MATLAB 7.3 writes
/// it. False for a file that is missing or unreadable.
bool is_hdf5(const std::filesystem::path& path);

/// An HDF5 file. Paths are absolute within the file: "/group/dataset". Every error is an
/// Error(data) that names file and path; the HDF5 library prints nothing. Not thread-safe: one
/// object per thread, and calls are serialised inside.
///
/// T is one of float, double, std::int64_t, std::uint8_t, std::uint32_t, std::uint64_t.
class Hdf5File {
 public:
  enum class Mode { read, create };  ///< create truncates an existing file.

  /// Whether members may lie in other files, by external links or virtual data sets. `follow` logs
  /// the name of each such file. External storage (raw bytes of any file) is always refused.
  enum class Links { refuse, follow };

  explicit Hdf5File(const std::filesystem::path& path, Mode mode = Mode::read,
                    Links links = Links::refuse);
  ~Hdf5File();
  Hdf5File(Hdf5File&&) noexcept;
  Hdf5File& operator=(Hdf5File&&) noexcept;

  bool exists(std::string_view path) const;
  bool is_group(std::string_view path) const;

  /// Names of the members of a group, in alphabetical order.
  std::vector<std::string> members(std::string_view group) const;

  /// Returns the shape without reading the data.
  std::vector<std::int64_t> shape(std::string_view dataset) const;

  /// Reads a whole data set; fails on one that is not numeric or not fixed-size.
  template <typename T>
  Hdf5Array<T> read(std::string_view dataset) const;

  /// Reads rows [begin, end) along the first dimension.
  template <typename T>
  Hdf5Array<T> read_rows(std::string_view dataset, std::int64_t begin, std::int64_t end) const;

  /// Reads rows [begin, end) of a data set of one dimension whose elements are rows of variable
  /// length: floating-point numbers of any size for double, integers for std::int64_t. Fails on
  /// other types and on integers out of the range of T. T is one of these two.
  template <typename T>
  Hdf5Rows<T> read_variable_rows(std::string_view dataset, std::int64_t begin,
                                 std::int64_t end) const;

  bool has_attribute(std::string_view object, std::string_view name) const;

  /// A numeric attribute, scalar or array (a scalar has an empty shape).
  template <typename T>
  Hdf5Array<T> attribute(std::string_view object, std::string_view name) const;

  /// A text attribute, of fixed or variable length.
  std::string text_attribute(std::string_view object, std::string_view name) const;

  /// Writes a data set, creating missing groups; `gzip` compresses it.
  template <typename T>
  void write(std::string_view dataset, const Hdf5Array<T>& array, bool gzip = false);

  /// Appends values to a data set of one dimension that only this has written; the first call
  /// creates it, also for no values.
  template <typename T>
  void append(std::string_view dataset, std::span<const T> values);

  /// Writes values, in one dimension unless a shape is given; compresses long ones.
  template <typename T>
  void write_values(std::string_view dataset, const std::vector<T>& values,
                    std::vector<std::int64_t> shape = {}) {
    constexpr std::size_t kMany = 1024;
    if (shape.empty()) shape = {static_cast<std::int64_t>(values.size())};
    write<T>(dataset, {std::move(shape), values}, values.size() > kMany);
  }

  /// Writes rows of variable length, numbers as `stored` (rounded, or cut to its range). T is
  /// double or std::int64_t.
  template <typename T>
  void write_variable_rows(std::string_view dataset, const Hdf5Rows<T>& rows, Hdf5Type stored);

  /// Writes texts of variable length, UTF-8, as a data set of any shape (empty for a scalar).
  void write_texts(std::string_view dataset, const Hdf5Array<std::string>& array);
  Hdf5Array<std::string> read_texts(std::string_view dataset) const;

  /// Creates an empty group, with missing parents.
  void make_group(std::string_view group);

  template <typename T>
  void write_attribute(std::string_view object, std::string_view name, const Hdf5Array<T>& array);
  void write_text_attribute(std::string_view object, std::string_view name, std::string_view text);

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace afterspike::io
