// The whole-sequence kernel of GLIFR, as layers use it, against composed operations and against the
// golden file.

#include <ATen/ATen.h>
#include <ATen/CPUGeneratorImpl.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <torch/csrc/autograd/autograd.h>

#include "afterspike/kernels/gemm.hpp"
#include "engines.hpp"
#include "golden_case.hpp"
#include "support/expect_error.hpp"

namespace afterspike::nn {
namespace {

using testing::dropouts;
using testing::expect_close;
using testing::GoldenCase;
using testing::GoldenFile;
using testing::Outcome;
using testing::run_engine;
using testing::Settings;
using testing::Twin;
using testing::uniform_tensor;

/// The engines on a layer of neurons in which nothing is at its default.
void expect_glifr_twins(Twin twin, at::ScalarType type = at::kDouble, double tolerance = 1e-12) {
  Settings settings = {{"threshold", "uniform(-0.5, 1)"},
                       {"membrane_decay", "uniform(0.05, 0.4)"},
                       {"after_spike_decay", "uniform(0.02, 0.8)"},
                       {"after_spike_multiplicative", "uniform(-0.4, 0.01)"},
                       {"after_spike_additive", "uniform(-100, 100)"}};
  settings.insert(settings.end(), twin.settings.begin(), twin.settings.end());
  twin.settings = settings;
  testing::expect_twins(twin, type, tolerance);
}

TEST(GlifrEngine, AgreesWithComposedOperationsInRandomShapes) {
  Rng rng = Rng(11).stream("shapes");
  for (int i = 0; i < 40; ++i) {
    const auto number = [&](std::uint64_t most) {
      return static_cast<std::int64_t>(1 + rng.below(most));
    };
    Twin twin{"glifr", {number(5), number(40), 1.0}, number(60), number(9), {}, {}};
    const std::int64_t currents = number(4) - 1, delay = number(70);
    twin.settings = {{"after_spike_currents", std::to_string(currents)},
                     {"delay", std::to_string(delay) + "steps"}};
    twin.pass.first = static_cast<std::int64_t>(rng.below(static_cast<std::uint64_t>(twin.steps)));
    SCOPED_TRACE(::testing::Message()
                 << "inputs " << twin.shape.input_size << ", neurons " << twin.shape.neurons
                 << ", steps " << twin.steps << ", rows " << twin.rows << ", currents " << currents
                 << ", delay " << delay << ", first " << twin.pass.first);
    expect_glifr_twins(twin);
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
    expect_glifr_twins({"glifr", {3, 9, 1.0}, 20, 4, settings, {}});
  }
}

TEST(GlifrEngine, EmitsTheSameSpikesWithTheSameSurrogateGradients) {
  for (const Settings& settings :
       std::vector<Settings>{{{"delay", "1steps"}},
                             {{"delay", "4steps"}, {"tau", "2.5 ms"}},
                             {{"reset", "-0.3 mV"}, {"after_spike_currents", "0"}},
                             {{"dropout", "0.3"}, {"recurrent_dropout", "0.3"}}}) {
    SCOPED_TRACE(settings[0].second);
    Twin twin{"glifr", {3, 9, 1.0}, 40, 4, settings, {}};
    twin.pass.spikes = true;
    twin.pass.sigma_mV = 0.3;
    if (settings[0].first == "dropout") {
      twin.pass.dropout = at::make_generator<at::CPUGeneratorImpl>(7);
    }
    expect_glifr_twins(twin);
  }
}

TEST(GlifrEngine, SpikesAreZerosAndOnesAndLimitsOfRates) {
  Twin twin{"glifr", {3, 9, 1.0}, 40, 4, {{"threshold", "uniform(-0.5, 1)"}}, {}};
  const auto layer = testing::make_layer(twin.neuron, twin.shape, twin.settings);
  layer->initialize(Rng(3));
  const at::Tensor input = uniform_tensor({40, 4, 3}, Rng(4));
  LayerPass spikes, sharp;
  spikes.spikes = true;
  sharp.sigma_mV = 1e-30;
  const at::NoGradGuard no_grad;
  const at::Tensor emitted = layer->emissions(input, spikes);
  EXPECT_TRUE(at::logical_or(emitted == 0, emitted == 1).all().item<bool>());
  EXPECT_GT(emitted.mean().item<double>(), 0.02);
  EXPECT_LT(emitted.mean().item<double>(), 0.98);
  expect_close(emitted, layer->emissions(input, sharp), 1e-12, "at a tiny softness");
}

TEST(GlifrEngine, SilencesAndDropsTheSame) {
  for (const std::string delay : {"1steps", "4steps"}) {
    Twin twin{"glifr", {3, 9, 1.0}, 20, 4, {{"delay", delay}}, {}};
    twin.pass.mask = at::ones({9});
    twin.pass.mask[2] = 0;
    twin.pass.sigma_mV = 0.3;
    expect_glifr_twins(twin);
    twin.pass.dropout = at::make_generator<at::CPUGeneratorImpl>(7);
    for (const Settings& settings : dropouts()) {
      Twin dropped = twin;
      dropped.settings.insert(dropped.settings.end(), settings.begin(), settings.end());
      expect_glifr_twins(dropped);
    }
  }
}

TEST(GlifrEngine, AgreesInSinglePrecision) {
  expect_glifr_twins({"glifr", {4, 37, 1.0}, 50, 6, {{"delay", "3steps"}}, {}}, at::kFloat, 3e-6);
}

TEST(GlifrEngine, ComputesInBfloat16WhereItIsAsked) {
  if (!kernels::has_bfloat16()) GTEST_SKIP() << "this processor does not multiply bfloat16";
  const auto layer = testing::make_layer("glifr", {3, 20, 1.0});
  layer->to(at::kFloat);
  const at::Tensor input = uniform_tensor({30, 4, 3}, Rng(3), -2, 2).to(at::kFloat);
  LayerPass pass;
  const Outcome exact = run_engine(*layer, input, pass, Engine::automatic);
  pass.execution.precision = Precision::bfloat16;
  const Outcome rounded = run_engine(*layer, input, pass, Engine::automatic);
  EXPECT_GT(testing::relative_error(rounded.emitted, exact.emitted), 1e-6);
  expect_close(rounded.emitted, exact.emitted, 4e-3, "emissions");
  for (const auto& [name, gradient] : exact.gradients) {
    expect_close(rounded.gradients.at(name), gradient, 3e-2, name);
  }
  testing::expect_error(ErrorKind::config, {"precision", "bfloat16"},
                        [&] { run_engine(*layer, input, pass, Engine::composed); });
  const auto other = testing::make_layer("lstm", {3, 4, 1.0});
  testing::expect_error(ErrorKind::config, {"precision", "bfloat16"},
                        [&] { other->emissions(input.to(at::kDouble), pass); });
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
