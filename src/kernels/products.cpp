#include "afterspike/kernels/products.hpp"

#include <algorithm>
#include <cstddef>

#include "product_log.hpp"
#include "rows.hpp"

namespace afterspike::kernels {
namespace {

thread_local std::vector<Product>* log_of_thread = nullptr;

/// Elements of a matrix of so many rows and columns, or of its transpose, in memory.
std::int64_t elements(Take take, std::int64_t rows, std::int64_t columns, std::int64_t stride) {
  return (take == Take::plain ? rows : columns) * stride;
}

constexpr std::size_t kLineElements = 64 / sizeof(float);

/// Values that are neither denormal nor, added up many times, infinite.
constexpr float kValue = 1.0F / 64;
constexpr Bfloat16 kHalfValue = 0x3c80;  // The same.

}  // namespace

bool products_are_logged() noexcept {
  return log_of_thread != nullptr;
}

void log_product(const Product& product) {
  if (log_of_thread != nullptr) log_of_thread->push_back(product);
}

ProductLog::ProductLog() noexcept {
  log_of_thread = &products_;
}

ProductLog::~ProductLog() {
  log_of_thread = nullptr;
}

ProductReplay::ProductReplay(const std::vector<Product>& products) : products_(products) {
  std::size_t a = 0, b = 0, c = 0;
  bool halves = false;
  for (const Product& product : products_) {
    const auto larger = [](std::size_t& size, std::int64_t count) {
      size = std::max(size, static_cast<std::size_t>(count));
    };
    larger(a, elements(product.take_a, product.m, product.k, product.stride_a));
    larger(b, elements(product.take_b, product.k, product.n, product.stride_b));
    larger(c, product.m * product.stride_c);
    halves = halves || product.kind == Product::Kind::bfloat16;
  }
  a_.assign(a + kLineElements, kValue);
  b_.assign(b + kLineElements, kValue);
  c_.assign(c + kLineElements, kValue);
  if (!halves) return;
  half_a_.assign(a, kHalfValue);
  half_b_.assign(b, kHalfValue);
}

float* ProductReplay::aligned(const std::vector<float>& storage) noexcept {
  const auto address = reinterpret_cast<std::uintptr_t>(storage.data());
  return reinterpret_cast<float*>((address + 63) / 64 * 64);
}

void ProductReplay::run() {
  const GemmScope scope;
  const Rows<float>& row = rows<float>();
  float *a = aligned(a_), *b = aligned(b_), *c = aligned(c_);
  for (const Product& p : products_) {
    const float beta = p.add ? 1.0F : 0.0F;
    switch (p.kind) {
      case Product::Kind::float32:
        gemm<float>(p.take_a, p.take_b, p.m, p.n, p.k, {a, p.stride_a}, {b, p.stride_b}, beta,
                    {c, p.stride_c});
        break;
      case Product::Kind::bfloat16:
        gemm(p.take_a, p.take_b, p.m, p.n, p.k, {half_a_.data(), p.stride_a},
             {half_b_.data(), p.stride_b}, beta, {c, p.stride_c});
        break;
      case Product::Kind::few_rows:
        row.multiply(p.m, p.k, p.n, a, p.stride_a, b, p.add ? Into::added : Into::replaced, c);
        break;
    }
  }
}

}  // namespace afterspike::kernels
