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

/// A file that a library writes by its path, complete at the end or not there. It is written at
/// staging(); commit() flushes it and gives it its name, of a link what that stands for. Without
/// commit() the destructor removes what was staged.
class AtomicFile {
 public:
  /// Throws Error(data) for a device or a pipe.
  explicit AtomicFile(const std::filesystem::path& path);
  ~AtomicFile();
  AtomicFile(const AtomicFile&) = delete;
  AtomicFile& operator=(const AtomicFile&) = delete;

  const std::filesystem::path& staging() const noexcept { return staging_; }

  /// Replaces what is at the path. Throws Error(data).
  void commit();

 private:
  std::filesystem::path path_, staging_;
};

/// A new directory that appears complete or not at all. Files are written below staging(); commit()
/// flushes them and renames. Without commit() the destructor removes what was staged.
class AtomicDirectory {
 public:
  /// Creates the staging directory, of a hidden and unique name beside `path` (or beside what that
  /// links to), and missing parents.
  /// Throws Error(data) when something is at `path` already.
  explicit AtomicDirectory(const std::filesystem::path& path);
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

/// What is at a path, under a hidden name beside it until something else has taken its place. The
/// destructor puts it back unless discard() was called. A link stays: it is what it stands for that
/// is moved. A stream stays, too.
class SetAside {
 public:
  /// Throws Error(data) for a directory that the program works in, and where it cannot be moved.
  explicit SetAside(const std::filesystem::path& path);
  ~SetAside();
  SetAside(const SetAside&) = delete;
  SetAside& operator=(const SetAside&) = delete;

  /// Removes it for good.
  void discard();

 private:
  std::filesystem::path path_, aside_;  ///< aside_ is empty where nothing was moved.
};

}  // namespace afterspike::io
