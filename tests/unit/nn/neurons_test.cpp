// Laws that every neuron model obeys, for every entry of the registry.

#include <set>

#include <ATen/ATen.h>
#include <ATen/CPUGeneratorImpl.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "afterspike/nn/elm_network.hpp"
#include "models.hpp"
#include "support/gradient_check.hpp"

namespace afterspike::nn {
namespace {

using testing::expect_close;
using testing::expect_same;
using testing::make_layer;
using testing::make_model;
using testing::Settings;

constexpr LayerShape kShape{3, 5, 0.5};
constexpr std::int64_t kBatch = 2;
constexpr std::int64_t kSteps = 7;

/// A neuron model with settings that exercise other code.
struct Variation {
  std::string neuron;
  Settings settings;
};

/// Returns all models with their defaults, and with each of these settings that they have.
std::vector<Variation> variations() {
  const std::vector<Settings> wanted = {
      {{"delay", "1500us"}},
      {{"amplitude", "steady"}},
      {{"after_spike_currents", "0"}, {"delay", "2 steps"}},
      {{"after_spike_currents", "3"}, {"tau", "0.8 ms"}, {"bias_current", "20 pA"}},
      {{"bound_after_spike_currents", "false"}, {"amplitude", "pA"}, {"reset", "-0.4 mV"}},
      {{"level", "1"}, {"synapse", "alpha"}, {"receptors", "2"}},
      {{"level", "2"}, {"input", "synapses"}},
      {{"level", "5"}, {"input", "both"}, {"synapse", "alpha"}, {"delay", "2 steps"}},
      {{"version", "v1"}, {"learn", "all"}, {"time_step", "2 ms"}},
      {{"mlp_layers", "0"},
       {"learn", "memory_tau"},
       {"memory_tau_scale", "linear"},
       {"memory_tau_max", "5 ms"}},
      {{"mlp_layers", "3"}, {"mlp_activation", "silu"}, {"mlp_width", "7"}},
      {{"routing", "random"},
       {"branches", "2"},
       {"synapses_per_branch", "4"},
       {"rectify_synapses", "false"},
       {"mlp_activation", "relu_squared"}},
      {{"branch_tau", "3 ms"}, {"high_pass_tau", "4 ms"}, {"learn", "memory_tau"}},
      {{"lambda_as_timescale", "false"}, {"output", "identity"}, {"recurrent_fraction", "0.6"}}};
  std::vector<Variation> all;
  for (const NeuronEntry& entry : entries()) {
    const std::string name(entry.name);
    auto model = entry.make();
    // Masks for whole sequences have their own tests; squares of weights as drawn by scatter()
    // saturate everything.
    const Settings plain = testing::has_option(*model, "variational")
                               ? Settings{{"variational", "false"},
                                          {"readout_neurons", "false"},
                                          {"mlp_activation", "silu"},
                                          {"output", "identity"},
                                          {"memory", "2"},
                                          {"lambda", "0.5"}}
                           : name == "glif"
                               // Currents that matter within a few steps.
                               ? Settings{{"current_scale", "500 pA"},
                                          {"capacitance", "12"},
                                          {"conductance", "2"},
                                          {"threshold", "2"},
                                          {"sigma", "2 mV"}}
                               : Settings{};
    all.push_back({name, plain});
    for (const Settings& settings : wanted) {
      bool known = true;
      for (const auto& [option, text] : settings)
        known = known && testing::has_option(*model, option);
      if (!known) continue;
      all.push_back({name, settings});
      all.back().settings.insert(all.back().settings.end(), plain.begin(), plain.end());
    }
  }
  return all;
}

std::string label(const ::testing::TestParamInfo<Variation>& info) {
  std::string text = std::to_string(info.index) + "_" + info.param.neuron;
  for (const auto& [option, value] : info.param.settings) text += "_" + option;
  return text;
}

at::Generator generator(std::uint64_t seed) {
  return at::make_generator<at::CPUGeneratorImpl>(seed);
}

at::Tensor example_input(std::int64_t steps = kSteps, std::int64_t batch = kBatch) {
  return testing::uniform_tensor({steps, batch, kShape.input_size}, Rng(11), -2, 2);
}

/// Returns the activity of a sequence from rest.
at::Tensor emissions(const NeuronLayer& layer, const at::Tensor& input,
                     const LayerPass& pass = {}) {
  NamedTensors state = layer.initial_state(input.size(1));
  return layer.forward(input, state, pass);
}

class Neurons : public ::testing::TestWithParam<Variation> {
 protected:
  std::shared_ptr<NeuronLayer> layer(const Settings& more = {}, std::uint64_t seed = 1) const {
    Settings settings = GetParam().settings;
    settings.insert(settings.end(), more.begin(), more.end());
    return make_layer(GetParam().neuron, kShape, settings, seed);
  }
  bool has(const std::string& option) const {
    return testing::has_option(*make_model(GetParam().neuron), option);
  }
};

/// Replaces trained raw values by values anywhere in their range, or as large as weights become.
void scatter(NeuronLayer& layer) {
  const at::NoGradGuard no_grad;
  for (const ParameterSpec& spec : layer.specs()) {
    if (!spec.trainable) continue;
    const double most = spec.group == ParameterGroup::intrinsic ? 2.5 : 1;
    layer.raw(spec.name).copy_(
        testing::uniform_tensor(spec.shape, Rng(5).stream(spec.name), -most, most));
  }
}

/// Sets the weights by which the layer receives one of its neurons to 0.
void cut_what_leaves(const NeuronLayer& layer, std::int64_t neuron) {
  const at::NoGradGuard no_grad;
  if (const auto* network = dynamic_cast<const ElmNetwork*>(&layer)) {
    layer.raw("synapse_weight")
        .masked_fill_(network->connectome() == kShape.input_size + neuron, 0);
  } else {
    layer.raw("recurrent_weight")[neuron].zero_();
  }
}

TEST_P(Neurons, EmitsAsManyValuesAsDeclaredFromAStateOfItsOwnType) {
  for (const at::ScalarType type : {at::kDouble, at::kFloat}) {
    const auto own = layer();
    own->to(type);
    NamedTensors state = own->initial_state(kBatch);
    for (const auto& [name, tensor] : state) {
      EXPECT_EQ(tensor.scalar_type(), type) << name;
      EXPECT_FALSE(tensor.requires_grad()) << name;
      EXPECT_FALSE(at::any(tensor).item<bool>()) << name;
    }
    const at::Tensor emitted = own->forward(example_input().to(type), state, {});
    EXPECT_EQ(emitted.sizes(), at::IntArrayRef({kSteps, kBatch, kShape.neurons}));
    EXPECT_EQ(emitted.scalar_type(), type);
  }
}

TEST_P(Neurons, ParametersAreThereAndRemainTheSameTensors) {
  const auto own = layer();
  for (const ParameterSpec& spec : own->specs()) {
    const at::Tensor held = own->raw(spec.name);
    own->to(at::kDouble);
    EXPECT_TRUE(held.is_same(own->raw(spec.name)));
    EXPECT_EQ(held.scalar_type(), at::kDouble);
    own->to(at::kFloat);
    EXPECT_EQ(own->raw(spec.name).sizes(), at::IntArrayRef(spec.shape));
    EXPECT_EQ(own->raw(spec.name).requires_grad(), spec.trainable) << spec.name;
    EXPECT_FALSE(spec.symbol.empty() || spec.unit.empty()) << spec.name;
  }
}

TEST_P(Neurons, TransformsGoThereAndBack) {
  const auto own = layer();
  scatter(*own);
  for (const ParameterSpec& spec : own->specs()) {
    const at::Tensor raw = own->raw(spec.name).detach().clone();
    const at::Tensor physical = own->physical(spec.name).detach().clone();
    own->set_physical(spec.name, physical);
    // A rectified parameter of 0 loses its raw value.
    const at::Tensor kept = physical != 0;
    expect_close(own->raw(spec.name).masked_select(kept), raw.masked_select(kept), 1e-12,
                 spec.name);
    expect_close(own->physical(spec.name), physical, 1e-13, spec.name);
  }
}

TEST_P(Neurons, SettingAnotherShapeIsAnErrorThatNamesTheParameter) {
  const auto own = layer();
  for (const ParameterSpec& spec : own->specs()) {
    try {
      own->set_physical(spec.name, at::zeros({spec.shape.front(), 17}, at::kDouble));
      ADD_FAILURE() << spec.name;
    } catch (const Error& error) {
      EXPECT_EQ(error.kind(), ErrorKind::config);
      EXPECT_THAT(error.what(), ::testing::HasSubstr("'" + spec.name + "'"));
    }
  }
}

TEST_P(Neurons, GradientsAgreeWithFiniteDifferences) {
  const auto own = layer();
  scatter(*own);
  const at::Tensor input = example_input();
  const at::Tensor weights =
      testing::uniform_tensor({kSteps, kBatch, kShape.neurons}, Rng(3).stream("loss"));
  testing::Variables variables = {{"input", input}};
  for (const ParameterSpec& spec : own->specs()) variables[spec.name] = own->raw(spec.name);
  // Some parameters of spiking neurons change so few steps by so little that the rounding of the
  // loss shows in their differences.
  testing::expect_gradients([&] { return (emissions(*own, input) * weights).sum(); }, variables,
                            GetParam().neuron == "glif" ? 1e-6 : 1e-7);
}

TEST_P(Neurons, StateCarriesTheGradient) {
  const auto own = layer();
  const at::Tensor input = example_input();
  testing::Variables variables;
  NamedTensors start = own->initial_state(kBatch);
  for (auto& [name, tensor] : start) {
    if (tensor.numel() == 0) continue;
    tensor = testing::uniform_tensor(tensor.sizes().vec(), Rng(4).stream(name), 0.1, 0.9);
    variables[name] = tensor;
  }
  testing::expect_gradients(
      [&] {
        NamedTensors state = start;
        return own->forward(input, state, {}).square().sum();
      },
      variables);
}

TEST_P(Neurons, TwoPartsWithTheStateCarriedEqualTheWhole) {
  const auto own = layer();
  const at::Tensor input = example_input(11);
  for (const std::int64_t first : {1, 2, 4, 10}) {
    SCOPED_TRACE(first);
    NamedTensors whole_state = own->initial_state(kBatch);
    const at::Tensor whole = own->forward(input, whole_state, {});
    NamedTensors state = own->initial_state(kBatch);
    const at::Tensor one = own->forward(input.narrow(0, 0, first), state, {});
    const at::Tensor two = own->forward(input.narrow(0, first, 11 - first), state, {});
    expect_close(at::cat({one, two}), whole, 1e-13, "emissions");
    ASSERT_EQ(state.size(), whole_state.size());
    for (const auto& [name, tensor] : whole_state) {
      expect_close(state.at(name), tensor, 1e-13, "state " + name);
    }
  }
}

TEST_P(Neurons, StateIsReplacedAndNeverWrittenInto) {
  const auto own = layer();
  NamedTensors state = own->initial_state(kBatch);
  own->forward(example_input(), state, {});
  const NamedTensors held = state;
  NamedTensors copies;
  for (const auto& [name, tensor] : held) copies[name] = tensor.detach().clone();
  own->forward(example_input(), state, {});
  for (const auto& [name, tensor] : held) expect_same(tensor, copies.at(name), name);
}

TEST_P(Neurons, SamplesOfABatchDoNotMix) {
  const auto own = layer();
  const at::Tensor input = example_input(kSteps, 3);
  const at::Tensor all = emissions(*own, input);
  for (std::int64_t sample = 0; sample < 3; ++sample) {
    expect_close(emissions(*own, input.narrow(1, sample, 1)), all.narrow(1, sample, 1), 1e-13,
                 "sample " + std::to_string(sample));
  }
}

TEST_P(Neurons, MaskSilencesExactlyTheMasked) {
  const auto own = layer();
  const std::vector<std::int64_t> silenced = {1, 4};
  LayerPass pass;
  pass.mask = at::ones({kShape.neurons}, at::kDouble);
  for (const std::int64_t neuron : silenced) pass.mask[neuron] = 0;
  const at::Tensor found = emissions(*own, example_input(), pass);

  // Silencing a neuron equals cutting its outputs and hiding it.
  for (const std::int64_t neuron : silenced) cut_what_leaves(*own, neuron);
  const at::Tensor cut = emissions(*own, example_input());
  EXPECT_FALSE(at::equal(found, cut));
  expect_close(found, cut * pass.mask, 1e-13, "emissions");
}

TEST_P(Neurons, MaskOfEachSequenceSilencesInThatSequence) {
  const auto own = layer();
  LayerPass pass;
  pass.mask = at::ones({kBatch, kShape.neurons}, at::kDouble);
  pass.mask[0][1] = pass.mask[0][4] = pass.mask[1][2] = 0;
  const at::Tensor found = emissions(*own, example_input(), pass);
  for (std::int64_t row = 0; row < kBatch; ++row) {
    LayerPass alone;
    alone.mask = pass.mask[row];
    expect_close(emissions(*own, example_input().narrow(1, row, 1), alone), found.narrow(1, row, 1),
                 1e-13, "sequence " + std::to_string(row));
  }
}

TEST_P(Neurons, MaskOfOnesChangesNothing) {
  const auto own = layer();
  LayerPass pass;
  pass.mask = at::ones({kShape.neurons}, at::kDouble);
  expect_same(emissions(*own, example_input(), pass), emissions(*own, example_input()),
              "emissions");
}

TEST_P(Neurons, MaskOfZerosLeavesTheBiasOfTheReadout) {
  NetworkOptions options;
  options.hidden = 4;
  options.layers = 2;
  Network network(*make_model(GetParam().neuron, GetParam().settings), options,
                  {3, 6, kShape.dt_ms});
  network.to(at::kDouble);
  network.initialize(Rng(8));
  NetworkPass pass;
  pass.masks = {at::zeros({4}, at::kDouble), at::zeros({4}, at::kDouble)};
  const at::Tensor output = network.forward(example_input(), pass);
  const at::Tensor bias = network.named().back().tensor;
  EXPECT_GT(bias.abs().min().item<double>(), 0);
  expect_same(output, bias.expand({kSteps, kBatch, 6}), "output");
}

TEST_P(Neurons, DropoutActsOnlyWithAGenerator) {
  const auto plain = layer();
  for (const std::string option : {"input_dropout", "dropout", "recurrent_dropout"}) {
    SCOPED_TRACE(option);
    ASSERT_TRUE(has(option));
    const auto own = layer({{option, "0.4"}});
    LayerPass pass;
    const at::Tensor without = emissions(*plain, example_input());
    expect_same(emissions(*own, example_input(), pass), without, "no generator");
    const auto drop = [&](std::uint64_t seed) {
      pass.dropout = generator(seed);
      return emissions(*own, example_input(), pass);
    };
    const at::Tensor with = drop(3);
    EXPECT_FALSE(at::equal(with, without));
    expect_same(drop(3), with, "the same seed");
    EXPECT_FALSE(at::equal(drop(4), with));
    // The generator alone has no effect.
    expect_same(emissions(*plain, example_input(), pass), without, "no probability");
  }
}

TEST_P(Neurons, DropoutKeepsTheMeanOfTheFirstStep) {
  const std::int64_t batch = 20000;
  const at::Tensor input = example_input(1, 1).expand({1, batch, kShape.input_size});
  const at::Tensor plain = emissions(*layer(), example_input(1, 1))[0][0];
  LayerPass pass;
  pass.dropout = generator(1);
  const at::Tensor all = emissions(*layer({{"dropout", "0.4"}}), input, pass)[0];
  // A value v becomes v / 0.6 with probability 0.6, else 0; standard deviation v sqrt(0.4 / 0.6).
  const double deviation = std::sqrt(0.4 / 0.6 / static_cast<double>(batch));
  EXPECT_LT(((all.mean(0) - plain) / plain).abs().max().item<double>(), 5 * deviation);
  const at::Tensor ratio = all / plain;
  EXPECT_TRUE(((ratio == 0) | ((ratio - 1 / 0.6).abs() < 1e-12)).all().item<bool>());

  const at::Tensor recurrent = emissions(*layer({{"recurrent_dropout", "0.4"}}), input, pass)[0];
  expect_close(recurrent, plain.expand({batch, kShape.neurons}), 1e-13, "nothing recurs yet");
}

TEST_P(Neurons, DropoutOfTheInputIsThatOfTheInput) {
  LayerPass pass;
  pass.dropout = generator(7);
  const at::Tensor dropped = dropout(example_input(), 0.3, pass);
  EXPECT_FALSE(at::equal(dropped, example_input()));
  pass.dropout = generator(7);
  expect_same(emissions(*layer({{"input_dropout", "0.3"}}), example_input(), pass),
              emissions(*layer(), dropped), "emissions");
}

TEST_P(Neurons, InitialValuesDependOnTheSeedAndNothingElse) {
  const auto first = layer({}, 7);
  const auto again = layer({}, 8);
  std::set<std::string> changed;
  for (const ParameterSpec& spec : first->specs()) {
    if (!at::equal(first->raw(spec.name), again->raw(spec.name))) changed.insert(spec.name);
  }
  EXPECT_THAT(changed, ::testing::IsSupersetOf({"input_weight", "recurrent_weight"}));
  again->initialize(Rng(7));
  for (const ParameterSpec& spec : first->specs()) {
    expect_same(again->raw(spec.name), first->raw(spec.name), spec.name);
  }
}

TEST_P(Neurons, EachParameterIsDrawnFromItsOwnStream) {
  const auto own = layer({}, 7);
  for (const ParameterSpec& spec : own->specs()) {
    const at::Tensor expected = spec.initial.draw(spec.shape, Rng(7).stream(spec.name));
    expect_close(own->physical(spec.name), expected, 1e-12, spec.name);
  }
}

TEST_P(Neurons, ResampledValuesAreThoseOfTheDonor) {
  const auto own = layer();
  NamedTensors donor;
  for (const ParameterSpec& spec : own->specs()) {
    // Sizes differ from ours, with values unique to each parameter.
    donor[spec.name] = at::arange(40, at::kDouble) + 1000.0 * static_cast<double>(donor.size());
  }
  donor.erase("recurrent_weight");
  const at::Tensor kept = own->raw("recurrent_weight").detach().clone();
  own->resample(donor, Rng(2));
  expect_same(own->raw("recurrent_weight"), kept, "a parameter that the donor does not have");
  std::set<std::vector<std::int64_t>> draws;
  for (const auto& [name, values] : donor) {
    const at::Tensor drawn = own->raw(name).detach().flatten();
    EXPECT_TRUE(at::isin(drawn, values).all().item<bool>()) << name;
    const at::Tensor index = (drawn - values[0]).to(at::kLong);
    draws.insert({index.data_ptr<std::int64_t>(), index.data_ptr<std::int64_t>() + index.numel()});
  }
  EXPECT_EQ(draws.size(), donor.size()) << "two parameters took the same choice";
}

INSTANTIATE_TEST_SUITE_P(All, Neurons, ::testing::ValuesIn(variations()), label);

TEST(NeuronEntries, HaveNamesSummariesAndNoNameTwice) {
  std::set<std::string_view> names;
  for (const NeuronEntry& entry : entries()) {
    EXPECT_TRUE(names.insert(entry.name).second) << entry.name;
    EXPECT_FALSE(entry.summary.empty()) << entry.name;
  }
  EXPECT_THAT(names, ::testing::IsSupersetOf(
                         {"glif", "glifr", "alif", "elm", "elm_network", "rnn", "gru", "lstm"}));
}

TEST(NeuronEntries, EveryOptionTakesItsOwnDefaultAsText) {
  for (const NeuronEntry& entry : entries()) {
    const auto model = entry.make();
    options::Description description;
    model->describe(options::Section(description, "neuron"));
    for (const options::Field& field : description.fields()) {
      const std::string before = options::text(field.value());
      EXPECT_NO_THROW(field.set_text(before)) << field.path();
      EXPECT_EQ(options::text(field.value()), before) << field.path();
      EXPECT_FALSE(field.help().empty()) << field.path();
    }
  }
}

TEST(NeuronEntries, LayersWithoutNeuronsOrInputsAreRefused) {
  for (const NeuronEntry& entry : entries()) {
    for (const LayerShape& shape :
         {LayerShape{0, 3, 1}, LayerShape{3, 0, 1}, LayerShape{-1, 3, 1}}) {
      try {
        entry.make()->make(shape);
        ADD_FAILURE() << entry.name;
      } catch (const Error& error) {
        EXPECT_EQ(error.kind(), ErrorKind::config) << error.what();
      }
    }
  }
}

}  // namespace
}  // namespace afterspike::nn
