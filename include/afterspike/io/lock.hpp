#pragma once

#include <filesystem>
#include <optional>

namespace afterspike::io {

/// An advisory lock on a file or directory for one process, released at the end of the process,
/// also by a crash. It keeps others from locking, not from reading or writing. On a file system
/// without locks every attempt succeeds.
class Lock {
 public:
  /// Returns the lock, or nullopt if another process holds it. Throws Error(data) if `path` cannot
  /// be opened.
  static std::optional<Lock> try_take(const std::filesystem::path& path);

  /// Waits until no other process holds it.
  static Lock wait(const std::filesystem::path& path);

  ~Lock();
  Lock(Lock&& other) noexcept;
  Lock& operator=(Lock&&) = delete;

 private:
  explicit Lock(const std::filesystem::path& path);
  /// Returns false if another process holds the lock and `wait` is false.
  bool take(bool wait) const;

  int descriptor_;
};

}  // namespace afterspike::io
