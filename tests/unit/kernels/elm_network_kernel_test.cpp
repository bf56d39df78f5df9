// The kernel of layers of ELM neurons against a plain loop over the equations in elm_network.hpp
// and against central differences of it. Gradients of composed operations and golden vectors:
// tests/unit/nn/elm_engine_test.cpp and golden_elm_network_test.cpp.

#include "afterspike/kernels/elm_network.hpp"

#include <gtest/gtest.h>

#include "elm_network_example.hpp"

namespace afterspike::kernels {
namespace {

void expect_agreement(const ElmNetworkExample& e, const std::string& what, std::size_t stride = 1,
                      double allowed = 5e-7) {
  kernels::expect_agreement(e, what, stride, allowed, 1e-12);
}

ElmNetworkShape small(std::int64_t layers = 1) {
  return {.steps = 5,
          .rows = 2,
          .inputs = 3,
          .neurons = 4,
          .memory = 2,
          .width = layers > 0 ? 5 : 2,
          .layers = layers,
          .branches = 2,
          .synapses = 6};
}

TEST(ElmNetworkKernel, AgreesWithTheEquationsAndTheirDifferences) {
  for (const std::int64_t layers : {0, 1, 2}) {
    for (const double branch_keep : {0.0, 0.8}) {
      for (const double low_pass_keep : {0.0, 0.7}) {
        ElmNetworkExample e = elm_network_example(small(layers));
        e.branch_keep = branch_keep;
        e.low_pass_keep = low_pass_keep;
        expect_agreement(e, "hidden layers " + std::to_string(layers));
      }
    }
  }
}

TEST(ElmNetworkKernel, KnowsEveryActivationAndRectifies) {
  for (const ElmActivation activation :
       {ElmActivation::relu, ElmActivation::silu, ElmActivation::relu_squared}) {
    ElmNetworkExample e = elm_network_example(small());
    e.activation = activation;
    e.rectified = true;
    expect_agreement(e, "activation " + std::to_string(static_cast<int>(activation)));
  }
}

TEST(ElmNetworkKernel, TakesAnyShape) {
  expect_agreement(elm_network_example({.steps = 1,
                                        .rows = 1,
                                        .inputs = 1,
                                        .neurons = 1,
                                        .memory = 1,
                                        .width = 1,
                                        .layers = 1,
                                        .branches = 1,
                                        .synapses = 1}),
                   "one of each");
  expect_agreement(elm_network_example({.steps = 3,
                                        .rows = 3,
                                        .inputs = 5,
                                        .neurons = 17,
                                        .memory = 3,
                                        .width = 6,
                                        .layers = 1,
                                        .branches = 4,
                                        .synapses = 8}),
                   "one neuron more than a vector", 17);
}

TEST(ElmNetworkKernel, GathersSparseInputs) {
  ElmNetworkShape shape = small();
  shape.inputs = 34;
  shape.synapses = 20;
  ElmNetworkExample e = elm_network_example(shape);
  expect_agreement(e, "dense", 3);
  make_sparse(e.values.at("input"));
  expect_agreement(e, "sparse", 3);
}

TEST(ElmNetworkKernel, MasksWhatIsEmittedAndWhatArrives) {
  ElmNetworkExample e = elm_network_example(small());
  add_masks(e);
  expect_agreement(e, "all masks");
  e.first = 3;
  expect_agreement(e, "from step 3");
}

TEST(ElmNetworkKernel, MeansAreOverTheStepsOfASequence) {
  ElmNetworkExample e = elm_network_example(small());
  e.lengths = {2, 5};
  expect_agreement(e, "one is shorter");
  e.lengths = {1, 4};
  expect_agreement(e, "none has all steps");
}

TEST(ElmNetworkKernel, ComputesSegmentsAgainToTheSameBits) {
  ElmNetworkShape shape = small(2);
  shape.steps = 150;
  ElmNetworkExample e = elm_network_example(shape);
  for (double& weight : e.values.at("memory_weight")) weight *= 0.3;
  e.branch_keep = 0.8;
  add_masks(e);
  e.first = 70;
  e.lengths = {150, 77};
  expect_agreement(e, "several chunks", 19, 5e-6);
  const Outcome whole = run<double>(e);
  for (const std::int64_t segment : {1, 64, 100, 149, 1000}) {
    const Outcome parts = run<double>(e, {true, segment});
    EXPECT_EQ(parts.emitted, whole.emitted) << segment;
    EXPECT_EQ(parts.gradients, whole.gradients) << segment;
  }
}

TEST(ElmNetworkKernel, OfEveryInstructionSetAgrees) {
  ElmNetworkExample e = elm_network_example({.steps = 9,
                                             .rows = 3,
                                             .inputs = 20,
                                             .neurons = 19,
                                             .memory = 3,
                                             .width = 6,
                                             .layers = 2,
                                             .branches = 4,
                                             .synapses = 12});
  add_masks(e);
  expect_every_target_agrees(e, {1e-12, 1e-11, 2e-5, 1e-3});
}

}  // namespace
}  // namespace afterspike::kernels
