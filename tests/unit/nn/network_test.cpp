#include "afterspike/nn/network.hpp"

#include <chrono>
#include <thread>
#include <type_traits>

#include <ATen/ATen.h>
#include <ATen/CPUGeneratorImpl.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "afterspike/base/blas.hpp"
#include "models.hpp"
#include "support/expect_error.hpp"
#include "support/tensors.hpp"

namespace afterspike::nn {
namespace {

using testing::expect_close;
using testing::expect_error;
using testing::expect_same;
using testing::make_model;
using testing::Settings;

constexpr NetworkShape kShape{3, 4, 0.05};

std::shared_ptr<Network> network(const std::string& neuron, const NetworkOptions& options,
                                 const Settings& settings = {}, std::uint64_t seed = 1) {
  auto result = std::make_shared<Network>(*make_model(neuron, settings), options, kShape);
  result->to(at::kDouble);
  result->initialize(Rng(seed));
  return result;
}

static_assert(!std::is_copy_constructible_v<Network> && !std::is_copy_assignable_v<Network>,
              "a copy would train the layers of the other");

/// A layer that emits nothing.
class Silent : public NeuronLayer {
 public:
  using NeuronLayer::NeuronLayer;
  NamedTensors initial_state(std::int64_t /*batch*/) const override { return {}; }
  at::Tensor forward(const at::Tensor& input, NamedTensors& /*state*/,
                     const LayerPass& /*pass*/) const override {
    return at::zeros({input.size(0), input.size(1), shape().neurons});
  }
};

TEST(NeuronLayer, HasEachParameterOnce) {
  const ParameterSpec weight{"weight", "W", "1", {2, 3}, {}, {}},
      bias{"bias", "b", "1", {3}, {}, {}};
  EXPECT_EQ(Silent({2, 3}, {weight, bias}).raw("weight").numel(), 6);
  expect_error(ErrorKind::internal, {"two parameters called 'weight'"}, [&] {
    Silent({2, 3}, {weight, bias, weight});
  });
}

NetworkOptions sized(std::int64_t hidden, std::int64_t layers = 1) {
  NetworkOptions options;
  options.hidden = hidden;
  options.layers = layers;
  return options;
}

at::Tensor input() {
  return testing::uniform_tensor({9, 2, 3}, Rng(4), -2, 2);
}

std::map<std::string, at::Tensor> values(const Network& network) {
  std::map<std::string, at::Tensor> all;
  for (const auto& parameter : network.named()) {
    all[parameter.name] = parameter.tensor.detach().clone();
  }
  return all;
}

TEST(Network, NamesItsParametersFromTheFirstLayerToTheReadout) {
  const auto two = network("rnn", sized(5, 2));
  std::vector<std::string> names;
  std::int64_t numbers = 0;
  for (const auto& parameter : two->named()) {
    names.push_back(parameter.name);
    EXPECT_EQ(parameter.tensor.sizes(), at::IntArrayRef(parameter.spec->shape)) << parameter.name;
    EXPECT_EQ(parameter.tensor.scalar_type(), at::kDouble);
    numbers += parameter.tensor.numel();
  }
  EXPECT_THAT(names, ::testing::ElementsAre("layers.0.input_weight", "layers.0.recurrent_weight",
                                            "layers.0.bias", "layers.1.input_weight",
                                            "layers.1.recurrent_weight", "layers.1.bias",
                                            "readout.weight", "readout.bias"));
  EXPECT_EQ(numbers, (15 + 25 + 5) + (25 + 25 + 5) + (20 + 4));
  EXPECT_EQ(two->trainable_parameters(), numbers);
}

TEST(Network, IsItsLayersOneUponTheOtherAndALinearReadout) {
  for (const std::string neuron : {"glifr", "lstm"}) {
    const auto two = network(neuron, sized(5, 2));
    at::Tensor signal = input();
    for (const auto& layer : two->layers()) {
      NamedTensors state = layer->initial_state(2);
      signal = layer->forward(signal, state, {});
    }
    expect_close(two->emissions(input(), {}), signal, 1e-13, "emissions");
    NetworkPass pass;
    pass.execution.engine = Engine::composed;
    expect_same(two->emissions(input(), pass), signal, "composed emissions");
    for (const Engine engine : {Engine::automatic, Engine::composed}) {
      pass.execution.engine = engine;
      pass.first = 6;
      expect_close(two->emissions(input(), pass), signal.narrow(0, 6, 3), 1e-13, "from step 6 on");
      pass.first = 0;
    }
    const auto all = values(*two);
    const at::Tensor expected = at::einsum("tbh,oh->tbo", {signal, all.at("readout.weight")});
    expect_close(two->forward(input()), expected + all.at("readout.bias"), 1e-13, "output");
    expect_close(two->readout(signal[8], {}), (expected + all.at("readout.bias"))[8], 1e-13,
                 "readout of one step");
  }
}

TEST(Network, TooLargeForAnyMemoryIsRefusedBeforeItIsBuilt) {
  const auto start = std::chrono::steady_clock::now();
  for (const std::string neuron : {"glifr", "rnn", "gru", "lstm"}) {
    expect_error(ErrorKind::config,
                 {"hidden 1048576", "layers 3", "parameters, expected at most 2147483648"},
                 [&] { network(neuron, sized(1 << 20, 3)); });
  }
  // 3 x 46340 + 46340 x 46340 weights and 46340 biases; 4 x 46340 + 4 of the readout.
  expect_error(ErrorKind::config, {"2147766324 parameters"},
               [&] { Network(*make_model("rnn"), sized(46340), kShape); });
  // The trained part is small, the whole network is not.
  NetworkOptions options;
  options.match_params = 100'000'000;
  const Settings frozen = {{"learn", "none"}, {"learn_weights", "false"}};
  expect_error(ErrorKind::config, {"hidden 1048576", "expected at most"},
               [&] { network("glifr", options, frozen); });
  EXPECT_LT(std::chrono::steady_clock::now() - start, std::chrono::seconds(1));
}

TEST(Network, WithoutAReadoutItsOutputIsWhatTheNeuronsEmit) {
  NetworkOptions options = sized(4);
  options.readout = false;
  const auto bare = network("gru", options);
  expect_same(bare->forward(input()), bare->emissions(input(), {}), "output");
  for (const auto& parameter : bare->named()) {
    EXPECT_TRUE(parameter.name.starts_with("layers.0.")) << parameter.name;
  }
}

TEST(Network, TracesEveryLayer) {
  const auto two = network("glifr", sized(5, 2));
  NamedTensors trace;
  NetworkPass pass;
  pass.trace = &trace;
  const at::Tensor emitted = two->emissions(input(), pass);
  for (const std::string layer : {"layers.0.", "layers.1."}) {
    for (const char* name : {"synaptic", "voltage", "rate", "delayed"}) {
      ASSERT_TRUE(trace.contains(layer + name)) << layer << name;
      EXPECT_EQ(trace.at(layer + name).sizes(), at::IntArrayRef({9, 2, 5}));
    }
    EXPECT_EQ(trace.at(layer + "after_spike_current").sizes(), at::IntArrayRef({9, 2, 2, 5}));
  }
  expect_same(trace.at("layers.1.rate"), emitted, "rate of the last layer");
}

TEST(Network, EachLayerAndTheReadoutHaveStreamsOfTheirOwn) {
  const auto one = network("rnn", sized(5, 1), {}, 3);
  const auto two = network("rnn", sized(5, 2), {}, 3);
  const auto other = network("rnn", sized(5, 2), {}, 4);
  const auto a = values(*one), b = values(*two), c = values(*other);
  for (const auto& [name, tensor] : a) expect_same(b.at(name), tensor, name);
  for (const auto& [name, tensor] : b) EXPECT_FALSE(at::equal(c.at(name), tensor)) << name;
  EXPECT_FALSE(at::equal(b.at("layers.0.recurrent_weight"), b.at("layers.1.recurrent_weight")));
}

TEST(Network, ReadoutStartsAsALinearLayerOfPyTorch) {
  const auto wide = network("rnn", sized(400));
  for (const auto& [name, tensor] : values(*wide)) {
    if (!name.starts_with("readout.")) continue;
    EXPECT_LE(tensor.abs().max().item<double>(), 0.05) << name;
    EXPECT_GT(tensor.abs().max().item<double>(), 0.02) << name;
  }
}

TEST(Network, MatchingFindsTheLargestThatFits) {
  const std::map<std::string, std::vector<std::int64_t>> budgets = {
      {"glifr", {500, 501, 4321}},
      {"gru", {500, 501, 20000}},
      {"elm", {500, 4321, 75600}},
      {"elm_network", {75600, 90001}}};
  for (const auto& [neuron, of_neuron] : budgets) {
    for (const std::int64_t budget : of_neuron) {
      NetworkOptions options;
      options.match_params = budget;
      const Network matched(*make_model(neuron), options, kShape);
      EXPECT_LE(matched.trainable_parameters(), budget);
      const std::int64_t hidden = matched.options().hidden;
      const Network larger(*make_model(neuron), sized(hidden + 1), kShape);
      EXPECT_GT(larger.trainable_parameters(), budget) << neuron << " " << hidden;
    }
  }
}

TEST(Network, MatchingEndsWhateverIsFrozen) {
  NetworkOptions options;
  options.match_params = 104;
  const auto model = make_model("glifr", {{"variant", "hom"}, {"learn_weights", "false"}});
  EXPECT_EQ(Network(*model, options, kShape).options().hidden, 25);  // 4 x 25 + 4 of the readout.
  options.readout = false;
  expect_error(ErrorKind::config, {"match_params 104", "without a readout", "4"},
               [&] { Network(*model, options, kShape); });
}

TEST(Network, SettingsThatDoNotFitAreRefused) {
  struct Bad {
    std::function<void(NetworkOptions&, NetworkShape&)> set;
    std::string part;
  };
  const std::vector<Bad> table = {
      {[](NetworkOptions& o, NetworkShape&) { o.hidden = 0; }, "0 neurons"},
      {[](NetworkOptions&, NetworkShape& s) { s.input_size = 0; }, "0 inputs"},
      {[](NetworkOptions&, NetworkShape& s) { s.output_size = 0; }, "0 outputs"},
      {[](NetworkOptions& o, NetworkShape&) { o.match_params = 17; },
       "match_params 17: a network with one neuron has 20 parameters already"},
      {[](NetworkOptions& o, NetworkShape&) { o.readout = false; },
       "128 neurons without a readout"}};
  for (const Bad& bad : table) {
    NetworkOptions options;
    NetworkShape shape = kShape;
    bad.set(options, shape);
    expect_error(ErrorKind::config, {bad.part},
                 [&] { Network(*make_model("glifr"), options, shape); });
  }
  const std::vector<std::pair<std::string, std::string>> texts = {{"hidden", "0"},
                                                                  {"layers", "0"},
                                                                  {"layers", "1001"},
                                                                  {"match_params", "-1"},
                                                                  {"match_params", "1000000000"},
                                                                  {"readout_dropout", "1"},
                                                                  {"readout", "perhaps"}};
  for (const auto& [name, text] : texts) {
    NetworkOptions options;
    expect_error(ErrorKind::config, {name, "'" + text + "'"}, [&] {
      testing::apply(options, {{name, text}});
    });
  }
}

TEST(Network, ResamplesLayerByLayerAndLeavesTheReadoutAlone) {
  const auto donor = network("glifr", sized(6, 2), {{"threshold", "normal(1, 0.1)"}}, 5);
  const auto own = network("glifr", sized(9, 2), {}, 6);
  const auto before = values(*own), given = values(*donor);
  own->resample(given, Rng(1));
  for (const auto& [name, tensor] : values(*own)) {
    if (name.starts_with("readout.")) {
      expect_same(tensor, before.at(name), name);
    } else {
      EXPECT_TRUE(at::isin(tensor, given.at(name)).all().item<bool>()) << name;
    }
  }
  const auto again = network("glifr", sized(9, 2), {}, 7);
  again->resample(given, Rng(1));
  for (const auto& [name, tensor] : values(*own)) {
    if (!name.starts_with("readout.")) expect_same(values(*again).at(name), tensor, name);
  }
}

TEST(Network, DonorsOfAnotherDepthAreRefused) {
  const auto one = network("glifr", sized(6, 1)), two = network("glifr", sized(6, 2));
  expect_error(ErrorKind::checkpoint, {"no layer 1", "2 layers"},
               [&] { two->resample(values(*one), Rng(1)); });
  expect_error(ErrorKind::checkpoint, {"a layer 1", "1 layers"},
               [&] { one->resample(values(*two), Rng(1)); });
}

TEST(Network, MasksMustBeOneForEachLayer) {
  const auto two = network("rnn", sized(5, 2));
  NetworkPass pass;
  pass.masks = {at::ones({5})};
  expect_error(ErrorKind::internal, {"1 masks for 2 layers"}, [&] { two->forward(input(), pass); });
}

TEST(Network, MasksOfAnyTypeSilence) {
  for (const at::ScalarType type : {at::kFloat, at::kDouble}) {
    const auto own = network("glifr", sized(5));
    own->to(type);
    NetworkPass pass;
    std::vector<at::Tensor> outputs;
    for (const at::ScalarType mask_type : {at::kFloat, at::kDouble, at::kLong, at::kBool}) {
      pass.masks = {at::tensor({1, 0, 1, 1, 0}, at::kLong).to(mask_type)};
      outputs.push_back(own->forward(input().to(type), pass));
      expect_same(outputs.back(), outputs.front(), "output");
    }
  }
}

TEST(Network, DropoutOfTheReadoutLeavesTheNeuronsAlone) {
  NetworkOptions options = sized(50);
  options.readout_dropout = 0.5;
  const auto own = network("glifr", options);
  NetworkPass pass;
  const at::Tensor plain = own->forward(input(), pass);
  pass.dropout = at::make_generator<at::CPUGeneratorImpl>(std::uint64_t{3});
  expect_same(own->emissions(input(), pass), own->emissions(input(), {}), "emissions");
  pass.dropout = at::make_generator<at::CPUGeneratorImpl>(std::uint64_t{3});
  const at::Tensor dropped = own->forward(input(), pass);
  EXPECT_FALSE(at::equal(dropped, plain));
  pass.dropout = at::make_generator<at::CPUGeneratorImpl>(std::uint64_t{3});
  expect_same(own->forward(input(), pass), dropped, "the same seed");
}

TEST(Network, MayBeUsedFromSeveralThreadsAtOnce) {
  std::vector<at::Tensor> found(4);
  prepare_blas(static_cast<int>(found.size()));  // Before work starts.
  const auto own = network("glifr", sized(20, 2), {{"delay", "3 steps"}});
  const at::Tensor expected = own->forward(input());
  std::vector<std::thread> threads;
  for (at::Tensor& slot : found) {
    threads.emplace_back([&] {
      for (int i = 0; i < 10; ++i) slot = own->forward(input());
    });
  }
  for (std::thread& thread : threads) thread.join();
  for (const at::Tensor& tensor : found) expect_same(tensor, expected, "output");
}

TEST(Network, RemarksTellWhatRandomRoutingLeftOut) {
  const auto model = testing::make_model(
      "elm", {{"routing", "random"}, {"branches", "2"}, {"synapses_per_branch", "3"}});
  const Network network(*model, {}, {100, 4, 1});
  ASSERT_EQ(network.remarks().size(), 1U);
  // Six synapses leave at least 94 of 100 inputs out; that two have the same input is rare but
  // fine.
  EXPECT_THAT(network.remarks()[0],
              ::testing::MatchesRegex("layer 0: routing: 9[4-9] of 100 inputs unconnected, "
                                      "6 of 6 synapses in use"));
  EXPECT_TRUE(Network(*testing::make_model("glifr"), {}, {100, 4, 1}).remarks().empty());
}

}  // namespace
}  // namespace afterspike::nn
