#pragma once

#include <filesystem>
#include <string_view>

namespace afterspike::io {

/// Returns the path that a link, or a chain of links, leads to, existing or not; any other path
/// unchanged. Throws Error(data) for circular links.
std::filesystem::path follow_links(std::filesystem::path path);

/// Returns whether `path` can be written into but not replaced: a pipe, a device, or an open file
/// of the program (/dev/stdout, whatever its destination).
bool is_stream(const std::filesystem::path& path);

/// Writes a file atomically: at any moment, also after a crash or a power cut, the path has either
/// its old content or all of `content`. Writes under another name, flushes to disk, renames,
/// flushes the directory. Follows links; writes into a stream directly. Throws Error(data) naming
/// the path on failure (disk full, no permission).
void write_file(const std::filesystem::path& path, std::string_view content);

/// The same for files of a run: a link, device or pipe at `path` is itself replaced by the file,
/// so that a run from somebody else cannot have other files written.
void replace_file(const std::filesystem::path& path, std::string_view content);

/// Appends a line to a file, which is created if missing. Throws Error(data), also for a link.
void append_line(const std::filesystem::path& path, std::string_view line);

/// Has the content of a file on the disk; no effect if there is none. Throws Error(data).
void flush_file(const std::filesystem::path& path);

/// Gives a finished file its final name on the same file system, after flushing its content;
/// replaces an existing file. Throws Error(data).
void publish_file(const std::filesystem::path& from, const std::filesystem::path& to);

/// A file that a library writes by path, complete at the end or absent. It is written at staging();
/// commit() flushes it and gives it its name, following links. Without commit() the destructor
/// removes the staged file.
class AtomicFile {
 public:
  /// Throws Error(data) for a device or a pipe.
  explicit AtomicFile(const std::filesystem::path& path);
  ~AtomicFile();
  AtomicFile(const AtomicFile&) = delete;
  AtomicFile& operator=(const AtomicFile&) = delete;

  const std::filesystem::path& staging() const noexcept { return staging_; }

  /// Replaces the file at the path. Throws Error(data).
  void commit();

 private:
  std::filesystem::path path_, staging_;
};

/// A new directory that appears complete or not at all. Files are written below staging(); commit()
/// flushes and renames them. Without commit() the destructor removes the staged directory.
class AtomicDirectory {
 public:
  /// Creates the staging directory, with a hidden and unique name beside `path` (or beside the
  /// target of a link), and missing parents. Throws Error(data) if `path` exists already.
  explicit AtomicDirectory(const std::filesystem::path& path);
  ~AtomicDirectory();
  AtomicDirectory(const AtomicDirectory&) = delete;
  AtomicDirectory& operator=(const AtomicDirectory&) = delete;

  const std::filesystem::path& staging() const noexcept { return staging_; }

  /// Flushes every file and the directory, then renames staging() to the path. Throws Error(data),
  /// and changes nothing, if the path has come into existence meanwhile.
  void commit();

 private:
  std::filesystem::path path_, staging_;
  bool committed_ = false;
};

/// Moves a file or directory to a hidden name beside it until a replacement exists. The destructor
/// moves it back unless discard() was called. Of a link, its target is moved. A stream stays.
class SetAside {
 public:
  /// Throws Error(data) for a working directory of the program, and if moving fails.
  explicit SetAside(const std::filesystem::path& path);
  ~SetAside();
  SetAside(const SetAside&) = delete;
  SetAside& operator=(const SetAside&) = delete;

  /// Removes the moved file for good.
  void discard();

 private:
  std::filesystem::path path_, aside_;  ///< aside_ is empty if nothing was moved.
};

}  // namespace afterspike::io
