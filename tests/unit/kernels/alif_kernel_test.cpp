// The kernel of adaptive LIF neurons against a plain loop over the equations in alif.hpp and
// against central differences of it.

#include "afterspike/kernels/alif.hpp"

#include <gtest/gtest.h>

#include "afterspike/kernels/gemm.hpp"
#include "alif_example.hpp"

namespace afterspike::kernels {
namespace {

TEST(AlifKernel, AgreesWithTheEquationsAndTheirDifferences) {
  for (const std::int64_t delay : {1, 2, 3, 7, 20}) {
    AlifExample e =
        alif_example({.steps = 7, .rows = 2, .inputs = 2, .neurons = 5, .delay = delay});
    expect_agreement(e, "delay " + std::to_string(delay));
    add_masks(e);
    expect_agreement(e, "masked, delay " + std::to_string(delay));
    e.first = 4;
    expect_agreement(e, "from step 4, delay " + std::to_string(delay));
  }
}

TEST(AlifKernel, TakesAnyShape) {
  expect_agreement(alif_example({.steps = 1, .rows = 1, .inputs = 1, .neurons = 1}), "one of each");
  expect_agreement(alif_example({.steps = 3, .rows = 3, .inputs = 5, .neurons = 17}),
                   "one neuron more than a vector");
  AlifExample e = alif_example({.steps = 6, .rows = 3, .inputs = 34, .neurons = 5});
  make_sparse(e.values.at("input"));
  expect_agreement(e, "sparse inputs", 3);
}

/// Long enough for several chunks of steps.
TEST(AlifKernel, ComputesSegmentsAgainToTheSameBits) {
  for (const std::int64_t delay : {1, 3, 64, 70, 400}) {
    for (const bool masked : {false, true}) {
      AlifExample e =
          alif_example({.steps = 210, .rows = 2, .inputs = 2, .neurons = 9, .delay = delay});
      if (masked) add_masks(e);
      e.first = 170;
      expect_agreement(e, "several chunks, delay " + std::to_string(delay), 11, 5e-6);
      const Outcome whole = run<double>(e);
      for (const std::int64_t segment : {1, 64, 100, 200, 1000}) {
        const Outcome parts = run<double>(e, {true, segment});
        EXPECT_EQ(parts.emitted, whole.emitted) << segment;
        EXPECT_EQ(parts.gradients, whole.gradients) << segment;
      }
    }
  }
}

TEST(AlifKernel, OfEveryInstructionSetAgrees) {
  AlifExample e = alif_example({.steps = 12, .rows = 11, .inputs = 2, .neurons = 19, .delay = 3});
  for (const bool masked : {false, true}) {
    if (masked) add_masks(e);
    expect_every_target_agrees(e, {1e-13, 1e-12, 2e-6, 3e-5});
  }
}

TEST(AlifKernel, WithProductsInBfloat16IsCloseToSinglePrecision) {
  if (!has_bfloat16()) GTEST_SKIP() << "this processor does not multiply bfloat16";
  const AlifExample e =
      alif_example({.steps = 40, .rows = 5, .inputs = 3, .neurons = 21, .delay = 2});
  const Outcome exact = run<double>(e);
  const Outcome rounded = run<float>(e, History::whole(), Precision::bfloat16);
  EXPECT_LT(distance(rounded.emitted, exact.emitted), 4e-3);
  EXPECT_GT(distance(rounded.emitted, exact.emitted), 1e-5) << "nothing was rounded";
  for (const auto& [name, gradient] : exact.gradients) {
    EXPECT_LT(distance(rounded.gradients.at(name), gradient), 2e-2) << name;
  }
}

}  // namespace
}  // namespace afterspike::kernels
