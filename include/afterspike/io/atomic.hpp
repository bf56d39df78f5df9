#pragma once

#include <filesystem>
#include <string_view>

namespace afterspike::io {

/// Writes a file so that at any moment, also after a crash or a power cut, the path holds either
/// what it held before or all of `content`: write beside, flush to disk, rename, flush the
/// directory. Throws Error(data) naming the path when that fails (disk full, no permission).
void write_file(const std::filesystem::path& path, std::string_view content);

/// A directory that appears complete or not at all. Files are written below staging(); commit()
/// flushes them and renames. Without commit() the destructor removes what was staged.
class AtomicDirectory {
 public:
  /// Creates "<path>.tmp" (an old one, left by a crash, is removed first) and missing parents.
  explicit AtomicDirectory(std::filesystem::path path);
  ~AtomicDirectory();
  AtomicDirectory(const AtomicDirectory&) = delete;
  AtomicDirectory& operator=(const AtomicDirectory&) = delete;

  const std::filesystem::path& staging() const noexcept { return staging_; }

  /// Flushes every file and the directory, then renames staging() to the path. A directory that is
  /// there already is replaced (moved aside to "<path>.old" first and removed after; should a crash
  /// leave it there, the next AtomicDirectory of this path puts it back).
  void commit();

 private:
  std::filesystem::path path_, staging_;
  bool committed_ = false;
};

}  // namespace afterspike::io
