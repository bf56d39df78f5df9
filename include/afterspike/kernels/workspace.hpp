#pragma once

#include <cstddef>
#include <utility>

namespace afterspike::kernels {

/// Memory for a pass, kept for the next one when it is given back: fresh pages cost more than the
/// arithmetic on them. What it holds at first is not defined.
class Workspace {
 public:
  /// Takes one that was given back, the smallest that suffices, or allocates: `bytes` on a boundary
  /// of 64. Throws Error(config) naming the size when there is no such memory. May be called from
  /// any thread.
  explicit Workspace(std::size_t bytes);
  ~Workspace();
  Workspace(Workspace&& other) noexcept
      : data_(std::exchange(other.data_, nullptr)), bytes_(other.bytes_) {}
  Workspace& operator=(Workspace&&) = delete;

  std::byte* data() const noexcept { return data_; }

  /// Frees what was given back and not taken again.
  static void release_all() noexcept;

  /// Bytes allocated by now, in use or given back.
  static std::size_t allocated() noexcept;

 private:
  std::byte* data_;
  std::size_t bytes_;  ///< Size of the allocation, at least the size asked for.
};

}  // namespace afterspike::kernels
