// The whole-sequence kernel of GLIFR, as layers use it, against composed operations and against the
// golden file.

#include <ATen/ATen.h>
#include <ATen/CPUGeneratorImpl.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <torch/csrc/autograd/autograd.h>

#include "afterspike/kernels/gemm.hpp"
#include "golden_case.hpp"
#include "support/expect_error.hpp"
#include "support/gradient_check.hpp"

namespace afterspike::nn {
namespace {

using testing::expect_close;
using testing::expect_same;
using testing::GoldenCase;
using testing::GoldenFile;
using testing::Settings;
using testing::uniform_tensor;

/// Emissions of a layer and the gradients of a linear loss of them, by parameter and "input".
struct Outcome {
  at::Tensor emitted;
  NamedTensors gradients;
};

Outcome run(const NeuronLayer& layer, const at::Tensor& input, LayerPass pass, Engine engine,
            bool with_input = true) {
  pass.engine = engine;
  if (pass.dropout.defined()) pass.dropout = at::make_generator<at::CPUGeneratorImpl>(7);
  const at::Tensor leaf = input.detach().clone().requires_grad_(with_input);
  Outcome outcome;
  outcome.emitted = layer.emissions(leaf, pass);
  const at::Tensor weights =
      uniform_tensor(outcome.emitted.sizes().vec(), Rng(5)).to(input.scalar_type());
  std::vector<at::Tensor> variables;
  std::vector<std::string> names;
  for (const ParameterSpec& spec : layer.specs()) {
    if (!spec.trainable || layer.raw(spec.name).numel() == 0) continue;
    names.push_back(spec.name);
    variables.push_back(layer.raw(spec.name));
  }
  if (with_input) {
    names.emplace_back("input");
    variables.push_back(leaf);
  }
  const auto gradients = torch::autograd::grad({(outcome.emitted * weights).sum()}, variables, {},
                                               c10::nullopt, false, true);
  for (std::size_t i = 0; i < names.size(); ++i) outcome.gradients[names[i]] = gradients[i];
  return outcome;
}

struct Twin {
  LayerShape shape;
  std::int64_t steps, rows;
  Settings settings;
  LayerPass pass;
};

/// Both engines on a random layer; `tolerance` is that of double precision.
void expect_twins(const Twin& twin, at::ScalarType type = at::kDouble, double tolerance = 1e-12) {
  Settings settings = {{"threshold", "uniform(-0.5, 1)"},
                       {"membrane_decay", "uniform(0.05, 0.4)"},
                       {"after_spike_decay", "uniform(0.02, 0.8)"},
                       {"after_spike_multiplicative", "uniform(-0.4, 0.01)"},
                       {"after_spike_additive", "uniform(-100, 100)"}};
  settings.insert(settings.end(), twin.settings.begin(), twin.settings.end());
  const auto layer = testing::make_layer("glifr", twin.shape, settings);
  layer->to(type);
  const at::Tensor input =
      uniform_tensor({twin.steps, twin.rows, twin.shape.input_size}, Rng(3), -2, 2).to(type);
  const Outcome kernel = run(*layer, input, twin.pass, Engine::automatic);
  const Outcome composed = run(*layer, input, twin.pass, Engine::composed);
  expect_close(kernel.emitted, composed.emitted, tolerance, "emissions");
  for (const auto& [name, gradient] : composed.gradients) {
    expect_close(kernel.gradients.at(name), gradient, 10 * tolerance, "gradient of " + name);
  }
  const at::NoGradGuard no_grad;
  LayerPass pass = twin.pass;
  if (pass.dropout.defined()) pass.dropout = at::make_generator<at::CPUGeneratorImpl>(7);
  expect_close(layer->emissions(input, pass), kernel.emitted, tolerance, "without gradients");
}

TEST(GlifrEngine, AgreesWithComposedOperationsInRandomShapes) {
  Rng rng = Rng(11).stream("shapes");
  for (int i = 0; i < 40; ++i) {
    const auto number = [&](std::uint64_t most) {
      return static_cast<std::int64_t>(1 + rng.below(most));
    };
    Twin twin{{number(5), number(40), 1.0}, number(60), number(9), {}, {}};
    const std::int64_t currents = number(4) - 1, delay = number(70);
    twin.settings = {{"after_spike_currents", std::to_string(currents)},
                     {"delay", std::to_string(delay) + "steps"}};
    twin.pass.first = static_cast<std::int64_t>(rng.below(static_cast<std::uint64_t>(twin.steps)));
    SCOPED_TRACE(::testing::Message()
                 << "inputs " << twin.shape.input_size << ", neurons " << twin.shape.neurons
                 << ", steps " << twin.steps << ", rows " << twin.rows << ", currents " << currents
                 << ", delay " << delay << ", first " << twin.pass.first);
    expect_twins(twin);
  }
}

TEST(GlifrEngine, AgreesWithEverySetting) {
  for (const Settings& settings :
       std::vector<Settings>{{{"tau", "2.5 ms"}},
                             {{"reset", "-0.3 mV"}, {"bias_current", "70 pA"}},
                             {{"amplitude", "pA"}, {"bound_after_spike_currents", "false"}},
                             {{"variant", "homa"}},
                             {{"variant", "lhet"}},
                             {{"learn", "threshold,after_spike_decay"}, {"learn_weights", "false"}},
                             {{"after_spike_currents", "64"}}}) {
    SCOPED_TRACE(settings[0].first);
    expect_twins({{3, 9, 1.0}, 20, 4, settings, {}});
  }
}

TEST(GlifrEngine, SilencesAndDropsTheSame) {
  for (const std::string delay : {"1steps", "4steps"}) {
    Twin twin{{3, 9, 1.0}, 20, 4, {{"delay", delay}}, {}};
    twin.pass.mask = at::ones({9});
    twin.pass.mask[2] = 0;
    twin.pass.sigma_mV = 0.3;
    expect_twins(twin);
    twin.pass.dropout = at::make_generator<at::CPUGeneratorImpl>(7);
    for (const Settings& settings : std::vector<Settings>{
             {{"dropout", "0.3"}},
             {{"recurrent_dropout", "0.3"}},
             {{"input_dropout", "0.3"}},
             {{"dropout", "0.2"}, {"recurrent_dropout", "0.4"}, {"input_dropout", "0.1"}}}) {
      Twin dropped = twin;
      dropped.settings.insert(dropped.settings.end(), settings.begin(), settings.end());
      expect_twins(dropped);
    }
  }
}

TEST(GlifrEngine, AgreesInSinglePrecision) {
  expect_twins({{4, 37, 1.0}, 50, 6, {{"delay", "3steps"}}, {}}, at::kFloat, 3e-6);
}

TEST(GlifrEngine, ComputesInBfloat16WhereItIsAsked) {
  if (!kernels::has_bfloat16()) GTEST_SKIP() << "this processor does not multiply bfloat16";
  const auto layer = testing::make_layer("glifr", {3, 20, 1.0});
  layer->to(at::kFloat);
  const at::Tensor input = uniform_tensor({30, 4, 3}, Rng(3), -2, 2).to(at::kFloat);
  LayerPass pass;
  const Outcome exact = run(*layer, input, pass, Engine::automatic);
  pass.precision = Precision::bfloat16;
  const Outcome rounded = run(*layer, input, pass, Engine::automatic);
  EXPECT_GT(testing::relative_error(rounded.emitted, exact.emitted), 1e-6);
  expect_close(rounded.emitted, exact.emitted, 4e-3, "emissions");
  for (const auto& [name, gradient] : exact.gradients) {
    expect_close(rounded.gradients.at(name), gradient, 3e-2, name);
  }
  testing::expect_error(ErrorKind::config, {"precision", "bfloat16"},
                        [&] { run(*layer, input, pass, Engine::composed); });
  const auto other = testing::make_layer("lstm", {3, 4, 1.0});
  testing::expect_error(ErrorKind::config, {"precision", "bfloat16"},
                        [&] { other->emissions(input.to(at::kDouble), pass); });
}

TEST(GlifrEngine, IsDifferentiableByFiniteDifferences) {
  const auto layer = testing::make_layer("glifr", {2, 5, 1.0},
                                         {{"threshold", "uniform(-0.5, 1)"},
                                          {"after_spike_additive", "uniform(-100, 100)"},
                                          {"delay", "2steps"}});
  testing::Variables variables = {{"input", uniform_tensor({9, 3, 2}, Rng(1))}};
  for (const ParameterSpec& spec : layer->specs()) variables[spec.name] = layer->raw(spec.name);
  const at::Tensor weights = uniform_tensor({9, 3, 5}, Rng(2));
  testing::expect_gradients(
      [&] { return (layer->emissions(variables.at("input"), {}) * weights).sum(); }, variables);
}

TEST(GlifrEngine, LeavesOutTheGradientOfAnInputThatNeedsNone) {
  const auto layer = testing::make_layer("glifr", {3, 7, 1.0});
  const at::Tensor input = uniform_tensor({10, 2, 3}, Rng(1));
  const Outcome with = run(*layer, input, {}, Engine::automatic);
  const Outcome without = run(*layer, input, {}, Engine::automatic, false);
  for (const auto& [name, gradient] : without.gradients) {
    expect_same(gradient, with.gradients.at(name), name);
  }
}

TEST(GlifrEngine, GivesGradientsOnceForEachPass) {
  const auto layer = testing::make_layer("glifr", {3, 7, 1.0});
  const at::Tensor loss = layer->emissions(uniform_tensor({10, 2, 3}, Rng(1)), {}).sum();
  torch::autograd::grad({loss}, {layer->raw("threshold")}, {}, true);
  testing::expect_error(ErrorKind::internal, {"GLIFR", "once", "Engine::composed"},
                        [&] { torch::autograd::grad({loss}, {layer->raw("threshold")}); });
}

TEST(GlifrEngine, RefusesGradientsOfGradients) {
  const auto layer = testing::make_layer("glifr", {3, 7, 1.0});
  const at::Tensor loss = layer->emissions(uniform_tensor({10, 2, 3}, Rng(1)), {}).sum();
  testing::expect_error(ErrorKind::internal, {"gradients of gradients", "Engine::composed"}, [&] {
    torch::autograd::grad({loss}, {layer->raw("threshold")}, {}, true, /*create_graph=*/true);
  });
}

TEST(GlifrEngine, GivesTheSameBitsWithinAnyLimit) {
  NetworkOptions options;
  options.hidden = 24;
  options.layers = 2;
  Network network(*testing::make_model("glifr", {{"dropout", "0.2"}, {"recurrent_dropout", "0.2"}}),
                  options, {2, 3, 1.0});
  network.initialize(Rng(1));
  std::vector<at::Tensor> variables;
  for (const auto& parameter : network.named()) variables.push_back(parameter.tensor);
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
    pass.workspace_limit = static_cast<std::size_t>(part * static_cast<double>(all->bytes));
    const auto planned = network.workspace(400, 4, pass);
    EXPECT_LE(planned->bytes, std::max(pass.workspace_limit, planned->least)) << part;
    const auto found = gradients();
    for (std::size_t i = 0; i < whole.size(); ++i) expect_same(found[i], whole[i], "gradient");
  }
}

TEST(GlifrEngine, TakesInputsOfAnyLayout) {
  const auto layer = testing::make_layer("glifr", {3, 7, 1.0});
  const at::Tensor batch_first = uniform_tensor({2, 10, 3}, Rng(1));
  expect_same(layer->emissions(batch_first.transpose(0, 1), {}),
              layer->emissions(batch_first.transpose(0, 1).contiguous(), {}), "emissions");
}

TEST(GlifrEngine, OfStackedLayersIsDifferentiable) {
  NetworkOptions options;
  options.hidden = 6;
  options.layers = 3;
  Network network(*testing::make_model("glifr"), options, {2, 3, 1.0});
  network.initialize(Rng(1));
  network.to(at::kDouble);
  const at::Tensor input = uniform_tensor({12, 4, 2}, Rng(1));
  std::vector<at::Tensor> variables;
  for (const auto& parameter : network.named()) variables.push_back(parameter.tensor);
  NetworkPass pass;
  pass.first = 7;
  std::vector<std::vector<at::Tensor>> gradients;
  for (const Engine engine : {Engine::automatic, Engine::composed}) {
    pass.engine = engine;
    const at::Tensor output = network.forward(input, pass);
    EXPECT_EQ(output.sizes(), at::IntArrayRef({5, 4, 3}));
    gradients.push_back(torch::autograd::grad({output.square().sum()}, variables));
  }
  for (std::size_t i = 0; i < variables.size(); ++i) {
    expect_close(gradients[0][i], gradients[1][i], 1e-11, network.named()[i].name);
  }
}

/// Every case of the file whose output and loss on the output are there.
void check_golden(at::ScalarType type) {
  const GoldenFile golden("golden_glifr.h5");
  int cases = 0;
  for (const std::string& name : golden.members("/")) {
    const std::string group = "/" + name;
    if (name == "adam5" || !golden.exists(group + "/params_raw")) continue;
    SCOPED_TRACE(name);
    ++cases;
    const bool nearly_spiking = golden.number(group, "sigma_v") < 0.1;
    const bool exact = type == at::kDouble;
    const GoldenCase example = testing::glifr_case(golden, group, type);
    const at::Tensor output =
        example.network->forward(example.input.transpose(0, 1), example.pass).transpose(0, 1);
    const double allowed = exact ? (nearly_spiking ? 1e-9 : 1e-12) : (nearly_spiking ? 1e-3 : 1e-5);
    expect_close(output, golden.tensor(group + "/trajectory/output"), allowed, "output");
    if (!exact && nearly_spiking) continue;
    const at::Tensor loss = at::mse_loss(output, golden.tensor(group + "/target").to(type));
    const std::vector<std::string> keys = golden.members(group + "/loss_mse/grad");
    std::vector<at::Tensor> variables;
    for (const std::string& key : keys) {
      variables.push_back(key == "input"
                              ? example.input
                              : example.parameters.at(testing::golden_parameter_names().at(key)));
    }
    const auto found = torch::autograd::grad({loss}, variables);
    for (std::size_t i = 0; i < keys.size(); ++i) {
      const at::Tensor expected = golden.tensor(group + "/loss_mse/grad/" + keys[i]);
      expect_close(found[i].reshape(expected.sizes()), expected, exact ? allowed : 1e-4,
                   "gradient of " + keys[i]);
    }
  }
  EXPECT_GE(cases, 6);
}

TEST(GlifrEngine, ReproducesTheGoldenFileInDoublePrecision) {
  check_golden(at::kDouble);
}

TEST(GlifrEngine, ReproducesTheGoldenFileInSinglePrecision) {
  check_golden(at::kFloat);
}

}  // namespace
}  // namespace afterspike::nn
