// The kernel against a plain loop over the equations in glifr.hpp and against central differences
// of it. Gradients of composed operations and of the authors' code:
// tests/unit/nn/glifr_engine_test.cpp.

#include "afterspike/kernels/glifr.hpp"

#include <sys/time.h>

#include <bit>
#include <cmath>
#include <csignal>
#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include <gtest/gtest.h>

#include "afterspike/base/rng.hpp"
#include "afterspike/kernels/gemm.hpp"
#include "glifr_example.hpp"
#include "kernels/recurrence.hpp"
#include "support/expect_error.hpp"

namespace afterspike::kernels {
namespace {

TEST(GlifrKernel, AgreesWithTheEquationsAndTheirDifferences) {
  for (const std::int64_t delay : {1, 2, 3, 7, 20}) {
    expect_agreement(
        glifr_example(
            {.steps = 7, .rows = 2, .inputs = 2, .neurons = 5, .currents = 2, .delay = delay}),
        "delay " + std::to_string(delay));
  }
  for (const std::int64_t currents : {0, 1, 3, 5}) {
    expect_agreement(
        glifr_example(
            {.steps = 6, .rows = 2, .inputs = 1, .neurons = 4, .currents = currents, .delay = 1}),
        "currents " + std::to_string(currents));
  }
}

TEST(GlifrKernel, TakesAnyShape) {
  expect_agreement(glifr_example({.steps = 1, .rows = 1, .inputs = 1, .neurons = 1, .currents = 1}),
                   "one of each");
  expect_agreement(
      glifr_example({.steps = 3, .rows = 3, .inputs = 5, .neurons = 17, .currents = 1}),
      "one neuron more than a vector");
  expect_agreement(
      glifr_example({.steps = 3, .rows = 1, .inputs = 1, .neurons = 16, .currents = 2}),
      "a vector");
}

/// Gathered where few inputs are not zero, multiplied where many are: in segments, too.
TEST(GlifrKernel, GathersSparseInputs) {
  for (const std::int64_t delay : {1, 3}) {
    GlifrExample e = glifr_example(
        {.steps = 90, .rows = 2, .inputs = 34, .neurons = 5, .currents = 2, .delay = delay});
    make_sparse(e.values.at("input"));
    expect_agreement(e, "sparse", 7, 2e-6);
    const Outcome whole = run<double>(e), parts = run<double>(e, {true, 20});
    EXPECT_EQ(parts.emitted, whole.emitted);
    EXPECT_EQ(parts.gradients, whole.gradients);
  }
}

/// More rows than go through time together, and more than one step between two products.
TEST(GlifrKernel, TakesManyRowsThroughManySteps) {
  GlifrExample e = glifr_example(
      {.steps = 30, .rows = 19, .inputs = 2, .neurons = 18, .currents = 2, .delay = 7});
  expect_agreement(e, "no masks", 23, 1e-6);
  add_masks(e);
  e.emitted.clear();
  expect_agreement(e, "masks that are the same at every step, and of what arrives", 23, 1e-6);
}

TEST(GlifrKernel, KnowsEmissionResetAndBias) {
  GlifrExample e =
      glifr_example({.steps = 6, .rows = 2, .inputs = 2, .neurons = 4, .currents = 2, .delay = 2});
  e.emission = 0.4;
  e.reset = -0.7;
  e.bias = 0.3;
  expect_agreement(e, "all three");
}

TEST(GlifrKernel, MasksWhatIsEmittedAndWhatArrives) {
  for (const std::int64_t delay : {1, 3}) {
    GlifrExample e = glifr_example(
        {.steps = 7, .rows = 2, .inputs = 2, .neurons = 7, .currents = 2, .delay = delay});
    add_masks(e);
    expect_agreement(e, "all masks");
    GlifrExample silenced = e;
    silenced.emitted.clear();
    silenced.recurrent.clear();
    expect_agreement(silenced, "silenced neurons");
    for (std::int64_t i = 0; i < e.shape.steps * e.shape.rows; ++i) {
      EXPECT_EQ(run<double>(silenced).emitted[static_cast<std::size_t>(i * 7)], 0);
    }
  }
}

TEST(GlifrKernel, GivesTheStepsThatAreAskedFor) {
  for (const std::int64_t delay : {1, 2, 9}) {
    for (const std::int64_t first : {1, 4, 6}) {
      GlifrExample e = glifr_example(
          {.steps = 7, .rows = 2, .inputs = 1, .neurons = 3, .currents = 1, .delay = delay});
      e.first = first;
      expect_agreement(e, "from step " + std::to_string(first));
    }
  }
}

/// Long enough for several chunks of steps, so that all that is kept at their ends is used.
TEST(GlifrKernel, GoesOnFromChunkToChunk) {
  for (const std::int64_t delay : {1, 50, 64, 65, 130}) {
    GlifrExample e = glifr_example(
        {.steps = 200, .rows = 2, .inputs = 1, .neurons = 3, .currents = 2, .delay = delay});
    for (double& weight : e.values.at("recurrent_weight")) weight *= 2;
    e.first = 150;
    expect_agreement(e, "delay " + std::to_string(delay), 5, 1e-6);
    add_masks(e);
    e.emitted.clear();
    expect_agreement(e, "masked, delay " + std::to_string(delay), 5, 1e-6);
  }
}

TEST(GlifrKernel, ComputesSegmentsAgainToTheSameBits) {
  for (const std::int64_t delay : {1, 3, 60, 64, 70, 400}) {
    for (const bool masked : {false, true}) {
      // Rows of four cache lines, which lie five apart.
      GlifrExample e = glifr_example(
          {.steps = 333, .rows = 2, .inputs = 2, .neurons = 26, .currents = 2, .delay = delay});
      if (masked) add_masks(e);
      e.spikes = delay == 70;
      e.first = 170;
      const Outcome whole = run<double>(e);
      for (const std::int64_t segment : {1, 64, 100, 128, 200, 320, 332, 333, 1000}) {
        SCOPED_TRACE(::testing::Message() << "delay " << delay << ", segment " << segment);
        const Outcome parts = run<double>(e, {true, segment});
        EXPECT_EQ(parts.emitted, whole.emitted);
        EXPECT_EQ(parts.gradients, whole.gradients);
      }
    }
  }
}

TEST(GlifrKernel, KeepsWithinALimitWhereItCan) {
  const GlifrShape shape{
      .steps = 784, .rows = 32, .inputs = 1, .neurons = 128, .currents = 2, .delay = 1};
  using Kernel = GlifrKernel<float>;
  const std::size_t whole = Kernel::workspace_bytes(shape, History::whole());
  EXPECT_EQ(Kernel::workspace_bytes(shape, Kernel::longest_history(shape, {}, whole)), whole);
  for (const double part : {0.9, 0.5, 0.3, 0.2}) {
    const auto limit = static_cast<std::size_t>(part * static_cast<double>(whole));
    const History history = Kernel::longest_history(shape, {}, limit);
    EXPECT_LE(Kernel::workspace_bytes(shape, history), limit) << part;
    EXPECT_LT(history.segment, shape.steps);
  }
  const History least = Kernel::longest_history(shape, {}, 0);
  EXPECT_LT(Kernel::workspace_bytes(shape, least), whole / 5);
  EXPECT_GT(Kernel::workspace_bytes(shape, least), 0U);
}

TEST(GlifrKernel, NeverTakesMoreInSegmentsThanWhole) {
  for (const std::int64_t delay : {1, 50, 390, 400, 500, 5000}) {
    const GlifrShape shape{
        .steps = 400, .rows = 4, .inputs = 1, .neurons = 32, .currents = 2, .delay = delay};
    using Kernel = GlifrKernel<float>;
    const std::size_t whole = Kernel::workspace_bytes(shape, History::whole());
    const History least = Kernel::longest_history(shape, {}, 0);
    EXPECT_LE(Kernel::workspace_bytes(shape, least), whole) << delay;
  }
}

/// Rows so wide that a chunk is a few steps, fewer than the delay.
TEST(GlifrKernel, ComputesNarrowChunksAgainToTheSameBits) {
  for (const std::int64_t delay : {1, 3, 11}) {
    GlifrExample e = glifr_example(
        {.steps = 23, .rows = 40, .inputs = 1, .neurons = 300, .currents = 2, .delay = delay});
    e.first = 20;
    const Outcome whole = run<double>(e);
    if (delay == 3) {
      EXPECT_LT(distance(whole.emitted, reference(e)), 1e-13);
    }
    for (const std::int64_t segment : {1, 4, 9}) {
      const Outcome again = run<double>(e, {true, segment});
      EXPECT_TRUE(again.emitted == whole.emitted) << delay;
      EXPECT_TRUE(again.gradients == whole.gradients) << delay;
    }
  }
}

TEST(GlifrKernel, RefusesMoreCurrentsThanItHasPlaceFor) {
  testing::expect_error(ErrorKind::config, {"found 65", "at most 64"}, [] {
    run<double>(glifr_example({.steps = 2, .rows = 1, .inputs = 1, .neurons = 2, .currents = 65}));
  });
}

TEST(GlifrKernel, InSinglePrecisionIsCloseToDouble) {
  GlifrExample e = glifr_example(
      {.steps = 40, .rows = 11, .inputs = 3, .neurons = 21, .currents = 2, .delay = 4});
  for (const bool masked : {false, true}) {
    if (masked) add_masks(e);
    const Outcome exact = run<double>(e), single = run<float>(e);
    EXPECT_LT(distance(single.emitted, exact.emitted), 2e-6);
    for (const auto& [name, gradient] : exact.gradients) {
      EXPECT_LT(distance(single.gradients.at(name), gradient), 2e-5) << name;
    }
  }
}

TEST(GlifrKernel, WithProductsInBfloat16IsCloseToSinglePrecision) {
  if (!has_bfloat16()) GTEST_SKIP() << "this processor does not multiply bfloat16";
  for (const std::int64_t delay : {1, 4}) {
    GlifrExample e = glifr_example(
        {.steps = 40, .rows = 5, .inputs = 3, .neurons = 21, .currents = 2, .delay = delay});
    const Outcome exact = run<double>(e);
    const Outcome rounded = run<float>(e, History::whole(), Precision::bfloat16);
    // A factor is rounded by at most 2^-9 of itself.
    EXPECT_LT(distance(rounded.emitted, exact.emitted), 4e-3);
    EXPECT_GT(distance(rounded.emitted, exact.emitted), 1e-5) << "nothing was rounded";
    for (const auto& [name, gradient] : exact.gradients) {
      EXPECT_LT(distance(rounded.gradients.at(name), gradient), 2e-2) << name;
    }
    EXPECT_EQ(run<float>(e, {true, 1}, Precision::bfloat16).gradients, rounded.gradients);
    add_masks(e);
    EXPECT_LT(distance(run<float>(e, History::none(), Precision::bfloat16).emitted,
                       run<double>(e).emitted),
              8e-3);
  }
  testing::expect_error(ErrorKind::config, {"bfloat16", "single precision"}, [] {
    run<double>(glifr_example({.steps = 2, .rows = 1, .inputs = 1, .neurons = 2}), History::whole(),
                Precision::bfloat16);
  });
}

/// To the nearest, ties to even, and what is not a number stays so.
TEST(Bfloat16, IsRounded) {
  with_each_target([](const char* name) {
    SCOPED_TRACE(name);
    const auto rounded = [](std::uint32_t bits) {
      alignas(64) float values[16];
      alignas(64) std::uint16_t result[16];
      for (float& value : values) value = std::bit_cast<float>(bits);
      to_bfloat16(values, 16, result);
      for (const std::uint16_t other : result) EXPECT_EQ(other, result[0]);
      return result[0];
    };
    EXPECT_EQ(rounded(0x3F800000), 0x3F80) << "one";
    EXPECT_EQ(rounded(0x3F807FFF), 0x3F80) << "down";
    EXPECT_EQ(rounded(0x3F808000), 0x3F80) << "a tie, to even";
    EXPECT_EQ(rounded(0x3F808001), 0x3F81) << "up";
    EXPECT_EQ(rounded(0x3F818000), 0x3F82) << "a tie, to even";
    EXPECT_EQ(rounded(0xBF818000), 0xBF82) << "negative";
    EXPECT_EQ(rounded(0xFFFFFFFF), 0x7FC0) << "not a number";
    EXPECT_EQ(rounded(0x7F800000), 0x7F80) << "infinite";
    EXPECT_EQ(rounded(0x7F7FFFFF), 0x7F80) << "too large";
    EXPECT_EQ(rounded(0x80000000), 0x8000) << "minus zero";
  });
}

TEST(GlifrKernel, OfEveryInstructionSetAgrees) {
  GlifrExample e = glifr_example(
      {.steps = 12, .rows = 11, .inputs = 2, .neurons = 19, .currents = 2, .delay = 3});
  for (const bool masked : {false, true}) {
    if (masked) add_masks(e);
    expect_every_target_agrees(e, {1e-13, 1e-12, 2e-6, 2e-5});
  }
}

TEST(GlifrKernel, GivesTheSameBitsAgain) {
  GlifrExample e = glifr_example(
      {.steps = 30, .rows = 4, .inputs = 2, .neurons = 50, .currents = 2, .delay = 3});
  // A workspace that another shape has used leaves no trace: neither values nor padding.
  GlifrExample other =
      glifr_example({.steps = 29, .rows = 4, .inputs = 2, .neurons = 60, .currents = 2}, 2);
  for (double& weight : other.values.at("input_weight")) weight = std::nan("");
  const Outcome first = run<float>(e);
  for (int i = 0; i < 3; ++i) {
    EXPECT_TRUE(std::isnan(run<float>(other).emitted.back()));
    const Outcome again = run<float>(e);
    EXPECT_EQ(again.emitted, first.emitted);
    EXPECT_EQ(again.gradients, first.gradients);
  }
}

TEST(GlifrKernel, SaturatesWithoutOverflowAndPassesOnWhatIsNotANumber) {
  GlifrExample e = glifr_example({.steps = 1, .rows = 1, .inputs = 1, .neurons = 6, .currents = 0});
  e.values["input"] = {1};
  e.values["threshold"] = Values(6, 0.0);
  e.values["slope"] = Values(6, 1.0);
  const double huge = 1e30;
  e.values["input_weight"] = {huge, -huge, 1e3, -1e3, std::nan(""), 0};
  for (const bool single : {false, true}) {
    const Outcome found = single ? run<float>(e) : run<double>(e);
    EXPECT_EQ(found.emitted[0], 1);
    EXPECT_NEAR(found.emitted[1], 0, 1e-37);
    EXPECT_EQ(found.emitted[2], 1);
    EXPECT_NEAR(found.emitted[3], 0, 1e-37);
    EXPECT_TRUE(std::isnan(found.emitted[4]));
    EXPECT_EQ(found.emitted[5], 0.5);
    for (const int i : {0, 1, 2, 3}) {
      EXPECT_NEAR(found.gradients.at("threshold")[static_cast<std::size_t>(i)], 0, 1e-37);
    }
    EXPECT_TRUE(std::isnan(found.gradients.at("threshold")[4]));
  }
}

/// On the way back through a long sequence gradients fade; numbers that are not normal would make
/// every operation on them slow.
TEST(GlifrKernel, LetsFadingGradientsEndAtZero) {
  GlifrExample e =
      glifr_example({.steps = 400, .rows = 2, .inputs = 1, .neurons = 5, .currents = 2});
  e.values.at("recurrent_weight") = Values(25, 0.01);
  e.values.at("keep") = Values(5, 0.5);
  e.values.at("current_keep") = Values(10, 0.5);
  e.first = 399;
  const Values by_input = run<float>(e).gradients.at("input");
  EXPECT_EQ(by_input.front(), 0);
  EXPECT_NE(by_input.back(), 0);
  for (const double gradient : by_input) {
    EXPECT_NE(std::fpclassify(static_cast<float>(gradient)), FP_SUBNORMAL);
  }
}

volatile std::sig_atomic_t signals = 0;

/// A handler that is interrupted into the products of oneDNN would destroy memory (gemm.hpp).
TEST(GlifrKernel, IsNotDisturbedBySignals) {
  GlifrExample e = glifr_example(
      {.steps = 300, .rows = 8, .inputs = 1, .neurons = 128, .currents = 0, .delay = 1});
  for (double& weight : e.values.at("recurrent_weight")) weight *= 0.1;
  const Outcome quiet = run<float>(e);
  ASSERT_FALSE(std::isnan(quiet.gradients.at("threshold")[0]));
  std::signal(SIGALRM, [](int) { signals = signals + 1; });
  const itimerval often{{0, 100}, {0, 100}}, never{};
  setitimer(ITIMER_REAL, &often, nullptr);
  for (int i = 0; i < 20; ++i) EXPECT_TRUE(run<float>(e).gradients == quiet.gradients);
  setitimer(ITIMER_REAL, &never, nullptr);
  EXPECT_GT(signals, 5) << "they arrive, between the passes";
  std::signal(SIGALRM, SIG_DFL);
}

TEST(GlifrKernel, SaysHowMuchItTakes) {
  const GlifrShape shape{.steps = 100, .rows = 8, .inputs = 3, .neurons = 40, .currents = 2};
  const std::size_t kept = GlifrKernel<float>::workspace_bytes(shape, History::whole());
  const std::size_t passing = GlifrKernel<float>::workspace_bytes(shape, History::none());
  const std::size_t plane = 8 * 48 * sizeof(float);
  EXPECT_GT(kept, 200 * plane) << "rates and voltages of all steps";
  EXPECT_LT(kept, 500 * plane);
  GlifrShape longer = shape;
  longer.steps = 10'000;
  EXPECT_LT(GlifrKernel<float>::workspace_bytes(longer, History::none()), 2 * passing)
      << "without a history memory does not grow with the sequence";
  EXPECT_GT(GlifrKernel<double>::workspace_bytes(shape, History::whole()), kept);
}

}  // namespace
}  // namespace afterspike::kernels
