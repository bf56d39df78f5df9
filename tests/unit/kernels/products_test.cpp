#include "afterspike/kernels/products.hpp"

#include <vector>

#include <gtest/gtest.h>

#include "kernels/rows.hpp"

namespace afterspike::kernels {
namespace {

constexpr std::int64_t kM = 3, kN = 16, kK = 5;

void multiply(Take take_b, float beta) {
  const std::vector<float> a(kM * kK), b(kK * kN);
  std::vector<float> c(kM * kN);
  const GemmScope scope;
  gemm<float>(Take::plain, take_b, kM, kN, kK, {a.data(), kK},
              {b.data(), take_b == Take::plain ? kN : kK}, beta, {c.data(), kN});
}

TEST(ProductLog, NotesProductsInTheirOrderWhileItLives) {
  multiply(Take::plain, 0);
  std::vector<Product> products;
  {
    const ProductLog log;
    multiply(Take::plain, 0);
    multiply(Take::transposed, 1);
    products = log.products();
  }
  multiply(Take::plain, 0);
  const auto kind = Product::Kind::float32;
  EXPECT_EQ(products, (std::vector<Product>{
                          {kind, Take::plain, Take::plain, kM, kN, kK, kK, kN, kN, false},
                          {kind, Take::plain, Take::transposed, kM, kN, kK, kK, kK, kN, true}}));
}

TEST(ProductLog, NotesProductsOfFewRowsAndLeavesTheirResultsAlone) {
  alignas(64) float a[kM * kK], b[kK * kN], plain[kM * kN], logged[kM * kN];
  for (int i = 0; i < kM * kK; ++i) a[i] = static_cast<float>(i % 7) - 3;
  for (int i = 0; i < kK * kN; ++i) b[i] = static_cast<float>(i % 5) - 2;
  rows<float>().multiply(kM, kK, kN, a, kK, b, Into::replaced, plain);
  const ProductLog log;
  rows<float>().multiply(kM, kK, kN, a, kK, b, Into::replaced, logged);
  EXPECT_EQ(log.products(), (std::vector<Product>{{Product::Kind::few_rows, Take::plain,
                                                   Take::plain, kM, kN, kK, kK, kN, kN, false}}));
  for (int i = 0; i < kM * kN; ++i) EXPECT_EQ(logged[i], plain[i]) << i;
}

/// Factors of a replay are all 1/64, and so is what results are added to at first.
void expect_replayed(Product::Kind kind) {
  const Product product{kind, Take::plain, Take::plain, kM, kN, kK, kK, kN, kN, false};
  Product added = product;
  added.add = true;
  ProductReplay replay({product, added, added});
  for (int run = 0; run < 2; ++run) {
    replay.run();
    for (int i = 0; i < kM * kN; ++i) EXPECT_EQ(replay.result()[i], 3.0F * kK / 4096) << i;
  }
}

TEST(ProductReplay, ComputesEveryProduct) {
  expect_replayed(Product::Kind::float32);
  expect_replayed(Product::Kind::few_rows);
}

TEST(ProductReplay, ComputesThoseInBfloat16) {
  if (!has_bfloat16()) GTEST_SKIP() << "this processor does not multiply bfloat16";
  expect_replayed(Product::Kind::bfloat16);
}

}  // namespace
}  // namespace afterspike::kernels
