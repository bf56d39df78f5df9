#include <gtest/gtest.h>

#include "small_training.hpp"
#include "support/expect_error.hpp"

namespace afterspike::train {
namespace {

using testing::class_task;
using testing::expect_error;
using testing::expect_same_tensors;
using testing::Settings;
using testing::Snapshot;
using testing::Training;

/// Trains 10 steps at once, and again with a stop, a new trainer and a restart after each of
/// `stops`; expects the same bits of everything.
void expect_same_after_stops(const tasks::Task& task, const std::string& neuron,
                             const Settings& settings, const Settings& of_neuron,
                             const std::vector<std::int64_t>& stops) {
  Training whole(task, neuron, settings, of_neuron);
  whole.run(10);
  Snapshot saved;
  std::vector<EpochReport> reports;
  std::vector<std::int64_t> ends = stops;
  ends.push_back(10);
  for (std::size_t part = 0; part < ends.size(); ++part) {
    Training session(task, neuron, settings, of_neuron);
    if (part > 0) session.restore(saved);
    session.run(ends[part]);
    EXPECT_EQ(session.trainer->progress().step, ends[part]);
    saved = session.snapshot();
    reports.insert(reports.end(), session.recorder.epochs.begin(), session.recorder.epochs.end());
  }
  const Snapshot expected = whole.snapshot();
  expect_same_tensors(saved.model, expected.model);
  expect_same_tensors(saved.optimizer, expected.optimizer);
  for (const char* time : {"wall_s", "cpu_s"}) {
    EXPECT_GT(saved.progress[time].get<double>(), 0);
    saved.progress[time] = expected.progress[time];
  }
  EXPECT_EQ(saved.progress, expected.progress);
  ASSERT_EQ(reports.size(), whole.recorder.epochs.size());
  for (std::size_t i = 0; i < reports.size(); ++i) {
    EXPECT_EQ(reports[i].train.loss, whole.recorder.epochs[i].train.loss);
    EXPECT_EQ(reports[i].train.correct, whole.recorder.epochs[i].train.correct);
    EXPECT_EQ(reports[i].validation.loss, whole.recorder.epochs[i].validation.loss);
    EXPECT_EQ(reports[i].selected, whole.recorder.epochs[i].selected);
  }
}

TEST(Resume, TenStepsAreFiveAndFiveMore) {
  const tasks::Task task = class_task(100);  // Seven steps an epoch, the last of 4 samples.
  const Settings settings = {{"epochs", "2"}, {"batch_size", "16"}, {"learning_rate", "0.01"}};
  for (const nn::NeuronEntry& neuron : nn::entries()) {
    SCOPED_TRACE(neuron.name);
    expect_same_after_stops(task, std::string(neuron.name), settings, {}, {5});
  }
}

TEST(Resume, HoldsWithAveragedParameters) {
  const tasks::Task task = class_task(96);
  expect_same_after_stops(task, "gru", {{"epochs", "4"}, {"batch_size", "32"}, {"average", "0.9"}},
                          {}, {1, 3, 5});
}

TEST(Resume, HoldsWhereverItStopsWithDropoutAndBestSelection) {
  const tasks::Task task = class_task(96);
  const Settings settings = {{"epochs", "4"},           {"batch_size", "32"},
                             {"learning_rate", "0.05"}, {"schedule", "one_cycle"},
                             {"weight_decay", "0.01"},  {"optimizer", "adamw"},
                             {"clip_norm", "1"}};
  const Settings dropout = {{"dropout", "0.3"}, {"recurrent_dropout", "0.2"}};
  for (std::int64_t stop = 1; stop < 10; ++stop) {
    SCOPED_TRACE(stop);
    expect_same_after_stops(task, "rnn", settings, dropout, {stop});
  }
  expect_same_after_stops(task, "glifr", settings, dropout, {1, 2, 3, 4, 5, 6, 7, 8, 9});
}

/// Sequences that are drawn anew for each epoch.
class DrawnSequences final : public tasks::Dataset {
 public:
  explicit DrawnSequences(std::uint64_t seed) : samples_(testing::labelled_sequences(96, seed)) {}
  std::int64_t size() const override { return samples_->size(); }
  tasks::Batch batch(std::span<const std::int64_t> numbers) const override {
    return samples_->batch(numbers);
  }
  std::shared_ptr<const tasks::Dataset> for_epoch(const Rng& epoch) const override {
    return std::make_shared<DrawnSequences>(Rng(epoch).next());
  }

