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
    read,     ///< Opens a file, or a directory to flush it; fails for a device or a pipe.
    replace,  ///< Creates the file, or empties an existing one.
    create,   ///< Creates the file; fails if it exists.
    append,   ///< Writes to the end of an existing file, or into a pipe or device.
    extend,   ///< Writes to the end of a file, which is created if missing; fails for a link.
  };

  File(const std::filesystem::path& path, Mode mode, ErrorKind kind);
  ~File();
  File(const File&) = delete;
  File& operator=(const File&) = delete;

  std::uint64_t size() const;

  /// Fills `target` from the end of the last read; returns less than its size only at the end of
  /// the file.
  std::size_t read(std::span<std::byte> target);

  void write(std::span<const std::byte> bytes);
  void write(std::string_view text) { write(std::as_bytes(std::span(text))); }

  /// Flushes written data to disk.
  void flush();

 private:
  bool is_file_or_directory() const;
  [[noreturn]] void fail_at(std::string_view action) const;

  std::filesystem::path path_;
  ErrorKind kind_;
  int descriptor_;
};

/// Flushes a directory's entries to disk.
void flush_directory(const std::filesystem::path& path, ErrorKind kind);

}  // namespace afterspike::io
