#pragma once

#include <cstddef>

#if defined(__SANITIZE_ADDRESS__)
#include <sanitizer/asan_interface.h>
#endif

/// Memory that nobody may touch, where the address sanitizer watches: it cannot tell the parts of a
/// workspace from each other by itself.
namespace afterspike::kernels {

#if defined(__SANITIZE_ADDRESS__)
inline constexpr std::size_t kFence = 64;
inline void put_fence(const void* data, std::size_t bytes) {
  ASAN_POISON_MEMORY_REGION(data, bytes);
}
inline void remove_fences(const void* data, std::size_t bytes) {
  ASAN_UNPOISON_MEMORY_REGION(data, bytes);
}
#else
inline constexpr std::size_t kFence = 0;
inline void put_fence(const void* /*data*/, std::size_t /*bytes*/) {}
inline void remove_fences(const void* /*data*/, std::size_t /*bytes*/) {}
#endif

}  // namespace afterspike::kernels
