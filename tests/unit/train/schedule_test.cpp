#include <cmath>
#include <vector>

#include <gtest/gtest.h>

#include "afterspike/train/options.hpp"
#include "support/expect_error.hpp"
#include "train_options.hpp"

namespace afterspike::train {
namespace {

using testing::expect_error;
using testing::Settings;
using testing::train_options;

constexpr std::int64_t kEpoch = 10;   // Steps of an epoch.
constexpr std::int64_t kTotal = 100;  // Steps in all.

std::vector<double> factors(const TrainOptions& options) {
  std::vector<double> values;
  for (std::int64_t step = 0; step < kTotal; ++step) {
    values.push_back(learning_rate_factor(options, step, kTotal, kEpoch));
  }
  return values;
}

std::vector<double> sigmas(const TrainOptions& options) {
  std::vector<double> values;
  for (std::int64_t step = 0; step <= kTotal; ++step) {
    values.push_back(annealed_sigma(options, step, kTotal, kEpoch));
  }
  return values;
}

TEST(LearningRate, StaysWhereItIsConstant) {
  for (const double factor : factors(train_options({}))) EXPECT_EQ(factor, 1);
}

TEST(LearningRate, CosineFallsFromThePeakToTheFinalFraction) {
  const auto values = factors(train_options({{"schedule", "cosine"}, {"final_fraction", "0.2"}}));
  EXPECT_DOUBLE_EQ(values.front(), 1);
  EXPECT_NEAR(values.back(), 0.2, 1e-12);
  for (std::size_t i = 1; i < values.size(); ++i) {
    EXPECT_LT(values[i], values[i - 1]);
    // Half a cosine is symmetric about its middle.
    EXPECT_NEAR(values[i] + values[values.size() - 1 - i], 1.2, 1e-12);
  }
}

TEST(LearningRate, StepMultipliesAfterEachOfItsEpochs) {
  const auto values =
      factors(train_options({{"schedule", "step"}, {"step_epochs", "3"}, {"step_factor", "0.5"}}));
  for (std::int64_t step = 0; step < kTotal; ++step) {
    EXPECT_DOUBLE_EQ(values[static_cast<std::size_t>(step)], std::pow(0.5, step / (3 * kEpoch)));
  }
}

TEST(LearningRate, OneCycleRisesOnceAndFallsOnce) {
  const auto values =
      factors(train_options({{"schedule", "one_cycle"}, {"rise_fraction", "0.25"}}));
  EXPECT_NEAR(values.front(), 1.0 / 25, 1e-12);
  EXPECT_NEAR(values.back(), 1.0 / 25 / 1e4, 1e-12);
  const auto peak = std::max_element(values.begin(), values.end());
  EXPECT_NEAR(*peak, 1, 1e-3);
  EXPECT_NEAR(static_cast<double>(peak - values.begin()), 0.25 * kTotal, 1);
  EXPECT_TRUE(std::is_sorted(values.begin(), peak));
  EXPECT_TRUE(std::is_sorted(peak, values.end(), std::greater<>()));
}

TEST(LearningRate, OneCycleMayBeginAnewOrHold) {
  const auto whole = factors(train_options({{"schedule", "one_cycle"}}));
  // Ten epochs: the cycle spans the first four, or the last six.
  const auto held = factors(train_options({{"schedule", "one_cycle"}, {"schedule_epochs", "4"}}));
  const auto again = factors(train_options({{"schedule", "one_cycle"}, {"schedule_start", "4"}}));
  TrainOptions options = train_options({{"schedule", "one_cycle"}});
  for (std::int64_t step = 0; step < kTotal; ++step) {
    const auto at = static_cast<std::size_t>(step);
    const double own = step < 40 ? learning_rate_factor(options, step, 40, kEpoch) : whole.back();
    EXPECT_NEAR(held[at], own, 1e-15) << step;
    const double anew =
        step < 40 ? whole.front() : learning_rate_factor(options, step - 40, 60, kEpoch);
    EXPECT_NEAR(again[at], anew, 1e-15) << step;
  }
}

TEST(LearningRate, WarmUpRisesLinearlyAndLeavesTheRestAlone) {
  for (const char* schedule : {"constant", "cosine", "step"}) {
    const auto plain = factors(train_options({{"schedule", schedule}}));
    const auto warm = factors(train_options({{"schedule", schedule}, {"warmup_epochs", "2"}}));
    for (std::size_t step = 0; step < plain.size(); ++step) {
      const double rise = std::min(1.0, static_cast<double>(step + 1) / (2.0 * kEpoch));
      EXPECT_DOUBLE_EQ(warm[step], rise * plain[step]) << schedule << ", step " << step;
    }
  }
}

TEST(LearningRate, IsThePeakOrLessInATrainingOfOneStep) {
  for (const char* schedule : {"constant", "cosine", "step", "one_cycle"}) {
    const double factor = learning_rate_factor(train_options({{"schedule", schedule}}), 0, 1, 1);
    EXPECT_GT(factor, 0) << schedule;
    EXPECT_LE(factor, 1) << schedule;
  }
}

TEST(Annealing, GoesFromStartToEndWithoutTurning) {
  for (const char* schedule : {"linear", "cosine", "exponential"}) {
    const auto values = sigmas(train_options(
        {{"sigma_schedule", schedule}, {"sigma_start", "2 mV"}, {"sigma_final", "0.1 mV"}}));
    EXPECT_DOUBLE_EQ(values.front(), 2) << schedule;
    EXPECT_NEAR(values.back(), 0.1, 1e-12) << schedule;
    EXPECT_TRUE(std::is_sorted(values.begin(), values.end(), std::greater<>())) << schedule;
  }
}

TEST(Annealing, IsLinearExponentialOrHalfACosine) {
  const Settings ends = {{"sigma_start", "2 mV"}, {"sigma_final", "0.1 mV"}};
  const auto with = [&](const char* schedule) {
    Settings settings = ends;
    settings.emplace_back("sigma_schedule", schedule);
    return sigmas(train_options(settings));
  };
  const auto linear = with("linear"), exponential = with("exponential"), cosine = with("cosine");
  for (std::size_t i = 1; i < linear.size(); ++i) {
    EXPECT_NEAR(linear[i] - linear[i - 1], -1.9 / kTotal, 1e-12);
    EXPECT_NEAR(exponential[i] / exponential[i - 1], std::pow(0.05, 1.0 / kTotal), 1e-12);
    EXPECT_NEAR(cosine[i] + cosine[linear.size() - 1 - i], 2.1, 1e-12);
  }
}

TEST(Annealing, StaysAtItsEndAfterItsEpochs) {
  const TrainOptions options = train_options({{"sigma_schedule", "linear"},
                                              {"sigma_start", "1 mV"},
                                              {"sigma_final", "0.5 mV"},
                                              {"sigma_epochs", "4"}});
  for (std::int64_t step = 0; step <= kTotal; ++step) {
    const bool over = step >= 4 * kEpoch;
    EXPECT_EQ(threshold_final(options, step, kTotal, kEpoch), over) << step;
    EXPECT_EQ(annealed_sigma(options, step, kTotal, kEpoch) == 0.5, over) << step;
  }
}

TEST(Annealing, TakesTheWholeTrainingUnlessToldOtherwise) {
  const TrainOptions options = train_options({{"sigma_schedule", "linear"}});
  EXPECT_FALSE(threshold_final(options, kTotal - 1, kTotal, kEpoch));
  EXPECT_TRUE(threshold_final(options, kTotal, kTotal, kEpoch));
  EXPECT_TRUE(threshold_final(train_options({}), 0, kTotal, kEpoch)) << "there is none";
}

TEST(TrainOptions, RefusesSettingsThatContradictEachOther) {
  struct Case {
    Settings settings;
    std::vector<std::string> message;
  };
  const std::vector<Case> cases = {
      {{{"schedule", "one_cycle"}, {"warmup_epochs", "1"}}, {"train.warmup_epochs", "one_cycle"}},
      {{{"epochs", "3"}, {"warmup_epochs", "3.5"}}, {"train.warmup_epochs", "the 3 epochs"}},
      {{{"sigma_schedule", "linear"}, {"sigma_epochs", "11"}},
       {"train.sigma_epochs", "found 11", "10 epochs"}},
      {{{"patience", "3"}, {"select", "last"}}, {"train.patience", "found 3", "last"}},
  };
  for (const Case& c : cases) {
    const TrainOptions options = train_options(c.settings);
    expect_error(ErrorKind::config, {c.message[0], c.message[1]}, [&] { options.validate(); });
  }
  EXPECT_NO_THROW(train_options({}).validate());
}

TEST(TrainOptions, RefusesValuesOutOfRange) {
  const std::vector<std::pair<std::string, std::string>> cases = {
      {"epochs", "-1"},           {"batch_size", "0"},
      {"learning_rate", "0"},     {"learning_rate", "nan"},
      {"learning_rate", "-1"},    {"beta1", "1"},
      {"beta2", "-0.1"},          {"epsilon", "0"},
      {"weight_decay", "-1"},     {"clip_norm", "-1"},
      {"final_fraction", "2"},    {"step_epochs", "0"},
      {"learning_rate", "1e+31"}, {"weight_decay", "10000000"},
      {"step_factor", "1.5"},     {"rise_fraction", "1"},
      {"label_smoothing", "1"},   {"sigma_start", "0 mV"},
      {"sigma_final", "1"},       {"patience", "-1"},
      {"optimizer", "sgd"},       {"schedule", "cosin"},
      {"select", "first"},
  };
  for (const auto& [name, value] : cases) {
    expect_error(ErrorKind::config, {"'" + name + "'", value.substr(0, 3)}, [&] {
      train_options({{name, value}});
    });
  }
}

}  // namespace
}  // namespace afterspike::train
