#include "afterspike/kernels/gemm.hpp"

#include <array>
#include <bit>
#include <cmath>
#include <cstdlib>
#include <string>
#include <vector>

#include <gtest/gtest.h>

#include "afterspike/base/blas.hpp"
#include "afterspike/base/rng.hpp"

namespace afterspike::kernels {
namespace {

template <typename T>
std::vector<T> drawn(std::int64_t size, Rng rng) {
  std::vector<T> values(static_cast<std::size_t>(size));
  for (T& value : values) value = static_cast<T>(rng.uniform(-1, 1));
  return values;
}

/// Compares with sums in double precision, element by element; rows lie further apart than they are
/// long, and what is between them must stay.
template <typename T>
void check(Take take_a, Take take_b, std::int64_t m, std::int64_t n, std::int64_t k, T beta) {
  const std::int64_t rows_a = take_a == Take::plain ? m : k,
                     columns_a = take_a == Take::plain ? k : m;
  const std::int64_t rows_b = take_b == Take::plain ? k : n,
                     columns_b = take_b == Take::plain ? n : k;
  const std::int64_t stride_a = columns_a + 3, stride_b = columns_b + 1, stride_c = n + 5;
  const auto a = drawn<T>(rows_a * stride_a, Rng(1)), b = drawn<T>(rows_b * stride_b, Rng(2));
  const auto before = drawn<T>(m * stride_c, Rng(3));
  std::vector<T> c = before;
  const GemmScope scope;
  gemm<T>(take_a, take_b, m, n, k, {a.data(), stride_a}, {b.data(), stride_b}, beta,
          {c.data(), stride_c});
  const auto at = [](const std::vector<T>& values, std::int64_t index) {
    return static_cast<double>(values[static_cast<std::size_t>(index)]);
  };
  const double allowed = (sizeof(T) == 4 ? 1e-6 : 1e-15) * static_cast<double>(k + 1);
  for (std::int64_t row = 0; row < m; ++row) {
    for (std::int64_t column = 0; column < stride_c; ++column) {
      const std::int64_t place = row * stride_c + column;
      if (column >= n) {
        EXPECT_EQ(at(c, place), at(before, place)) << "between rows";
        continue;
      }
      double sum = static_cast<double>(beta) * at(before, place);
      for (std::int64_t i = 0; i < k; ++i) {
        sum += at(a, take_a == Take::plain ? row * stride_a + i : i * stride_a + row) *
               at(b, take_b == Take::plain ? i * stride_b + column : column * stride_b + i);
      }
      ASSERT_NEAR(at(c, place), sum, allowed) << m << " " << n << " " << k;
    }
  }
}

template <typename T>
class Gemm : public ::testing::Test {};
using Scalars = ::testing::Types<float, double>;
TYPED_TEST_SUITE(Gemm, Scalars);

TYPED_TEST(Gemm, IsTheProductOfAnyShapeTakenEitherWay) {
  for (const Take take_a : {Take::plain, Take::transposed}) {
    for (const Take take_b : {Take::plain, Take::transposed}) {
      for (const TypeParam beta : {TypeParam(0), TypeParam(1)}) {
        check<TypeParam>(take_a, take_b, 1, 1, 1, beta);
        check<TypeParam>(take_a, take_b, 5, 7, 3, beta);
        check<TypeParam>(take_a, take_b, 32, 17, 40, beta);
        check<TypeParam>(take_a, take_b, 1, 64, 33, beta);
      }
    }
  }
}

/// Products are right after OpenBLAS has chosen again, which it does once.
TEST(Gemm, GoesOnWhereOpenblasWasToldOfTheProcessor) {
  const auto product = [] {
    check<double>(Take::plain, Take::transposed, 65, 33, 140, 1.0);
    check<double>(Take::transposed, Take::plain, 7, 100, 31, 0.0);
  };
  product();
  const std::string before = openblas_core();
  const bool told = std::getenv("OPENBLAS_CORETYPE") != nullptr;
  const bool again = use_better_openblas_core();
  product();
  EXPECT_EQ(openblas_core() != before, again) << before << ", then " << openblas_core();
  EXPECT_FALSE(use_better_openblas_core());
  EXPECT_EQ(std::getenv("OPENBLAS_CORETYPE") != nullptr, told) << "set meanwhile only";
}

/// Small whole numbers are exact in bfloat16, and so are their sums in float32.
TEST(GemmInBfloat16, IsExactForWholeNumbers) {
  const GemmScope scope;
  if (!has_bfloat16()) GTEST_SKIP() << "this processor does not multiply bfloat16";
  const auto half = [](const std::vector<float>& values) {
    std::vector<Bfloat16> result;
    for (const float value : values) {
      result.push_back(static_cast<Bfloat16>(std::bit_cast<std::uint32_t>(value) >> 16));
    }
    return result;
  };
  Rng rng(4);
  const auto whole = [&](std::int64_t size) {
    std::vector<float> values(static_cast<std::size_t>(size));
    for (float& value : values) value = static_cast<float>(rng.below(17)) - 8;
    return values;
  };
  for (const auto& [m, n, k] : std::vector<std::array<std::int64_t, 3>>{
           {1, 1, 1}, {5, 7, 3}, {32, 128, 128}, {33, 48, 19}, {16, 64, 252}}) {
    for (const Take take_a : {Take::plain, Take::transposed}) {
      for (const float beta : {0.0F, 1.0F}) {
        const std::int64_t rows = take_a == Take::plain ? m : k;
        const std::int64_t stride = (take_a == Take::plain ? k : m) + 16;
        const std::vector<float> a = whole(rows * stride), b = whole(k * (n + 16));
        const std::vector<float> before = whole(m * (n + 2));
        std::vector<float> c = before, expected = before;
        const auto a_half = half(a), b_half = half(b);
        gemm(take_a, Take::plain, m, n, k, {a_half.data(), stride}, {b_half.data(), n + 16}, beta,
             {c.data(), n + 2});
        gemm<float>(take_a, Take::plain, m, n, k, {a.data(), stride}, {b.data(), n + 16}, beta,
                    {expected.data(), n + 2});
        EXPECT_EQ(c, expected) << m << " " << n << " " << k;
      }
    }
  }
}

TYPED_TEST(Gemm, DoesNotReadWhatItReplaces) {
  const GemmScope scope;
  const std::vector<TypeParam> a = {2}, b = {3};
  std::vector<TypeParam> c = {std::nan("")};
  gemm<TypeParam>(Take::plain, Take::plain, 1, 1, 1, {a.data(), 1}, {b.data(), 1}, TypeParam(0),
                  {c.data(), 1});
  EXPECT_EQ(c[0], 6);
  gemm<TypeParam>(Take::plain, Take::plain, 0, 1, 1, {a.data(), 1}, {b.data(), 1}, TypeParam(0),
                  {c.data(), 1});
  EXPECT_EQ(c[0], 6) << "nothing to do";
}

}  // namespace
}  // namespace afterspike::kernels
