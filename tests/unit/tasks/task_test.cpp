// Common parts of tasks: reading steps, losses, tallies.

#include "afterspike/tasks/task.hpp"

#include <cmath>
#include <limits>

#include <ATen/ATen.h>
#include <gtest/gtest.h>

#include "support/expect_error.hpp"
#include "support/gradient_check.hpp"

namespace afterspike::tasks {
namespace {

using testing::expect_close;
using testing::expect_error;
using testing::expect_same;

constexpr std::int64_t kSteps = 6;
constexpr std::int64_t kBatch = 4;
constexpr std::int64_t kOutputs = 3;

at::Tensor outputs() {
  return testing::uniform_tensor({kSteps, kBatch, kOutputs}, Rng(1), -3, 3);
}
at::Tensor lengths() {
  return at::tensor({6, 1, 4, 3}, at::kLong);
}

/// Returns an element of a sequence: [step][sample][output].
double at_place(const at::Tensor& tensor, std::int64_t step, std::int64_t sample,
                std::int64_t output) {
  return tensor[step][sample][output].item<double>();
}

/// Returns the read steps of a sample, by the definition.
std::vector<std::int64_t> steps_read(const ReadSteps& read, std::int64_t length) {
  std::vector<std::int64_t> steps;
  for (std::int64_t step = 0; step < length; ++step) {
    const bool last = step == length - 1;
    const bool window = step >= length - read.count;
    if (read.kind == ReadSteps::Kind::all || (read.kind == ReadSteps::Kind::last && last) ||
        (read.kind == ReadSteps::Kind::window && window)) {
      steps.push_back(step);
    }
  }
  return steps;
}

const std::vector<std::string> kReads = {"last", "all", "1", "2", "4", "6", "100"};
/// Values that a task with at most six steps allows.
const std::vector<std::string> kTaskReads = {"last", "all", "1", "2", "4", "6"};

TEST(ReadSteps, TextsGoThereAndBack) {
  for (const std::string& text : kReads) EXPECT_EQ(ReadSteps::parse(text).text(), text);
  EXPECT_EQ(ReadSteps().text(), "auto");
  EXPECT_EQ(ReadSteps::parse("auto").text(), "auto");
  for (const std::string text :
       {"", "first", "0", "-3", "2.5", "14 steps", "99999999999999999999"}) {
    expect_error(ErrorKind::config, {"'" + text + "'", "last, all, or a number of steps"},
                 [&, word = text] { ReadSteps::parse(word); });
  }
}

TEST(ReadSteps, AreCountedFromTheEndOfEachSample) {
  for (const std::string& text : kReads) {
    SCOPED_TRACE(text);
    const ReadSteps read = ReadSteps::parse(text);
    const ReadValues found = read_steps(outputs(), lengths(), read);
    for (std::int64_t sample = 0; sample < kBatch; ++sample) {
      const auto expected = steps_read(read, lengths()[sample].item<std::int64_t>());
      std::size_t next = 0;
      for (std::int64_t place = 0; place < found.values.size(0); ++place) {
        if (!found.weight[place][sample].to(at::kBool).item<bool>()) continue;
        ASSERT_LT(next, expected.size());
        for (std::int64_t output = 0; output < kOutputs; ++output) {
          EXPECT_EQ(at_place(found.values, place, sample, output),
                    at_place(outputs(), expected[next], sample, output));
        }
        ++next;
      }
      EXPECT_EQ(next, expected.size()) << "sample " << sample;
    }
  }
}

TEST(ReadSteps, WithoutLengthsAreTheEndOfTheSequence) {
  for (const std::string& text : kReads) {
    const ReadSteps read = ReadSteps::parse(text);
    const auto count = static_cast<std::int64_t>(steps_read(read, kSteps).size());
    const ReadValues found = read_steps(outputs(), {}, read);
    expect_same(found.values, outputs().narrow(0, kSteps - count, count), text);
    EXPECT_FALSE(found.weight.defined());
  }
}

TEST(ReadSteps, WhatLiesBeyondALengthIsNotRead) {
  at::Tensor spoiled = outputs();
  for (std::int64_t sample = 0; sample < kBatch; ++sample) {
    const auto length = lengths()[sample].item<std::int64_t>();
    spoiled.select(1, sample).narrow(0, length, kSteps - length).fill_(NAN);
  }
  for (const std::string& text : kReads) {
    const ReadSteps read = ReadSteps::parse(text);
    expect_same(read_steps(spoiled, lengths(), read).values,
                read_steps(outputs(), lengths(), read).values, text);
  }
}

Task classifier(const std::string& read, Objective::Over over) {
  Objective objective;
  objective.read = ReadSteps::parse(read);
  objective.over = over;
  return Task({2, kOutputs, kSteps, 1}, objective, {});
}

Task tracer(const std::string& read) {
  Objective objective;
  objective.kind = Objective::Kind::trace;
  objective.read = ReadSteps::parse(read);
  return Task({2, kOutputs, kSteps, 1}, objective, {});
}

tasks::Batch classes(bool with_lengths) {
  tasks::Batch batch;
  batch.input = at::zeros({kSteps, kBatch, 2});
  batch.target = at::tensor({2, 0, 1, 1}, at::kLong);
  if (with_lengths) batch.lengths = lengths();
  return batch;
}

std::int64_t length_of(const tasks::Batch& batch, std::int64_t sample) {
  return batch.lengths.defined() ? batch.lengths[sample].item<std::int64_t>() : kSteps;
}

/// Cross entropy with smoothing by its definition: the target is (1 - s) on the class plus s / n on
/// all n classes.
double cross_entropy(const std::vector<double>& logits, std::int64_t own, double smoothing) {
  double sum = 0;
  for (const double logit : logits) sum += std::exp(logit);
  double loss = 0;
  for (std::size_t i = 0; i < logits.size(); ++i) {
    const double target = smoothing / static_cast<double>(logits.size()) +
                          (static_cast<std::int64_t>(i) == own ? 1 - smoothing : 0);
    loss -= target * (logits[i] - std::log(sum));
  }
  return loss;
}

/// Computes loss and correct decisions of a batch in loops over plain numbers.
Tally by_hand(const Objective& objective, const tasks::Batch& batch, double smoothing) {
  Tally tally;
  for (std::int64_t sample = 0; sample < kBatch; ++sample) {
    const auto steps = steps_read(objective.read, length_of(batch, sample));
    const auto own = batch.target[sample].item<std::int64_t>();
    const auto count = static_cast<double>(steps.size());
    std::vector<double> mean(kOutputs, 0);
    double each = 0;
    for (const std::int64_t step : steps) {
      std::vector<double> logits;
      for (std::int64_t output = 0; output < kOutputs; ++output) {
        logits.push_back(at_place(outputs(), step, sample, output));
        mean[static_cast<std::size_t>(output)] += logits.back() / count;
      }
      each += cross_entropy(logits, own, smoothing) / count;
    }
    tally.samples += 1;
    tally.loss +=
        objective.over == Objective::Over::each_step ? each : cross_entropy(mean, own, smoothing);
    const auto decision = std::max_element(mean.begin(), mean.end()) - mean.begin();
    if (decision == own) tally.correct += 1;
  }
  return tally;
}

TEST(TaskLoss, ClassificationEqualsItsDefinition) {
  for (const std::string& read : kTaskReads) {
    for (const auto over : {Objective::Over::mean_output, Objective::Over::each_step}) {
      for (const bool with_lengths : {false, true}) {
        SCOPED_TRACE(read);
        const Task task = classifier(read, over);
        const tasks::Batch batch = classes(with_lengths);
        const ReadValues values = read_steps(outputs(), batch.lengths, task.objective().read);
        for (const double smoothing : {0.0, 0.1, 0.5}) {
          EXPECT_NEAR(task.loss(values, batch, smoothing).item<double>(),
                      by_hand(task.objective(), batch, smoothing).loss, 1e-12);
        }
        const Tally expected = by_hand(task.objective(), batch, 0);
        const Tally found = task.tally(values, batch);
        EXPECT_EQ(found.samples, kBatch);
        EXPECT_EQ(found.correct, expected.correct);
        EXPECT_NEAR(found.loss, expected.loss, 1e-12);
      }
    }
  }
}

TEST(TaskLoss, CannotReadMoreStepsThanThereAre) {
  for (const char* read : {"7", "100"}) {
    testing::expect_error(ErrorKind::config,
                          {"option 'task.read': found ", read, "at most the 6 steps"},
                          [&] { tracer(read); });
  }
}

TEST(TaskLoss, DecisionsAreCounted) {
  const Task task = classifier("last", Objective::Over::mean_output);
  tasks::Batch batch = classes(false);
  const at::Tensor right = 5 * at::one_hot(batch.target, kOutputs).to(at::kDouble).unsqueeze(0);
  EXPECT_EQ(task.tally({right, {}}, batch).correct, 4);
  EXPECT_EQ(task.tally({-right, {}}, batch).correct, 0);
  batch.target[1] = 2;
  EXPECT_EQ(task.tally({right, {}}, batch).correct, 3);
}

TEST(TaskLoss, OfATraceIsTheMeanSquaredErrorOfEachSample) {
  tasks::Batch batch;
  batch.input = at::zeros({kSteps, kBatch, 2});
  batch.target = testing::uniform_tensor({kSteps, kBatch, kOutputs}, Rng(2));
  const Task task = tracer("all");
  const Tally tally = task.tally(read_steps(outputs(), {}, task.objective().read), batch);
  EXPECT_NEAR(tally.loss / static_cast<double>(tally.samples),
              at::mse_loss(outputs(), batch.target).item<double>(), 1e-12);
  EXPECT_EQ(tally.correct, 0);

  for (const std::string& text : kTaskReads) {
    SCOPED_TRACE(text);
    batch.lengths = lengths();
    const Task some = tracer(text);
    double expected = 0;
    for (std::int64_t sample = 0; sample < kBatch; ++sample) {
      const auto steps = steps_read(some.objective().read, length_of(batch, sample));
      for (const std::int64_t step : steps) {
        for (std::int64_t output = 0; output < kOutputs; ++output) {
          const double error = at_place(outputs(), step, sample, output) -
                               at_place(batch.target, step, sample, output);
          expected += error * error / static_cast<double>(steps.size() * kOutputs);
        }
      }
    }
    const ReadValues values = read_steps(outputs(), batch.lengths, some.objective().read);
    EXPECT_NEAR(some.loss(values, batch).item<double>(), expected, 1e-12);
  }
}

TEST(TaskLoss, OfATraceLeavesUnknownTargetsOut) {
  for (const bool varying : {false, true}) {
    tasks::Batch batch;
    batch.input = at::zeros({kSteps, kBatch, 2});
    batch.target = testing::uniform_tensor({kSteps, kBatch, kOutputs}, Rng(2));
    const at::Tensor known = testing::uniform_tensor({kSteps, kBatch, kOutputs}, Rng(3)) > 0;
    batch.target.masked_fill_(known.logical_not(), std::numeric_limits<double>::quiet_NaN());
    batch.target.select(1, 1).fill_(std::numeric_limits<double>::quiet_NaN());
    if (varying) batch.lengths = lengths();
    const Task task = tracer("4");
    double expected = 0;
    for (std::int64_t sample = 0; sample < kBatch; ++sample) {
      double sum = 0, steps = 0;
      for (const std::int64_t step : steps_read(task.objective().read, length_of(batch, sample))) {
        double error = 0, outputs_known = 0;
        for (std::int64_t output = 0; output < kOutputs; ++output) {
          const double target = at_place(batch.target, step, sample, output);
          if (std::isnan(target)) continue;
          error += std::pow(at_place(outputs(), step, sample, output) - target, 2);
          ++outputs_known;
        }
        if (outputs_known == 0) continue;
        sum += error / outputs_known;
        ++steps;
      }
      if (steps > 0) expected += sum / steps;
    }
    const at::Tensor values = outputs();
    const auto loss = [&] {
      return task.loss(read_steps(values, batch.lengths, task.objective().read), batch);
    };
    EXPECT_GT(expected, 0);
    EXPECT_NEAR(loss().item<double>(), expected, 1e-12);
    testing::expect_gradients(loss, {{"outputs", values}});
  }
}

TEST(TaskLoss, IsDifferentiableInTheOutputs) {
  for (const auto over : {Objective::Over::mean_output, Objective::Over::each_step}) {
    const Task task = classifier("4", over);
    const at::Tensor values = outputs();
    testing::expect_gradients(
        [&] {
          return task.loss(read_steps(values, lengths(), task.objective().read), classes(true),
                           0.1);
        },
        {{"outputs", values}});
  }
}

TEST(TaskLoss, IsFiniteForExtremeOutputs) {
  const Task task = classifier("all", Objective::Over::each_step);
  const at::Tensor large = outputs().to(at::kFloat) * 1e30;
  EXPECT_TRUE(std::isfinite(task.tally({large, {}}, classes(false)).loss));
}

TEST(Tally, PartsAddUp) {
  Tally sum{3, 1, 0.5};
  sum += Tally{4, 2, 1.25};
  EXPECT_EQ(sum.samples, 7);
  EXPECT_EQ(sum.correct, 3);
  EXPECT_EQ(sum.loss, 1.75);
}

TEST(Split, NamesGoThereAndBack) {
  for (const Split split : {Split::train, Split::validation, Split::test}) {
    EXPECT_EQ(parse_split(split_name(split)), split);
  }
  expect_error(ErrorKind::usage, {"'tset'", "train, validation, test"},
               [] { parse_split("tset"); });
}

}  // namespace
}  // namespace afterspike::tasks
