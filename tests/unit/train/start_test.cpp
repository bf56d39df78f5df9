// Runs that begin with the parameters of another, and parameters that are not trained.

#include <gtest/gtest.h>

#include "afterspike/nn/parameter_choice.hpp"
#include "small_run.hpp"
#include "support/expect_error.hpp"

namespace afterspike::train {
namespace {

namespace fs = std::filesystem;

using testing::environment;
using testing::expect_error;
using testing::Settings;
using testing::sine_options;

class StartFrom : public ::testing::Test {
 protected:
  fs::path create(const std::string& name, Settings settings, const std::string& neuron = "glifr") {
    RunOptions options = sine_options(std::move(settings), neuron);
    create_run(directory_ / name, options, environment());
    return directory_ / name;
  }

  nn::NamedTensors train(const std::string& name, Settings settings) {
    const fs::path run = create(name, std::move(settings));
    continue_run(run, environment());
    return experiment::load(run).content.model;
  }

  testing::TempDir directory_;
  testing::Silence silence_;
};

/// The names of parameters that are not the same.
std::set<std::string> changed(const nn::NamedTensors& found, const nn::NamedTensors& before) {
  std::set<std::string> names;
  for (const auto& [name, tensor] : before) {
    if (!found.at(name).equal(tensor)) names.insert(name);
  }
  return names;
}

const std::set<std::string> kIntrinsic = {
    "layers.0.after_spike_additive", "layers.0.after_spike_decay",
    "layers.0.after_spike_multiplicative", "layers.0.membrane_decay", "layers.0.threshold"};
const std::set<std::string> kWeights = {"layers.0.input_weight", "layers.0.recurrent_weight"};
const std::set<std::string> kReadout = {"readout.bias", "readout.weight"};

std::set<std::string> united(std::set<std::string> one, const std::set<std::string>& other) {
  one.insert(other.begin(), other.end());
  return one;
}

TEST_F(StartFrom, TakesTheChosenParametersOfTheRun) {
  const nn::NamedTensors donor = train("donor", {{"train.epochs", "3"}});
  const Settings none = {{"train.epochs", "0"}, {"seed", "2"}};
  const nn::NamedTensors drawn = train("drawn", none);
  const auto with = [&](const std::string& groups) {
    Settings settings = none;
    settings.emplace_back("train.start_from", (directory_ / "donor").string());
    settings.emplace_back("train.start_groups", groups);
    return train("from " + groups, settings);
  };
  EXPECT_TRUE(changed(with("all"), donor).empty());
  const std::set<std::string> every = changed(donor, drawn);
  EXPECT_EQ(every, united(united(kIntrinsic, kWeights), kReadout));
  const nn::NamedTensors readout = with("readout");
  EXPECT_EQ(changed(readout, drawn), kReadout);
  EXPECT_EQ(changed(readout, donor), united(kIntrinsic, kWeights));
  EXPECT_EQ(changed(with("weight, intrinsic"), donor), kReadout);
}

TEST_F(StartFrom, KeepsWhatIsFrozenAndTrainsTheRest) {
  const nn::NamedTensors donor = train("donor", {{"train.epochs", "3"}});
  const Settings start = {{"train.epochs", "2"},
                          {"train.start_from", (directory_ / "donor").string()}};
  const auto with = [&](const std::string& groups) {
    Settings settings = start;
    settings.emplace_back("train.freeze", groups);
    return changed(train("freeze " + groups, settings), donor);
  };
  EXPECT_EQ(with("none"), united(united(kIntrinsic, kWeights), kReadout));
  EXPECT_EQ(with("intrinsic,weight"), kReadout);
  EXPECT_EQ(with("readout"), united(kIntrinsic, kWeights));
  expect_error(ErrorKind::config, {"nothing is trained"}, [&] { with("all"); });
}

TEST_F(StartFrom, ResumesAsARunThatWasNotStopped) {
  train("donor", {{"train.epochs", "3"}});
  const Settings settings = {{"train.epochs", "6"},
                             {"train.start_from", (directory_ / "donor").string()},
                             {"train.freeze", "readout"}};
  const nn::NamedTensors whole = train("whole", settings);
  const fs::path run = create("stopped", settings);
  continue_run(run, environment(2));
  // The donor is read when the training starts, and not again.
  fs::rename(directory_ / "donor", directory_ / "gone");
  continue_run(run, environment());
  EXPECT_TRUE(changed(experiment::load(run).content.model, whole).empty());
}

TEST_F(StartFrom, IsWhatAnalysesTakeForTheBeginning) {
  const nn::NamedTensors donor = train("donor", {{"train.epochs", "3"}});
  train("run", {{"train.epochs", "2"},
                {"seed", "2"},
                {"train.start_from", (directory_ / "donor").string()},
                {"train.start_groups", "readout"}});
  const auto before =
      experiment::model_tensors(*experiment::initial_network(experiment::load(directory_ / "run")));
  EXPECT_EQ(changed(before, donor), united(kIntrinsic, kWeights));
}

TEST_F(StartFrom, RefusesRunsThatDoNotFit) {
  train("donor", {{"train.epochs", "1"}});
  continue_run(create("rnn", {{"train.epochs", "1"}}, "rnn"), environment());
  struct Case {
    std::string from;
    Settings settings;
    ErrorKind kind;
    std::string message;
  };
  const std::vector<Case> cases = {
      {"none", {}, ErrorKind::checkpoint, "there is no such run"},
      {"rnn", {}, ErrorKind::config, "has neurons 'rnn', not 'glifr'"},
      {"donor",
       {{"network.hidden", "9"}},
       ErrorKind::config,
       "8 values of parameter 'layers.0.threshold', not 9"},
      {"donor", {{"network.layers", "2"}}, ErrorKind::config, "no parameter 'layers.1."},
      {"donor", {{"task.dt", "0.1 ms"}}, ErrorKind::config, "under the transform"},
  };
  for (const Case& c : cases) {
    Settings settings = c.settings;
    settings.emplace_back("train.start_from", (directory_ / c.from).string());
    const fs::path run = create("run", settings);
    expect_error(c.kind, {c.from, c.message}, [&] { continue_run(run, environment()); });
    fs::remove_all(run);
  }
  expect_error(ErrorKind::config, {"train.start_groups", "'readout'", "'all'"}, [&] {
    create("alone", {{"train.start_groups", "readout"}});
  });
}

TEST(ParameterChoice, RefusesOtherNames) {
  for (const char* text : {"", "weights", "weight,", "weight readout", "all,bias"}) {
    expect_error(ErrorKind::config, {"train.freeze", text, "intrinsic, weight, bias, readout"},
                 [&] { nn::ParameterChoice::parse(text, "train.freeze"); });
  }
}

}  // namespace
}  // namespace afterspike::train
