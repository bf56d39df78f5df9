#include "afterspike/nn/glifr.hpp"

#include <cmath>
#include <functional>
#include <limits>
#include <set>

#include <ATen/ATen.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "models.hpp"
#include "support/expect_error.hpp"
#include "support/tensors.hpp"

namespace afterspike::nn {
namespace {

using testing::expect_close;
using testing::expect_error;
using testing::make_layer;
using testing::make_model;
using testing::Settings;

constexpr double kDt = 0.05;

std::set<std::string> trained(const NeuronLayer& layer) {
  std::set<std::string> names;
  for (const ParameterSpec& spec : layer.specs()) {
    if (spec.trainable) names.insert(spec.name);
  }
  return names;
}

const std::set<std::string> kWeights = {"input_weight", "recurrent_weight"};
const std::set<std::string> kMembrane = {"threshold", "membrane_decay"};
const std::set<std::string> kCurrents = {"after_spike_decay", "after_spike_multiplicative",
                                         "after_spike_additive"};

TEST(GlifrVariants, TrainWhatThePaperSays) {
  for (const std::string kind : {"hom", "lhet", "fhet", "rhet"}) {
    for (const bool currents : {false, true}) {
      const std::string variant = kind + (currents ? "a" : "");
      SCOPED_TRACE(variant);
      const auto model = make_model("glifr", {{"variant", variant}});
      const auto layer = std::dynamic_pointer_cast<Glifr>(model->make({3, 4, kDt}));
      ASSERT_NE(layer, nullptr);
      std::set<std::string> expected = kWeights;
      if (kind == "lhet" || kind == "rhet") {
        expected.insert(kMembrane.begin(), kMembrane.end());
        if (currents) expected.insert(kCurrents.begin(), kCurrents.end());
      }
      EXPECT_EQ(trained(*layer), expected);
      EXPECT_EQ(layer->options().after_spike_currents, currents ? 2 : 0);
      EXPECT_EQ(layer->specs().size(), currents ? 7u : 4u);
      EXPECT_EQ(model->inherits(), kind == "fhet" || kind == "rhet");
      EXPECT_EQ(layer->options().variant, "");
    }
  }
}

TEST(GlifrVariants, HomogeneousValuesAreThoseOfTheReference) {
  const auto layer = make_layer("glifr", {3, 50, kDt}, {{"variant", "homa"}});
  const auto equal_to = [&](const char* name, double value) {
    const at::Tensor found = layer->physical(name);
    expect_close(found, at::full_like(found, value), 1e-12, name);
  };
  equal_to("threshold", 1);
  equal_to("membrane_decay", 0.05);
  equal_to("after_spike_decay", 0.1 / kDt);
  for (const char* name : {"after_spike_multiplicative", "after_spike_additive"}) {
    const at::Tensor size = layer->physical(name).abs();
    EXPECT_LE(size.max().item<double>(), 0.01) << name;
    EXPECT_GT(size.max().item<double>(), 0.008) << name;
    EXPECT_LT(layer->physical(name).min().item<double>(), -0.008) << name;
  }
  for (const char* name : {"input_weight", "recurrent_weight"}) {
    const double bound = 1 / std::sqrt(50.0);
    EXPECT_LE(layer->physical(name).abs().max().item<double>(), bound) << name;
    EXPECT_GT(layer->physical(name).abs().max().item<double>(), 0.95 * bound) << name;
  }
}

/// A row of the table of sizes: Winston et al. 2023; the budget is the RNN's number of parameters.
struct Size {
  std::string neuron;
  std::string variant;
  NetworkShape shape;
  std::int64_t budget, hidden, parameters;
};

std::vector<Size> sizes() {
  const NetworkShape sine{1, 1, kDt}, line{28, 10, kDt}, pixel{1, 10, kDt};
  std::vector<Size> table = {
      {"rnn", "", sine, 16769, 128, 16769},        {"lstm", "", sine, 16769, 63, 16696},
      {"rnn", "", line, 75530, 256, 75530},        {"lstm", "", line, 75530, 122, 75406},
      {"rnn", "", pixel, 68618, 256, 68618},       {"glifr", "lheta", pixel, 68618, 252, 68302},
      {"glifr", "rheta", pixel, 68618, 252, 68302}};
  for (const std::string variant : {"lheta", "rheta"}) {
    table.push_back({"glifr", variant, sine, 16769, 124, 16617});
    table.push_back({"glifr", variant, line, 75530, 252, 75106});
  }
  for (const std::string variant : {"lhet", "rhet"}) {
    table.push_back({"glifr", variant, sine, 16769, 127, 16638});
    table.push_back({"glifr", variant, line, 75530, 255, 75235});
  }
  for (const std::string variant : {"hom", "homa", "fhet", "fheta"}) {
    table.push_back({"glifr", variant, sine, 16769, 128, 16641});
    table.push_back({"glifr", variant, line, 75530, 256, 75274});
  }
  return table;
}

TEST(GlifrVariants, HaveAsManyParametersAsInThePaperAndMatchingFindsThem) {
  for (const Size& size : sizes()) {
    SCOPED_TRACE(size.neuron + " " + size.variant + " " + std::to_string(size.parameters));
    Settings settings;
    if (!size.variant.empty()) settings = {{"variant", size.variant}};
    const auto model = make_model(size.neuron, settings);
    NetworkOptions options;
    options.hidden = size.hidden;
    EXPECT_EQ(Network(*model, options, size.shape).trainable_parameters(), size.parameters);
    options.hidden = 1;
    options.match_params = size.budget;
    const Network matched(*model, options, size.shape);
    EXPECT_EQ(matched.options().hidden, size.hidden);
    EXPECT_EQ(matched.trainable_parameters(), size.parameters);
  }
}

TEST(GlifrDelay, IsCountedInStepsByRoundingNeverByTruncation) {
  const std::vector<std::pair<std::string, std::int64_t>> table = {
      {"15ms", 300}, {"1 ms", 20},  {"0.15 ms", 3}, {"0.35ms", 7},
      {"0 ms", 1},   {"0steps", 1}, {"1 step", 1},  {"300steps", 300}};
  for (const auto& [text, steps] : table) {
    const auto layer = make_model("glifr", {{"delay", text}})->make({1, 2, kDt});
    EXPECT_EQ(std::dynamic_pointer_cast<Glifr>(layer)->delay_steps(), steps) << text;
    EXPECT_EQ(layer->initial_state(3).at("emitted").sizes(), at::IntArrayRef({steps, 3, 2}));
  }
}

TEST(GlifrOptions, ErrorsOfTextNameTheOptionAndWhatWasExpected) {
  struct Bad {
    Settings settings;
    std::vector<std::string> parts;
  };
  const std::vector<Bad> table = {
      {{{"variant", "lhetb"}}, {"variant", "'lhetb'", "lheta"}},
      {{{"variant", "lheta"}, {"learn", "threshold"}}, {"'lheta'", "learns all", "'threshold'"}},
      {{{"variant", "rhet"}, {"learn", "none"}}, {"'rhet'", "learns all", "'none'"}},
      {{{"variant", "homa"}, {"after_spike_currents", "0"}},
       {"'homa'", "after_spike_currents is 0"}},
      {{{"initial", "reference"}, {"membrane_decay", "0.07"}},
       {"membrane_decay is 0.07", "expected 0.05", "reference"}},
      {{{"variant", "lhet"}, {"after_spike_currents", "3"}},
       {"'lhet'", "no after-spike currents", "after_spike_currents is 3"}},
      {{{"learn", "treshold"}}, {"'treshold'", "did you mean 'threshold'", "membrane_decay"}},
      {{{"learn", "threshold,"}, {"after_spike_currents", "0"}, {"learn", "after_spike_decay"}},
       {"'after_spike_decay'", "threshold, membrane_decay"}},
      {{{"after_spike_currents", "-1"}}, {"after_spike_currents", "'-1'", "0 or more"}},
      {{{"after_spike_currents", "two"}}, {"after_spike_currents", "'two'", "an integer"}},
      {{{"initial", "random"}}, {"initial", "'random'", "inherit"}},
      {{{"threshold", "one"}}, {"threshold", "'one'", "uniform(low, high)"}},
      {{{"delay", "15"}}, {"delay", "'15'", "15ms"}},
      {{{"delay", "-1 ms"}}, {"delay", "'-1 ms'", "0 or more"}},
      {{{"delay", "0.16 ms"}}, {"delay", "0.16 ms is 3.2 steps of 0.05 ms"}},
      {{{"sigma", "0 mV"}}, {"sigma", "'0 mV'", "more than 0"}},
      {{{"sigma", "1 ms"}}, {"sigma", "'1 ms'", "mV"}},
      {{{"sigma", "1"}}, {"sigma", "'1'", "unit"}},
      {{{"resistance", "-0.1 GOhm"}}, {"resistance", "-0.1", "more than 0"}},
      {{{"bias_current", "1e300 pA"}}, {"bias_current", "'1e300 pA'", "1000000000 or less"}},
      {{{"bias_current", "-2 kA"}}, {"bias_current", "'-2 kA'"}},
      {{{"reset", "-1e300 mV"}}, {"reset", "-1000000000 or more"}},
      {{{"sigma", "1e-300 mV"}}, {"sigma", "1e-09 or more"}},
      {{{"sigma", "1e300 mV"}}, {"sigma", "1000000000 or less"}},
      {{{"resistance", "1e300 GOhm"}}, {"resistance", "1000000000 or less"}},
      {{{"resistance", "1e-300 GOhm"}}, {"resistance", "1e-09 or more"}},
      {{{"tau", "1e300 ms"}}, {"tau", "1000000000 or less"}},
      {{{"amplitude_scale", "1e300 pA"}}, {"amplitude_scale", "or less"}},
      {{{"threshold", "1e300"}}, {"threshold", "'1e300'", "at most 1000000000"}},
      {{{"threshold", "uniform(0, 1e10)"}}, {"threshold", "at most 1000000000"}},
      {{{"recurrent_weight", "orthogonal(1e300)"}}, {"recurrent_weight", "at most 1000000000"}},
      {{{"tau", "0.01 ms"}}, {"tau", "0.01", "at least the time step, 0.05 ms"}},
      {{{"amplitude_scale", "-1 pA"}}, {"amplitude_scale", "-1", "0 or more"}},
      {{{"dropout", "1"}}, {"dropout", "'1'", "less than 1"}},
      {{{"recurrent_dropout", "-0.1"}}, {"recurrent_dropout", "0 or more"}}};
  for (const Bad& bad : table) {
    SCOPED_TRACE(bad.parts.front());
    for (const std::string& part : bad.parts) {
      expect_error(ErrorKind::config, {part}, [&] {
        make_model("glifr", bad.settings)->make({3, 4, kDt});
      });
    }
  }
}

TEST(GlifrOptions, ErrorsOfValuesNameTheSetting) {
  const double nan = std::numeric_limits<double>::quiet_NaN();
  struct Bad {
    std::function<void(GlifrOptions&)> set;
    std::string part;
    double dt_ms = kDt;
  };
  const std::vector<Bad> table = {
      {[](GlifrOptions&) {}, "the time step is 0", 0},
      {[](GlifrOptions&) {}, "the time step is -1", -1},
      {[=](GlifrOptions&) {}, "the time step is nan", nan},
      {[](GlifrOptions& o) { o.after_spike_currents = -1; }, "after_spike_currents is -1"},
      {[](GlifrOptions& o) { o.sigma_mV = 0; }, "sigma is 0"},
      {[=](GlifrOptions& o) { o.sigma_mV = nan; }, "sigma is nan"},
      {[](GlifrOptions& o) { o.resistance_GOhm = 0; }, "resistance is 0"},
      {[](GlifrOptions& o) { o.tau_ms = 0.04; }, "tau is 0.04"},
      {[](GlifrOptions& o) { o.delay = units::Duration::steps(-1); }, "delay is -1"},
      {[](GlifrOptions& o) { o.delay = units::Duration::milliseconds(-1); }, "delay is -1"},
      {[](GlifrOptions& o) { o.amplitude_scale_pA = -2; }, "amplitude_scale is -2"},
      {[=](GlifrOptions& o) { o.bias_current_pA = nan; }, "bias_current is nan"},
      {[=](GlifrOptions& o) { o.reset_mV = nan; }, "reset is nan"},
      {[](GlifrOptions& o) { o.initial = "random"; }, "initial is 'random'"},
      {[](GlifrOptions& o) { o.variant = "het"; }, "no variant called 'het'"},
      {[](GlifrOptions& o) { o.dropout = 1; }, "dropout"},
      {[](GlifrOptions& o) { o.recurrent_dropout = -0.1; }, "dropout"}};
  for (const Bad& bad : table) {
    SCOPED_TRACE(bad.part);
    GlifrOptions options;
    bad.set(options);
    expect_error(ErrorKind::config, {bad.part}, [&] { Glifr({3, 4, bad.dt_ms}, options); });
  }
}

TEST(GlifrOptions, InitialValuesOutOfTheRangeOfAParameterAreRefused) {
  const std::vector<std::pair<Settings, std::string>> table = {
      {{{"membrane_decay", "20"}}, "'membrane_decay': value 20"},
      {{{"membrane_decay", "0"}}, "'membrane_decay': value 0"},
      {{{"after_spike_decay", "uniform(20, 21)"}}, "'after_spike_decay'"},
      // Bounded: below tau k_j = 0.1.
      {{{"after_spike_multiplicative", "0.1"}}, "'after_spike_multiplicative': value 0.1"},
      {{{"threshold", "orthogonal(1)"}},
       "'threshold': an orthogonal initial value needs a matrix"}};
  for (const auto& [settings, part] : table) {
    expect_error(ErrorKind::config, {part}, [&] { make_layer("glifr", {3, 4, kDt}, settings); });
  }
  EXPECT_NO_THROW(
      make_layer("glifr", {3, 4, kDt},
                 {{"after_spike_multiplicative", "0.1"}, {"bound_after_spike_currents", "false"}}));
}

TEST(GlifrOptions, ReferenceResolvesToTheMembraneDecayThatItStandsFor) {
  const LayerShape shape{3, 4, 1};
  const auto model = make_model("glifr", {{"initial", "reference"}});
  const auto before = model->make(shape);
  model->resolve(shape);
  options::Description description;
  model->describe(options::Section(description, ""));
  Settings recorded;
  for (const options::Field& field : description.fields()) {
    recorded.emplace_back(field.path(), options::text(field.value()));
  }
  EXPECT_NEAR(std::stod(options::text(description.find("membrane_decay").value())), 0.0477, 1e-4);
  const auto after = make_model("glifr", recorded)->make(shape);
  for (const auto& layer : {before, after}) layer->initialize(Rng(1));
  for (const ParameterSpec& spec : before->specs()) {
    testing::expect_same(after->raw(spec.name), before->raw(spec.name), spec.name);
  }
}

TEST(GlifrOptions, LearnNamesWhatIsTrained) {
  const auto layer =
      make_layer("glifr", {3, 4, kDt}, {{"learn", "threshold, after_spike_additive"}});
  EXPECT_EQ(trained(*layer), (std::set<std::string>{"threshold", "after_spike_additive",
                                                    "input_weight", "recurrent_weight"}));
  const auto fixed = make_layer("glifr", {3, 4, kDt}, {{"learn_weights", "false"}});
  std::set<std::string> intrinsic = kMembrane;
  intrinsic.insert(kCurrents.begin(), kCurrents.end());
  EXPECT_EQ(trained(*fixed), intrinsic);
  for (const ParameterSpec& spec : fixed->specs()) {
    EXPECT_EQ(spec.group == ParameterGroup::intrinsic, intrinsic.contains(spec.name)) << spec.name;
  }
}

TEST(GlifrOptions, OneInitialValueLeavesTheOthersAlone) {
  const auto plain = make_layer("glifr", {3, 4, kDt});
  const auto other = make_layer(
      "glifr", {3, 4, kDt}, {{"threshold", "normal(1, 0.1)"}, {"input_weight", "uniform(0, 1)"}});
  for (const ParameterSpec& spec : plain->specs()) {
    const bool changed = spec.name == "threshold" || spec.name == "input_weight";
    EXPECT_EQ(at::equal(plain->raw(spec.name), other->raw(spec.name)), !changed) << spec.name;
  }
}

TEST(GlifrOptions, AmplitudesAreTrainedInTheirNaturalUnit) {
  const auto unit = [](const Settings& settings, double dt_ms) {
    const auto layer = make_layer("glifr", {1, 3, dt_ms}, settings);
    return (layer->physical("after_spike_additive") / layer->raw("after_spike_additive"))
        .max()
        .item<double>();
  };
  EXPECT_NEAR(unit({}, kDt), 4000, 1e-8);
  EXPECT_NEAR(unit({}, 1), 200, 1e-8);
  EXPECT_NEAR(unit({{"resistance", "0.2 GOhm"}}, kDt), 2000, 1e-8);
  EXPECT_NEAR(unit({{"amplitude_scale", "2 nA"}}, kDt), 2000, 1e-8);
  EXPECT_EQ(unit({{"amplitude", "pA"}}, kDt), 1);
}

TEST(GlifrOptions, SteadyAmplitudesComeToTheSameForAnyTimeConstant) {
  const auto layer = make_layer("glifr", {1, 50, kDt},
                                {{"amplitude", "steady"},
                                 {"after_spike_decay", "log_uniform(0.02, 5)"},
                                 {"after_spike_multiplicative", "0"},
                                 {"after_spike_additive", "raw_normal(0, 1)"}});
  const at::Tensor decay = layer->physical("after_spike_decay");
  EXPECT_GT((decay.max() / decay.min()).item<double>(), 50);
  // Where S = 1 the current tends to a_j / (dt k_j).
  testing::expect_close(layer->physical("after_spike_additive") / (kDt * decay),
                        4000 * layer->raw("after_spike_additive"), 1e-12, "steady current");
}

}  // namespace
}  // namespace afterspike::nn
