// The whole-sequence kernel of ELM neurons, as layers use it, against composed operations.

#include <ATen/ATen.h>
#include <ATen/CPUGeneratorImpl.h>
#include <gtest/gtest.h>

#include "afterspike/nn/elm.hpp"
#include "engines.hpp"

namespace afterspike::nn {
namespace {

using testing::described;
using testing::dropouts;
using testing::expect_close;
using testing::expect_twins;
using testing::Settings;
using testing::Twin;
using testing::uniform_tensor;

TEST(ElmEngine, AgreesWithComposedOperationsInRandomShapes) {
  Rng rng = Rng(12).stream("shapes");
  const char* activations[] = {"relu", "silu", "relu_squared"};
  for (int i = 0; i < 40; ++i) {
    const auto number = [&](std::uint64_t most) {
      return static_cast<std::int64_t>(1 + rng.below(most));
    };
    Twin twin{"elm", {number(30), number(40), 1.0}, number(60), number(9), {}, {}};
    twin.settings = {{"mlp_layers", std::to_string(number(4) - 1)},
                     {"mlp_width", std::to_string(number(50))},
                     {"mlp_activation", activations[number(3) - 1]},
                     {"version", number(2) == 1 ? "v1" : "v2"},
                     {"learn", number(3) == 1 ? "none" : "memory_tau"},
                     {"memory_tau_max", "50 ms"}};
    if (number(2) == 1) {
      const Settings branched = {{"branches", std::to_string(number(6))},
                                 {"synapses_per_branch", std::to_string(number(6))},
                                 {"routing", "random"}};
      twin.settings.insert(twin.settings.end(), branched.begin(), branched.end());
    }
    twin.pass.first = static_cast<std::int64_t>(rng.below(static_cast<std::uint64_t>(twin.steps)));
    SCOPED_TRACE(described(twin));
    expect_twins(twin);
  }
}

TEST(ElmEngine, LearnsTimescalesOfTraces) {
  for (const std::string version : {"v1", "v2"}) {
    SCOPED_TRACE(version);
    expect_twins({"elm", {6, 5, 1.0}, 30, 3, {{"learn", "all"}, {"version", version}}, {}});
    expect_twins({"elm",
                  {6, 5, 1.0},
                  30,
                  3,
                  {{"learn", "synapse_tau"},
                   {"version", version},
                   {"branches", "2"},
                   {"synapses_per_branch", "3"}},
                  {}});
  }
}

TEST(ElmEngine, SilencesAndDropsTheSame) {
  Twin twin{"elm", {6, 9, 1.0}, 20, 4, {}, {}};
  twin.pass.mask = at::ones({9});
  twin.pass.mask[2] = 0;
  expect_twins(twin);
  twin.pass.dropout = at::make_generator<at::CPUGeneratorImpl>(7);
  for (const Settings& settings : dropouts()) {
    Twin dropped = twin;
    dropped.settings = settings;
    expect_twins(dropped);
  }
}

TEST(ElmEngine, AgreesInSinglePrecision) {
  expect_twins({"elm", {40, 37, 1.0}, 50, 6, {}, {}}, at::kFloat, 1e-5);
}

TEST(ElmNetworkEngine, AgreesWithComposedOperationsInRandomShapes) {
  Rng rng = Rng(13).stream("shapes");
  const char* activations[] = {"relu", "silu", "relu_squared"};
  for (int i = 0; i < 40; ++i) {
    const auto number = [&](std::uint64_t most) {
      return static_cast<std::int64_t>(1 + rng.below(most));
    };
    Twin twin{"elm_network", {number(30), number(20), 1.0}, number(40), number(9), {}, {}};
    twin.settings = {{"memory", std::to_string(number(6))},
                     {"mlp_layers", std::to_string(number(4) - 1)},
                     {"mlp_width", std::to_string(number(9))},
                     {"branches", std::to_string(number(7))},
                     {"synapses_per_branch", std::to_string(number(4))},
                     {"mlp_activation", activations[number(3) - 1]},
                     {"lambda_as_timescale", number(2) == 1 ? "true" : "false"},
                     {"branch_tau", number(2) == 1 ? "0 ms" : "3 ms"},
                     {"high_pass_tau", number(2) == 1 ? "0 ms" : "4 ms"},
                     {"output", number(2) == 1 ? "relu" : "identity"},
                     {"recurrent_fraction", "0.4"},
                     {"input_scale", "0.3"},
                     {"learn", "memory_tau"},
                     {"memory_tau_max", "50 ms"}};
    twin.pass.first = static_cast<std::int64_t>(rng.below(static_cast<std::uint64_t>(twin.steps)));
    SCOPED_TRACE(described(twin));
    expect_twins(twin, at::kDouble, 1e-11);
  }
}

TEST(ElmNetworkEngine, SilencesAndDropsTheSame) {
  Twin twin{"elm_network", {6, 9, 1.0}, 20, 4, {{"memory", "2"}, {"input_scale", "0.3"}}, {}};
  twin.pass.mask = at::ones({9});
  twin.pass.mask[2] = 0;
  expect_twins(twin);
  twin.pass.dropout = at::make_generator<at::CPUGeneratorImpl>(7);
  for (const std::string variational : {"true", "false"}) {
    for (const Settings& settings : dropouts()) {
      Twin dropped = twin;
      dropped.settings.insert(dropped.settings.end(), settings.begin(), settings.end());
      dropped.settings.emplace_back("variational", variational);
      SCOPED_TRACE(variational + " " + settings[0].first);
      expect_twins(dropped);
    }
  }
}

/// Values beyond the end of a sequence have no influence.
TEST(ElmNetworkEngine, PenalisesTheStepsOfASequenceOnly) {
  const auto layer = testing::make_layer(
      "elm_network", {6, 9, 1.0},
      {{"memory", "2"}, {"memory_penalty", "0.5"}, {"activity_penalty", "0.25"}});
  const at::Tensor input = uniform_tensor({12, 3, 6}, Rng(3));
  const auto penalty_of = [&](const at::Tensor& sequences, const at::Tensor& lengths) {
    LayerPass pass;
    pass.lengths = lengths;
    at::Tensor penalty;
    pass.penalty = &penalty;
    layer->emissions(sequences, pass);
    return penalty.detach();
  };
  const at::Tensor lengths = at::tensor({12, 5, 1}, at::kLong);
  const at::Tensor together = penalty_of(input, lengths);
  for (std::int64_t i = 0; i < 3; ++i) {
    const at::Tensor own =
        input.narrow(0, 0, lengths[i].item<std::int64_t>()).narrow(1, i, 1).contiguous();
    expect_close(together.narrow(0, i, 1), penalty_of(own, {}), 1e-12, "penalty");
  }
  expect_close(penalty_of(input, at::full({3}, 12, at::kLong)), penalty_of(input, {}), 1e-12,
               "of sequences of one length");
}

TEST(ElmNetworkEngine, PenalisesTheSame) {
  const auto layer = testing::make_layer("elm_network", {6, 9, 1.0},
                                         {{"memory", "2"},
                                          {"memory_penalty", "0.5"},
                                          {"activity_penalty", "0.25"},
                                          {"mlp_activation", "silu"}});
  const at::Tensor input = uniform_tensor({12, 3, 6}, Rng(3));
  std::vector<at::Tensor> variables;
  for (const ParameterSpec& spec : layer->specs()) {
    if (spec.trainable) variables.push_back(layer->raw(spec.name));
  }
  for (const at::Tensor& lengths : {at::Tensor(), at::tensor({12, 5, 1}, at::kLong)}) {
    std::vector<at::Tensor> penalties;
    std::vector<std::vector<at::Tensor>> gradients;
    for (const Engine engine : {Engine::automatic, Engine::composed}) {
      LayerPass pass;
      pass.execution.engine = engine;
      pass.first = 11;
      pass.lengths = lengths;
      at::Tensor penalty;
      pass.penalty = &penalty;
      const at::Tensor emitted = layer->emissions(input, pass);
      ASSERT_EQ(penalty.sizes(), at::IntArrayRef({3}));
      EXPECT_GT(penalty.min().item<double>(), 0);
      penalties.push_back(penalty);
      gradients.push_back(torch::autograd::grad({penalty.sum() + emitted.sum()}, variables));
    }
    expect_close(penalties[0], penalties[1], 1e-12, "penalty");
    for (std::size_t i = 0; i < variables.size(); ++i) {
      expect_close(gradients[0][i], gradients[1][i], 1e-11, "gradient");
    }
  }
}

}  // namespace
}  // namespace afterspike::nn
