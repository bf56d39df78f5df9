#include "afterspike/kernels/gemm.hpp"

#include <cblas.h>
#include <omp.h>

#include <cassert>

#include "afterspike/base/error.hpp"
#include "gemm_library.hpp"
#include "product_log.hpp"

namespace afterspike::kernels {
namespace {

/// Number of live GemmScopes of the thread.
thread_local int scopes_of_thread = 0;

CBLAS_TRANSPOSE blas(Take take) {
  return take == Take::plain ? CblasNoTrans : CblasTrans;
}

}  // namespace

void gemm(Take take_a, Take take_b, std::int64_t m, std::int64_t n, std::int64_t k,
          Matrix<const Bfloat16> a, Matrix<const Bfloat16> b, float beta, Matrix<float> c) {
  if (m == 0 || n == 0) return;
  require(beta == 0 || beta == 1, ErrorKind::internal, "gemm: beta is {}, expected 0 or 1", beta);
  log_product(
      {Product::Kind::bfloat16, take_a, take_b, m, n, k, a.stride, b.stride, c.stride, beta == 1});
  library::multiply(take_a, take_b, m, n, k, a, b, beta, c);
}

bool has_bfloat16() {
  return library::has_bfloat16();
}

template <>
void gemm(Take take_a, Take take_b, std::int64_t m, std::int64_t n, std::int64_t k,
          Matrix<const float> a, Matrix<const float> b, float beta, Matrix<float> c) {
  assert(scopes_of_thread > 0);
  if (m == 0 || n == 0) return;
  log_product(
      {Product::Kind::float32, take_a, take_b, m, n, k, a.stride, b.stride, c.stride, beta == 1});
  library::multiply(take_a, take_b, m, n, k, a, b, beta, c);
}

template <>
void gemm(Take take_a, Take take_b, std::int64_t m, std::int64_t n, std::int64_t k,
          Matrix<const double> a, Matrix<const double> b, double beta, Matrix<double> c) {
  if (m == 0 || n == 0) return;
  const auto narrow = [](std::int64_t number) { return static_cast<blasint>(number); };
  cblas_dgemm(CblasRowMajor, blas(take_a), blas(take_b), narrow(m), narrow(n), narrow(k), 1.0,
              a.data, narrow(a.stride), b.data, narrow(b.stride), beta, c.data, narrow(c.stride));
}

GemmScope::GemmScope() noexcept : threads_before_(omp_get_max_threads()) {
  sigset_t blocked;
  sigfillset(&blocked);
  for (const int synchronous : {SIGSEGV, SIGBUS, SIGFPE, SIGILL, SIGTRAP, SIGABRT, SIGSYS}) {
    sigdelset(&blocked, synchronous);
  }
  pthread_sigmask(SIG_SETMASK, &blocked, &signals_before_);
  omp_set_num_threads(1);
  ++scopes_of_thread;
}

GemmScope::~GemmScope() {
  --scopes_of_thread;
  omp_set_num_threads(threads_before_);
  pthread_sigmask(SIG_SETMASK, &signals_before_, nullptr);
}

}  // namespace afterspike::kernels
