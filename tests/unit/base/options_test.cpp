#include "afterspike/base/options.hpp"

#include <ostream>
#include <string>
#include <utility>
#include <vector>

#include <tuple>

#include <gtest/gtest.h>

#include "support/expect_error.hpp"

namespace afterspike::options {
namespace {

using testing::expect_error;

enum class Optimizer { adam, sgd };

struct Example {
  bool shuffle = true;
  std::int64_t epochs = 30;
  double rate = 0.001;
  std::string out = "runs/a";
  std::vector<double> levels = {0, 0.5};
  double dt_ms = 0.05;
  units::Duration delay = units::Duration::steps(1);
  Optimizer optimizer = Optimizer::adam;

  void describe(Section section) {
    section.add("shuffle", shuffle, "Whether to shuffle.");
    section.add("epochs", epochs, "Passes over the data.").at_least(0).at_most(1000);
    section.add("rate", rate, "Learning rate.").above(0).below(1);
    section.add("out", out, "Folder.");
    section.add("levels", levels, "Levels.").check([](const Value& value) {
      return std::get<std::vector<double>>(value).size() < 5 ? "" : "fewer than 5 numbers";
    });
    section.section("neuron").quantity("dt", dt_ms, "ms", "Step.").above(0);
    section.duration("delay", delay, "Synaptic delay.");
    section.choice("optimizer", optimizer, {{"adam", Optimizer::adam}, {"sgd", Optimizer::sgd}},
                   "Which.");
  }
};

class Options : public ::testing::Test {
 protected:
  Options() { example_.describe(Section(description_, "train")); }

  void set(const std::string& path, const std::string& text) {
    description_.find(path).set_text(text);
  }

