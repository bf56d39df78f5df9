#pragma once

#include <cstddef>
#include <new>
#include <vector>

namespace afterspike::spiking {

/// Vectors begin at cache lines.
template <typename T>
struct LineAllocator {
  using value_type = T;
  LineAllocator() = default;
  template <typename U>
  explicit LineAllocator(const LineAllocator<U>&) {}
  T* allocate(std::size_t count) {
    return static_cast<T*>(::operator new (count * sizeof(T), std::align_val_t{64}));
  }
  void deallocate(T* values, std::size_t) { ::operator delete (values, std::align_val_t{64}); }
  bool operator==(const LineAllocator&) const = default;
};
using Lines = std::vector<double, LineAllocator<double>>;

}  // namespace afterspike::spiking
