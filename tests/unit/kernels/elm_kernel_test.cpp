// The kernel of ELM neurons against a plain loop over the equations in elm.hpp and against central
// differences of it. Gradients of composed operations and of the authors' code:
// tests/unit/nn/elm_engine_test.cpp and golden_elm_test.cpp.

#include "afterspike/kernels/elm.hpp"

#include <gtest/gtest.h>

#include "elm_example.hpp"

namespace afterspike::kernels {
namespace {

TEST(ElmKernel, AgreesWithTheEquationsAndTheirDifferences) {
  for (const std::int64_t layers : {0, 1, 2, 3}) {
    for (const double trace_keep : {0.0, 0.8}) {
      ElmExample e = elm_example({.steps = 6,
                                  .rows = 2,
                                  .inputs = 3,
                                  .memory = 4,
                                  .width = layers > 0 ? 7 : 4,
                                  .layers = layers});
      e.trace_keep = trace_keep;
      expect_agreement(e, "hidden layers " + std::to_string(layers));
    }
  }
}

TEST(ElmKernel, KnowsEveryActivation) {
  for (const ElmActivation activation :
       {ElmActivation::relu, ElmActivation::silu, ElmActivation::relu_squared}) {
    ElmExample e =
        elm_example({.steps = 5, .rows = 2, .inputs = 2, .memory = 5, .width = 9, .layers = 2});
    e.activation = activation;
    expect_agreement(e, "activation " + std::to_string(static_cast<int>(activation)));
  }
}

TEST(ElmKernel, TakesAnyShape) {
  expect_agreement(
      elm_example({.steps = 1, .rows = 1, .inputs = 1, .memory = 1, .width = 1, .layers = 1}),
      "one of each");
  expect_agreement(
      elm_example({.steps = 3, .rows = 3, .inputs = 5, .memory = 17, .width = 33, .layers = 1}),
      "one more than vectors", 7);
  expect_agreement(
      elm_example({.steps = 3, .rows = 33, .inputs = 1, .memory = 16, .width = 16, .layers = 1}),
      "many rows", 13);
}

/// Gathered where few inputs are not zero, multiplied where many are.
TEST(ElmKernel, GathersSparseInputs) {
  ElmExample e =
      elm_example({.steps = 5, .rows = 2, .inputs = 34, .memory = 4, .width = 6, .layers = 1});
  e.trace_keep = 0.6;
  expect_agreement(e, "dense", 3);
  make_sparse(e.values.at("input"));
  expect_agreement(e, "sparse", 3);
}

TEST(ElmKernel, MasksWhatIsEmittedAndWhatIsRecalled) {
  ElmExample e =
      elm_example({.steps = 6, .rows = 2, .inputs = 2, .memory = 7, .width = 8, .layers = 1});
  add_masks(e);
  expect_agreement(e, "all masks");
  e.emitted.clear();
  e.recurrent.clear();
  expect_agreement(e, "silenced memory units");
}

TEST(ElmKernel, GivesTheStepsThatAreAskedFor) {
  for (const std::int64_t first : {1, 4, 5}) {
    ElmExample e =
        elm_example({.steps = 6, .rows = 2, .inputs = 2, .memory = 3, .width = 5, .layers = 1});
    e.first = first;
    expect_agreement(e, "from step " + std::to_string(first));
  }
}

/// Long enough for several chunks of steps.
TEST(ElmKernel, ComputesSegmentsAgainToTheSameBits) {
  for (const bool masked : {false, true}) {
    ElmExample e =
        elm_example({.steps = 200, .rows = 2, .inputs = 3, .memory = 5, .width = 9, .layers = 2});
    e.trace_keep = 0.9;
    if (masked) add_masks(e);
    e.first = 90;
    expect_agreement(e, "several chunks", 11, 2e-6);
    const Outcome whole = run<double>(e);
    for (const std::int64_t segment : {1, 64, 100, 128, 199, 200, 1000}) {
      const Outcome parts = run<double>(e, {true, segment});
      EXPECT_EQ(parts.emitted, whole.emitted) << segment;
      EXPECT_EQ(parts.gradients, whole.gradients) << segment;
    }
  }
}

TEST(ElmKernel, OfEveryInstructionSetAgrees) {
  ElmExample e =
      elm_example({.steps = 12, .rows = 3, .inputs = 20, .memory = 19, .width = 35, .layers = 2});
  e.trace_keep = 0.7;
  add_masks(e);
  make_sparse(e.values.at("input"));
  expect_every_target_agrees(e, {1e-13, 1e-12, 3e-6, 3e-5});
}

TEST(ElmKernel, KeepsWithinALimitWhereItCan) {
  const ElmShape shape{
      .steps = 1000, .rows = 4, .inputs = 70, .memory = 100, .width = 200, .layers = 1};
  using Kernel = ElmKernel<float>;
  const std::size_t whole = Kernel::workspace_bytes(shape, History::whole());
  const History half = Kernel::longest_history(shape, {}, whole / 2);
  EXPECT_LE(Kernel::workspace_bytes(shape, half), whole / 2);
  EXPECT_LT(half.segment, shape.steps);
}

}  // namespace
}  // namespace afterspike::kernels
