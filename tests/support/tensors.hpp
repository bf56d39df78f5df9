#pragma once

#include <cmath>
#include <cstdint>
#include <limits>
#include <map>
#include <string>
#include <vector>

#include <ATen/ATen.h>
#include <gtest/gtest.h>

#include "afterspike/base/rng.hpp"

namespace afterspike::testing {

/// Returns max |found - expected| / max |expected|. If `expected` is all zero: 0 if `found` is too,
/// else infinite. Also infinite for another shape or values that are not finite.
inline double relative_error(const at::Tensor& found, const at::Tensor& expected) {
  constexpr double kInfinite = std::numeric_limits<double>::infinity();
  if (!found.defined() || !expected.defined() || found.sizes() != expected.sizes()) {
    return kInfinite;
  }
  if (expected.numel() == 0) return 0;
  const at::Tensor a = found.detach().to(at::kDouble);
  const at::Tensor b = expected.detach().to(at::kDouble);
  const double distance = (a - b).abs().max().item<double>();
  if (distance == 0) return 0;
  const double error = distance / b.abs().max().item<double>();
  return std::isnan(error) ? kInfinite : error;
}

/// Expects the same shape and values, up to a relative error.
inline void expect_close(const at::Tensor& found, const at::Tensor& expected, double tolerance,
                         const std::string& what) {
  if (found.defined() && expected.defined() && found.sizes() != expected.sizes()) {
    ADD_FAILURE() << what << ": found shape " << found.sizes() << ", expected " << expected.sizes();
    return;
  }
  EXPECT_LE(relative_error(found, expected), tolerance) << what;
}

/// Expects the same type, shape and bits.
inline void expect_same(const at::Tensor& found, const at::Tensor& expected,
                        const std::string& what) {
  EXPECT_TRUE(found.scalar_type() == expected.scalar_type() && at::equal(found, expected)) << what;
}

/// Uniform in [low, high), in double precision.
inline at::Tensor uniform_tensor(const std::vector<std::int64_t>& shape, Rng rng, double low = -1,
                                 double high = 1) {
  at::Tensor values = at::empty(shape, at::kDouble);
  for (std::int64_t i = 0; i < values.numel(); ++i) {
    values.data_ptr<double>()[i] = rng.uniform(low, high);
  }
  return values;
}

}  // namespace afterspike::testing
