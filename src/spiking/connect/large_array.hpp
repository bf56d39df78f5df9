#pragma once

#include <cstddef>
#include <cstdlib>
#include <memory>
#include <new>

#include <sys/mman.h>

namespace afterspike::spiking {

/// Bytes that are not initialised, in large pages where the system has them: rows of synapses are
/// read at random places, and each small page costs a look-up of its address.
class LargeArray {
 public:
  LargeArray() = default;
  explicit LargeArray(std::size_t bytes) {
    if (bytes == 0) return;
    constexpr std::size_t kPage = std::size_t{2} << 20;
    const std::size_t whole = (bytes + kPage - 1) / kPage * kPage;
    bytes_.reset(static_cast<std::byte*>(std::aligned_alloc(kPage, whole)));
    if (bytes_ == nullptr) throw std::bad_alloc();
#ifdef MADV_HUGEPAGE
    madvise(bytes_.get(), whole, MADV_HUGEPAGE);  // A hint: small pages do, too.
#endif
  }

  std::byte* data() {
    return bytes_.get();
  }
  const std::byte* data() const {
    return bytes_.get();
  }

 private:
  struct Free {
    void operator()(std::byte* bytes) const { std::free(bytes); }
  };
  std::unique_ptr<std::byte, Free> bytes_;
};

}  // namespace afterspike::spiking
