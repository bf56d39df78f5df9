#pragma once

#include <string>

#include <ATen/core/Tensor.h>

namespace afterspike::nn {

/// Transform of a trained ("raw") tensor to a physical quantity. The only place where a sigmoid or
/// a logarithm of a parameter is taken.
///
///   identity            p = x
///   scaled(s)           p = s x
///   scaled_by(f, n)     p = f q x, q the physical value of parameter n
///   bounded(a, b)       p = a + (b - a) sigmoid(x), strictly between a and b (b < a: decreasing)
///   bounded_by(a, f, n) the same with b = min(1, f q), q the physical value of parameter n
///   below(a, n)         p = a + (q - a) sigmoid(x), q the physical value of parameter n: between
///                       a and q
///   log_bounded(a, b)   p = a (b / a)^sigmoid(x), strictly between a and b, both above 0
///   rectified           p = max(0, x); the gradient is 0 where x <= 0
class Transform {
 public:
  static Transform identity() { return {}; }
  static Transform scaled(double factor);
  static Transform scaled_by(double factor, std::string limit);
  static Transform bounded(double from, double to);
  static Transform bounded_by(double from, double factor, std::string limit);
  static Transform below(double from, std::string limit);
  static Transform log_bounded(double from, double to);
  static Transform rectified();

  /// Returns physical values of `raw`, any shape. `limit` holds the physical values of the
  /// parameter called limit_name() and is given if and only if that is not empty. Differentiable in
  /// both.
  at::Tensor to_physical(const at::Tensor& raw, const at::Tensor& limit = {}) const;

  /// Returns the inverse of to_physical(). Throws Error(config) that names a value outside the open
  /// interval of a bounded transform, or below 0 for a rectified one.
  at::Tensor to_raw(const at::Tensor& physical, const at::Tensor& limit = {}) const;

  /// Returns the name of the parameter that bounds or scales this one; empty if none does.
  const std::string& limit_name() const noexcept { return limit_; }

  /// Returns "bounded(0, 20)", as above, for manifests; equal texts are equal transforms.
  std::string text() const;

 private:
  enum class Kind {
    identity,
    scaled,
    scaled_by,
    bounded,
    bounded_by,
    below,
    log_bounded,
    rectified
  };

  /// Returns the limit of the sigmoid for large raw values, as a tensor like `like`.
  at::Tensor upper(const at::Tensor& like, const at::Tensor& limit) const;

  const at::Tensor& given(const at::Tensor& limit) const;

  Kind kind_ = Kind::identity;
  double from_ = 0;
  double to_ = 1;
  double factor_ = 1;
  std::string limit_;
};

}  // namespace afterspike::nn
