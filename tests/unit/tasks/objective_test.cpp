// Spikes and voltages as an objective: loss, weights of steps, measures over a split.

#include <cmath>

#include <ATen/ATen.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "afterspike/tasks/task.hpp"
#include "support/expect_error.hpp"
#include "support/gradient_check.hpp"

namespace afterspike::tasks {
namespace {

constexpr std::int64_t kSteps = 30, kBatch = 8;

Task spiking_task(double unit_mV = 10) {
  Objective objective;
  objective.kind = Objective::Kind::spikes_and_voltage;
  objective.voltage_unit_mV = unit_mV;
  return Task({2, 2, kSteps, 1}, objective, {});
}

/// Logits with ties: multiples of a half.
at::Tensor outputs() {
  at::Tensor values = testing::uniform_tensor({kSteps, kBatch, 2}, Rng(1), -3, 3);
  values.select(-1, 0).mul_(2).round_().div_(2);
  return values;
}

tasks::Batch targets(bool weighted) {
  tasks::Batch batch;
  batch.input = at::zeros({kSteps, kBatch, 2});
  batch.target = testing::uniform_tensor({kSteps, kBatch, 2}, Rng(2), -1, 1);
  batch.target.select(-1, 0).copy_(batch.target.select(-1, 0).gt(0.5));
  if (weighted) {
    batch.weight = testing::uniform_tensor({kSteps, kBatch}, Rng(3)).gt(0).to(at::kFloat);
  }
  return batch;
}

/// One step of a sample as plain numbers.
struct Step {
  double logit, voltage, spike, truth;
};

std::vector<std::vector<Step>> by_sample(const tasks::Batch& batch) {
  std::vector<std::vector<Step>> samples(kBatch);
  const at::Tensor values = outputs();
  for (std::int64_t sample = 0; sample < kBatch; ++sample) {
    for (std::int64_t step = 0; step < kSteps; ++step) {
      if (batch.weight.defined() && batch.weight[step][sample].item<float>() == 0) continue;
      const auto at = [&](const at::Tensor& from, int output) {
        return from[step][sample][output].item<double>();
      };
      samples[static_cast<std::size_t>(sample)].push_back(
          {at(values, 0), at(values, 1), at(batch.target, 0), at(batch.target, 1)});
    }
  }
  return samples;
}

std::vector<Step> all_steps(const tasks::Batch& batch) {
  std::vector<Step> all;
  for (const auto& sample : by_sample(batch)) all.insert(all.end(), sample.begin(), sample.end());
  return all;
}

double measure(const std::vector<Measure>& measures, std::string_view name) {
  for (const Measure& found : measures) {
    if (found.name == name) return found.value;
  }
  ADD_FAILURE() << "no measure " << name;
  return NAN;
}

TEST(SpikesAndVoltage, LossIsHalfOfEachOverTheStepsThatAreAskedFor) {
  const Task task = spiking_task();
  for (const bool weighted : {false, true}) {
    const tasks::Batch batch = targets(weighted);
    double expected = 0;
    for (const auto& sample : by_sample(batch)) {
      for (const Step& step : sample) {
        const double probability = 1 / (1 + std::exp(-step.logit));
        const double surprise = -std::log(step.spike > 0 ? probability : 1 - probability);
        expected += (0.5 * surprise + 0.5 * std::pow(step.voltage - step.truth, 2)) /
                    static_cast<double>(sample.size());
      }
    }
    const Tally tally = task.tally({outputs(), {}}, batch);
    EXPECT_NEAR(tally.loss, expected, 1e-12 * expected);
    EXPECT_EQ(tally.samples, kBatch);
    EXPECT_TRUE(tally.steps.empty()) << "a training does not keep them";
    EXPECT_TRUE(task.measures(tally).empty());
  }
}

TEST(SpikesAndVoltage, LossIsDifferentiableAndFiniteForExtremeOutputs) {
  const Task task = spiking_task();
  const at::Tensor values = outputs();
  const tasks::Batch batch = targets(true);
  testing::expect_gradients([&] { return task.loss({values, {}}, batch); }, {{"outputs", values}});
  EXPECT_TRUE(std::isfinite(task.tally({outputs().mul(1e15).to(at::kFloat), {}}, batch).loss));
}

TEST(SpikesAndVoltage, WeightsOfStepsHoldForTracesToo) {
  Objective objective;
  objective.kind = Objective::Kind::trace;
  const Task task({2, 2, kSteps, 1}, objective, {});
  const tasks::Batch batch = targets(true);
  at::Tensor spoiled = outputs();
  spoiled.masked_fill_(batch.weight.eq(0).unsqueeze(-1), 1e6);
  EXPECT_EQ(task.tally({spoiled, {}}, batch).loss, task.tally({outputs(), {}}, batch).loss);
  EXPECT_GT(task.tally({outputs(), {}}, batch).loss, 0);
}

TEST(SpikesAndVoltage, AreaUnderTheCurveIsThatOfAllPairsOfSteps) {
  const Task task = spiking_task();
  for (const bool weighted : {false, true}) {
    const tasks::Batch batch = targets(weighted);
    const std::vector<Step> steps = all_steps(batch);
    double won = 0, pairs = 0, ties = 0;
    for (const Step& a : steps) {
      for (const Step& b : steps) {
        if (a.spike == 0 || b.spike == 1) continue;
        ++pairs;
        if (a.logit == b.logit) ++ties;
        won += a.logit > b.logit ? 1 : a.logit == b.logit ? 0.5 : 0;
      }
    }
    ASSERT_GT(ties, 100);
    const auto measures = task.measures(task.full_tally({outputs(), {}}, batch));
    EXPECT_NEAR(measure(measures, "auc"), won / pairs, 1e-12);
  }
}

TEST(SpikesAndVoltage, MeasuresOfPartsOfASplitAreThoseOfTheWhole) {
  const Task task = spiking_task();
  const tasks::Batch batch = targets(true);
  const auto whole = task.measures(task.full_tally({outputs(), {}}, batch));
  Tally sum;
  for (std::int64_t begin = 0; begin < kBatch; begin += 3) {
    const std::int64_t size = std::min<std::int64_t>(3, kBatch - begin);
    tasks::Batch part = batch;
    for (at::Tensor* tensor : {&part.input, &part.target, &part.weight}) {
      *tensor = tensor->narrow(1, begin, size);
    }
    sum += task.full_tally({outputs().narrow(1, begin, size), {}}, part);
  }
  const auto parts = task.measures(sum);
  ASSERT_EQ(parts.size(), 3U);
  for (const Measure& found : whole) EXPECT_EQ(measure(parts, found.name), found.value);
}

TEST(SpikesAndVoltage, VoltageErrorsAreInMillivolts) {
  const Task task = spiking_task(10);
  const tasks::Batch batch = targets(true);
  const std::vector<Step> steps = all_steps(batch);
  double square = 0;
  for (const Step& step : steps) square += std::pow(10 * (step.voltage - step.truth), 2);
  const auto measures = task.measures(task.full_tally({outputs(), {}}, batch));
  const double expected = std::sqrt(square / static_cast<double>(steps.size()));
  EXPECT_NEAR(measure(measures, "rmse_mV"), expected, 1e-5 * expected);
  EXPECT_LT(measure(measures, "rmse_rescaled_mV"), expected);

  // Shifting and scaling changes the plain error, not the rescaled one.
  at::Tensor other = outputs();
  other.select(-1, 1).mul_(0.25).add_(4);
  const auto changed = task.measures(task.full_tally({other, {}}, batch));
  EXPECT_GT(measure(changed, "rmse_mV"), 2 * expected);
  EXPECT_NEAR(measure(changed, "rmse_rescaled_mV"), measure(measures, "rmse_rescaled_mV"), 1e-4);

  at::Tensor perfect = batch.target.clone();
  perfect.select(-1, 1).mul_(3).sub_(1);
  const auto right = task.measures(task.full_tally({perfect, {}}, batch));
  EXPECT_EQ(measure(right, "auc"), 1);
  EXPECT_NEAR(measure(right, "rmse_rescaled_mV"), 0, 1e-5);
}

TEST(SpikesAndVoltage, WhatASplitDoesNotDetermineIsLeftOut) {
  const Task task = spiking_task();
  const auto names = [&](const at::Tensor& values, const tasks::Batch& batch) {
    std::vector<std::string> found;
    for (const Measure& one : task.measures(task.full_tally({values, {}}, batch))) {
      found.emplace_back(one.name);
    }
    return found;
  };
  tasks::Batch silent = targets(false);
  silent.target.select(-1, 0).zero_();
  EXPECT_THAT(names(outputs(), silent), ::testing::ElementsAre("rmse_mV", "rmse_rescaled_mV"));
  EXPECT_THAT(names(at::zeros({kSteps, kBatch, 2}), targets(false)),
              ::testing::ElementsAre("auc", "rmse_mV"));
  EXPECT_THAT(names(outputs() / 0.0, targets(false)), ::testing::ElementsAre());
  EXPECT_TRUE(task.measures({}).empty());
}

TEST(Objective, KindsHaveNames) {
  for (const char* name : {"classify", "trace", "spikes_and_voltage"}) {
    EXPECT_EQ(objective_kind_name(parse_objective_kind(name)), name);
  }
  testing::expect_error(ErrorKind::checkpoint, {"objective.kind: found 'guess'"},
                        [] { parse_objective_kind("guess"); });
}

TEST(Measures, OfClassesAreTheirAccuracyAndOfTracesThereAreNone) {
  const Task classes({2, 3, kSteps, 1}, {}, {});
  Tally tally{8, 6, 1.5};
  const auto found = classes.measures(tally);
  ASSERT_EQ(found.size(), 1U);
  EXPECT_EQ(found[0].name, "accuracy");
  EXPECT_EQ(found[0].value, 0.75);
  EXPECT_EQ(found[0].form, Measure::Form::fraction);
  EXPECT_TRUE(classes.measures({}).empty());
  Objective trace;
  trace.kind = Objective::Kind::trace;
  EXPECT_TRUE(Task({2, 3, kSteps, 1}, trace, {}).measures(tally).empty());
}

}  // namespace
}  // namespace afterspike::tasks
