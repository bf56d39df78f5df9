#include <limits>

#include <gtest/gtest.h>

#include "small_training.hpp"
#include "support/expect_error.hpp"
#include "train/finite.hpp"

namespace afterspike::train {
namespace {

using testing::class_task;
using testing::expect_error;
using testing::trace_task;
using testing::Training;

constexpr double kNan = std::numeric_limits<double>::quiet_NaN();

at::Tensor parameter_of(const nn::Network& network, const std::string& name) {
  for (const auto& parameter : network.named()) {
    if (parameter.name == name) return parameter.tensor.detach();
  }
  return {};
}

TEST(NotFinite, NamesTheStepAndTheFirstParameterThatWentBad) {
  const tasks::Task task = class_task(40);
  Training training(task, "glifr", {{"batch_size", "16"}});
  training.run(2);
  parameter_of(*training.network, "layers.0.membrane_decay")[3] = kNan;
  parameter_of(*training.network, "readout.weight")[0][0] = kNan;
  expect_error(ErrorKind::numeric, {"step 3:", "nan", "parameter 'layers.0.membrane_decay'"},
               [&] { training.run(); });
}

TEST(NotFinite, NamesTheInputOrTheTarget) {
  at::Tensor target = at::ones({4, 5, 1});
  target[2][1][0] = std::numeric_limits<double>::infinity();  // NaN would be unknown.
  const tasks::Task task = trace_task(target);
  Training training(task, "rnn");
  expect_error(ErrorKind::numeric, {"step 1:", "is the target"}, [&] { training.run(); });

  at::Tensor input = at::ones({4, 5, 2});
  input[0][0][1] = std::numeric_limits<double>::infinity();
  const auto data = std::make_shared<tasks::Sequences>(input, at::zeros({4}, at::kLong));
  const tasks::Task bad_input({2, 2, 5, 1.0}, {}, {data, nullptr, data});
  Training blind(bad_input, "rnn");
  expect_error(ErrorKind::numeric, {"step 1:", "is the input"}, [&] { blind.run(); });
}

TEST(NotFinite, NamesTheFirstActivityWithItsPlaceInTheSequence) {
  const tasks::Task task = class_task(40);
  Training training(task, "rnn");
  // Input and recurrent drive exceed the range of float, with opposite signs.
  parameter_of(*training.network, "layers.0.input_weight").fill_(3e38);
  parameter_of(*training.network, "layers.0.recurrent_weight").fill_(3e38);
  expect_error(ErrorKind::numeric, {"step 1:", "'layers.0.preactivation', at step "},
               [&] { training.run(); });
}

TEST(NotFinite, NamesTheOutputOrTheLossWhereTheNetworkIsFine) {
  const tasks::Task task = class_task(40);
  Training overflow(task, "rnn");
  parameter_of(*overflow.network, "readout.weight").fill_(3e38);
  parameter_of(*overflow.network, "readout.bias").fill_(3e38);
  expect_error(ErrorKind::numeric, {"step 1:", "is the output"}, [&] { overflow.run(); });

  const tasks::Task far = trace_task(at::full({4, 5, 1}, 1e30));
  Training squared(far, "rnn");
  expect_error(ErrorKind::numeric, {"step 1:", "the loss is inf", "is the loss itself"},
               [&] { squared.run(); });
}

TEST(NotFinite, StopsAtTheStepThatALearningRateIsTooLargeFor) {
  const tasks::Task task = trace_task(at::ones({4, 5, 1}));
  Training training(task, "rnn", {{"learning_rate", "1e30"}, {"epochs", "5"}});
  expect_error(ErrorKind::numeric, {"step 2:", "not finite"}, [&] { training.run(); });
  EXPECT_EQ(training.trainer->progress().step, 1);
}

TEST(NotFinite, RefusesAnUpdateThatOverflowsBeforeItCanBeSaved) {
  const tasks::Task task = trace_task(at::ones({4, 1, 1}));
  Training training(task, "rnn", {{"weight_decay", "1e6"}});
  // No effect on a sequence of one step, until it decays.
  parameter_of(*training.network, "layers.0.recurrent_weight").fill_(1e36);
  expect_error(ErrorKind::numeric, {"step 1:", "update", "'layers.0.recurrent_weight'"},
               [&] { training.run(); });
  EXPECT_EQ(training.recorder.steps, 0) << "nobody is told of a step that failed";
}

TEST(NotFinite, StopsOnAValidationLossToo) {
  const tasks::Task task = trace_task(at::ones({4, 5, 1}), at::full({4, 5, 1}, 1e30));
  Training training(task, "rnn");
  expect_error(ErrorKind::numeric, {"step 1:", "validation", "the loss itself"},
               [&] { training.run(); });
  EXPECT_TRUE(training.recorder.epochs.empty());
}

TEST(IsFinite, FindsWhatIsNotAnywhere) {
  const at::Tensor values = at::full({37}, -std::numeric_limits<float>::max());
  EXPECT_TRUE(is_finite(values));
  EXPECT_TRUE(is_finite(values.to(at::kDouble)));
  EXPECT_TRUE(is_finite(at::empty({0})));
  EXPECT_TRUE(is_finite(at::Tensor()));
  const double infinity = std::numeric_limits<double>::infinity();
  for (const double bad : {infinity, -infinity, kNan, -kNan}) {
    for (const std::int64_t place : {0, 17, 36}) {
      at::Tensor spoilt = values.clone();
      spoilt[place] = bad;
      EXPECT_FALSE(is_finite(spoilt)) << bad << " at " << place;
      EXPECT_FALSE(is_finite(spoilt.to(at::kDouble))) << bad << " at " << place;
      EXPECT_FALSE(is_finite(at::stack({values, spoilt}, 1).select(1, 1))) << "not contiguous";
    }
  }
}

}  // namespace
}  // namespace afterspike::train
