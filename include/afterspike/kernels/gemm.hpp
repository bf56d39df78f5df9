#pragma once

#include <csignal>
#include <cstdint>

namespace afterspike::kernels {

/// Whether a factor of a product is taken as it lies in memory or transposed.
enum class Take { plain, transposed };

/// A matrix in memory, row after row; `stride` elements from the beginning of a row to that of the
/// next.
template <typename T>
struct Matrix {
  T* data;
  std::int64_t stride;
};

/// c = a b + beta c, where a is [m, k], b is [k, n], c is [m, n] after transposition; with beta 0,
/// c is not read. Runs on the calling thread alone. float through oneDNN if the project was built
/// with it, else BLAS; double through BLAS. REQUIRES: a GemmScope lives on the thread.
template <typename T>
void gemm(Take take_a, Take take_b, std::int64_t m, std::int64_t n, std::int64_t k,
          Matrix<const T> a, Matrix<const T> b, T beta, Matrix<T> c);

/// The upper 16 bits of a float32: 8 bits of exponent, 7 of fraction.
using Bfloat16 = std::uint16_t;

/// The same with factors in bfloat16; products are added up in float32. REQUIRES: has_bfloat16().
void gemm(Take take_a, Take take_b, std::int64_t m, std::int64_t n, std::int64_t k,
          Matrix<const Bfloat16> a, Matrix<const Bfloat16> b, float beta, Matrix<float> c);

/// True where the processor multiplies bfloat16 and oneDNN is there.
bool has_bfloat16();

/// Prepares the calling thread for gemm() while it lives; the kernels hold one in every pass.
///
/// Limits OpenMP to one thread for regions that the calling thread opens, and restores the former
/// limit: with more threads oneDNN adds in another order, so the bits of a product would depend on
/// the thread that computes it.
///
/// Blocks signals; they are delivered afterwards. Up to version 3.11, oneDNN's products in float32
/// let the stack pointer point into their own memory, and a signal handler that runs on the thread
/// meanwhile overwrites it (oneDNN issue 4845). Signals that the thread itself causes, such as
/// SIGSEGV, are not blocked. Builds with assertions check that a scope lives.
class GemmScope {
 public:
  GemmScope() noexcept;
  ~GemmScope();
  GemmScope(const GemmScope&) = delete;
  GemmScope& operator=(const GemmScope&) = delete;

 private:
  sigset_t signals_before_;
  int threads_before_;
};

}  // namespace afterspike::kernels
