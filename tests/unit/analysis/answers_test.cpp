#include "afterspike/analysis/answers.hpp"

#include <gtest/gtest.h>

#include "afterspike/experiment/evaluate.hpp"
#include "support/expect_error.hpp"
#include "unit/analysis/subjects.hpp"

namespace afterspike::analysis {
namespace {

using testing::expect_error;
using testing::TempDir;
using testing::write_run;

constexpr std::int64_t kSamples = 75, kSteps = 6;  // Three shards.

at::Tensor inputs() {
  return testing::uniform_tensor({kSamples, kSteps, 1}, Rng(4), -2, 2).to(at::kFloat);
}

/// A checkpoint with `outputs` outputs, whatever its task says.
Subject subject_with(const TempDir& directory, std::int64_t outputs, const at::Tensor& targets,
                     bool classifies) {
  write_run(directory / "run", "gru");
  Subject subject = testing::subject_on(directory / "run", inputs(), targets, outputs, classifies);
  // The task's own network has one output.
  auto trained = std::make_shared<experiment::Trained>(load_run(directory / "run"));
  trained->network = subject.trained->experiment->make_network({1, outputs, 0.05});
  trained->network->initialize(Rng(7));
  subject.trained = trained;
  return subject;
}

TEST(Confusion, CountsWhatEvaluateCounts) {
  const TempDir directory;
  const at::Tensor classes = at::arange(kSamples).remainder(4).remainder(3);  // 0 twice as often.
  const Subject subject = subject_with(directory, 3, classes, true);
  ThreadPool one(1), three(3);
  const statistics::Points counts = confusion(subject, one);
  EXPECT_EQ(counts, confusion(subject, three)) << "threads";
  const tasks::Tally tally = experiment::evaluate(subject.network(), *subject.task, *subject.data,
                                                  subject.trained->pass, one);
  EXPECT_GT(tally.correct, 0);
  EXPECT_EQ(counts.trace(), static_cast<double>(tally.correct));
  EXPECT_EQ(counts.sum(), static_cast<double>(kSamples));
  for (std::int64_t label = 0; label < 3; ++label) {
    EXPECT_EQ(counts.row(label).sum(), classes.eq(label).sum().item<double>()) << label;
  }
}

TEST(Confusion, IsOfTasksThatClassify) {
  const TempDir directory;
  const Subject subject = subject_with(directory, 1, at::zeros({kSamples, kSteps, 1}), false);
  ThreadPool pool(1);
  expect_error(ErrorKind::config, {"does not classify"}, [&] { confusion(subject, pool); });
}

TEST(Traces, AreWhatPredictGives) {
  const TempDir directory;
  const at::Tensor targets = testing::uniform_tensor({kSamples, kSteps, 2}, Rng(5));
  const Subject subject = subject_with(directory, 2, targets.to(at::kFloat), false);
  ThreadPool pool(2);
  const std::vector<TracedOutput> found = traces(subject, 4, pool);
  ASSERT_EQ(found.size(), 1U);
  EXPECT_EQ(found[0].name, "output");
  ASSERT_EQ(found[0].traces.size(), 4U);
  const at::Tensor outputs = experiment::predict(subject.network(), subject.task->objective(),
                                                 *subject.data, subject.trained->pass, pool);
  for (std::int64_t sample = 0; sample < 4; ++sample) {
    const Trace& trace = found[0].traces[static_cast<std::size_t>(sample)];
    ASSERT_EQ(trace.output.size(), static_cast<std::size_t>(kSteps));
    for (std::int64_t step = 0; step < kSteps; ++step) {
      const auto i = static_cast<std::size_t>(step);
      EXPECT_NEAR(trace.output[i], outputs[sample][step][0].item<double>(), 1e-6);
      EXPECT_NEAR(trace.target[i], targets[sample][step][0].item<double>(), 1e-5);
      EXPECT_DOUBLE_EQ(trace.time_ms[i], 0.05 * static_cast<double>(step + 1));
    }
  }
}

TEST(Traces, EndWithTheirSamples) {
  const TempDir directory;
  Subject subject = subject_with(directory, 1, at::zeros({kSamples, kSteps, 1}), false);
  subject.data = std::make_shared<tasks::Sequences>(inputs(), at::Tensor(),
                                                    at::arange(kSamples).remainder(kSteps) + 1);
  ThreadPool pool(1);
  const auto found = traces(subject, 3, pool);
  EXPECT_EQ(found[0].traces[2].output.size(), 3U);
  EXPECT_TRUE(found[0].traces[2].target.empty());
}

/// Sequences of which only some steps are scored.
class Asked final : public tasks::Dataset {
 public:
  Asked(at::Tensor inputs, at::Tensor targets, at::Tensor weight)
      : whole_(std::move(inputs), std::move(targets)), weight_(std::move(weight)) {}
  std::int64_t size() const override { return whole_.size(); }
  tasks::Batch batch(std::span<const std::int64_t> numbers) const override {
    tasks::Batch batch = whole_.batch(numbers);
    batch.weight = weight_.unsqueeze(1).expand({-1, std::ssize(numbers)});
    return batch;
  }

 private:
  tasks::Sequences whole_;
  at::Tensor weight_;  // [steps]
};

TEST(Traces, OfSpikesAndVoltageAreProbabilityAndMillivolts) {
  const TempDir directory;
  const at::Tensor targets = testing::uniform_tensor({kSamples, kSteps, 2}, Rng(5)).to(at::kFloat);
  Subject subject = subject_with(directory, 2, targets, false);
  subject.data =
      std::make_shared<Asked>(inputs(), targets, at::tensor({0.0F, 0.0F, 1.0F, 1.0F, 1.0F, 0.0F}));
  tasks::Objective objective;
  objective.kind = tasks::Objective::Kind::spikes_and_voltage;
  objective.read = tasks::ReadSteps::parse("all");
  objective.voltage_unit_mV = 10;
  subject.task =
      std::make_shared<tasks::Task>(tasks::TaskShape{1, 2, kSteps, 1}, objective,
                                    tasks::Task::Parts{subject.data, nullptr, subject.data});
  ThreadPool pool(1);
  const auto found = traces(subject, 2, pool);
  ASSERT_EQ(found.size(), 2U);
  EXPECT_EQ(found[0].name, "spike probability");
  EXPECT_EQ(found[1].unit, "mV");
  const at::Tensor outputs =
      experiment::predict(subject.network(), objective, *subject.data, subject.trained->pass, pool);
  for (std::size_t i = 0; i < 3; ++i) {
    const auto step = static_cast<std::int64_t>(i) + 2;
    EXPECT_EQ(found[0].traces[1].time_ms[i], static_cast<double>(step + 1));
    EXPECT_NEAR(found[0].traces[1].output[i],
                1 / (1 + std::exp(-outputs[1][step][0].item<double>())), 1e-6);
    EXPECT_NEAR(found[0].traces[1].target[i], targets[1][step][0].item<double>(), 1e-5);
    EXPECT_NEAR(found[1].traces[1].output[i], 10 * outputs[1][step][1].item<double>(), 1e-5);
    EXPECT_NEAR(found[1].traces[1].target[i], 10 * targets[1][step][1].item<double>(), 1e-5);
  }
  EXPECT_EQ(found[0].traces[1].output.size(), 3U) << "the steps that are asked for";
}

}  // namespace
}  // namespace afterspike::analysis
