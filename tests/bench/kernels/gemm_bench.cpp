// How fast are the products of the kernels, at the shapes in which they occur?

#include <vector>

#include "afterspike/kernels/gemm.hpp"
#include "numbers.hpp"

namespace afterspike::kernels {
namespace {

using testing::Numbers;

/// One number of the result, the slow way.
double element(const Numbers& a, const Numbers& b, bool transposed, std::int64_t m, std::int64_t n,
               std::int64_t k, std::int64_t at) {
  double sum = 0;
  for (std::int64_t i = 0; i < k; ++i) {
    const std::int64_t row = at / n;
    sum += static_cast<double>(transposed ? a[i * m + row] : a[row * k + i]) * b[i * n + at % n];
  }
  return sum;
}

void count(benchmark::State& state) {
  state.counters["FLOP/s"] = benchmark::Counter(
      2.0 * static_cast<double>(state.range(0) * state.range(1) * state.range(2)),
      benchmark::Counter::kIsIterationInvariantRate);
}

void Gemm(benchmark::State& state) {
  const std::int64_t m = state.range(0), n = state.range(1), k = state.range(2);
  const bool transposed = state.range(3) != 0;
  const Numbers a(m * k, "a", -1, 1), b(k * n, "b", -1, 1);
  Numbers c(m * n);
  const auto product = [&] {
    gemm<float>(transposed ? Take::transposed : Take::plain, Take::plain, m, n, k,
                {a.data(), transposed ? m : k}, {b.data(), n}, 0.0F, {c.data(), n});
  };
  product();
  const auto expected = [&](std::int64_t i) { return element(a, b, transposed, m, n, k, i); };
  if (!testing::same(state, c, expected)) return;
  for (auto _ : state) product();
  count(state);
}

void GemmBfloat16(benchmark::State& state) {
  if (!has_bfloat16()) {
    for (auto _ : state) continue;
    state.SetLabel("skipped: no products of bfloat16 with these instructions");
    return;
  }
  const std::int64_t m = state.range(0), n = state.range(1), k = state.range(2);
  // 1 as bfloat16: sums of it are exact.
  const std::vector<Bfloat16> a(static_cast<std::size_t>(m * k), 0x3f80),
      b(static_cast<std::size_t>(k * n), 0x3f80);
  Numbers c(m * n);
  const auto product = [&] {
    gemm(Take::plain, Take::plain, m, n, k, {a.data(), k}, {b.data(), n}, 0.0F, {c.data(), n});
  };
  product();
  const auto expected = [&](std::int64_t) { return static_cast<double>(k); };
  if (!testing::same(state, c, expected, 0)) return;
  for (auto _ : state) product();
  count(state);
}

/// Rows of a shard, one step; a block of steps; gradients of weights.
void shapes(benchmark::internal::Benchmark* benchmark) {
  benchmark->ArgNames({"m", "n", "k", "transposed"});
  benchmark->Args({32, 128, 128, 0})->Args({32, 256, 256, 0})->Args({384, 252, 252, 0});
  benchmark->Args({128, 128, 512, 1})->Args({252, 256, 384, 1})->Args({200, 112, 256, 1});
}
BENCHMARK(Gemm)->Apply(shapes);
BENCHMARK(GemmBfloat16)->ArgNames({"m", "n", "k"})->Args({32, 256, 256})->Args({384, 252, 252});

}  // namespace
}  // namespace afterspike::kernels
