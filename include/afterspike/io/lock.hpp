#pragma once

#include <filesystem>
#include <optional>

namespace afterspike::io {

/// Holds a file or a directory for one process at a time, until its end; a crash ends it too. It
/// keeps others from locking, not from reading or writing. On a file system without locks every
/// attempt succeeds.
class Lock {
 public:
  /// The lock, or nothing when another process holds it. Throws Error(data) when `path` cannot be
  /// opened.
  static std::optional<Lock> try_take(const std::filesystem::path& path);

  /// Waits until no other process holds it.
  static Lock wait(const std::filesystem::path& path);

  ~Lock();
  Lock(Lock&& other) noexcept;
  Lock& operator=(Lock&&) = delete;

 private:
  explicit Lock(const std::filesystem::path& path);
  /// False when another process has it and `wait` is false.
  bool take(bool wait) const;

  int descriptor_;
};

}  // namespace afterspike::io
