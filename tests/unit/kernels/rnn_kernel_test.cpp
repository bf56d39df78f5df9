// The kernel of recurrent units against a plain loop over the equations in rnn.hpp and against
// central differences of it. Gradients of composed operations: tests/unit/nn/cell_engine_test.cpp.

#include "afterspike/kernels/rnn.hpp"

#include <gtest/gtest.h>

#include "rnn_example.hpp"
#include "support/expect_error.hpp"

namespace afterspike::kernels {
namespace {

class RnnKernelOf : public ::testing::TestWithParam<RnnCell> {
 protected:
  static RnnShape shape(std::int64_t steps, std::int64_t rows, std::int64_t inputs,
                        std::int64_t units, std::int64_t delay = 1) {
    return {GetParam(), steps, rows, inputs, units, delay};
  }
  static std::vector<std::int64_t> delays() {
    if (GetParam() != RnnCell::vanilla) return {1};
    return {1, 2, 3, 7, 100, 300};
  }
};

TEST_P(RnnKernelOf, AgreesWithTheEquationsAndTheirDifferences) {
  for (const std::int64_t delay : delays()) {
    expect_agreement(rnn_example(shape(8, 2, 3, 4, delay)), "delay " + std::to_string(delay));
  }
}

TEST_P(RnnKernelOf, TakesAnyShape) {
  expect_agreement(rnn_example(shape(1, 1, 1, 1)), "one of each");
  expect_agreement(rnn_example(shape(3, 3, 5, 17)), "one more than a vector", 7);
  expect_agreement(rnn_example(shape(3, 33, 1, 16)), "many rows", 13);
}

TEST_P(RnnKernelOf, GathersSparseInputs) {
  RnnExample e = rnn_example(shape(5, 2, 34, 4));
  make_sparse(e.values.at("input"));
  expect_agreement(e, "sparse", 3);
}

TEST_P(RnnKernelOf, MasksWhatIsEmittedAndWhatComesBack) {
  for (const std::int64_t delay : delays()) {
    RnnExample e = rnn_example(shape(8, 2, 2, 7, delay));
    add_masks(e);
    expect_agreement(e, "all masks, delay " + std::to_string(delay));
    e.emitted.clear();
    e.recurrent.clear();
    expect_agreement(e, "silenced units, delay " + std::to_string(delay));
  }
}

TEST_P(RnnKernelOf, GivesTheStepsThatAreAskedFor) {
  for (const std::int64_t first : {1, 4, 5}) {
    RnnExample e = rnn_example(shape(6, 2, 2, 3));
    e.first = first;
    expect_agreement(e, "from step " + std::to_string(first));
  }
}

/// Long enough for several chunks of steps.
TEST_P(RnnKernelOf, ComputesSegmentsAgainToTheSameBits) {
  for (const std::int64_t delay : delays()) {
    for (const bool masked : {false, true}) {
      RnnExample e = rnn_example(shape(200, 2, 3, 5, delay));
      if (masked) add_masks(e);
      e.first = 90;
      expect_agreement(e, "several chunks, delay " + std::to_string(delay), 11, 2e-6);
      const Outcome whole = run<double>(e);
      for (const std::int64_t segment : {1, 64, 100, 128, 199, 200, 1000}) {
        const Outcome parts = run<double>(e, {true, segment});
        EXPECT_EQ(parts.emitted, whole.emitted) << segment;
        EXPECT_EQ(parts.gradients, whole.gradients) << segment;
      }
    }
  }
}

TEST_P(RnnKernelOf, OfEveryInstructionSetAgrees) {
  RnnExample e = rnn_example(shape(12, 3, 20, 19));
  add_masks(e);
  expect_every_target_agrees(e, {1e-13, 1e-12, 3e-6, 3e-5});
}

TEST_P(RnnKernelOf, KeepsWithinALimitWhereItCan) {
  using Kernel = RnnKernel<float>;
  for (const bool masked : {false, true}) {
    const RnnShape sizes = shape(784, 32, 1, 100);
    const auto bytes = [&](std::int64_t segment) {
      return Kernel::workspace_bytes(sizes, {true, segment}, {masked});
    };
    const std::size_t whole = bytes(sizes.steps);
    EXPECT_EQ(bytes(Kernel::longest_history(sizes, {masked}, whole).segment), whole);
    for (const double part : {0.9, 0.5, 0.3}) {
      const auto limit = static_cast<std::size_t>(part * static_cast<double>(whole));
      const std::int64_t segment = Kernel::longest_history(sizes, {masked}, limit).segment;
      EXPECT_LE(bytes(segment), limit) << part;
      EXPECT_LT(segment, sizes.steps);
      // With one part less it would not be within the limit.
      const std::int64_t parts = (sizes.steps + segment - 1) / segment;
      EXPECT_GT(bytes((sizes.steps + parts - 2) / (parts - 1)), limit) << part;
    }
    EXPECT_LT(bytes(Kernel::longest_history(sizes, {masked}, 0).segment), whole / 3);
  }
}

TEST_P(RnnKernelOf, NeverTakesMoreInSegmentsThanWhole) {
  using Kernel = RnnKernel<float>;
  for (const std::int64_t delay : delays()) {
    const RnnShape sizes = shape(400, 4, 1, 32, delay);
    const std::size_t whole = Kernel::workspace_bytes(sizes, History::whole());
    const History least = Kernel::longest_history(sizes, {}, 0);
    EXPECT_LT(Kernel::workspace_bytes(sizes, least), 0.8 * static_cast<double>(whole)) << delay;
  }
}

TEST(RnnKernel, TakesNothingForADelayBeyondTheSequence) {
  using Kernel = RnnKernel<float>;
  const RnnShape sizes{RnnCell::vanilla, 28, 32, 28, 256, 28};
  RnnShape beyond = sizes;
  beyond.delay = 20000;
  EXPECT_EQ(Kernel::workspace_bytes(beyond, History::whole(), {true}),
            Kernel::workspace_bytes(sizes, History::whole(), {true}));
}

TEST(RnnKernel, RefusesADelayThatTheCellHasNot) {
  for (const RnnShape& sizes :
       {RnnShape{RnnCell::gru, 5, 1, 1, 1, 2}, RnnShape{RnnCell::lstm, 5, 1, 1, 1, 3},
        RnnShape{RnnCell::vanilla, 5, 1, 1, 1, 0}}) {
    RnnExample e = rnn_example(sizes);
    testing::expect_error(ErrorKind::internal, {"delay: found"}, [&] { run<double>(e); });
  }
}

/// Chunks that are not as long as a segment, as those of many rows and units are.
TEST_P(RnnKernelOf, CutsWidePassesIntoShortChunks) {
  RnnExample e = rnn_example(shape(60, 32, 3, 150, GetParam() == RnnCell::vanilla ? 7 : 1));
  const Outcome whole = run<double>(e);
  EXPECT_LT(distance(whole.emitted, reference(e)), 1e-12);
  for (const std::int64_t segment : {13, 30}) {
    const Outcome parts = run<double>(e, {true, segment});
    EXPECT_EQ(parts.emitted, whole.emitted) << segment;
    EXPECT_EQ(parts.gradients, whole.gradients) << segment;
  }
}

INSTANTIATE_TEST_SUITE_P(Cells, RnnKernelOf,
                         ::testing::Values(RnnCell::vanilla, RnnCell::gru, RnnCell::lstm),
                         [](const auto& test) {
                           return test.param == RnnCell::lstm  ? "lstm"
                                  : test.param == RnnCell::gru ? "gru"
                                                               : "vanilla";
                         });

}  // namespace
}  // namespace afterspike::kernels
