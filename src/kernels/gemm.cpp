#include "afterspike/kernels/gemm.hpp"

#include <cblas.h>
#include <omp.h>
#include <cassert>
#include <dnnl.hpp>

#include <array>
#include <map>

#include "afterspike/base/error.hpp"
#include "product_log.hpp"

namespace afterspike::kernels {
namespace {

/// How many SignalsHeld live on the thread.
thread_local int held_of_thread = 0;

CBLAS_TRANSPOSE blas(Take take) {
  return take == Take::plain ? CblasNoTrans : CblasTrans;
}

char letter(Take take) {
  return take == Take::plain ? 'N' : 'T';
}

/// oneDNN's product of a shape, ready to run: to make one takes longer than to run it.
class Prepared {
 public:
  using Shape = std::array<std::int64_t, 9>;

  Prepared(const Shape& shape, const dnnl::engine& engine)
      : left_(describe(shape[2], shape[4], shape[5], shape[0] != 0, dnnl::memory::data_type::bf16),
              engine, nullptr),
        right_(describe(shape[4], shape[3], shape[6], shape[1] != 0, dnnl::memory::data_type::bf16),
               engine, nullptr),
        result_(describe(shape[2], shape[3], shape[7], false, dnnl::memory::data_type::f32), engine,
                nullptr),
        product_(dnnl::matmul::primitive_desc(
            dnnl::matmul::desc(left_.get_desc(), right_.get_desc(), result_.get_desc()),
            attributes(shape[8] != 0), engine)) {}

  void run(const Bfloat16* left, const Bfloat16* right, float* result, const dnnl::stream& stream) {
    left_.set_data_handle(const_cast<Bfloat16*>(left));
    right_.set_data_handle(const_cast<Bfloat16*>(right));
    result_.set_data_handle(result);
    product_.execute(stream,
                     {{DNNL_ARG_SRC, left_}, {DNNL_ARG_WEIGHTS, right_}, {DNNL_ARG_DST, result_}});
  }

 private:
  static dnnl::memory::desc describe(std::int64_t rows, std::int64_t columns, std::int64_t stride,
                                     bool transposed, dnnl::memory::data_type type) {
    return {{rows, columns},
            type,
            transposed ? dnnl::memory::dims{1, stride} : dnnl::memory::dims{stride, 1}};
  }
  static dnnl::primitive_attr attributes(bool add) {
    dnnl::primitive_attr result;
    if (!add) return result;
    dnnl::post_ops after;
    after.append_sum(1.0F);
    result.set_post_ops(after);
    return result;
  }

  dnnl::memory left_, right_, result_;
  dnnl::matmul product_;
};

}  // namespace

void gemm(Take take_a, Take take_b, std::int64_t m, std::int64_t n, std::int64_t k,
          Matrix<const Bfloat16> a, Matrix<const Bfloat16> b, float beta, Matrix<float> c) {
  if (m == 0 || n == 0) return;
  require(beta == 0 || beta == 1, ErrorKind::internal, "gemm: beta is {}, expected 0 or 1", beta);
  log_product(
      {Product::Kind::bfloat16, take_a, take_b, m, n, k, a.stride, b.stride, c.stride, beta == 1});
  thread_local const dnnl::engine engine(dnnl::engine::kind::cpu, 0);
  thread_local const dnnl::stream stream(engine);
  thread_local std::map<Prepared::Shape, Prepared> ready;
  const Prepared::Shape shape = {take_a == Take::transposed,
                                 take_b == Take::transposed,
                                 m,
                                 n,
                                 k,
                                 a.stride,
                                 b.stride,
                                 c.stride,
                                 beta == 1};
  const auto found = ready.try_emplace(shape, shape, engine).first;
  found->second.run(a.data, b.data, c.data, stream);
}

bool has_bfloat16() {
  const auto instructions = static_cast<unsigned>(dnnl::get_effective_cpu_isa());
  const auto needed = static_cast<unsigned>(dnnl::cpu_isa::avx512_core_bf16);
  return (instructions & needed) == needed;
}

template <>
void gemm(Take take_a, Take take_b, std::int64_t m, std::int64_t n, std::int64_t k,
          Matrix<const float> a, Matrix<const float> b, float beta, Matrix<float> c) {
  assert(held_of_thread > 0);
  if (m == 0 || n == 0) return;
  log_product(
      {Product::Kind::float32, take_a, take_b, m, n, k, a.stride, b.stride, c.stride, beta == 1});
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

SignalsHeld::SignalsHeld() noexcept {
  sigset_t held;
  sigfillset(&held);
  for (const int own : {SIGSEGV, SIGBUS, SIGFPE, SIGILL, SIGTRAP, SIGABRT, SIGSYS}) {
    sigdelset(&held, own);
  }
  pthread_sigmask(SIG_SETMASK, &held, &before_);
  ++held_of_thread;
}

SignalsHeld::~SignalsHeld() {
  --held_of_thread;
  pthread_sigmask(SIG_SETMASK, &before_, nullptr);
}

void prepare_thread() noexcept {
  omp_set_num_threads(1);
}

}  // namespace afterspike::kernels
