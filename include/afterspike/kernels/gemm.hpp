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
/// c is not read. On the calling thread alone: call prepare_thread() on it once before. float
/// through oneDNN where the project was built with it, else BLAS; double through BLAS. REQUIRES: a
/// SignalsHeld lives.
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

/// Holds signals back from the calling thread while it lives; they arrive after. gemm() must run
/// under it: up to version 3.11, oneDNN's products in float32 let the stack pointer point into
/// their own memory, and a signal handler that runs on the thread meanwhile destroys what is there
/// (oneDNN issue 4845); builds with assertions check it. Not held back: what the thread itself
/// causes, such as SIGSEGV.
class SignalsHeld {
 public:
  SignalsHeld() noexcept;
  ~SignalsHeld();
  SignalsHeld(const SignalsHeld&) = delete;
  SignalsHeld& operator=(const SignalsHeld&) = delete;

 private:
  sigset_t before_;
};

/// Keeps the libraries behind gemm() from starting threads when the calling thread asks them for a
/// product.
void prepare_thread() noexcept;

}  // namespace afterspike::kernels