  Description description_;
  Example example_;
};

TEST_F(Options, AreDescribedInOrderWithPathHelpTypeAndDefault) {
  std::vector<std::string> paths;
  for (const Field& field : description_.fields()) paths.push_back(field.path());
  EXPECT_EQ(paths, (std::vector<std::string>{"train.shuffle", "train.epochs", "train.rate",
                                             "train.out", "train.levels", "train.neuron.dt",
                                             "train.delay", "train.optimizer"}));
  const Field& dt = description_.find("train.neuron.dt");
  EXPECT_EQ(dt.help(), "Step.");
  EXPECT_EQ(dt.type(), "a quantity in ms");
  EXPECT_EQ(text(dt.value()), "0.05 ms");
  EXPECT_EQ(description_.find("train.optimizer").type(), "adam|sgd");
  EXPECT_EQ(text(description_.find("train.optimizer").value()), "adam");
  EXPECT_EQ(text(description_.find("train.levels").value()), "[0, 0.5]");
  EXPECT_EQ(text(description_.find("train.delay").value()), "1 step");
}

TEST_F(Options, TextsOfFlagsReachTheMembers) {
  set("train.shuffle", "no");
  set("train.epochs", "+300");
  set("train.rate", "1e-2");
  set("train.out", "a b");
  set("train.levels", "0, 0.25,1");
  set("train.neuron.dt", "100us");
  set("train.delay", "15 ms");
  set("train.optimizer", "sgd");
  EXPECT_FALSE(example_.shuffle);
  EXPECT_EQ(example_.epochs, 300);
  EXPECT_EQ(example_.rate, 0.01);
  EXPECT_EQ(example_.out, "a b");
  EXPECT_EQ(example_.levels, (std::vector<double>{0, 0.25, 1}));
  EXPECT_EQ(example_.dt_ms, 0.1);
  EXPECT_EQ(example_.delay, units::Duration::milliseconds(15));
  EXPECT_EQ(example_.optimizer, Optimizer::sgd);
}

TEST_F(Options, EveryValueIsSetAgainFromItsText) {
  for (const Field& field : description_.fields()) {
    const Value before = field.value();
    field.set_text(text(before));
    EXPECT_EQ(field.value(), before) << field.path();
    field.set(before);
    EXPECT_EQ(field.value(), before) << field.path();
  }
}

TEST_F(Options, DashesAndUnderscoresAreAlike) {
  bool flag = false;
  Section(description_, "").add("dry_run", flag, "Nothing is written.");
  description_.find("dry-run").set_text("true");
  EXPECT_TRUE(flag);
  EXPECT_EQ(description_.find_if("dry-runs"), nullptr);
}

TEST_F(Options, AnIntegerIsANumberButNotTheOtherWayRound) {
  description_.find("train.neuron.dt").set(Value("0.5 ms"));
  Description numbers;
  double number = 0;
  Section(numbers, "").add("number", number, "");
  numbers.find("number").set(Value(std::int64_t{3}));
  EXPECT_EQ(number, 3);
  expect_error(ErrorKind::config,
               {"option 'train.epochs'", "a number with a point, 1.5", "an integer"},
               [&] { description_.find("train.epochs").set(Value(1.5)); });
}

struct Refusal {
  std::string path, given, message;
};

void PrintTo(const Refusal& refusal, std::ostream* out) {
  *out << refusal.path << " = " << refusal.given;
}

class Refused : public Options, public ::testing::WithParamInterface<Refusal> {};

TEST_P(Refused, TextsNameOptionValueAndExpectationAndChangeNothing) {
  const auto& [path, given, message] = GetParam();
  const std::string before = text(description_.find(path).value());
  expect_error(ErrorKind::config, {"option '" + path + "'", given, message},
               [&] { set(path, given); });
  EXPECT_EQ(text(description_.find(path).value()), before);
}

INSTANTIATE_TEST_SUITE_P(
    All, Refused,
    ::testing::Values(Refusal{"train.shuffle", "maybe", "expected true|false"},
                      Refusal{"train.epochs", "-1", "expected 0 or more"},
                      Refusal{"train.epochs", "1001", "expected 1000 or less"},
                      Refusal{"train.epochs", "3.5", "expected an integer"},
                      Refusal{"train.epochs", "", "expected an integer"},
                      Refusal{"train.epochs", "99999999999999999999", "expected an integer"},
                      Refusal{"train.rate", "0", "expected more than 0"},
                      Refusal{"train.rate", "1", "expected less than 1"},
                      Refusal{"train.rate", "0.1x", "expected a number"},
                      Refusal{"train.rate", "+-0.1", "expected a number"},
                      Refusal{"train.rate", "1e400", "a number that this machine can hold"},
                      Refusal{"train.rate", "nan", "a finite number"},
                      Refusal{"train.rate", "inf", "a finite number"},
                      Refusal{"train.levels", "0,,1", "expected numbers"},
                      Refusal{"train.levels", "0,one", "expected numbers"},
                      Refusal{"train.levels", "[0, nan]", "a finite number"},
                      Refusal{"train.levels", "[1, 2, 3, 4, 5]", "expected fewer than 5 numbers"},
                      Refusal{"train.neuron.dt", "0.1", "has no unit"},
                      Refusal{"train.neuron.dt", "0 ms", "expected more than 0"},
                      Refusal{"train.neuron.dt", "1 mV", "not in a unit of the kind of ms"},
                      Refusal{"train.delay", "15", "does not say of what"},
                      Refusal{"train.optimizer", "adm",
                              "expected one of adam, sgd (did you mean 'adam'?)"}));

TEST_F(Options, ValuesOfAnotherKindAreRefused) {
  const std::tuple<std::string, Value, std::string> cases[] = {
      {"train.shuffle", Value(std::int64_t{1}), "found an integer, 1; expected true|false"},
      {"train.epochs", Value(std::string("3")), "found a text, \"3\"; expected an integer"},
      {"train.epochs", Value(3.0), "found a number with a point, 3.0; expected an integer"},
      {"train.epochs", Value(1e20), "found a number with a point, 1e+20; expected an integer"},
      {"train.rate", Value(std::string("0.1")), "found a text, \"0.1\"; expected a number"},
      {"train.rate", Value(true), "found true; expected a number"},
      {"train.out", Value(3.5), "found a number with a point, 3.5; expected text"},
      {"train.levels", Value(0.5), "found a number with a point, 0.5; expected numbers"},
      {"train.epochs", Value(std::vector<double>{1, 2}), "found numbers, [1, 2]; expected"},
      {"train.neuron.dt", Value(0.5), "0.5; expected a quantity in ms"},
  };
  for (const auto& [path, value, message] : cases) {
    expect_error(ErrorKind::config, {"option '" + path + "': ", message},
                 [&, &path = path, &value = value] { description_.find(path).set(value); });
  }
}

TEST_F(Options, BoundedOnesRefuseWhatNobodyMeans) {
  double plain = 0, voltage_mV = 0;
  Description description;
  Section section(description, "");
  section.add("plain", plain, "").bounded();
  section.quantity("voltage", voltage_mV, "mV", "").bounded();
  description.find("plain").set_text("-1e9");
  description.find("voltage").set_text("1000 V");
  EXPECT_EQ(plain, -1e9);
  EXPECT_EQ(voltage_mV, 1e6);
  for (const auto& [path, value] : {std::pair("plain", "1.1e9"), std::pair("plain", "-1e300"),
                                    std::pair("voltage", "1.1e6 V")}) {
    expect_error(ErrorKind::config, {std::string("option '") + path + "'", "1000000000 or "},
                 [&, &path = path, &value = value] { description.find(path).set_text(value); });
  }
}

TEST_F(Options, AnUnknownPathIsRefusedWithTheClosest) {
  expect_error(ErrorKind::config, {"no option called 'train.epoch' (did you mean 'train.epochs'?)"},
               [&] { description_.find("train.epoch"); });
  expect_error(ErrorKind::config, {"no option called 'zzz'"}, [&] { description_.find("zzz"); });
}

TEST_F(Options, APathIsDescribedOnce) {
  expect_error(ErrorKind::internal, {"option 'train.epochs' is described twice"},
               [&] { Section(description_, "train").add("epochs", example_.epochs, "Again."); });
}

}  // namespace
}  // namespace afterspike::options
