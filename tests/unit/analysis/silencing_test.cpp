#include "afterspike/analysis/silencing.hpp"

#include <algorithm>
#include <set>

#include <gtest/gtest.h>

#include "afterspike/analysis/selection.hpp"
#include "afterspike/experiment/evaluate.hpp"
#include "support/expect_error.hpp"
#include "unit/analysis/subjects.hpp"

namespace afterspike::analysis {
namespace {

using testing::expect_error;
using testing::TempDir;
using testing::write_run;

std::vector<Measurement> run(const Protocol& protocol, const std::vector<Subject>& subjects,
                             int threads = 1) {
  ThreadPool pool(threads);
  std::vector<Measurement> measured;
  EXPECT_TRUE(measure(protocol, subjects, plan(protocol, subjects), measured, pool,
                      [](const auto&) { return true; }));
  return measured;
}

/// Runs for each neuron model, with an undamaged network on disk.
class SilencingOfEveryNeuron : public ::testing::TestWithParam<std::string> {
 protected:
  void SetUp() override {
    // Readout neurons are not hidden, and still emit when these are silent.
    const bool reads_out = GetParam() == "elm_network";
    write_run(directory / "run", GetParam(),
              reads_out ? testing::Options{{"neuron.readout_neurons", "false"},
                                           {"neuron.output", "identity"}}
                        : testing::Options{},
              1, testing::vary);
    subjects.push_back(testing::subject_of(directory / "run"));
  }
  TempDir directory;
  std::vector<Subject> subjects;
};

std::vector<std::string> neuron_names() {
  std::vector<std::string> names;
  for (const nn::NeuronEntry& entry : nn::entries()) names.emplace_back(entry.name);
  return names;
}

INSTANTIATE_TEST_SUITE_P(Neurons, SilencingOfEveryNeuron, ::testing::ValuesIn(neuron_names()),
                         [](const auto& instance) { return instance.param; });

TEST_P(SilencingOfEveryNeuron, OfNobodyIsTheEvaluationAndOfEverybodyLeavesTheBias) {
  Protocol protocol;
  protocol.levels = {0, 1};
  protocol.trials = 2;
  const std::vector<Measurement> measured = run(protocol, subjects);
  ASSERT_EQ(measured.size(), 4U);
  const Subject& subject = subjects[0];
  ThreadPool pool(1);
  const tasks::Tally tally =
      experiment::evaluate(subject.network(), *subject.task, *subject.data, {}, pool);
  EXPECT_EQ(measured[0].loss, tally.loss / static_cast<double>(tally.samples)) << "to the bit";
  EXPECT_EQ(measured[1].loss, measured[0].loss);
  const std::vector<std::int64_t> all = {0, 1, 2, 3, 4, 5};
  const at::Tensor target = subject.data->batch(all).target;
  const at::Tensor bias = subject.network().physical("readout.bias");
  const double silent = (target - bias).square().mean().item<double>();
  EXPECT_NEAR(measured[2].loss, silent, 1e-6);
  EXPECT_EQ(measured[2].neurons, 10);
}

TEST_P(SilencingOfEveryNeuron, EqualsANetworkWhoseNeuronsEmitNothingByTheReference) {
  Protocol protocol;
  protocol.levels = {0.35};
  protocol.trials = 3;
  const std::vector<Measurement> measured = run(protocol, subjects);
  // The same masks by the composed operations.
  const Subject& subject = subjects[0];
  const std::vector<std::int64_t> all = {0, 1, 2, 3, 4, 5};
  const tasks::Batch batch = subject.data->batch(all);
  std::vector<double> losses;
  for (std::uint64_t trial = 0; trial < 3; ++trial) {
    std::vector<std::int64_t> order =
        Rng(1).stream("silence").stream("-1").stream("0.35").stream("trial", trial).permutation(10);
    order.resize(3);
    nn::NetworkPass pass;
    pass.masks = masks_without(subject.network(), order);
    pass.execution.engine = nn::Engine::composed;
    const at::NoGradGuard no_grad;
    const at::Tensor output = subject.network().forward(batch.input, pass);
    const double loss = (output - batch.target).square().mean().item<double>();
    EXPECT_NEAR(measured[trial].loss, loss, 1e-5);
    EXPECT_EQ(measured[trial].neurons, 3) << "int(0.35 * 10), as in the authors' code";
  }
  EXPECT_NE(measured[0].loss, measured[1].loss);
}

TEST_P(SilencingOfEveryNeuron, AndNoiseHaveTheSameBitsForAnyNumberOfThreads) {
  for (const Perturbation perturbation : {Perturbation::silence, Perturbation::weight_noise}) {
    Protocol protocol;
    protocol.perturbation = perturbation;
    protocol.levels = {0, 0.3, 0.7};
    protocol.trials = 4;
    const std::vector<Measurement> one = run(protocol, subjects, 1);
    const std::vector<Measurement> three = run(protocol, subjects, 3);
    ASSERT_EQ(one.size(), three.size());
    for (std::size_t i = 0; i < one.size(); ++i) EXPECT_EQ(one[i].loss, three[i].loss);
    EXPECT_NE(one[4].loss, one[0].loss);
  }
}

TEST(Silencing, OfATrialDoesNotDependOnWhatElseIsMeasured) {
  const TempDir directory;
  write_run(directory / "a");
  write_run(directory / "b", "rnn", {}, 2);
  const Subject a = testing::subject_of(directory / "a");
  const Subject b = testing::subject_of(directory / "b");
  Protocol protocol;
  protocol.levels = {0.2, 0.5};
  protocol.trials = 3;
  const std::vector<Measurement> both = run(protocol, {b, a});
  protocol.levels = {0.5};
  protocol.trials = 2;
  const std::vector<Measurement> alone = run(protocol, {a});
  EXPECT_EQ(alone[0].loss, both[9].loss);
  EXPECT_EQ(alone[1].loss, both[10].loss);
}

TEST(Silencing, ByRankTakesTheFirstInOrder) {
  const TempDir directory;
  write_run(directory / "run", "glifr", {}, 1, testing::vary);
  const std::vector<Subject> subjects = {testing::subject_of(directory / "run")};
  const Subject& subject = subjects[0];
  ThreadPool pool(1);
  Protocol protocol;
  protocol.levels = {0.3, 0.6};
  for (const bool highest : {true, false}) {
    protocol.selection = select_neurons("threshold_mV", highest, subjects, pool);
    const std::vector<Measurement> measured = run(protocol, subjects);
    ASSERT_EQ(measured.size(), 2U) << "nothing is drawn: one trial";
    const at::Tensor order = subject.network().physical("layers.0.threshold").argsort(0, highest);
    std::vector<std::int64_t> silenced;
    for (std::int64_t i = 0; i < 3; ++i) silenced.push_back(order[i].item<std::int64_t>());
    nn::NetworkPass pass;
    pass.masks = masks_without(subject.network(), silenced);
    const tasks::Tally tally =
        experiment::evaluate(subject.network(), *subject.task, *subject.data, pass, pool);
    EXPECT_EQ(measured[0].loss, tally.loss / 6);
    EXPECT_EQ(measured[1].neurons, 6);
  }
}

TEST(Silencing, ByClusterTakesNeuronsOfThatClusterAndAsManyOfAllAsControl) {
  const TempDir directory;
  write_run(directory / "run");
  testing::spill(directory / "clusters.csv",
                 "run,layer,neuron,cluster,other\n0,0,0,1,5\n0,0,1,1,5\n0,0,2,0,5\n0,0,3,0,5\n"
                 "0,0,4,0,5\n0,0,5,0,5\n0,0,6,0,5\n0,0,7,0,5\n0,0,8,1,5\n0,0,9,1,5\n");
  const std::vector<Subject> subjects = {testing::subject_of(directory / "run")};
  ThreadPool pool(1);
  Protocol protocol;
  protocol.levels = {0.5, 1};
  protocol.trials = 2;
  protocol.selection = select_neurons((directory / "clusters.csv").string(), true, subjects, pool);
  const std::vector<Measurement> measured = run(protocol, subjects);
  ASSERT_EQ(measured.size(), 16U);
  for (std::size_t i = 0; i < 16; ++i) {
    EXPECT_EQ(measured[i].cluster, i < 8 ? 0 : 1);
    EXPECT_EQ(measured[i].control, i % 8 >= 4);
    const std::int64_t all = i < 8 ? 6 : 4;
    EXPECT_EQ(measured[i].neurons, measured[i].level == 1 ? all : all / 2);
  }
  // Cluster 1 consists of 0, 1, 8, 9.
  const std::vector<std::int64_t> silenced = {0, 1, 8, 9};
  nn::NetworkPass pass;
  pass.masks = masks_without(subjects[0].network(), silenced);
  const tasks::Tally tally =
      experiment::evaluate(subjects[0].network(), *subjects[0].task, *subjects[0].data, pass, pool);
  EXPECT_EQ(measured[10].loss, tally.loss / 6);
  EXPECT_EQ(measured[11].loss, measured[10].loss);
  EXPECT_NE(measured[15].loss, measured[14].loss) << "controls are drawn";
}

TEST(Silencing, OfClassesCountsDecisions) {
  const TempDir directory;
  write_run(directory / "run", "rnn");
  const at::Tensor inputs = testing::uniform_tensor({60, 9, 1}, Rng(1)).to(at::kFloat);
  const std::vector<Subject> subjects = {testing::subject_on(
      directory / "run", inputs, at::zeros({60}, at::kLong), 1, /*classifies=*/true)};
  Protocol protocol;
  protocol.levels = {0, 0.5};
  protocol.trials = 1;
  for (const Measurement& measured : run(protocol, subjects)) EXPECT_EQ(measured.accuracy, 1);
}

TEST(Silencing, EventsAreMovedAndLeftOutBeforeTheNetworkSeesThem) {
  const TempDir directory;
  write_run(directory / "run", "gru");
  const at::Tensor events =
      testing::uniform_tensor({70, 12, 1}, Rng(2), 0, 2).floor().to(at::kFloat);
  const at::Tensor targets = testing::uniform_tensor({70, 12, 1}, Rng(3)).to(at::kFloat);
  std::vector<Subject> subjects = {
      testing::subject_on(directory / "run", events, targets, 1, false)};
  Protocol protocol;
  protocol.perturbation = Perturbation::deletion;
  protocol.levels = {0, 1};
  protocol.trials = 1;
  const std::vector<Measurement> measured = run(protocol, subjects);
  subjects[0] = testing::subject_on(directory / "run", at::zeros_like(events), targets, 1, false);
  protocol.levels = {0};
  EXPECT_EQ(run(protocol, subjects)[0].loss, measured[1].loss) << "all events left out";
  EXPECT_NE(measured[0].loss, measured[1].loss);
  subjects[0] = testing::subject_on(directory / "run", events + 0.5, targets, 1, false);
  protocol.perturbation = Perturbation::jitter;
  protocol.levels = {0, 2};
  expect_error(ErrorKind::data, {"expected events"}, [&] { run(protocol, subjects); });
}

TEST(Plan, RefusesProtocolsThatDoNotFit) {
  const TempDir directory;
  write_run(directory / "run");
  const std::vector<Subject> subjects = {testing::subject_of(directory / "run")};
  const auto refused = [&](std::vector<double> levels, std::int64_t trials, const char* message) {
    Protocol protocol;
    protocol.levels = std::move(levels);
    protocol.trials = trials;
    expect_error(ErrorKind::usage, {message}, [&] { plan(protocol, subjects); });
  };
  refused({}, 1, "fraction: expected one level or more");
  refused({0, 1.5}, 1, "fraction: found 1.5, expected 0 to 1");
  refused({0.5, 0.2}, 1, "fraction: found 0.5 before 0.2");
  refused({0.5, 0.5}, 1, "each once");
  refused({0.5}, 0, "trials: found 0");
}

TEST(SelectNeurons, RefusesFilesAndNamesThatDoNotFit) {
  const TempDir directory;
  write_run(directory / "run");
  const std::vector<Subject> subjects = {testing::subject_of(directory / "run")};
  ThreadPool pool(1);
  struct Case {
    std::string content, message;
  };
  const std::string head = "layer,neuron,cluster\n";
  const std::vector<Case> cases = {
      {"layer,neuron\n0,0\n", "no column 'cluster'"},
      {head + "0,0,1\n0,0,2\n", "line 3: this neuron is there twice"},
      {head + "0,10,1\n", "line 2: neuron is 10, expected a whole number, 0 to 9"},
      {head + "1,0,1\n", "layer is 1"},
      {head + "0,0,0.5\n", "cluster is 0.5"},
      {head + "0,0,one\n", "found 'one', expected a number"},
      {head + "0,0,1\n", "layer 0, neuron 1 is missing"},
      {"run,layer,neuron,cluster\n0,0,0,1\n1,0,0,1\n", "found runs up to number 1"}};
  for (const Case& c : cases) {
    const auto path = directory / "clusters.csv";
    testing::spill(path, c.content);
    expect_error(ErrorKind::data, {path.string(), c.message},
                 [&] { select_neurons(path.string(), true, subjects, pool); });
  }
  expect_error(ErrorKind::usage, {"--by tresholds", "random, rate", "threshold_mV"},
               [&] { select_neurons("tresholds", true, subjects, pool); });
  expect_error(ErrorKind::data, {"none.csv"},
               [&] { select_neurons("none.csv", true, subjects, pool); });
}

}  // namespace
}  // namespace afterspike::analysis
