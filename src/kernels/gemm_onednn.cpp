#include <array>
#include <dnnl.hpp>
#include <map>

#include "afterspike/base/error.hpp"
#include "gemm_library.hpp"

namespace afterspike::kernels::library {
namespace {

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

void multiply(Take take_a, Take take_b, std::int64_t m, std::int64_t n, std::int64_t k,
              Matrix<const Bfloat16> a, Matrix<const Bfloat16> b, float beta, Matrix<float> c) {
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

void multiply(Take take_a, Take take_b, std::int64_t m, std::int64_t n, std::int64_t k,
              Matrix<const float> a, Matrix<const float> b, float beta, Matrix<float> c) {
  const dnnl_status_t status = dnnl_sgemm(letter(take_a), letter(take_b), m, n, k, 1.0F, a.data,
                                          a.stride, b.data, b.stride, beta, c.data, c.stride);
  require(status == dnnl_success, ErrorKind::internal,
          "oneDNN refuses a product of [{}, {}] and [{}, {}] with status {}", m, k, k, n,
          static_cast<int>(status));
}

bool has_bfloat16() {
  const auto instructions = static_cast<unsigned>(dnnl::get_effective_cpu_isa());
  const auto needed = static_cast<unsigned>(dnnl::cpu_isa::avx512_core_bf16);
  return (instructions & needed) == needed;
}

void limit_instructions(Vectors longest) {
  dnnl_cpu_isa_t most = dnnl_cpu_isa_all;
  if (longest == Vectors::of_256) most = dnnl_cpu_isa_avx2;
  if (longest == Vectors::of_128) most = dnnl_cpu_isa_sse41;
  // It refuses after its first product, when nothing more can be changed.
  dnnl_set_max_cpu_isa(most);
}

}  // namespace afterspike::kernels::library
