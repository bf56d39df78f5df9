#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include <fmt/format.h>

#include "afterspike/base/error.hpp"
#include "afterspike/io/hdf5.hpp"
#include "hdf5_handle.hpp"

namespace afterspike::io {

/// Returns HDF5's reason as the end of a message.
inline std::string words(const std::string& reason) {
  return reason.empty() ? "" : ": " + reason;
}

struct Hdf5File::Impl {
  std::string path;
  Handle file;
  Links links = Links::refuse;
  mutable std::set<std::string> other_files = {};  ///< Met by external links.

  std::string where(std::string_view object) const {
    return fmt::format("'{}': '{}'", path, object);
  }

  void check_path(std::string_view object) const {
    require(object.starts_with('/'), ErrorKind::internal, "{}: expected an absolute path",
            where(object));
  }

  bool exists(std::string_view object) const;
  void check_shape(const std::vector<std::int64_t>& shape, std::size_t count,
                   const std::string& where) const;
  void flush() const;

  /// How links are followed: counts and checks external ones.
  Handle link_access() const;

  /// Refuses what link_access() has met, if it must be; `object` was asked for.
  void check_links(std::string_view object) const;

  /// Allows or refuses another file in which values of `object` lie.
  void note_other_file(const std::string& name, std::string_view object) const;

  /// Refuses external storage, and virtual data sets whose sources may not be read.
  void check_storage(hid_t dataset, std::string_view name) const;

  /// Bytes that are stored for a data set, including those of a virtual one's sources.
  std::uint64_t stored_bytes(hid_t dataset) const;

  Handle dataset(std::string_view name) const;
  Handle object(std::string_view name) const;
  Handle attribute(std::string_view object, std::string_view name) const;

  /// Returns the extents; throws for a null space.
  std::vector<std::int64_t> shape(hid_t space, const std::string& where) const;

  /// Selects rows along the first dimension of a space; returns the shape of the selection.
  std::vector<std::int64_t> select_rows(hid_t space, std::int64_t begin, std::int64_t end,
                                        const std::string& where) const;

  /// Allocates an array of this shape.
  template <typename T>
  Hdf5Array<T> array(std::vector<std::int64_t> shape, const std::string& where) const;

  /// Reads an array of numbers stored as `type`. `read` fills memory of the given type, or returns
  /// false.
  template <typename T, typename Read>
  Hdf5Array<T> numbers(hid_t type, std::vector<std::int64_t> shape, const std::string& where,
                       const Read& read, const std::function<void()>& explain = {}) const;

  /// Reads the part of a data set that is selected in `space`.
  template <typename T>
  Hdf5Array<T> selected(hid_t dataset, hid_t space, std::vector<std::int64_t> shape,
                        const std::string& where) const;
};

}  // namespace afterspike::io
