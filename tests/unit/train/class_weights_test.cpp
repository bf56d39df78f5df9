#include "train/class_weights.hpp"

#include <ATen/ATen.h>
#include <gtest/gtest.h>
#include <torch/csrc/autograd/autograd.h>

#include "small_training.hpp"
#include "support/expect_error.hpp"

namespace afterspike::train {
namespace {

using testing::expect_close;
using testing::expect_error;
using testing::Settings;
using testing::Training;

/// Twelve sequences: nine of class 0, three of class 1, none of class 2.
tasks::Task uneven_task() {
  const at::Tensor inputs = testing::uniform_tensor({12, 5, 2}, Rng(1)).to(at::kFloat);
  const at::Tensor labels = at::arange(12).remainder(4).eq(0).to(at::kLong);
  const auto data = std::make_shared<tasks::Sequences>(inputs.contiguous(), labels);
  return {{2, 3, 5, 1.0}, {}, {data, nullptr, data}};
}

TEST(ClassWeights, BalancedGiveEachClassThatOccursTheSameSum) {
  const at::Tensor weights = class_weights("balanced", uneven_task());
  expect_close(weights, at::tensor({12 / 18., 2., 1.}), 1e-6, "weights");
  EXPECT_NEAR((9 * weights[0] + 3 * weights[1]).item<double>(), 12, 1e-5);
  EXPECT_FALSE(class_weights("none", uneven_task()).defined());
  expect_close(class_weights(" 1, 2.5 ,0", uneven_task()), at::tensor({1., 2.5, 0.}), 1e-7, "list");
}

TEST(ClassWeights, MultiplyTheGradientOfEachSample) {
  const tasks::Task task = uneven_task();
  Training training(task, "rnn");
  const Optimizer optimizer({}, *training.network);
  const auto gradient = [&](const std::vector<std::int64_t>& numbers, const at::Tensor& weights) {
    const tasks::Batch samples = task.split(tasks::Split::train)->batch(numbers);
    return run_shard(*training.network, task, optimizer.parameters(), samples, 2, 0.1, {}, weights)
        .gradient;
  };
  const at::Tensor both = gradient({0, 1}, at::tensor({0.5F, 3.F, 1.F}));
  expect_close(both, 3 * gradient({0}, {}) + 0.5 * gradient({1}, {}), 1e-6, "gradient");
}

TEST(ClassWeights, ActInTrainingAndNotInItsFigures) {
  const tasks::Task task = uneven_task();
  const auto trained = [&](const char* weights, const char* rate) {
    Training training(task, "rnn",
                      {{"class_weights", weights}, {"learning_rate", rate}, {"epochs", "1"}});
    training.run();
    return std::pair(training.model().at("readout.weight"), training.recorder.epochs.at(0));
  };
  const auto [plain, report] = trained("none", "0.01");
  const auto [same, unused] = trained("1,1,1", "0.01");
  testing::expect_same(same, plain, "weights of 1");
  const auto [other, weighted] = trained("balanced", "0.01");
  EXPECT_FALSE(other.equal(plain));
  EXPECT_EQ(weighted.train.loss, report.train.loss) << "of the first step, without weights";
}

TEST(ClassWeights, RefuseWhatIsNoWeightOfEachClass) {
  const tasks::Task task = uneven_task();
  for (const char* text : {"", "even", "1,", "1,-1,1", "1 1 1", "inf,1,1", "0,0,0"}) {
    expect_error(ErrorKind::config, {"train.class_weights", text, "balanced"}, [&] {
      Training(task, "rnn", {{"class_weights", text}});
    });
  }
  expect_error(ErrorKind::config, {"train.class_weights", "found 2 numbers", "each of 3 classes"},
               [&] {
                 Training(task, "rnn", {{"class_weights", "1,2"}});
               });
  expect_error(ErrorKind::config, {"train.class_weights", "no classes"}, [&] {
    Training(testing::trace_task(at::ones({2, 5, 1})), "rnn", {{"class_weights", "balanced"}});
  });
}

}  // namespace
}  // namespace afterspike::train
