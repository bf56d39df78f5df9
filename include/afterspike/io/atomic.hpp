#pragma once

#include <filesystem>
#include <string_view>

namespace afterspike::io {

/// The path that a link, or a link to a link, stands for, whether there is something or not;
/// another path as it is. Throws Error(data) for links in a circle.
std::filesystem::path follow_links(std::filesystem::path path);

/// Whether what is at `path` can be written into but not replaced: a pipe, a device, or what the
/// program has open (/dev/stdout, wherever that goes).
bool is_stream(const std::filesystem::path& path);

/// Writes a file so that at any moment, also after a crash or a power cut, the path holds either
/// what it held before or all of `content`: write beside, flush to disk, rename, flush the
/// directory. Of a link, what it stands for is written; into a stream `content` is written as it
/// is. Throws Error(data) naming the path when that fails (disk full, no permission).
void write_file(const std::filesystem::path& path, std::string_view content);

/// Gives a finished file its final name, on the same file system, with its content on the disk
/// before; replaces what had the name. Throws Error(data).
void publish_file(const std::filesystem::path& from, const std::filesystem::path& to);

/// A new directory that appears complete or not at all. Files are written below staging(); commit()
/// flushes them and renames. Without commit() the destructor removes what was staged.
class AtomicDirectory {
 public:
  /// Creates the staging directory, of a hidden and unique name beside `path`, and missing parents.
  /// Throws Error(data) when something is at `path` already.
  explicit AtomicDirectory(std::filesystem::path path);
  ~AtomicDirectory();
  AtomicDirectory(const AtomicDirectory&) = delete;
  AtomicDirectory& operator=(const AtomicDirectory&) = delete;

  const std::filesystem::path& staging() const noexcept { return staging_; }

  /// Flushes every file and the directory, then renames staging() to the path. Throws Error(data)
  /// when something appeared there meanwhile, and leaves that alone.
  void commit();

 private:
  std::filesystem::path path_, staging_;
  bool committed_ = false;
};

}  // namespace afterspike::io
