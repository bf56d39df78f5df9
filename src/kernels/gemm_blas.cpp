#include <cblas.h>

#include "afterspike/base/error.hpp"
#include "gemm_library.hpp"

namespace afterspike::kernels::library {

void multiply(Take take_a, Take take_b, std::int64_t m, std::int64_t n, std::int64_t k,
              Matrix<const float> a, Matrix<const float> b, float beta, Matrix<float> c) {
  const auto taken = [](Take take) { return take == Take::plain ? CblasNoTrans : CblasTrans; };
  const auto narrow = [](std::int64_t number) { return static_cast<blasint>(number); };
  cblas_sgemm(CblasRowMajor, taken(take_a), taken(take_b), narrow(m), narrow(n), narrow(k), 1.0F,
              a.data, narrow(a.stride), b.data, narrow(b.stride), beta, c.data, narrow(c.stride));
}

void multiply(Take, Take, std::int64_t, std::int64_t, std::int64_t, Matrix<const Bfloat16>,
              Matrix<const Bfloat16>, float, Matrix<float>) {
  fail(ErrorKind::internal, "products in bfloat16: this program was built without oneDNN");
}

bool has_bfloat16() {
  return false;
}

void limit_instructions(Vectors) {}

}  // namespace afterspike::kernels::library