 private:
  std::shared_ptr<const tasks::Sequences> samples_;
};

TEST(Resume, HoldsWhereEachEpochDrawsSamplesOfItsOwn) {
  const auto train = std::make_shared<DrawnSequences>(1);
  const tasks::Task task(
      {2, 2, 5, 1.0}, {},
      {train, testing::labelled_sequences(40, 2), testing::labelled_sequences(30, 3)});
  const Settings settings = {{"epochs", "4"}, {"batch_size", "32"}, {"learning_rate", "0.01"}};
  expect_same_after_stops(task, "rnn", settings, {}, {2, 3, 7});

  // A training without redrawing, whose samples differ.
  const tasks::Task still({2, 2, 5, 1.0}, {},
                          {testing::labelled_sequences(96, 1), testing::labelled_sequences(40, 2),
                           testing::labelled_sequences(30, 3)});
  Training drawn(task, "rnn", settings), fixed(still, "rnn", settings);
  drawn.run(1);
  fixed.run(1);
  const std::string weight = "layers.0.input_weight";
  ASSERT_TRUE(drawn.model().contains(weight));
  EXPECT_FALSE(at::equal(drawn.model().at(weight), fixed.model().at(weight)));
}

TEST(Resume, HoldsWhileTheSoftnessIsAnnealed) {
  const tasks::Task task = class_task(96);
  const Settings settings = {{"epochs", "4"},
                             {"batch_size", "32"},
                             {"sigma_schedule", "exponential"},
                             {"sigma_final", "0.1 mV"},
                             {"sigma_epochs", "2"}};
  expect_same_after_stops(task, "glifr", settings, {}, {4, 7});
}

TEST(Resume, MoreEpochsAreWhatTheLongerTrainingIs) {
  const tasks::Task task = class_task(64);
  Training longer(task, "gru", {{"epochs", "5"}, {"batch_size", "16"}});
  longer.run();
  Training shorter(task, "gru", {{"epochs", "2"}, {"batch_size", "16"}});
  EXPECT_EQ(shorter.run(), End::finished);
  Training extended(task, "gru", {{"epochs", "5"}, {"batch_size", "16"}});
  extended.restore(shorter.snapshot());
  extended.run();
  expect_same_tensors(extended.model(), longer.model());
  EXPECT_EQ(extended.trainer->progress().best_epoch, longer.trainer->progress().best_epoch);
}

TEST(Resume, DoesNotTrainOnWhenPatienceIsOutAlready) {
  const tasks::Task task = class_task(20);
  const Settings settings = {{"epochs", "9"}, {"patience", "2"}, {"learning_rate", "1e-30"}};
  Training whole(task, "rnn", settings);
  EXPECT_EQ(whole.run(), End::patience);
  ASSERT_EQ(whole.trainer->progress().epoch, 3);
  // Stopped with the step at which patience ends: the run has finished all the same.
  Training stopped(task, "rnn", settings);
  EXPECT_EQ(stopped.run(3), End::patience);
  for (const Training* before : {&whole, &stopped}) {
    Training resumed(task, "rnn", settings);
    resumed.restore(before->snapshot());
    EXPECT_EQ(resumed.run(), End::patience);
    EXPECT_EQ(resumed.trainer->progress().step, 3);
  }
}

TEST(Resume, RefusesProgressThatDoesNotFit) {
  const tasks::Task task = class_task(64);
  Training training(task, "rnn", {{"batch_size", "16"}});
  training.run(3);
  const Snapshot good = training.snapshot();
  for (const auto& [member, value] :
       std::vector<std::pair<std::string, int>>{{"step", 4}, {"epoch", 1}, {"step_in_epoch", 2}}) {
    Snapshot wrong = good;
    wrong.progress[member] = value;
    Training resumed(task, "rnn", {{"batch_size", "16"}});
    expect_error(ErrorKind::checkpoint, {"do not fit", "batch size"},
                 [&] { resumed.restore(wrong); });
  }
  Training coarser(task, "rnn", {{"batch_size", "32"}});
  expect_error(ErrorKind::checkpoint, {"step 3 (epoch 0, 3 of 2 steps)", "do not fit"},
               [&] { coarser.restore(good); });
}

TEST(Resume, ForgetsWhatWasSelectedBeforeAnnealingThatGoesOn) {
  const tasks::Task task = class_task(60);
  const Settings two = {{"epochs", "2"},
                        {"batch_size", "30"},
                        {"sigma_schedule", "linear"},
                        {"sigma_start", "2 mV"},
                        {"sigma_final", "0.5 mV"}};
  Training first(task, "glifr", two);
  EXPECT_EQ(first.run(), End::finished);
  ASSERT_EQ(first.trainer->progress().best_epoch, 2);
  Settings four = two;
  four.push_back({"epochs", "4"});
  Training longer(task, "glifr", four);
  longer.restore(first.snapshot());
  EXPECT_EQ(longer.trainer->progress().best_epoch, 0) << "the softness rises again";
  EXPECT_EQ(longer.run(), End::finished);
  EXPECT_EQ(longer.trainer->progress().best_epoch, 4);
  Settings early = four;
  early.push_back({"sigma_epochs", "1"});
  Training over(task, "glifr", early);
  over.restore(first.snapshot());
  EXPECT_EQ(over.trainer->progress().best_epoch, 2) << "the annealing is over all the same";
}

TEST(Resume, TimesOnlyTheSamplesOfItsSession) {
  const tasks::Task task = class_task(60);
  const Settings settings = {{"epochs", "2"}, {"batch_size", "20"}};
  Training first(task, "rnn", settings);
  EXPECT_EQ(first.run(2), End::step_limit);
  Training second(task, "rnn", settings);
  second.restore(first.snapshot());
  EXPECT_EQ(second.run(), End::finished);
  ASSERT_EQ(second.recorder.epochs.size(), 2U);
  EXPECT_EQ(second.recorder.epochs[0].train.samples, 60);
  EXPECT_EQ(second.recorder.epochs[0].timed_samples, 20);
  EXPECT_EQ(second.recorder.epochs[1].timed_samples, 60);
}

}  // namespace
}  // namespace afterspike::train
