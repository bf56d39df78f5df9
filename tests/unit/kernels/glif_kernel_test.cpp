// The kernel of GLIF neurons against a plain loop over the equations in glif.hpp and against
// central differences of it.

#include "afterspike/kernels/glif.hpp"

#include <gtest/gtest.h>

#include "glif_example.hpp"

namespace afterspike::kernels {
namespace {

constexpr GlifShape kSmall{.steps = 7, .rows = 2, .inputs = 2, .neurons = 5};

/// All mechanisms together.
constexpr GlifShape kAll{.steps = 7,
                         .rows = 2,
                         .inputs = 2,
                         .neurons = 5,
                         .delay = 2,
                         .refractory = 3,
                         .currents = 2,
                         .receptors = 2,
                         .input = GlifInput::both,
                         .alpha = true,
                         .spike_threshold = true,
                         .voltage_threshold = true};

TEST(GlifKernel, AgreesWithTheEquationsAndTheirDifferences) {
  for (const GlifInput input : {GlifInput::current, GlifInput::synapses, GlifInput::both}) {
    for (const bool alpha : {false, true}) {
      GlifShape shape = kSmall;
      shape.input = input;
      shape.alpha = alpha;
      expect_agreement(glif_example(shape), "GLIF1");
      shape.receptors = 2;
      shape.currents = 2;
      expect_agreement(glif_example(shape), "GLIF3 with two receptors");
    }
  }
  GlifShape shape = kSmall;
  shape.spike_threshold = true;
  expect_agreement(glif_example(shape), "GLIF2");
  GlifExample e = glif_example(kAll);
  expect_agreement(e, "GLIF5");
  add_masks(e);
  e.first = 4;
  expect_agreement(e, "GLIF5, masked, from step 4");
}

TEST(GlifKernel, TakesAnyShape) {
  expect_agreement(glif_example({.steps = 1, .rows = 1, .inputs = 1, .neurons = 1}), "one of each");
  GlifShape shape = kAll;
  shape.neurons = 17;
  shape.delay = 20;
  expect_agreement(glif_example(shape), "one neuron more than a vector", 7);
  GlifExample e = glif_example({.steps = 6, .rows = 3, .inputs = 34, .neurons = 5});
  make_sparse(e.values.at("input"));
  expect_agreement(e, "sparse inputs", 3);
}

/// Long enough for several chunks of steps.
TEST(GlifKernel, ComputesSegmentsAgainToTheSameBits) {
  for (const std::int64_t refractory : {1, 3, 70}) {
    for (const bool masked : {false, true}) {
      GlifShape shape = kAll;
      shape.steps = 210;
      shape.neurons = 9;
      shape.refractory = refractory;
      GlifExample e = glif_example(shape);
      if (masked) add_masks(e);
      e.first = 170;
      const Outcome whole = run<double>(e);
      for (const std::int64_t segment : {1, 64, 100, 200}) {
        const Outcome parts = run<double>(e, {true, segment});
        EXPECT_EQ(parts.emitted, whole.emitted) << segment;
        EXPECT_EQ(parts.gradients, whole.gradients) << segment;
      }
    }
  }
}

TEST(GlifKernel, WithAHardThresholdSpikesAndRests) {
  GlifShape shape = kAll;
  shape.steps = 200;
  shape.neurons = 9;
  GlifExample e = glif_example(shape);
  e.settings.hard = true;
  for (double& waiting : e.values.at("waiting")) waiting = 1;
  const Outcome found = run<double>(e), single = run<float>(e);
  EXPECT_EQ(found.emitted, reference(e));
  std::int64_t spikes = 0, silent = 0;
  for (std::int64_t t = 0; t < shape.steps; ++t) {
    for (std::int64_t i = 0; i < shape.rows * shape.neurons; ++i) {
      const double now = found.emitted[e.place(t, 0, i)];
      EXPECT_TRUE(now == 0 || now == 1);
      spikes += now == 1;
      silent += now == 0;
      for (std::int64_t r = 1; now == 1 && r <= std::min(t, shape.refractory); ++r) {
        EXPECT_EQ(found.emitted[e.place(t - r, 0, i)], 0) << t << " " << i;
      }
    }
  }
  EXPECT_GT(spikes, 100);
  EXPECT_GT(silent, 100);
  for (const auto& [name, gradient] : found.gradients) {
    EXPECT_LT(distance(gradient, gradient), 1) << name << " is not finite";
  }
}

TEST(GlifKernel, OfEveryInstructionSetAgrees) {
  GlifShape shape = kAll;
  shape.steps = 12;
  shape.rows = 11;
  shape.neurons = 19;
  GlifExample e = glif_example(shape);
  for (const bool masked : {false, true}) {
    if (masked) add_masks(e);
    expect_every_target_agrees(e, {1e-12, 1e-11, 2e-5, 3e-4});
  }
}

}  // namespace
}  // namespace afterspike::kernels
