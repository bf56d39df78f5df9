#pragma once

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <span>
#include <string_view>

#include "afterspike/base/error.hpp"

namespace afterspike::io {

/// An open file whose failures are Errors of one kind that name the path and the system's reason.
class File {
 public:
  enum class Mode {
    read,
    replace,  ///< Creates the file or empties the one that is there.
    create,   ///< Creates the file; fails when there is one.
    append,   ///< Writes to the end of what is there, or into a pipe or device.
  };

  File(const std::filesystem::path& path, Mode mode, ErrorKind kind);
  ~File();
  File(const File&) = delete;
  File& operator=(const File&) = delete;

  std::uint64_t size() const;

  /// Fills `target` from where the last read ended; returns less than its size at the end only.
  std::size_t read(std::span<std::byte> target);

  void write(std::span<const std::byte> bytes);
  void write(std::string_view text) { write(std::as_bytes(std::span(text))); }

  /// Has the system put what was written on the disk.
  void flush();

 private:
  [[noreturn]] void fail_at(std::string_view action) const;

  std::filesystem::path path_;
  ErrorKind kind_;
  int descriptor_;
};

/// Puts a directory's entries on the disk.
void flush_directory(const std::filesystem::path& path, ErrorKind kind);

}  // namespace afterspike::io
