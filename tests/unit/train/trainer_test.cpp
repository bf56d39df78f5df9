#include "afterspike/train/trainer.hpp"

#include <cmath>

#include <gtest/gtest.h>
#include <torch/csrc/autograd/autograd.h>

#include "afterspike/experiment/evaluate.hpp"
#include "afterspike/kernels/gemm.hpp"
#include "small_training.hpp"
#include "support/expect_error.hpp"

namespace afterspike::train {
namespace {

using testing::class_task;
using testing::expect_error;
using testing::expect_same_tensors;
using testing::Settings;
using testing::Training;

/// Returns the gradient given to the optimiser: with beta1 = 0 it is the first moment after one
/// step.
nn::NamedTensors first_gradient(const tasks::Task& task, const std::string& neuron,
                                Settings settings) {
  settings.emplace_back("beta1", "0");
  Training training(task, neuron, settings);
  training.run(1);
  nn::NamedTensors gradients;
  for (const auto& [name, tensor] : training.trainer->optimizer_state()) {
    if (name.starts_with("moment1.")) gradients[name.substr(8)] = tensor;
  }
  return gradients;
}

tasks::Batch all_of(const tasks::Dataset& dataset) {
  std::vector<std::int64_t> numbers;
  for (std::int64_t i = 0; i < dataset.size(); ++i) numbers.push_back(i);
  return dataset.batch(numbers);
}

/// Returns the gradient of the mean cross entropy over all training data, in one piece.
nn::NamedTensors whole_gradient(const tasks::Task& task, const std::string& neuron,
                                double smoothing = 0) {
  const Training training(task, neuron);
  const tasks::Batch batch = all_of(*task.split(tasks::Split::train));
  const at::Tensor outputs = training.network->forward(batch.input);
  const at::Tensor read = outputs.slice(0, outputs.size(0) - 2).mean(0);
  const at::Tensor one_hot = at::one_hot(batch.target, 2).to(at::kFloat);
  const at::Tensor wanted = (1 - smoothing) * one_hot + smoothing / 2;
  const at::Tensor loss = -(wanted * at::log_softmax(read, 1)).sum(1).mean();
  std::vector<std::string> names;
  std::vector<at::Tensor> parameters;
  for (const auto& parameter : training.network->named()) {
    if (!parameter.spec->trainable) continue;
    names.push_back(parameter.name);
    parameters.push_back(parameter.tensor);
  }
  const std::vector<at::Tensor> found = torch::autograd::grad({loss}, parameters);
  nn::NamedTensors gradients;
  for (std::size_t i = 0; i < names.size(); ++i) gradients[names[i]] = found[i];
  return gradients;
}

double norm(const nn::NamedTensors& tensors) {
  double square = 0;
  for (const auto& [name, tensor] : tensors) {
    square += tensor.to(at::kDouble).square().sum().item<double>();
  }
  return std::sqrt(square);
}

TEST(Trainer, AddsTheGradientsOfShardsUpForEveryNeuronModel) {
  const tasks::Task task = class_task(150);  // Five shards, the last smaller.
  for (const nn::NeuronEntry& neuron : nn::entries()) {
    const std::string name(neuron.name);
    const auto found = first_gradient(task, name, {{"batch_size", "150"}});
    const auto expected = whole_gradient(task, name);
    ASSERT_EQ(found.size(), expected.size());
    for (const auto& [parameter, gradient] : expected) {
      testing::expect_close(found.at(parameter), gradient, 2e-4, name + ": " + parameter);
    }
  }
}

TEST(Trainer, SmoothsLabelsInTheGradientAndNotInWhatItReports) {
  const tasks::Task task = class_task(60);
  const Settings smooth = {{"batch_size", "60"}, {"label_smoothing", "0.3"}};
  const auto found = first_gradient(task, "gru", smooth);
  for (const auto& [parameter, gradient] : whole_gradient(task, "gru", 0.3)) {
    testing::expect_close(found.at(parameter), gradient, 2e-4, parameter);
  }
  Training plain(task, "gru", {{"batch_size", "60"}}), smoothed(task, "gru", smooth);
  plain.run(1);
  smoothed.run(1);
  EXPECT_EQ(smoothed.recorder.epochs.at(0).train.loss, plain.recorder.epochs.at(0).train.loss);
}

TEST(Trainer, ClipsTheNormOfTheWholeGradientAndKeepsItsDirection) {
  const tasks::Task task = class_task(150);
  for (const char* neuron : {"glifr", "lstm"}) {
    const auto free = first_gradient(task, neuron, {{"batch_size", "150"}});
    const double length = norm(free);
    const std::string half = std::to_string(length / 2);
    const auto clipped = first_gradient(task, neuron, {{"batch_size", "150"}, {"clip_norm", half}});
    EXPECT_NEAR(norm(clipped), length / 2, 1e-5 * length) << neuron;
    for (const auto& [name, gradient] : free) {
      testing::expect_close(clipped.at(name), gradient * 0.5, 1e-4, name);
    }
    expect_same_tensors(first_gradient(task, neuron, {{"batch_size", "150"}, {"clip_norm", "1e6"}}),
                        free);
  }
}

TEST(Trainer, LearnsWithProductsInBfloat16NearlyWhatItDoesInSinglePrecision) {
  if (!kernels::has_bfloat16()) GTEST_SKIP() << "this processor does not multiply bfloat16";
  const tasks::Task task = class_task(150);
  const Settings neuron = {{"delay", "1steps"}}, plain = {{"batch_size", "50"}, {"epochs", "5"}};
  Settings rounded = plain;
  rounded.emplace_back("precision", "bf16");
  Training single(task, "glifr", plain, neuron), half(task, "glifr", rounded, neuron);
  single.run();
  half.run();
  ASSERT_EQ(half.recorder.epochs.size(), 5);
  for (std::size_t i = 0; i < 5; ++i) {
    const EpochReport &expected = single.recorder.epochs[i], &found = half.recorder.epochs[i];
    EXPECT_NE(found.train.loss, expected.train.loss) << "the products were those of float32";
    EXPECT_NEAR(found.train.loss, expected.train.loss, 0.01 * expected.train.loss);
  }
}

TEST(Trainer, RefusesBfloat16OfANeuronModelThatHasNone) {
  const tasks::Task task = class_task(60);
  expect_error(ErrorKind::config, {"train.precision", "bfloat16", "float32"}, [&] {
    Training(task, "lstm", {{"precision", "bf16"}});
  });
}

TEST(Trainer, GivesTheSameBitsForAnyNumberOfThreads) {
  const tasks::Task task = class_task(250);
  const Settings settings = {{"epochs", "2"}, {"batch_size", "250"}, {"clip_norm", "1"}};
  for (const char* neuron : {"glifr", "lstm"}) {
    Training one(task, neuron, settings, {{"dropout", "0.2"}}, 1);
    one.run();
    for (const int threads : {2, 3}) {
      Training several(task, neuron, settings, {{"dropout", "0.2"}}, threads);
      several.run();
      expect_same_tensors(several.model(), one.model());
      EXPECT_EQ(several.recorder.epochs.back().validation.loss,
                one.recorder.epochs.back().validation.loss);
    }
  }
}

TEST(Trainer, DependsOnTheSeedAndOnNothingElse) {
  const tasks::Task task = class_task(60);
  const Settings settings = {{"epochs", "2"}, {"batch_size", "16"}};
  Training first(task, "rnn", settings), again(task, "rnn", settings);
  Training other(task, "rnn", settings, {}, 1, 2);
  first.run();
  again.run();
  other.run();
  expect_same_tensors(again.model(), first.model());
  EXPECT_FALSE(at::equal(other.model().at("readout.weight"), first.model().at("readout.weight")));
}

TEST(Trainer, LearnsAndTellsItsObserversOfEachStepAndEpoch) {
  const tasks::Task task = class_task(100);
  Training training(task, "rnn",
                    {{"epochs", "8"}, {"batch_size", "32"}, {"learning_rate", "0.02"}});
  EXPECT_EQ(training.run(), End::finished);
  EXPECT_EQ(training.trainer->steps_per_epoch(), 4);
  EXPECT_EQ(training.recorder.steps, 32);
  ASSERT_EQ(training.recorder.epochs.size(), 8U);
  EXPECT_EQ(training.recorder.ends, std::vector<End>{End::finished});
  for (std::size_t i = 0; i < 8; ++i) {
    const EpochReport& report = training.recorder.epochs[i];
    EXPECT_EQ(report.epoch, static_cast<std::int64_t>(i) + 1);
    EXPECT_EQ(report.step, 4 * report.epoch);
    EXPECT_EQ(report.train.samples, 100);
    EXPECT_EQ(report.validation.samples, 40);
    EXPECT_EQ(report.learning_rate, 0.02);
    EXPECT_EQ(report.sigma_mV, 0) << "there is no annealing";
  }
  const auto& last = training.recorder.epochs.back();
  EXPECT_LT(last.train.loss, 0.7 * training.recorder.epochs.front().train.loss);
  EXPECT_GT(last.validation.correct, 30);
}

TEST(Trainer, SelectsTheBestOnValidationWithTheLossForTies) {
  const tasks::Task task = class_task(60);
  Training training(task, "rnn",
                    {{"epochs", "12"}, {"batch_size", "20"}, {"learning_rate", "0.05"}});
  training.run();
  std::int64_t best_correct = -1;
  double best_loss = 0;
  std::int64_t best_epoch = 0;
  for (const EpochReport& report : training.recorder.epochs) {
    const bool better =
        report.validation.correct > best_correct ||
        (report.validation.correct == best_correct && report.validation.loss < best_loss);
    EXPECT_EQ(report.selected, better) << report.epoch;
    if (!better) continue;
    best_correct = report.validation.correct;
    best_loss = report.validation.loss;
    best_epoch = report.epoch;
  }
  EXPECT_EQ(training.trainer->progress().best_epoch, best_epoch);
  EXPECT_EQ(training.trainer->progress().best_accuracy, static_cast<double>(best_correct) / 40);
}

TEST(Trainer, StopsWhenPatienceIsOutAndNotBefore) {
  const tasks::Task task = class_task(20);
  // At this learning rate nothing changes, so no epoch is better than the first.
  Training still(task, "rnn", {{"epochs", "9"}, {"patience", "3"}, {"learning_rate", "1e-30"}});
  EXPECT_EQ(still.run(), End::patience);
  EXPECT_EQ(still.trainer->progress().epoch, 4);
  EXPECT_EQ(still.recorder.ends, std::vector<End>{End::patience});
  Training ends(task, "rnn", {{"epochs", "4"}, {"patience", "3"}, {"learning_rate", "1e-30"}});
  EXPECT_EQ(ends.run(), End::finished) << "all epochs are done";
}

TEST(Trainer, StopsAtItsLimits) {
  const tasks::Task task = class_task(60);
  const Settings settings = {{"epochs", "3"}, {"batch_size", "20"}};
  Training training(task, "rnn", settings);
  EXPECT_EQ(training.run(2), End::step_limit);
  EXPECT_EQ(training.trainer->progress().step, 2);
  EXPECT_EQ(training.run(3), End::step_limit);
  EXPECT_EQ(training.recorder.epochs.size(), 1U) << "the epoch that ended with the limit counts";
  Limits instant;
  instant.seconds = 1e-9;
  EXPECT_EQ(training.trainer->run({}, instant), End::time_limit);
  EXPECT_EQ(training.trainer->progress().step, 4) << "a step is always made";
  Limits interrupted;
  int asked = 0;
  interrupted.interrupted = [&asked] { return ++asked == 2; };
  EXPECT_EQ(training.trainer->run({}, interrupted), End::interrupted);
  EXPECT_EQ(training.trainer->progress().step, 6);
  EXPECT_EQ(training.run(9), End::finished) << "a limit at the end changes nothing";
}

TEST(Trainer, AnnealsTheSoftnessAndJudgesAtTheFinalOne) {
  const tasks::Task task = class_task(60);
  const Settings settings = {{"epochs", "6"},         {"batch_size", "20"},
                             {"sigma_epochs", "3"},   {"sigma_schedule", "linear"},
                             {"sigma_start", "2 mV"}, {"sigma_final", "0.25 mV"}};
  Training training(task, "glifr", settings);
  EXPECT_EQ(training.trainer->evaluation_pass().sigma_mV, 0.25);
  ThreadPool pool(1);
  for (std::int64_t epoch = 1; epoch <= 6; ++epoch) {
    training.run(3 * epoch);
    const EpochReport& report = training.recorder.epochs.back();
    ASSERT_EQ(report.epoch, epoch);
    EXPECT_DOUBLE_EQ(report.sigma_mV, std::max(0.25, 2 - 1.75 * static_cast<double>(epoch) / 3));
    EXPECT_EQ(report.selected && epoch < 3, false) << "only after the schedule has ended";
    const auto loss_at = [&](std::optional<double> sigma) {
      nn::NetworkPass pass;
      pass.sigma_mV = sigma;
      const auto validation = task.split(tasks::Split::validation);
      return experiment::evaluate(*training.network, task, *validation, pass, pool).loss;
    };
    EXPECT_EQ(report.validation.loss, loss_at(0.25));
    EXPECT_NE(report.validation.loss, loss_at(std::nullopt));
  }
  EXPECT_GE(training.trainer->progress().best_epoch, 3);
  EXPECT_TRUE(training.recorder.epochs[2].selected) << "the first that may be selected";
}

TEST(Trainer, TrainsAtTheAnnealedSoftness) {
  const tasks::Task task = class_task(60);
  const auto gradient = [&](const Settings& settings) {
    return first_gradient(task, "glifr", settings).at("layers.0.input_weight");
  };
  const auto own = gradient({{"batch_size", "60"}});
  const auto same = gradient({{"batch_size", "60"}, {"sigma_schedule", "cosine"}});
  const auto wide =
      gradient({{"batch_size", "60"}, {"sigma_schedule", "cosine"}, {"sigma_start", "4 mV"}});
  EXPECT_TRUE(at::equal(own, same)) << "both begin at 1 mV";
  EXPECT_FALSE(at::equal(own, wide));
}

TEST(Trainer, EmitsSpikesFromTheFractionOnAndJudgesThem) {
  const tasks::Task task = class_task(60);
  Training training(task, "glifr",
                    {{"epochs", "4"},
                     {"batch_size", "20"},
                     {"spikes_from", "0.5"},
                     {"surrogate_sigma", "0.5 mV"}});
  const nn::NetworkPass evaluation = training.trainer->evaluation_pass();
  EXPECT_TRUE(evaluation.spikes);
  ThreadPool pool(1);
  for (std::int64_t epoch = 1; epoch <= 4; ++epoch) {
    training.run(3 * epoch);
    const EpochReport& report = training.recorder.epochs.back();
    EXPECT_EQ(report.sigma_mV, epoch < 2 ? 0 : 0.5);
    EXPECT_EQ(report.selected && epoch < 2, false) << "only after spikes have begun";
    const auto validation = task.split(tasks::Split::validation);
    EXPECT_EQ(report.validation.loss,
              experiment::evaluate(*training.network, task, *validation, evaluation, pool).loss);
  }
  EXPECT_GE(training.trainer->progress().best_epoch, 2);
}

TEST(Trainer, TakesTheSurrogateGradientOfSpikes) {
  const tasks::Task task = class_task(60);
  const auto gradient = [&](const char* from, const char* sigma) {
    return first_gradient(task, "glifr",
                          {{"batch_size", "60"}, {"spikes_from", from}, {"surrogate_sigma", sigma}})
        .at("layers.0.input_weight");
  };
  EXPECT_TRUE(at::equal(gradient("1", "1 mV"), gradient("1", "2 mV"))) << "there are no spikes";
  EXPECT_FALSE(at::equal(gradient("1", "1 mV"), gradient("0", "1 mV")));
  EXPECT_FALSE(at::equal(gradient("0", "1 mV"), gradient("0", "2 mV")));
}

TEST(Trainer, RefusesSpikesOfANeuronWithoutThem) {
  const tasks::Task task = class_task(60);
  expect_error(ErrorKind::config, {"train.spikes_from", "glifr"}, [&] {
    Training(task, "rnn", {{"spikes_from", "0.5"}});
  });
}

TEST(Trainer, LeavesFrozenParametersAsTheyWere) {
  const tasks::Task task = class_task(60);
  Training training(task, "glifr", {{"epochs", "2"}, {"batch_size", "20"}}, {{"variant", "homa"}});
  const auto before = training.model();
  training.run();
  int frozen = 0;
  for (const auto& parameter : training.network->named()) {
    EXPECT_EQ(at::equal(parameter.tensor, before.at(parameter.name)), !parameter.spec->trainable)
        << parameter.name;
    frozen += parameter.spec->trainable ? 0 : 1;
  }
  EXPECT_EQ(frozen, 5) << "threshold, two decays, two of the after-spike currents";
}

TEST(Trainer, RefusesOptionsThatDoNotFitTaskOrNetwork) {
  const tasks::Task without = class_task(20, 0), with = class_task(20);
  struct Case {
    const tasks::Task& task;
    Settings settings;
    std::string option, expectation;
  };
  const std::vector<Case> cases = {
      {without, {{"select", "best"}}, "train.select", "validation"},
      {without, {{"patience", "2"}}, "train.patience", "no validation split"},
      {with, {{"sigma_schedule", "linear"}}, "train.sigma_schedule", "no threshold softness"},
  };
  for (const Case& c : cases) {
    expect_error(ErrorKind::config, {c.option, c.expectation},
                 [&] { Training(c.task, "rnn", c.settings); });
  }
  const tasks::Task empty(
      {2, 2, 5, 1.0}, {},
      {testing::labelled_sequences(0, 1), nullptr, testing::labelled_sequences(2, 1)});
  expect_error(ErrorKind::config, {"no training samples"}, [&] { Training(empty, "rnn"); });
}

TEST(Trainer, SelectsTheLastWhereThereIsNothingToSelectBy) {
  const tasks::Task without = class_task(20, 0), with = class_task(20);
  EXPECT_FALSE(Training(without, "rnn").trainer->selects_best());
  EXPECT_TRUE(Training(with, "rnn").trainer->selects_best());
  EXPECT_FALSE(Training(with, "rnn", {{"select", "last"}}).trainer->selects_best());
}

/// Two layers of ELM neurons in double precision.
std::unique_ptr<nn::Network> elm_layers(Settings settings) {
  settings.emplace_back("memory", "2");
  nn::NetworkOptions options;
  options.hidden = 5;
  options.layers = 2;
  auto network = std::make_unique<nn::Network>(*testing::make_model("elm_network", settings),
                                               options, nn::NetworkShape{2, 2, 1.0});
  network->to(at::kDouble);
  network->initialize(Rng(1));
  return network;
}

/// The gradient of a shard of sequences of several lengths equals that of each without padding, for
/// losses and for penalties, which are means over a sequence's own steps.
TEST(Shard, PenalisesTheStepsOfEachSequence) {
  const tasks::Task task = class_task(8);
  const auto penalised = elm_layers({{"memory_penalty", "2"}, {"activity_penalty", "3"}});
  const auto gradient_of = [&](const nn::Network& network, const tasks::Batch& samples) {
    const Optimizer optimizer({}, network);
    return run_shard(network, task, optimizer.parameters(), samples, 3, 0, {}).gradient;
  };
  tasks::Batch together = all_of(*task.split(tasks::Split::train));
  together.input = together.input.narrow(1, 0, 3).to(at::kDouble).contiguous();
  together.target = together.target.narrow(0, 0, 3);
  together.lengths = at::tensor({5, 3, 2}, at::kLong);
  const at::Tensor found = gradient_of(*penalised, together);
  at::Tensor each = at::zeros_like(found);
  for (std::int64_t i = 0; i < 3; ++i) {
    const auto length = together.lengths[i].item<std::int64_t>();
    each +=
        gradient_of(*penalised, {together.input.narrow(0, 0, length).narrow(1, i, 1).contiguous(),
                                 together.target.narrow(0, i, 1),
                                 {},
                                 {}});
  }
  testing::expect_close(found, each, 1e-12, "gradient");
  const at::Tensor unpenalised = gradient_of(*elm_layers({}), together);
  EXPECT_GT((each - unpenalised).abs().max().item<double>(), 1e-3) << "penalties count";
}

}  // namespace
}  // namespace afterspike::train
