#include "afterspike/base/denormals.hpp"

#include <cmath>
#include <limits>

#include <gtest/gtest.h>

namespace afterspike {
namespace {

float half_of_least_normal() {
  volatile float value = std::numeric_limits<float>::min();
  return value * 0.5F;
}

TEST(DenormalsFlushed, HoldsWhileItLives) {
#if !defined(__SSE__) && !defined(__aarch64__)
  GTEST_SKIP() << "this processor's way is not known";
#endif
  const float before = half_of_least_normal();
  EXPECT_EQ(std::fpclassify(before), FP_SUBNORMAL);
  {
    const DenormalsFlushed flushed;
    EXPECT_EQ(half_of_least_normal(), 0) << "as a result";
    volatile float operand = before;
    EXPECT_EQ(operand * 0x1p120F, 0) << "as an operand";
    {
      const DenormalsFlushed again;
      EXPECT_EQ(half_of_least_normal(), 0);
    }
    EXPECT_EQ(half_of_least_normal(), 0) << "the inner one ended";
  }
  EXPECT_EQ(half_of_least_normal(), before) << "as it was";
}

}  // namespace
}  // namespace afterspike
