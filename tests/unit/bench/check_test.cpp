#include "bench/check.hpp"

#include <cmath>
#include <functional>

#include <ATen/ATen.h>
#include <gtest/gtest.h>

#include "support/expect_error.hpp"

namespace afterspike::bench {
namespace {

Answer right() {
  return {2, {"layers.0.weight", "layers.0.bias"}, {at::ones({3, 4}), at::zeros({4})}};
}

TEST(RequireSame, TakesWhatIsTheSameUpToRounding) {
  Answer close = right();
  close.loss += 1e-6;
  close.gradients[0] = close.gradients[0] + 1e-6;
  EXPECT_NO_THROW(require_same(close, right(), 1e-4));
  Answer undefined = right();
  undefined.gradients[1] = at::Tensor();
  EXPECT_NO_THROW(require_same(undefined, undefined, 0));
}

TEST(RequireSame, RefusesWrongAnswersByName) {
  struct Case {
    const char* message;
    std::function<void(Answer&)> spoil;
  };
  const Case cases[] = {
      {"the loss differs by 0.5 of its size, expected at most 0.001",
       [](Answer& a) { a.loss = 3; }},
      {"the loss", [](Answer& a) { a.loss = std::nan(""); }},
      {"the gradient of 'layers.0.weight' differs by 0.01",
       [](Answer& a) { a.gradients[0] = a.gradients[0] * 1.01; }},
      {"the gradient of 'layers.0.weight'", [](Answer& a) { a.gradients[0][1][2] = -1; }},
      {"the gradient of 'layers.0.weight'", [](Answer& a) { a.gradients[0][0][0] = std::nan(""); }},
      {"the gradient of 'layers.0.bias'", [](Answer& a) { a.gradients[1][0] = 1e-9; }},
      {"only one gives the gradient of 'layers.0.bias'",
       [](Answer& a) { a.gradients[1] = at::Tensor(); }},
      {"other parameters", [](Answer& a) { a.names[1] = "layers.0.threshold"; }},
  };
  for (const Case& one : cases) {
    Answer wrong = right();
    one.spoil(wrong);
    testing::expect_error(ErrorKind::internal, {one.message, "nothing was timed"},
                          [&] { require_same(wrong, right(), 1e-3); });
  }
}

}  // namespace
}  // namespace afterspike::bench
