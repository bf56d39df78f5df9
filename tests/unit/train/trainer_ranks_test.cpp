#include <limits>

#include <gtest/gtest.h>

#include "small_training.hpp"
#include "support/expect_error.hpp"
#include "support/tensors.hpp"
#include "support/thread_ranks.hpp"

namespace afterspike::train {
namespace {

using testing::class_task;
using testing::expect_error;
using testing::expect_same_tensors;
using testing::Settings;
using testing::Snapshot;
using testing::ThreadRanks;
using testing::Training;
using train::Ranks;

/// A training per rank, run in turn with the others.
struct Together {
  std::vector<std::unique_ptr<Training>> trainings;
  std::vector<End> ends;
};

Together train(int size, const tasks::Task& task, const std::string& neuron,
               const Settings& settings, const Settings& of_neuron,
               const std::function<Limits(int rank, Training&)>& prepare) {
  Together together;
  together.trainings.resize(static_cast<std::size_t>(size));
  together.ends.resize(static_cast<std::size_t>(size));
  // Parts of 50 values, so that gradients need several.
  ThreadRanks(size, 50).run([&](Ranks& ranks) {
    const auto rank = static_cast<std::size_t>(ranks.rank());
    auto& training = together.trainings[rank];
    training = std::make_unique<Training>(task, neuron, settings, of_neuron, 1, 1, ranks);
    const Limits limits = prepare(ranks.rank(), *training);
    together.ends[rank] = training->trainer->run({&training->recorder}, limits);
  });
  return together;
}

Limits none(int /*rank*/, Training& /*training*/) {
  return {};
}

/// 450 samples in batches of 200: 7, 7 and 2 shards of 32 rows.
const Settings kSettings = {{"epochs", "2"}, {"batch_size", "200"}, {"clip_norm", "0.05"}};

TEST(TrainerRanks, HaveTheSameBitsHoweverManyTheyAre) {
  const tasks::Task task = class_task(450, 70);
  for (const char* neuron : {"glifr", "rnn"}) {
    Training whole(task, neuron, kSettings, {{"dropout", "0.2"}});
    whole.run();
    for (const int size : {2, 3, 4}) {
      SCOPED_TRACE(std::to_string(size) + " of " + neuron);
      const Together together = train(size, task, neuron, kSettings, {{"dropout", "0.2"}}, none);
      for (const auto& training : together.trainings) {
        const Snapshot found = training->snapshot(), expected = whole.snapshot();
        expect_same_tensors(found.model, expected.model);
        expect_same_tensors(found.optimizer, expected.optimizer);
        for (const char* key : {"step", "best_epoch", "best_accuracy", "best_loss"}) {
          EXPECT_EQ(found.progress.at(key), expected.progress.at(key)) << key;
        }
        ASSERT_EQ(training->recorder.epochs.size(), 2U);
        for (std::size_t epoch = 0; epoch < 2; ++epoch) {
          const EpochReport& report = training->recorder.epochs[epoch];
          const EpochReport& other = whole.recorder.epochs[epoch];
          EXPECT_EQ(report.train.loss, other.train.loss);
          EXPECT_EQ(report.train.correct, other.train.correct);
          EXPECT_EQ(report.validation.loss, other.validation.loss);
          EXPECT_EQ(report.validation.samples, 70);
        }
      }
    }
  }
}

/// Measures over every step of a split get the readings of all ranks, in one order.
TEST(TrainerRanks, MeasureASplitTogether) {
  const at::Tensor input = testing::uniform_tensor({70, 5, 1}, Rng(1)).to(at::kFloat);
  const at::Tensor spikes = input.gt(0.6).to(at::kFloat);
  const auto data = std::make_shared<tasks::Sequences>(input, at::cat({spikes, input}, 2));
  tasks::Objective objective;
  objective.kind = tasks::Objective::Kind::spikes_and_voltage;
  const tasks::Task task({1, 2, 5, 1.0}, objective, {data, data, data});
  Training whole(task, "rnn", kSettings, {});
  whole.run();
  const auto expected = task.measures(whole.recorder.epochs.back().validation);
  ASSERT_EQ(expected.size(), 3U);
  for (const int size : {2, 4}) {
    const Together together = train(size, task, "rnn", kSettings, {}, none);
    for (const auto& training : together.trainings) {
      const tasks::Tally& validation = training->recorder.epochs.back().validation;
      ASSERT_EQ(validation.steps.size(), 70U * 5);
      const auto found = task.measures(validation);
      ASSERT_EQ(found.size(), expected.size());
      for (std::size_t i = 0; i < found.size(); ++i) EXPECT_EQ(found[i].value, expected[i].value);
    }
  }
}

TEST(TrainerRanks, StopTogetherWhereOneIsToStop) {
  const tasks::Task task = class_task(450);
  int asked = 0;
  const Together together =
      train(3, task, "rnn", kSettings, {}, [&](int rank, Training& /*training*/) {
        Limits limits;
        if (rank == 2) limits.interrupted = [&asked] { return ++asked == 4; };
        return limits;
      });
  for (std::size_t rank = 0; rank < 3; ++rank) {
    EXPECT_EQ(together.ends[rank], End::interrupted);
    EXPECT_EQ(together.trainings[rank]->trainer->progress().step, 4);
  }
}

TEST(TrainerRanks, FailWhereOneFails) {
  // 450 samples in one batch: 15 shards, of which the last 5 are rank 2's; the shuffle puts the bad
  // sample into one of them.
  at::Tensor input = at::ones({450, 5, 2});
  const auto order = Rng(1).stream("shuffle", 0).permutation(450);
  input[order[440]][3][1] = std::numeric_limits<float>::quiet_NaN();
  const auto data = std::make_shared<tasks::Sequences>(input, at::zeros({450}, at::kLong));
  const tasks::Task task({2, 2, 5, 1.0}, {}, {data, nullptr, data});
  expect_error(ErrorKind::numeric, {"step 1: the loss is nan", "is the input"}, [&] {
    ThreadRanks(3).run([&](Ranks& ranks) {
      Training training(task, "rnn", {{"batch_size", "450"}}, {}, 1, 1, ranks);
      try {
        training.run();
      } catch (const Error&) {
        EXPECT_EQ(ranks.rank(), 2) << "the others learn of it from this one";
        throw;
      }
    });
  });
}

TEST(TrainerRanks, ThatDriftApartAreFound) {
  const tasks::Task task = class_task(100);
  expect_error(ErrorKind::config, {"SHA-256 of the parameters after epoch 1", "as on rank 0"}, [&] {
    train(2, task, "rnn", kSettings, {}, [](int rank, Training& training) {
      const at::NoGradGuard no_grad;
      at::Tensor weight = training.network->named().front().tensor.detach().view(-1);
      if (rank == 1) weight[0].mul_(1 + 1e-6);
      return Limits();
    });
  });
}

}  // namespace
}  // namespace afterspike::train
