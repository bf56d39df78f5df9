#pragma once

#include <cstdint>
#include <vector>

#include "afterspike/kernels/gemm.hpp"

/// The matrix products of a pass without the rest of it: the time that no exact gradient by these
/// products can fall below.
namespace afterspike::kernels {

/// A matrix product as a kernel computed it, in the words of gemm().
struct Product {
  enum class Kind {
    float32,
    bfloat16,
    few_rows,  ///< float32, of few rows, by a function made for them; everything `plain`.
  };

  Kind kind;
  Take take_a, take_b;
  std::int64_t m, n, k;
  std::int64_t stride_a, stride_b, stride_c;
  bool add;  ///< beta is 1.

  bool operator==(const Product&) const = default;
};

/// Notes the products in single precision that kernels compute on the calling thread while it
/// lives, in their order. One at a time on a thread. ElmKernel notes its products when it was made
/// under the log.
class ProductLog {
 public:
  ProductLog() noexcept;
  ~ProductLog();
  ProductLog(const ProductLog&) = delete;
  ProductLog& operator=(const ProductLog&) = delete;

  const std::vector<Product>& products() const noexcept { return products_; }

 private:
  std::vector<Product> products_;
};

/// Computes products one after the other, on numbers of its own that stay in the cache as far as
/// they fit: no data are moved but those of the products.
class ProductReplay {
 public:
  explicit ProductReplay(const std::vector<Product>& products);

  /// All of them, on the calling thread.
  void run();

  /// The last result of run(), as far as it is written; for tests.
  const float* result() const noexcept { return aligned(c_); }

 private:
  static float* aligned(const std::vector<float>& storage) noexcept;

  std::vector<Product> products_;
  std::vector<float> a_, b_, c_;
  std::vector<Bfloat16> half_a_, half_b_;
};

}  // namespace afterspike::kernels
