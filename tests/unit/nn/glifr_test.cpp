#include "afterspike/nn/glifr.hpp"

#include <ATen/ATen.h>
#include <gtest/gtest.h>
#include <torch/csrc/autograd/autograd.h>

#include "models.hpp"
#include "support/tensors.hpp"

namespace afterspike::nn {
namespace {

using testing::expect_close;
using testing::make_layer;

constexpr double kDt = 0.05;

std::shared_ptr<Glifr> glifr(const LayerShape& shape, const GlifrOptions& options = {},
                             at::ScalarType type = at::kDouble) {
  auto layer = std::make_shared<Glifr>(shape, options);
  layer->to(type);
  layer->initialize(Rng(1));
  return layer;
}

/// Returns all results of a pass from rest, including "emitted".
NamedTensors run(const NeuronLayer& layer, const at::Tensor& input) {
  NamedTensors trace;
  NamedTensors state = layer.initial_state(input.size(1));
  LayerPass pass;
  pass.trace = &trace;
  const at::Tensor emitted = layer.forward(input, state, pass);
  trace["emitted"] = emitted;
  return trace;
}

TEST(Glifr, NaturalUnitOfAmplitudeMovesADefaultNeuronByAMillivoltInAStep) {
  const auto layer = glifr({1, 1, kDt}, {});
  const at::NoGradGuard no_grad;
  layer->raw("recurrent_weight").zero_();
  layer->raw("input_weight").fill_(1);
  layer->raw("after_spike_additive").zero_();
  const at::Tensor input = at::full({2, 1, 1}, 1e3, at::kDouble);  // It fires at rate 1 at once.
  const at::Tensor without = run(*layer, input).at("voltage");
  layer->raw("after_spike_additive")[0].fill_(1);
  const at::Tensor with = run(*layer, input).at("voltage");
  EXPECT_NEAR((with - without)[1].item<double>(), 1, 1e-9);
}

TEST(Glifr, SoftnessOfAPassReplacesThatOfTheLayer) {
  const at::Tensor input = testing::uniform_tensor({6, 2, 3}, Rng(1), -2, 2);
  GlifrOptions options;
  const auto soft = glifr({3, 4, kDt}, options);
  options.sigma_mV = 0.2;
  const auto hard = glifr({3, 4, kDt}, options);
  NamedTensors state = soft->initial_state(2);
  LayerPass pass;
  pass.sigma_mV = 0.2;
  testing::expect_same(soft->forward(input, state, pass), run(*hard, input).at("emitted"), "rates");
  EXPECT_TRUE(soft->has_threshold_softness());
  for (const char* name : {"rnn", "gru", "lstm"}) {
    EXPECT_FALSE(make_layer(name, {3, 4, kDt})->has_threshold_softness()) << name;
  }
}

/// Copies physical values, each times its factor.
void copy_scaled(const NeuronLayer& from, NeuronLayer& to,
                 const std::map<std::string, double>& factors) {
  for (const ParameterSpec& spec : from.specs()) {
    const auto factor = factors.find(spec.name);
    to.set_physical(spec.name, from.physical(spec.name).detach() *
                                   (factor == factors.end() ? 1 : factor->second));
  }
}

class GlifrGauge : public ::testing::Test {
 protected:
  static GlifrOptions base() {
    GlifrOptions options;
    options.after_spike_additive = Initial::uniform(-300, 300);
    options.after_spike_decay = Initial::uniform(0.5, 3);
    options.after_spike_multiplicative = Initial::uniform(-0.8, 0.02);
    options.membrane_decay = Initial::uniform(0.1, 0.6);
    options.bias_current_pA = 30;
    options.reset_mV = -0.3;
    options.tau_ms = 0.1;
    options.sigma_mV = 0.7;
    options.delay = units::Duration::milliseconds(0.15);
    return options;
  }
  at::Tensor input_ = testing::uniform_tensor({40, 2, 3}, Rng(2), -2, 2);
  std::shared_ptr<Glifr> layer_ = glifr({3, 7, kDt}, base());
  NamedTensors expected_ = run(*layer_, input_);
};

TEST_F(GlifrGauge, TimeCanBeScaled) {
  GlifrOptions options = base();
  options.tau_ms *= 20;
  options.delay.value *= 20;
  options.membrane_decay = options.after_spike_decay = Initial::constant(0.05);
  const auto slow = glifr({3, 7, 20 * kDt}, options);
  copy_scaled(*layer_, *slow, {{"membrane_decay", 1.0 / 20}, {"after_spike_decay", 1.0 / 20}});
  for (const auto& [name, tensor] : run(*slow, input_)) {
    expect_close(tensor, expected_.at(name), 1e-12, name);
  }
}

TEST_F(GlifrGauge, CurrentCanBeScaledAgainstResistance) {
  GlifrOptions options = base();
  options.resistance_GOhm /= 4;
  options.bias_current_pA *= 4;
  const auto other = glifr({3, 7, kDt}, options);
  copy_scaled(*layer_, *other, {{"after_spike_additive", 4}});
  const NamedTensors found = run(*other, input_);
  for (const char* name : {"emitted", "voltage", "synaptic"}) {
    expect_close(found.at(name), expected_.at(name), 1e-12, name);
  }
  expect_close(found.at("after_spike_current"), 4 * expected_.at("after_spike_current"), 1e-12,
               "I");
}

TEST_F(GlifrGauge, VoltageCanBeScaled) {
  GlifrOptions options = base();
  options.sigma_mV *= 3;
  options.reset_mV *= 3;
  options.resistance_GOhm *= 3;
  const auto other = glifr({3, 7, kDt}, options);
  copy_scaled(*layer_, *other, {{"threshold", 3}, {"input_weight", 3}, {"recurrent_weight", 3}});
  const NamedTensors found = run(*other, input_);
  for (const char* name : {"emitted", "after_spike_current"}) {
    expect_close(found.at(name), expected_.at(name), 1e-12, name);
  }
  expect_close(found.at("voltage"), 3 * expected_.at("voltage"), 1e-12, "voltage");
}

/// Nine neurons that fire at rate 1 all the time, with the most extreme raw values of decay and
/// multiplicative constant; returns their after-spike currents after `steps` steps.
at::Tensor currents_after(bool bound, at::ScalarType type, std::int64_t steps) {
  GlifrOptions options;
  options.after_spike_currents = 1;
  options.bound_after_spike_currents = bound;
  const auto layer = glifr({1, 9, kDt}, options, type);
  const at::NoGradGuard no_grad;
  layer->raw("recurrent_weight").zero_();
  layer->raw("input_weight").fill_(1);
  layer->raw("after_spike_additive").fill_(1);
  const at::Tensor extremes = at::tensor({-30.0, 0.0, 30.0}, type);
  layer->raw("after_spike_decay")[0].copy_(extremes.repeat_interleave(3));
  layer->raw("after_spike_multiplicative")[0].copy_(extremes.repeat({3}));
  NamedTensors state = layer->initial_state(1);
  const at::Tensor input = at::full({steps, 1, 1}, 1e9, type);
  const at::Tensor emitted = layer->forward(input, state, {});
  if (bound) {
    EXPECT_EQ(emitted.min().item<double>(), 1);
  }
  return state.at("after_spike_current").flatten();
}

TEST(Glifr, BoundedAfterSpikeCurrentsStayFiniteWhereOthersRunAway) {
  for (const at::ScalarType type : {at::kFloat, at::kDouble}) {
    const at::Tensor bounded = currents_after(true, type, 20000);
    EXPECT_TRUE(at::isfinite(bounded).all().item<bool>()) << bounded;
    // They can still sum, 4000 pA a step, but not multiply.
    EXPECT_LE(bounded.abs().max().item<double>(), 20000 * 4000 * 1.01) << bounded;
  }
  EXPECT_FALSE(at::isfinite(currents_after(false, at::kDouble, 2000)).all().item<bool>());
}

TEST(Glifr, BoundKeepsTheMultiplicativeConstantBelowTauTimesDecay) {
  const auto layer = glifr({1, 200, kDt}, {});
  {
    const at::NoGradGuard no_grad;
    for (const char* name : {"after_spike_decay", "after_spike_multiplicative"}) {
      layer->raw(name).copy_(testing::uniform_tensor({2, 200}, Rng(3).stream(name), -12, 12));
    }
  }
  const at::Tensor limit = kDt * layer->physical("after_spike_decay");
  const at::Tensor multiplicative = layer->physical("after_spike_multiplicative");
  EXPECT_TRUE(((multiplicative < limit) & (multiplicative > -1)).all().item<bool>());
}

TEST(Glifr, ExtremeVoltagesGiveNoNan) {
  for (const at::ScalarType type : {at::kFloat, at::kDouble}) {
    for (const double size : {-1e6, 1e6}) {
      GlifrOptions options;
      options.sigma_mV = 1e-3;
      const auto layer = glifr({2, 3, kDt}, options, type);
      {
        const at::NoGradGuard no_grad;
        layer->raw("input_weight").fill_(1);
      }
      const at::Tensor input = at::full({10, 1, 2}, size, type).requires_grad_(true);
      const NamedTensors trace = run(*layer, input);
      std::vector<at::Tensor> leaves = {input};
      for (const ParameterSpec& spec : layer->specs()) leaves.push_back(layer->raw(spec.name));
      const at::Tensor loss = trace.at("emitted").sum() + trace.at("voltage").sum();
      for (const auto& [name, tensor] : trace) {
        EXPECT_TRUE(at::isfinite(tensor).all().item<bool>()) << name << " at " << size;
      }
      for (const at::Tensor& gradient : torch::autograd::grad({loss}, leaves)) {
        EXPECT_TRUE(at::isfinite(gradient).all().item<bool>()) << size << gradient;
      }
    }
  }
}

}  // namespace
}  // namespace afterspike::nn
