#include "bench/floor.hpp"

#include <gtest/gtest.h>

namespace afterspike::bench {
namespace {

constexpr std::int64_t kHidden = 16, kSteps = 50, kBatch = 12, kDelay = 7;

Settings small(const char* neuron) {
  Settings settings;
  settings.neuron = neuron;
  settings.hidden = kHidden;
  settings.steps = kSteps;
  settings.batch = kBatch;
  settings.path = Path::composed;  // The products are the kernel's for every path.
  return settings;
}

/// Multiplications of the products of a whole step.
std::int64_t multiplications(const StepProducts& products) {
  const auto sum = [](const std::vector<kernels::Product>& list) {
    std::int64_t all = 0;
    for (const kernels::Product& product : list) all += product.m * product.n * product.k;
    return all;
  };
  return (products.shards - 1) * sum(products.full) + sum(products.last);
}

TEST(StepProducts, OfGlifrAreThreeForEachStepThatSynapsesReach) {
  Settings settings = small("glifr");
  for (const std::int64_t batch : {kBatch, kBatch - 1}) {  // Also with a shorter last shard.
    settings.batch = batch;
    settings.delay = units::Duration::steps(kDelay);
    const std::int64_t one = batch * kHidden * kHidden;
    EXPECT_EQ(multiplications(step_products(settings)), 3 * (kSteps - kDelay) * one);
    settings.delay = units::Duration::steps(kSteps);
    EXPECT_EQ(multiplications(step_products(settings)), 0) << "nothing arrives";
  }
  settings.delay = units::Duration::steps(kSteps);
  settings.input = 5;
  EXPECT_EQ(multiplications(step_products(settings)), 2 * kSteps * (kBatch - 1) * 5 * kHidden)
      << "the drive and the gradient of its weights";
}

TEST(StepProducts, AreAsFewAsTheDelayAllows) {
  for (const char* neuron : {"glifr", "rnn"}) {
    SCOPED_TRACE(neuron);
    Settings settings = small(neuron);
    const auto count = [&](std::int64_t delay) {
      settings.delay = units::Duration::steps(delay);
      return step_products(settings).full.size();
    };
    EXPECT_GT(count(1), 2U * (kSteps - 1));
    EXPECT_LT(count(25), 10U);
  }
}

TEST(StepProducts, OfElmAreThoseOfTheMlpAndOfInputsThatAreNotSparse) {
  Settings settings = small("elm");
  settings.input = 40;
  const std::int64_t width = 2 * kHidden, one = kSteps * kBatch * kHidden * width;
  settings.input_density = 0.01;
  EXPECT_EQ(multiplications(step_products(settings)), 6 * one);
  settings.input_density = 1;
  EXPECT_EQ(multiplications(step_products(settings)),
            6 * one + 2 * kSteps * kBatch * settings.input * width);
}

TEST(StepProducts, OfUnitsAreThoseOfTheirGates) {
  for (const auto& [neuron, gates] : {std::pair{"rnn", 1}, {"gru", 3}, {"lstm", 4}}) {
    // No activity returns to the first step, but the product for the gradient of weights includes
    // it.
    EXPECT_EQ(multiplications(step_products(small(neuron))),
              (3 * kSteps - 2) * gates * kBatch * kHidden * kHidden);
  }
}

}  // namespace
}  // namespace afterspike::bench
