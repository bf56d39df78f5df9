#include "afterspike/single_neuron/neuron.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "afterspike/base/error.hpp"
#include "support/expect_error.hpp"

namespace afterspike::single_neuron {
namespace {

using ::testing::ElementsAre;
using testing::expect_error;

TEST(Neuron, TakesDefaultsThenThePresetThenSettings) {
  const Neuron plain = make_neuron("aeif_psc_exp");
  EXPECT_EQ(plain.parameter("capacitance"), 281);
  EXPECT_EQ(plain.dt_ms, 0.1);
  EXPECT_FALSE(plain.is_random);
  const Neuron tonic = make_neuron("aeif_psc_exp", "tonic", {{"g_L", "12"}});
  EXPECT_EQ(tonic.parameter("capacitance"), 200);
  EXPECT_EQ(tonic.parameter("conductance"), 12);
  EXPECT_EQ(make_neuron("aeif-psc-exp").population, plain.population) << "'-' and '_' are equal";
}

TEST(Neuron, ReadsUnits) {
  const Neuron neuron = make_neuron("lif", "", {{"C_m", "0.2nF"}, {"tau_m", "0.015 s"}});
  EXPECT_DOUBLE_EQ(neuron.parameter("capacitance"), 200);
  EXPECT_DOUBLE_EQ(neuron.parameter("membrane_time_constant"), 15);
  EXPECT_EQ(make_neuron("izhikevich", "", {{"d", "4 mV/ms"}}).parameter("recovery_jump"), 4);
  EXPECT_DOUBLE_EQ(parse_current(neuron, "0.5nA", "I"), 500);
  EXPECT_EQ(parse_current(neuron, "500", "I"), 500);
  EXPECT_EQ(parse_current(make_neuron("theta"), "0.5", "I"), 0.5);
  EXPECT_THAT(parse_currents(neuron, "0,100pA,0.3 nA", "I"), ElementsAre(0, 100, 300));
  EXPECT_THAT(parse_currents(neuron, "0:1nA:3", "I"), ElementsAre(0, 500, 1000));
}

TEST(Neuron, StartsAtTheRestThatIsSet) {
  EXPECT_EQ(make_neuron("lif", "", {{"E_L", "-60"}}).parameter("initial_potential"), -60);
  EXPECT_EQ(make_neuron("lif", "", {{"V_m", "-57"}, {"E_L", "-60"}}).parameter("initial_potential"),
            -57);
}

TEST(Neuron, HasAfterSpikeCurrentsOfAnyNumber) {
  const Neuron neuron = make_neuron(
      "glif3", "", {{"asc_decay", "0.01,0.1,0.2"}, {"asc_amps", "-1,-2,-3"}, {"asc_r", "1,1,1"}});
  EXPECT_EQ(neuron.population.currents(), 3);
}

TEST(Neuron, KnowsRandomModelsAndTheirSteps) {
  EXPECT_TRUE(make_neuron("gif_psc_exp").is_random);
  EXPECT_TRUE(make_neuron("galves_loecherbach").is_random);
  EXPECT_EQ(make_neuron("galves_loecherbach").dt_ms, 1) << "a model in discrete time";
  EXPECT_FALSE(make_neuron("izhikevich").is_random);
}

TEST(Neuron, RefusesOddInput) {
  const auto refused = [](ErrorKind kind, std::initializer_list<std::string> parts,
                          const char* model, const char* preset, std::vector<Setting> settings) {
    expect_error(kind, parts, [&] { make_neuron(model, preset, settings); });
  };
  refused(ErrorKind::usage, {"'aeif'", "did you mean"}, "aeif", "", {});
  refused(ErrorKind::usage, {"'poisson_source' is a source"}, "poisson_source", "", {});
  refused(ErrorKind::usage, {"'glifr' takes no injected current"}, "glifr", "", {});
  refused(ErrorKind::usage, {"'aeif_psc_exp' has no preset 'tonik'", "did you mean 'tonic'?"},
          "aeif_psc_exp", "tonik", {});
  refused(ErrorKind::usage, {"has no presets", "tonic"}, "lif", "tonic", {});
  refused(ErrorKind::usage, {"no parameter 'c_m'", "did you mean 'C_m'?"}, "lif", "",
          {{"c_m", "1"}});
  refused(ErrorKind::config, {"--set C_m: 'nan' is not finite"}, "lif", "", {{"C_m", "nan"}});
  refused(ErrorKind::config, {"--set C_m: 'fast' is not a number", "in pF"}, "lif", "",
          {{"C_m", "fast"}});
  refused(ErrorKind::config, {"capacitance", "-1 pF", "above 0"}, "lif", "", {{"C_m", "-1"}});
  refused(ErrorKind::config, {"--set C_m: '1 mV' is not in a unit of the kind of pF"}, "lif", "",
          {{"C_m", "1 mV"}});
  refused(ErrorKind::config, {"--set a: '1 Hz' has the unit 'Hz'", "without a unit"},
          "fitzhugh_nagumo", "", {{"a", "1 Hz"}});
  refused(ErrorKind::config, {"found 2 values in '1,2'", "Give one"}, "lif", "", {{"C_m", "1,2"}});
  const Neuron neuron = make_neuron("lif");
  for (const auto& [text, part] : {std::pair("nan", "not finite"),
                                   {"1e300", "too large"},
                                   {"", "not a number"},
                                   {"5 mV", "not in a unit of the kind of pA"},
                                   {"1:2", "no range"},
                                   {"0:1:1", "Give 2 to"},
                                   {"0:1:2.5", "Give 2 to"},
                                   {"1,,2", "not a number"}}) {
    expect_error(ErrorKind::config, {"I: ", part}, [&] { parse_currents(neuron, text, "I"); });
  }
}

}  // namespace
}  // namespace afterspike::single_neuron
