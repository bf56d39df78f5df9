#include "afterspike/train/optimizer.hpp"

#include <cmath>
#include <map>

#include <ATen/ATen.h>
#include <gtest/gtest.h>

#include "support/expect_error.hpp"
#include "support/tensors.hpp"
#include "train_options.hpp"
#include "unit/nn/models.hpp"

namespace afterspike::train {
namespace {

using testing::expect_error;
using testing::Settings;
using testing::train_options;

constexpr int kSteps = 12;

std::shared_ptr<nn::Network> glifr_network(const Settings& settings = {}) {
  nn::NetworkOptions options;
  options.hidden = 3;
  auto network = std::make_shared<nn::Network>(*testing::make_model("glifr", settings), options,
                                               nn::NetworkShape{2, 2, 0.05});
  network->to(at::kDouble);
  network->initialize(Rng(1));
  return network;
}

/// One value and its optimiser state, as in the papers.
struct Scalar {
  double value = 0, m = 0, v = 0;

  void step(const TrainOptions& options, double gradient, int t, double rate, double decay) {
    if (options.optimizer == Algorithm::adamw) {
      value -= rate * decay * value;
    } else {
      gradient += decay * value;
    }
    m = options.beta1 * m + (1 - options.beta1) * gradient;
    const double m_hat = m / (1 - std::pow(options.beta1, t));
    if (options.optimizer == Algorithm::adamax) {
      v = std::max(options.beta2 * v, std::abs(gradient) + options.epsilon);
      value -= rate * m_hat / v;
    } else {
      v = options.beta2 * v + (1 - options.beta2) * gradient * gradient;
      value -= rate * m_hat / (std::sqrt(v / (1 - std::pow(options.beta2, t))) + options.epsilon);
    }
  }
};

double factor_of(int step) {
  return 1.0 / (1 + 0.1 * step);
}

std::vector<at::Tensor> gradients_of(const Optimizer& optimizer, int step) {
  std::vector<at::Tensor> gradients;
  for (const auto& parameter : optimizer.parameters()) {
    const Rng rng = Rng(9).stream(parameter.name, static_cast<std::uint64_t>(step));
    gradients.push_back(testing::uniform_tensor(parameter.tensor.sizes().vec(), rng, -2, 2));
  }
  return gradients;
}

/// Runs optimiser and scalars side by side and expects every parameter to agree.
void expect_as_scalars(const TrainOptions& options) {
  const auto network = glifr_network();
  Optimizer optimizer(options, *network);
  std::map<std::string, std::vector<Scalar>> scalars;
  for (const auto& parameter : optimizer.parameters()) {
    auto& own = scalars[parameter.name];
    own.resize(static_cast<std::size_t>(parameter.tensor.numel()));
    for (std::size_t i = 0; i < own.size(); ++i) {
      own[i].value = parameter.tensor.flatten()[static_cast<std::int64_t>(i)].item<double>();
    }
  }
  for (int step = 1; step <= kSteps; ++step) {
    const auto gradients = gradients_of(optimizer, step);
    optimizer.step(gradients, factor_of(step));
    for (std::size_t p = 0; p < gradients.size(); ++p) {
      const auto& parameter = optimizer.parameters()[p];
      const bool intrinsic = parameter.spec->group == nn::ParameterGroup::intrinsic;
      const bool weight = parameter.spec->group == nn::ParameterGroup::weight;
      const double rate =
          factor_of(step) * (intrinsic ? options.intrinsic_learning_rate : options.learning_rate);
      auto& own = scalars[parameter.name];
      for (std::size_t i = 0; i < own.size(); ++i) {
        const auto place = static_cast<std::int64_t>(i);
        own[i].step(options, gradients[p].flatten()[place].item<double>(), step, rate,
                    weight ? options.weight_decay : 0);
        EXPECT_NEAR(parameter.tensor.flatten()[place].item<double>(), own[i].value, 1e-12)
            << parameter.name << " after step " << step;
      }
    }
  }
}

TEST(Optimizer, IsTheAlgorithmOfThePaperForEveryParameter) {
  for (const char* name : {"adam", "adamw", "adamax"}) {
    SCOPED_TRACE(name);
    expect_as_scalars(train_options({{"optimizer", name},
                                     {"learning_rate", "0.03"},
                                     {"intrinsic_learning_rate", "0.007"},
                                     {"weight_decay", "0.2"},
                                     {"beta1", "0.8"},
                                     {"beta2", "0.95"},
                                     {"epsilon", "1e-3"}}));
  }
}

TEST(Optimizer, TakesTheCommonLearningRateWhereThereIsNoIntrinsicOne) {
  const auto network = glifr_network();
  const auto before = network->named().front().tensor.detach().clone();
  ASSERT_EQ(network->named().front().spec->group, nn::ParameterGroup::intrinsic);
  Optimizer optimizer(train_options({{"learning_rate", "0.25"}}), *network);
  std::vector<at::Tensor> gradients = gradients_of(optimizer, 1);
  gradients.front().fill_(3);
  optimizer.step(gradients, 1);
  // The first step of Adam is the learning rate against the sign of the gradient.
  testing::expect_close(network->named().front().tensor, before - 0.25, 1e-8, "threshold");
}

TEST(Optimizer, LeavesParametersThatAreNotTrainedAlone) {
  const auto network = glifr_network({{"variant", "hom"}});
  Optimizer optimizer(train_options({{"learning_rate", "0.1"}, {"weight_decay", "0.1"}}), *network);
  std::map<std::string, at::Tensor> before;
  for (const auto& parameter : network->named()) {
    before[parameter.name] = parameter.tensor.detach().clone();
  }
  optimizer.step(gradients_of(optimizer, 1), 1);
  int fixed = 0;
  for (const auto& parameter : network->named()) {
    EXPECT_EQ(at::equal(parameter.tensor, before[parameter.name]), !parameter.spec->trainable)
        << parameter.name;
    fixed += parameter.spec->trainable ? 0 : 1;
  }
  EXPECT_GT(fixed, 0);
}

TEST(Optimizer, TakesAGradientThatIsNotThereForZero) {
  const auto one = glifr_network(), other = glifr_network();
  Optimizer with_nothing(train_options({{"weight_decay", "0.1"}}), *one);
  Optimizer with_zeros(train_options({{"weight_decay", "0.1"}}), *other);
  std::vector<at::Tensor> gradients = gradients_of(with_nothing, 1);
  std::vector<at::Tensor> zeros = gradients;
  for (std::size_t i = 0; i < gradients.size(); i += 2) {
    zeros[i] = at::zeros_like(gradients[i]);
    gradients[i] = at::Tensor();
  }
  with_nothing.step(gradients, 1);
  with_zeros.step(zeros, 1);
  for (std::size_t i = 0; i < one->named().size(); ++i) {
    testing::expect_same(one->named()[i].tensor, other->named()[i].tensor, one->named()[i].name);
  }
}

TEST(Optimizer, GoesOnFromItsStateBitForBit) {
  for (const char* name : {"adam", "adamw", "adamax"}) {
    const TrainOptions options = train_options({{"optimizer", name}, {"weight_decay", "0.1"}});
    const auto whole = glifr_network(), parted = glifr_network();
    Optimizer straight(options, *whole);
    Optimizer first(options, *parted);
    for (int step = 0; step < 10; ++step) straight.step(gradients_of(straight, step), 1);
    for (int step = 0; step < 5; ++step) first.step(gradients_of(first, step), 1);
    Optimizer second(options, *parted);
    second.restore(first.state());
    EXPECT_EQ(second.steps(), 5);
    for (int step = 5; step < 10; ++step) second.step(gradients_of(second, step), 1);
    for (std::size_t i = 0; i < whole->named().size(); ++i) {
      testing::expect_same(parted->named()[i].tensor, whole->named()[i].tensor, name);
    }
  }
}

/// Decaying moments must not end as denormal numbers, which are slow.
TEST(Optimizer, LetsMomentsEndAtZero) {
  const auto network = glifr_network();
  Optimizer optimizer(TrainOptions{}, *network);
  std::vector<at::Tensor> gradients = gradients_of(optimizer, 0);
  optimizer.step(gradients, 1);
  for (at::Tensor& gradient : gradients) gradient = at::zeros_like(gradient);
  for (int step = 0; step < 1000; ++step) optimizer.step(gradients, 1);
  EXPECT_EQ(optimizer.state().at("moment1.readout.weight").abs().max().item<float>(), 0);
  EXPECT_GT(optimizer.state().at("moment2.readout.weight").abs().max().item<float>(), 0);
}

TEST(Optimizer, RefusesAStateThatDoesNotFit) {
  const auto network = glifr_network();
  const TrainOptions options;
  const nn::NamedTensors good = Optimizer(options, *network).state();
  nn::NamedTensors missing = good, reshaped = good, headless = good;
  missing.erase("moment2.readout.bias");
  reshaped["moment1.readout.weight"] = at::zeros({1, 2});
  headless.erase("steps");
  Optimizer optimizer(options, *network);
  expect_error(ErrorKind::checkpoint, {"'moment2.readout.bias' is missing"},
               [&] { optimizer.restore(missing); });
  expect_error(ErrorKind::checkpoint, {"'moment1.readout.weight' is of another shape"},
               [&] { optimizer.restore(reshaped); });
  expect_error(ErrorKind::checkpoint, {"'steps' is missing"}, [&] { optimizer.restore(headless); });
}

}  // namespace
}  // namespace afterspike::train
