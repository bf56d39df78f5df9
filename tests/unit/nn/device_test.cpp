#include <ATen/ATen.h>
#include <ATen/CPUGeneratorImpl.h>
#include <gtest/gtest.h>
#include <torch/csrc/autograd/autograd.h>
#include <torch/cuda.h>

#include "afterspike/nn/network.hpp"
#include "models.hpp"
#include "support/tensors.hpp"

namespace afterspike::nn {
namespace {

using testing::make_model;
using testing::Settings;
using testing::uniform_tensor;

constexpr NetworkShape kShape{6, 4, 1.0};

/// Two layers with all that draws or looks up anything: dropout, routing, connectomes, masks.
std::shared_ptr<Network> network(std::string_view name) {
  Settings settings = {{"dropout", "0.2"}, {"recurrent_dropout", "0.2"}, {"input_dropout", "0.2"}};
  if (name == "elm") {
    settings.insert(settings.end(),
                    {{"routing", "random"}, {"branches", "3"}, {"synapses_per_branch", "2"}});
  }
  if (name == "elm_network") {
    settings = {{"high_pass_tau", "5 ms"}, {"input_dropout", "0.2"}, {"recurrent_dropout", "0.2"}};
  }
  if (name == "rnn" || name == "gru" || name == "lstm") settings.clear();
  NetworkOptions options;
  options.hidden = 5;
  options.layers = 2;
  options.readout_dropout = 0.2;
  auto result = std::make_shared<Network>(*make_model(name, settings), options, kShape);
  result->initialize(Rng(1));
  return result;
}

NetworkPass pass_of(const Network& network, at::Tensor& penalty) {
  NetworkPass pass;
  pass.dropout = at::make_generator<at::CPUGeneratorImpl>(7);
  if (network.has_penalty()) pass.penalty = &penalty;
  for (const auto& layer : network.layers()) {
    pass.masks.push_back(at::ones({layer->shape().neurons}));
    pass.masks.back()[0] = 0;
  }
  return pass;
}

/// Output and gradients of a training pass on a device.
std::vector<at::Tensor> train_on(const Network& network) {
  at::Tensor penalty;
  NetworkPass pass = pass_of(network, penalty);
  pass.execution.engine = Engine::composed;
  const at::Tensor input =
      uniform_tensor({7, 3, 6}, Rng(3), -1, 1).to(network.device(), at::kFloat);
  const at::Tensor output = network.forward(input, pass);
  at::Tensor loss = output.square().sum();
  if (penalty.defined()) loss = loss + penalty.sum();
  std::vector<at::Tensor> variables;
  for (const Network::Parameter& parameter : network.named()) {
    if (parameter.spec->trainable) variables.push_back(parameter.tensor);
  }
  std::vector<at::Tensor> results =
      torch::autograd::grad({loss}, variables, {}, c10::nullopt, false, true);
  results.insert(results.begin(), output);
  return results;
}

class Device : public ::testing::TestWithParam<NeuronEntry> {};

TEST_P(Device, CudaAgreesWithTheCpu) {
  if (!torch::cuda::is_available()) GTEST_SKIP() << "LibTorch finds no CUDA device";
  const auto here = network(GetParam().name), there = network(GetParam().name);
  there->to(at::kCUDA);
  const auto expected = train_on(*here), found = train_on(*there);
  ASSERT_EQ(found.size(), expected.size());
  for (std::size_t i = 0; i < found.size(); ++i) {
    ASSERT_EQ(found[i].defined(), expected[i].defined());
    if (!found[i].defined()) continue;
    testing::expect_close(found[i].cpu(), expected[i], 1e-4, "tensor " + std::to_string(i));
  }
}

INSTANTIATE_TEST_SUITE_P(AllNeuronModels, Device,
                         ::testing::ValuesIn(entries().begin(), entries().end()),
                         [](const auto& test) { return std::string(test.param.name); });

}  // namespace
}  // namespace afterspike::nn
