// Averaged parameters: what is kept, and what is evaluated.

#include <gtest/gtest.h>

#include "afterspike/experiment/evaluate.hpp"
#include "small_run.hpp"
#include "small_training.hpp"

namespace afterspike::train {
namespace {

using testing::class_task;
using testing::expect_close;
using testing::expect_same_tensors;
using testing::Settings;
using testing::Training;

const Settings kAveraged = {
    {"epochs", "3"}, {"batch_size", "32"}, {"learning_rate", "0.05"}, {"average", "0.8"}};

TEST(Average, FollowsItsFormulaAndLeavesTheTrainingAlone) {
  const tasks::Task task = class_task(96);
  Settings plain = kAveraged;
  plain.pop_back();
  Training with(task, "rnn", kAveraged), without(task, "rnn", plain);
  nn::NamedTensors expected = without.model();
  for (int step = 1; step <= 9; ++step) {
    with.run(step);
    without.run(step);
    expect_same_tensors(with.model(), without.model());
    const double decay = std::min(0.8, (1. + step) / (10. + step));
    for (auto& [name, tensor] : expected) {
      tensor = decay * tensor + (1 - decay) * without.model().at(name);
    }
    for (const auto& [name, tensor] : with.trainer->model()) {
      expect_close(tensor, expected.at(name), 1e-6, name);
    }
  }
  expect_same_tensors(without.trainer->model(), without.model());
}

TEST(Average, IsWhatIsValidated) {
  const tasks::Task task = class_task(96);
  Training training(task, "rnn", kAveraged);
  training.run();
  const EpochReport& last = training.recorder.epochs.back();
  const auto loss = [&] {
    ThreadPool pool(1);
    return experiment::evaluate(*training.network, task, *task.split(tasks::Split::validation), {},
                                pool)
        .loss;
  };
  EXPECT_NE(loss(), last.validation.loss) << "of the trained parameters";
  const at::NoGradGuard no_grad;
  const nn::NamedTensors model = training.trainer->model();
  for (const auto& parameter : training.network->named()) {
    at::Tensor(parameter.tensor).copy_(model.at(parameter.name));
  }
  EXPECT_EQ(loss(), last.validation.loss);
}

TEST(Average, IsWhatARunKeepsAndEvaluates) {
  const testing::TempDir directory;
  const testing::Silence silence;
  RunOptions options =
      testing::sine_options({{"train.epochs", "20"}, {"train.average", "0.9"}}, "rnn");
  create_run(directory / "run", options, testing::environment());
  const RunResult result = continue_run(directory / "run", testing::environment());
  const experiment::Trained kept = experiment::load(directory / "run", experiment::Part::all);
  const nn::NamedTensors& training = kept.content.training;
  for (const auto& [name, tensor] : kept.content.model) {
    expect_close(tensor, training.at("average." + name), 0, name);
    EXPECT_FALSE(tensor.equal(training.at("weights." + name))) << name;
  }
  const auto task = kept.experiment->make_task({});
  ThreadPool pool(1);
  const tasks::Tally tally =
      experiment::evaluate(*kept.network, *task, *task->split(tasks::Split::test), kept.pass, pool);
  EXPECT_NEAR(result.summary.at("test").at("loss").get<double>(), tally.loss / 6, 1e-9);
}

}  // namespace
}  // namespace afterspike::train
