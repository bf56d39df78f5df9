#include <ATen/ATen.h>
#include <gtest/gtest.h>
#include <torch/csrc/autograd/autograd.h>

#include "layer_cases.hpp"
#include "support/expect_error.hpp"
#include "support/gradient_check.hpp"

namespace afterspike {
namespace {

using testing::LayerCase;

class LayerGradients : public ::testing::TestWithParam<LayerCase> {};

/// A loss of emissions that weighs each differently.
at::Tensor weighed(const at::Tensor& tensor) {
  return (tensor * testing::uniform_tensor(tensor.sizes().vec(), Rng(3)).abs()).sum();
}

/// A loss of emissions and of all states.
at::Tensor loss_of(const nn::LayerStack::Result& result) {
  at::Tensor loss = weighed(result.output);
  for (const nn::NamedTensors& state : result.states) {
    for (const auto& [name, part] : state) loss = loss + weighed(part);
  }
  return loss;
}

testing::Variables trained_parameters(const nn::LayerStack& stack) {
  testing::Variables variables;
  for (const auto& parameter : stack.parameters()) {
    if (parameter.tensor.requires_grad()) variables[parameter.name] = parameter.tensor;
  }
  return variables;
}

TEST_P(LayerGradients, OfEmissionsAgreeWithFiniteDifferences) {
  nn::LayerStack stack = testing::make_stack(GetParam());
  testing::Variables variables = trained_parameters(stack);
  // Nothing recurs within one step.
  if (GetParam().steps == 1) variables.erase("layers.0.recurrent_weight");
  if (GetParam().steps == 1 && GetParam().options.neuron == "glifr") {
    for (const char* name : {"after_spike_decay", "after_spike_multiplicative",
                             "after_spike_additive", "membrane_decay"}) {
      variables.erase(std::string("layers.0.") + name);
    }
  }
  if (GetParam().name == "glifr_delay_beyond") variables.erase("layers.0.recurrent_weight");
  variables["input"] = testing::make_sequences(GetParam());
  testing::expect_gradients(
      [&] { return weighed(stack.run(variables["input"], std::nullopt, {}).output); }, variables,
      1e-6);
}

TEST_P(LayerGradients, OfStatesAgreeWithComposedOperations) {
  nn::LayerStack stack = testing::make_stack(GetParam());
  std::vector<at::Tensor> leaves = {testing::make_sequences(GetParam()).requires_grad_(true)};
  for (const auto& [name, tensor] : trained_parameters(stack)) leaves.push_back(tensor);
  const auto gradients = [&](nn::Engine engine) {
    nn::StackPass pass;
    pass.engine = engine;
    return torch::autograd::grad({loss_of(stack.run(leaves[0], std::nullopt, pass))}, leaves, {},
                                 c10::nullopt, false, true);
  };
  const auto found = gradients(nn::Engine::automatic), expected = gradients(nn::Engine::composed);
  for (std::size_t i = 0; i < leaves.size(); ++i) {
    ASSERT_EQ(found[i].defined(), expected[i].defined()) << i;
    if (found[i].defined()) {
      testing::expect_close(found[i], expected[i], 1e-10, "gradient " + std::to_string(i));
    }
  }
}

TEST_P(LayerGradients, ResultsEqualThoseOfComposedOperations) {
  nn::LayerStack stack = testing::make_stack(GetParam());
  const at::Tensor input = testing::make_sequences(GetParam());
  nn::StackPass composed;
  composed.engine = nn::Engine::composed;
  const auto found = stack.run(input, std::nullopt, {});
  const auto expected = stack.run(input, std::nullopt, composed);
  testing::expect_close(found.output, expected.output, 1e-12, "output");
  for (std::size_t layer = 0; layer < found.states.size(); ++layer) {
    for (const auto& [name, part] : expected.states[layer]) {
      testing::expect_close(found.states[layer].at(name), part, 1e-12, name);
    }
  }
}

TEST_P(LayerGradients, TwoPartsEqualTheWholeSequence) {
  if (GetParam().steps < 2) GTEST_SKIP() << "a sequence of one step has no two parts";
  nn::LayerStack stack = testing::make_stack(GetParam());
  const at::Tensor input = testing::make_sequences(GetParam());
  const auto first = stack.run(input.narrow(0, 0, 2), std::nullopt, {});
  const auto second = stack.run(input.narrow(0, 2, input.size(0) - 2), first.states, {});
  testing::expect_close(at::cat({first.output, second.output}),
                        stack.run(input, std::nullopt, {}).output, 1e-12, "output");
}

INSTANTIATE_TEST_SUITE_P(All, LayerGradients, ::testing::ValuesIn(testing::layer_cases()),
                         [](const auto& own) { return own.param.name; });

TEST(LayerStack, AcceptsInputThatIsNotContiguous) {
  const LayerCase own = testing::layer_case("glifr", "glifr");
  nn::LayerStack stack = testing::make_stack(own);
  const at::Tensor input = testing::make_sequences(own);
  const at::Tensor strided = input.transpose(0, 2).contiguous().transpose(0, 2);
  ASSERT_FALSE(strided.is_contiguous());
  testing::expect_same(stack.run(strided, std::nullopt, {}).output,
                       stack.run(input, std::nullopt, {}).output, "output");
}

TEST(LayerStack, SharesABatchAmongThreadsWithTheSameBits) {
  LayerCase own = testing::layer_case("glifr", "glifr", {{"dropout", "0.3"}}, 2, 6, 70);
  nn::LayerStack stack = testing::make_stack(own);
  const at::Tensor input = testing::make_sequences(own).requires_grad_(true);
  std::vector<at::Tensor> leaves = {input};
  for (const auto& [name, tensor] : trained_parameters(stack)) leaves.push_back(tensor);
  const auto gradients = [&](int threads) {
    nn::StackPass pass;
    pass.threads = threads;
    pass.dropout_seed = 5;
    return torch::autograd::grad({weighed(stack.run(input, std::nullopt, pass).output)}, leaves);
  };
  const auto alone = gradients(1), together = gradients(3);
  for (std::size_t i = 0; i < leaves.size(); ++i) {
    testing::expect_same(together[i], alone[i], std::to_string(i));
  }
}

TEST(LayerStack, GoesBackTwiceThroughARetainedGraph) {
  const LayerCase own = testing::layer_case("lstm", "lstm");
  nn::LayerStack stack = testing::make_stack(own);
  const at::Tensor input = testing::make_sequences(own).requires_grad_(true);
  const at::Tensor loss = weighed(stack.run(input, std::nullopt, {}).output);
  const auto first = torch::autograd::grad({loss}, {input}, {}, /*retain_graph=*/true);
  const auto second = torch::autograd::grad({loss}, {input});
  testing::expect_same(second[0], first[0], "gradient");
}

TEST(LayerStack, RefusesGradientsOfGradients) {
  const LayerCase own = testing::layer_case("glifr", "glifr");
  nn::LayerStack stack = testing::make_stack(own);
  const at::Tensor input = testing::make_sequences(own).requires_grad_(true);
  const at::Tensor loss = weighed(stack.run(input, std::nullopt, {}).output);
  testing::expect_error(ErrorKind::config, {"gradients of gradients", "composed"}, [&] {
    torch::autograd::grad({loss}, {input}, {}, c10::nullopt, /*create_graph=*/true);
  });
}

TEST(LayerStack, KeepsNoGraphWithoutGradients) {
  const LayerCase own = testing::layer_case("gru", "gru");
  nn::LayerStack stack = testing::make_stack(own);
  const at::NoGradGuard no_grad;
  EXPECT_FALSE(stack.run(testing::make_sequences(own), std::nullopt, {}).output.requires_grad());
}

TEST(LayerStack, SilencesMaskedNeurons) {
  const LayerCase own = testing::layer_case("glifr", "glifr");
  nn::LayerStack stack = testing::make_stack(own);
  nn::StackPass pass;
  pass.masks = {at::tensor({1.0, 0.0, 1.0, 1.0}, at::kDouble)};
  const at::Tensor output = stack.run(testing::make_sequences(own), std::nullopt, pass).output;
  EXPECT_EQ(output.select(2, 1).abs().max().item<double>(), 0);
  EXPECT_GT(output.select(2, 0).abs().max().item<double>(), 0);
}

}  // namespace
}  // namespace afterspike
