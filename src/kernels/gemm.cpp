#include "afterspike/kernels/gemm.hpp"

#include <cblas.h>
#include <dnnl.h>
#include <omp.h>

#include "afterspike/base/error.hpp"

namespace afterspike::kernels {
namespace {

CBLAS_TRANSPOSE blas(Take take) {
  return take == Take::plain ? CblasNoTrans : CblasTrans;
}

char letter(Take take) {
  return take == Take::plain ? 'N' : 'T';
}

}  // namespace

template <>
void gemm(Take take_a, Take take_b, std::int64_t m, std::int64_t n, std::int64_t k,
          Matrix<const float> a, Matrix<const float> b, float beta, Matrix<float> c) {
  if (m == 0 || n == 0) return;
  const dnnl_status_t status = dnnl_sgemm(letter(take_a), letter(take_b), m, n, k, 1.0F, a.data,
                                          a.stride, b.data, b.stride, beta, c.data, c.stride);
  require(status == dnnl_success, ErrorKind::internal,
          "oneDNN refuses a product of [{}, {}] and [{}, {}] with status {}", m, k, k, n,
          static_cast<int>(status));
}

template <>
void gemm(Take take_a, Take take_b, std::int64_t m, std::int64_t n, std::int64_t k,
          Matrix<const double> a, Matrix<const double> b, double beta, Matrix<double> c) {
  if (m == 0 || n == 0) return;
  const auto narrow = [](std::int64_t number) { return static_cast<blasint>(number); };
  cblas_dgemm(CblasRowMajor, blas(take_a), blas(take_b), narrow(m), narrow(n), narrow(k), 1.0,
              a.data, narrow(a.stride), b.data, narrow(b.stride), beta, c.data, narrow(c.stride));
}

void prepare_thread() noexcept {
  omp_set_num_threads(1);
}

}  // namespace afterspike::kernels
