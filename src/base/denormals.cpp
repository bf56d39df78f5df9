#include "afterspike/base/denormals.hpp"

#if defined(__SSE__)
#include <xmmintrin.h>
#endif

namespace afterspike {
namespace {

#if defined(__SSE__)
/// Flushes results and operands to 0.
constexpr unsigned long long kFlush = 0x8040;

unsigned long long get() noexcept {
  return _mm_getcsr();
}
void set(unsigned long long value) noexcept {
  _mm_setcsr(static_cast<unsigned>(value));
}
#elif defined(__aarch64__)
constexpr unsigned long long kFlush = 1ULL << 24;

unsigned long long get() noexcept {
  unsigned long long value = 0;
  asm volatile("mrs %0, fpcr" : "=r"(value));
  return value;
}
void set(unsigned long long value) noexcept {
  asm volatile("msr fpcr, %0" : : "r"(value));
}
#else
constexpr unsigned long long kFlush = 0;

unsigned long long get() noexcept {
  return 0;
}
void set(unsigned long long) noexcept {}
#endif

}  // namespace

DenormalsFlushed::DenormalsFlushed() noexcept : before_(get()) {
  set(before_ | kFlush);
}

DenormalsFlushed::~DenormalsFlushed() {
  set(before_);
}

}  // namespace afterspike
