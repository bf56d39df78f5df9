#include "afterspike/experiment/evaluate.hpp"

#include <cmath>
#include <span>

#include <ATen/Parallel.h>
#include <gtest/gtest.h>

#include "support/tensors.hpp"
#include "unit/nn/models.hpp"

namespace afterspike::experiment {
namespace {

using testing::uniform_tensor;

constexpr std::int64_t kSamples = 150;  // Three shards, the last of 22 rows.
constexpr std::int64_t kSteps = 6;

std::shared_ptr<nn::Network> network(std::int64_t outputs, const std::string& neuron = "glifr") {
  at::set_num_threads(1);
  nn::NetworkOptions options;
  options.hidden = 5;
  auto result = std::make_shared<nn::Network>(*testing::make_model(neuron), options,
                                              nn::NetworkShape{2, outputs, 1.0});
  result->initialize(Rng(3));
  return result;
}

at::Tensor inputs() {
  return uniform_tensor({kSamples, kSteps, 2}, Rng(1), -3, 3).to(at::kFloat);
}

tasks::Task task_of(const at::Tensor& targets, tasks::Objective objective,
                    const at::Tensor& lengths = {}) {
  const auto data = std::make_shared<tasks::Sequences>(inputs(), targets, lengths);
  const std::int64_t outputs = targets.dim() == 1 ? 3 : targets.size(2);
  return {{2, outputs, kSteps, 1.0}, objective, {data, nullptr, data}};
}

tasks::Objective classify(const std::string& read) {
  tasks::Objective objective;
  objective.read = tasks::ReadSteps::parse(read);
  return objective;
}

tasks::Objective trace() {
  tasks::Objective objective;
  objective.kind = tasks::Objective::Kind::trace;
  objective.read = tasks::ReadSteps::parse("all");
  return objective;
}

at::Tensor classes() {
  return at::arange(kSamples).remainder(3);
}

/// Lengths of 1 to kSteps.
at::Tensor lengths() {
  return at::arange(kSamples).remainder(kSteps) + 1;
}

/// Adds cross entropy and decision of one sample by the definition, in doubles.
void add_sample(const at::Tensor& outputs, std::int64_t target, tasks::Tally& tally) {
  double sum = 0;
  const at::Tensor values = outputs.to(at::kDouble);
  for (std::int64_t i = 0; i < values.size(0); ++i) sum += std::exp(values[i].item<double>());
  tally.loss += std::log(sum) - values[target].item<double>();
  tally.correct += values.argmax().item<std::int64_t>() == target ? 1 : 0;
  ++tally.samples;
}

TEST(Evaluate, SumsLossAndDecisionsOfEverySample) {
  const auto net = network(3);
  const tasks::Task task = task_of(classes(), classify("2"));
  ThreadPool pool(1);
  const auto data = task.split(tasks::Split::test);
  const tasks::Tally found = evaluate(*net, task, *data, {}, pool);
  const at::NoGradGuard no_grad;
  const at::Tensor outputs = net->forward(inputs().transpose(0, 1));
  tasks::Tally expected;
  for (std::int64_t i = 0; i < kSamples; ++i) {
    add_sample((outputs[kSteps - 1][i] + outputs[kSteps - 2][i]) / 2,
               classes()[i].item<std::int64_t>(), expected);
  }
  EXPECT_EQ(found.samples, kSamples);
  EXPECT_EQ(found.correct, expected.correct);
  EXPECT_NEAR(found.loss, expected.loss, 1e-4 * expected.loss);
}

TEST(Evaluate, ReadsEachSampleAtItsOwnEnd) {
  const auto net = network(3);
  const tasks::Task task = task_of(classes(), classify("last"), lengths());
  ThreadPool pool(1);
  const auto data = task.split(tasks::Split::test);
  const tasks::Tally found = evaluate(*net, task, *data, {}, pool);
  const at::NoGradGuard no_grad;
  const at::Tensor outputs = net->forward(inputs().transpose(0, 1));
  tasks::Tally expected;
  for (std::int64_t i = 0; i < kSamples; ++i) {
    add_sample(outputs[i % kSteps][i], classes()[i].item<std::int64_t>(), expected);
  }
  EXPECT_EQ(found.correct, expected.correct);
  EXPECT_NEAR(found.loss, expected.loss, 1e-4 * expected.loss);
}

TEST(Evaluate, GivesTheSameBitsForAnyNumberOfThreads) {
  const auto net = network(3);
  const tasks::Task task = task_of(classes(), classify("all"));
  const auto data = task.split(tasks::Split::test);
  ThreadPool one(1);
  const tasks::Tally expected = evaluate(*net, task, *data, {}, one);
  const at::Tensor answers = predict(*net, task.objective(), *data, {}, one);
  for (const int threads : {2, 3}) {
    ThreadPool pool(threads);
    const tasks::Tally found = evaluate(*net, task, *data, {}, pool);
    EXPECT_EQ(found.loss, expected.loss);
    EXPECT_EQ(found.correct, expected.correct);
    testing::expect_same(predict(*net, task.objective(), *data, {}, pool), answers, "answers");
  }
}

TEST(Evaluate, ObeysMasksAndSoftness) {
  const auto net = network(3);
  const tasks::Task task = task_of(classes(), classify("all"));
  const auto data = task.split(tasks::Split::test);
  ThreadPool pool(1);
  const double plain = evaluate(*net, task, *data, {}, pool).loss;
  nn::NetworkPass masked, soft;
  masked.masks = {at::zeros({5})};
  soft.sigma_mV = 5;
  EXPECT_NE(evaluate(*net, task, *data, soft, pool).loss, plain);
  // With every neuron silenced, only the readout's bias decides, equally for all samples.
  const tasks::Tally silent = evaluate(*net, task, *data, masked, pool);
  EXPECT_EQ(silent.correct, kSamples / 3);
}

TEST(EvaluateEach, GivesWhatEvaluateGivesOfEachCandidate) {
  const auto glifr = network(3);
  const auto gru = network(3, "gru");
  const tasks::Task task = task_of(classes(), classify("all"));
  const auto data = task.split(tasks::Split::test);
  ThreadPool one(1), three(3);
  nn::NetworkPass masked;
  masked.masks = {at::tensor({1.0F, 0.0F, 1.0F, 0.0F, 1.0F})};
  const std::vector<Candidate> candidates = {
      {glifr.get(), {}, {}}, {gru.get(), masked, {}}, {glifr.get(), masked, {}}};
  const std::vector<tasks::Tally> found = evaluate_each(candidates, task, *data, three);
  ASSERT_EQ(found.size(), 3U);
  for (std::size_t i = 0; i < found.size(); ++i) {
    const tasks::Tally alone =
        evaluate(*candidates[i].network, task, *data, candidates[i].pass, one);
    EXPECT_EQ(found[i].loss, alone.loss);
    EXPECT_EQ(found[i].correct, alone.correct);
    EXPECT_EQ(found[i].samples, kSamples);
  }
}

/// More masks than pass together, with and without lengths, on several layers' worth of models.
TEST(EvaluateEach, GivesTheSameBitsForMasksThatPassTogether) {
  for (const char* neuron : {"glifr", "alif", "elm", "rnn", "lstm"}) {
    const auto net = network(3, neuron);
    for (const at::Tensor& of_samples : {at::Tensor(), lengths()}) {
      const tasks::Task task = task_of(classes(), classify("all"), of_samples);
      const auto data = task.split(tasks::Split::test);
      ThreadPool one(1), three(3);
      std::vector<Candidate> candidates;
      for (int i = 0; i < 19; ++i) {
        nn::NetworkPass pass;
        pass.masks = {(at::arange(5) * (i + 3) % 4 > 1).to(at::kFloat)};
        candidates.push_back({net.get(), pass, {}});
      }
      const auto found = evaluate_each(candidates, task, *data, three);
      for (std::size_t i = 0; i < found.size(); ++i) {
        const tasks::Tally alone = evaluate(*net, task, *data, candidates[i].pass, one);
        EXPECT_EQ(found[i].loss, alone.loss) << neuron << ", mask " << i;
        EXPECT_EQ(found[i].correct, alone.correct) << neuron << ", mask " << i;
      }
    }
  }
}

TEST(EvaluateEach, KeepsNoReadingsOfSteps) {
  const auto net = network(2);
  tasks::Objective objective = trace();
  objective.kind = tasks::Objective::Kind::spikes_and_voltage;
  const tasks::Task task = task_of(at::ones({kSamples, kSteps, 2}), objective);
  const auto data = task.split(tasks::Split::test);
  ThreadPool pool(1);
  const Candidate candidate{net.get(), {}, {}};
  const tasks::Tally found = evaluate_each({&candidate, 1}, task, *data, pool).front();
  const tasks::Tally whole = evaluate(*net, task, *data, {}, pool);
  EXPECT_EQ(found.loss, whole.loss);
  EXPECT_EQ(whole.steps.size(), static_cast<std::size_t>(kSamples * kSteps));
  EXPECT_TRUE(found.steps.empty());
}

TEST(ForEachShard, TakesEverySampleOnceInItsPlace) {
  for (const std::int64_t samples : {1, 2, 33, 150}) {
    ThreadPool pool(3);
    const auto shards = static_cast<std::size_t>(shard_count(samples, shard_rows(samples)));
    std::vector<std::vector<std::int64_t>> parts(shards);
    for_each_shard(samples, pool, [&](std::size_t place, std::span<const std::int64_t> numbers) {
      EXPECT_FALSE(at::GradMode::is_enabled());
      parts.at(place).assign(numbers.begin(), numbers.end());
    });
    std::int64_t next = 0;
    for (const auto& part : parts) {
      for (const std::int64_t number : part) EXPECT_EQ(number, next++);
    }
    EXPECT_EQ(next, samples);
  }
}

TEST(EvaluateEach, ChangesInputBySampleBeforeTheNetworkSeesIt) {
  const auto net = network(3);
  const tasks::Task task = task_of(classes(), classify("all"));
  const auto data = task.split(tasks::Split::test);
  ThreadPool pool(2);
  const auto scale = [](tasks::Batch& batch, std::span<const std::int64_t> numbers) {
    const at::Tensor factor = at::tensor(std::vector<std::int64_t>(numbers.begin(), numbers.end()));
    batch.input = batch.input * factor.to(at::kFloat).div(kSamples).unsqueeze(1);
  };
  const Candidate candidate{net.get(), {}, scale};
  const double found = evaluate_each({&candidate, 1}, task, *data, pool).front().loss;
  const at::Tensor factor = at::arange(kSamples).to(at::kFloat).div(kSamples).view({-1, 1, 1});
  const tasks::Sequences changed(inputs() * factor, classes());
  EXPECT_EQ(found, evaluate(*net, task, changed, {}, pool).loss);
}

TEST(Predict, GivesTheMeanOverTheReadStepsOfASampleThatIsClassified) {
  const auto net = network(3);
  const tasks::Objective objective = classify("3");
  const tasks::Sequences data(inputs(), {});
  ThreadPool pool(2);
  const at::NoGradGuard no_grad;
  const at::Tensor expected = net->forward(inputs().transpose(0, 1)).slice(0, kSteps - 3).mean(0);
  testing::expect_close(predict(*net, objective, data, {}, pool), expected, 1e-5, "answers");
}

TEST(Predict, GivesAllStepsOfATraceWhateverTheLengths) {
  const auto net = network(2, "gru");
  const tasks::Sequences data(inputs(), {}, lengths());
  ThreadPool pool(2);
  const at::NoGradGuard no_grad;
  const at::Tensor expected = net->forward(inputs().transpose(0, 1)).transpose(0, 1);
  const at::Tensor found = predict(*net, trace(), data, {}, pool);
  EXPECT_EQ(found.sizes(), at::IntArrayRef({kSamples, kSteps, 2}));
  testing::expect_close(found, expected, 1e-5, "answers");
}

TEST(Predict, AgreesWithEvaluate) {
  const auto net = network(3);
  const tasks::Task task = task_of(classes(), classify("last"), lengths());
  const auto data = task.split(tasks::Split::test);
  ThreadPool pool(1);
  const at::Tensor answers = predict(*net, task.objective(), *data, {}, pool);
  const auto right = answers.argmax(1).eq(classes()).sum().item<std::int64_t>();
  EXPECT_EQ(evaluate(*net, task, *data, {}, pool).correct, right);
}

TEST(Predict, TracesAgreeWithTheLossOfEvaluate) {
  const auto net = network(2);
  const at::Tensor targets = uniform_tensor({kSamples, kSteps, 2}, Rng(8)).to(at::kFloat);
  const tasks::Task task = task_of(targets, trace());
  const auto data = task.split(tasks::Split::test);
  ThreadPool pool(1);
  const at::Tensor answers = predict(*net, task.objective(), *data, {}, pool);
  const double mean = (answers - targets).square().mean().item<double>();
  EXPECT_NEAR(evaluate(*net, task, *data, {}, pool).loss, kSamples * mean, 1e-4 * kSamples * mean);
}

}  // namespace
}  // namespace afterspike::experiment
