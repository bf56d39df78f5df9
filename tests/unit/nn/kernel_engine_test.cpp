// Whole-sequence kernels as layers use them, whatever the model: what holds for all that have one.

#include <ATen/ATen.h>
#include <ATen/CPUGeneratorImpl.h>
#include <gtest/gtest.h>
#include <torch/csrc/autograd/autograd.h>

#include "engines.hpp"
#include "support/expect_error.hpp"
#include "support/gradient_check.hpp"

namespace afterspike::nn {
namespace {

using testing::expect_close;
using testing::expect_same;
using testing::Outcome;
using testing::run_engine;
using testing::uniform_tensor;

/// A model, and settings with which no gradient vanishes.
struct Model {
  std::string name;
  testing::Settings settings;
};

class KernelEngine : public ::testing::TestWithParam<Model> {
 protected:
  static std::shared_ptr<NeuronLayer> layer(const LayerShape& shape) {
    return testing::make_layer(GetParam().name, shape, GetParam().settings);
  }
};

/// Returns the tensors of a network that are trained.
std::vector<at::Tensor> trained(const Network& network) {
  std::vector<at::Tensor> tensors;
  for (const auto& parameter : network.named()) {
    if (parameter.spec->trainable) tensors.push_back(parameter.tensor);
  }
  return tensors;
}

TEST_P(KernelEngine, IsDifferentiableByFiniteDifferences) {
  const auto own = layer({2, 5, 1.0});
  testing::Variables variables = {{"input", uniform_tensor({9, 3, 2}, Rng(1))}};
  for (const ParameterSpec& spec : own->specs()) variables[spec.name] = own->raw(spec.name);
  const at::Tensor weights = uniform_tensor({9, 3, 5}, Rng(2));
  testing::expect_gradients(
      [&] { return (own->emissions(variables.at("input"), {}) * weights).sum(); }, variables);
}

/// Zeros and ones for each of `rows` sequences; the first sequence has all neurons.
at::Tensor masks_of_rows(std::int64_t rows, std::int64_t neurons) {
  at::Tensor mask = uniform_tensor({rows, neurons}, Rng(6)).gt(0).to(at::kDouble);
  mask[0].fill_(1);
  return mask;
}

TEST_P(KernelEngine, SilencesInSingleSequencesAsComposedOperationsDo) {
  for (const testing::Settings& dropout : std::vector<testing::Settings>{
           {}, {{"dropout", "0.3"}}, {{"recurrent_dropout", "0.3"}, {"dropout", "0.2"}}}) {
    testing::Settings settings = GetParam().settings;
    settings.insert(settings.end(), dropout.begin(), dropout.end());
    const auto own = testing::make_layer(GetParam().name, {3, 9, 1.0}, settings);
    LayerPass pass;
    pass.mask = masks_of_rows(4, 9);
    if (!dropout.empty()) pass.dropout = at::make_generator<at::CPUGeneratorImpl>(7);
    const at::Tensor input = uniform_tensor({30, 4, 3}, Rng(3), -2, 2);
    const Outcome found = testing::expect_engines_agree(*own, input, pass);
    EXPECT_EQ(found.emitted.masked_select(pass.mask.eq(0)).abs().max().item<double>(), 0);
  }
}

TEST_P(KernelEngine, WithNeuronsSilencedInSingleSequencesIsDifferentiable) {
  const auto own = layer({2, 5, 1.0});
  testing::Variables variables = {{"input", uniform_tensor({9, 3, 2}, Rng(1))}};
  for (const ParameterSpec& spec : own->specs()) variables[spec.name] = own->raw(spec.name);
  const at::Tensor weights = uniform_tensor({9, 3, 5}, Rng(2));
  LayerPass pass;
  pass.mask = masks_of_rows(3, 5);
  testing::expect_gradients(
      [&] { return (own->emissions(variables.at("input"), pass) * weights).sum(); }, variables);
}

TEST_P(KernelEngine, LeavesOutTheGradientOfAnInputThatNeedsNone) {
  const auto own = layer({3, 7, 1.0});
  const at::Tensor input = uniform_tensor({10, 2, 3}, Rng(1));
  const Outcome with = run_engine(*own, input, {}, Engine::automatic);
  const Outcome without = run_engine(*own, input, {}, Engine::automatic, false);
  for (const auto& [name, gradient] : without.gradients) {
    expect_same(gradient, with.gradients.at(name), name);
  }
}

TEST_P(KernelEngine, GathersSparseInputsAndMultipliesDenseOnes) {
  // Rows without any input, with a few, and a stretch in which all are there.
  const auto own = layer({64, 9, 1.0});
  const at::Tensor dense = uniform_tensor({200, 3, 64}, Rng(3), -2, 2);
  at::Tensor sparse = dense * (uniform_tensor({200, 3, 64}, Rng(4)) > 0.95);
  sparse.narrow(0, 100, 70).copy_(dense.narrow(0, 100, 70));
  sparse.narrow(0, 30, 20).zero_();
  testing::expect_engines_agree(*own, sparse, {});
}

TEST_P(KernelEngine, GivesGradientsOnceForEachPass) {
  const auto own = layer({3, 7, 1.0});
  const at::Tensor loss = own->emissions(uniform_tensor({10, 2, 3}, Rng(1)), {}).sum();
  torch::autograd::grad({loss}, {own->raw("recurrent_weight")}, {}, true);
  testing::expect_error(ErrorKind::internal, {"once", "Engine::composed"},
                        [&] { torch::autograd::grad({loss}, {own->raw("recurrent_weight")}); });
}

TEST_P(KernelEngine, RefusesGradientsOfGradients) {
  const auto own = layer({3, 7, 1.0});
  const at::Tensor loss = own->emissions(uniform_tensor({10, 2, 3}, Rng(1)), {}).sum();
  testing::expect_error(ErrorKind::internal, {"gradients of gradients", "Engine::composed"}, [&] {
    torch::autograd::grad({loss}, {own->raw("recurrent_weight")}, {}, true,
                          /*create_graph=*/true);
  });
}

TEST_P(KernelEngine, GivesTheSameBitsWithinAnyLimit) {
  NetworkOptions options;
  options.hidden = 24;
  options.layers = 2;
  testing::Settings settings = GetParam().settings;
  settings.insert(settings.end(), {{"dropout", "0.2"}, {"recurrent_dropout", "0.2"}});
  Network network(*testing::make_model(GetParam().name, settings), options, {2, 3, 1.0});
  network.initialize(Rng(1));
  const std::vector<at::Tensor> variables = trained(network);
  const at::Tensor input = uniform_tensor({400, 4, 2}, Rng(1)).to(at::kFloat);
  NetworkPass pass;
  pass.first = 390;
  const auto gradients = [&] {
    pass.dropout = at::make_generator<at::CPUGeneratorImpl>(7);
    return torch::autograd::grad({network.forward(input, pass).square().sum()}, variables);
  };
  const auto whole = gradients();
  const auto all = network.workspace(400, 4, pass);
  ASSERT_TRUE(all.has_value());
  for (const double part : {0.95, 0.8, 0.01}) {
    pass.execution.workspace_limit =
        static_cast<std::size_t>(part * static_cast<double>(all->bytes));
    const auto planned = network.workspace(400, 4, pass);
    EXPECT_LE(planned->bytes, std::max(pass.execution.workspace_limit, planned->least)) << part;
    const auto found = gradients();
    for (std::size_t i = 0; i < whole.size(); ++i) expect_same(found[i], whole[i], "gradient");
  }
}

TEST_P(KernelEngine, TakesInputsOfAnyLayout) {
  const auto own = layer({3, 7, 1.0});
  const at::Tensor batch_first = uniform_tensor({2, 10, 3}, Rng(1));
  expect_same(own->emissions(batch_first.transpose(0, 1), {}),
              own->emissions(batch_first.transpose(0, 1).contiguous(), {}), "emissions");
}

TEST_P(KernelEngine, OfStackedLayersIsDifferentiable) {
  NetworkOptions options;
  options.hidden = 6;
  options.layers = 3;
  Network network(*testing::make_model(GetParam().name), options, {2, 3, 1.0});
  network.initialize(Rng(1));
  network.to(at::kDouble);
  const at::Tensor input = uniform_tensor({12, 4, 2}, Rng(1));
  const std::vector<at::Tensor> variables = trained(network);
  NetworkPass pass;
  pass.first = 7;
  std::vector<std::vector<at::Tensor>> gradients;
  for (const Engine engine : {Engine::automatic, Engine::composed}) {
    pass.execution.engine = engine;
    const at::Tensor output = network.forward(input, pass);
    EXPECT_EQ(output.sizes(), at::IntArrayRef({5, 4, 3}));
    gradients.push_back(torch::autograd::grad({output.square().sum()}, variables));
  }
  for (std::size_t i = 0; i < variables.size(); ++i) {
    expect_close(gradients[0][i], gradients[1][i], 1e-11, "gradient");
  }
}

INSTANTIATE_TEST_SUITE_P(Models, KernelEngine,
                         ::testing::Values(Model{"glifr",
                                                 {{"threshold", "uniform(-0.5, 1)"},
                                                  {"after_spike_additive", "uniform(-100, 100)"},
                                                  {"delay", "2steps"}}},
                                           Model{"glif",
                                                 {{"level", "5"},
                                                  {"threshold", "uniform(1.1, 3)"},
                                                  {"reset", "-1"},
                                                  {"refractory", "uniform(1.1, 1.9)"},
                                                  {"capacitance", "uniform(30, 60)"},
                                                  {"threshold_voltage_index", "0.05"},
                                                  {"receptors", "2"},
                                                  {"input", "both"},
                                                  {"synapse", "alpha"},
                                                  {"delay", "2steps"}}},
                                           Model{"alif",
                                                 {{"threshold", "uniform(-0.5, 1)"},
                                                  {"membrane_tau", "uniform(2, 20)"},
                                                  {"adaptation_tau", "uniform(2, 20)"},
                                                  {"delay", "2steps"}}},
                                           Model{"elm_network",
                                                 {{"learn", "memory_tau"},
                                                  {"mlp_activation", "silu"},
                                                  {"memory", "2"},
                                                  {"output", "identity"},
                                                  {"lambda", "0.5"},
                                                  {"variational", "false"}}},
                                           Model{"elm",
                                                 {{"learn", "memory_tau"},
                                                  {"mlp_activation", "silu"},
                                                  {"memory_tau_max", "30 ms"}}},
                                           Model{"rnn", {{"delay", "2steps"}}}, Model{"gru", {}},
                                           Model{"lstm", {}}),
                         [](const auto& test) { return test.param.name; });

}  // namespace
}  // namespace afterspike::nn
