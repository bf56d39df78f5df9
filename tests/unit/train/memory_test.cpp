#include "afterspike/train/memory.hpp"

#include <algorithm>
#include <cmath>
#include <string>
#include <vector>

#include <ATen/ATen.h>
#include <gtest/gtest.h>

#include "afterspike/kernels/workspace.hpp"
#include "small_training.hpp"
#include "support/expect_error.hpp"

namespace afterspike {
namespace {

constexpr std::int64_t kLongest = 1000;

/// Sequences of 1 to kLongest steps; a batch is as long as its longest.
class OfManyLengths final : public tasks::Dataset {
 public:
  explicit OfManyLengths(std::int64_t size) : order_(Rng(1).permutation(size)) {}
  std::int64_t size() const override { return static_cast<std::int64_t>(order_.size()); }
  tasks::Batch batch(std::span<const std::int64_t> numbers) const override {
    std::vector<std::int64_t> lengths;
    for (const std::int64_t number : numbers) {
      const std::int64_t place = order_[static_cast<std::size_t>(number)];
      lengths.push_back(1 + (kLongest - 1) * place / (size() - 1));
    }
    const auto count = static_cast<std::int64_t>(numbers.size());
    const std::int64_t steps = *std::max_element(lengths.begin(), lengths.end());
    return {at::ones({steps, count, 2}), at::zeros({count}, at::kLong), at::tensor(lengths), {}};
  }

 private:
  std::vector<std::int64_t> order_;
};

tasks::Task task_of(const char* read) {
  tasks::Objective objective;
  objective.kind = tasks::Objective::Kind::classify;
  objective.read = tasks::ReadSteps::parse(read);
  return {{2, 2, kLongest, 1.0},
          objective,
          {std::make_shared<OfManyLengths>(100), nullptr, std::make_shared<OfManyLengths>(4)}};
}

/// Trains an epoch as planned, within a limit that leaves each thread this part of its full
/// workspace (1: without a limit), and expects that workspaces stay within the plan.
void train_as_planned(const char* neuron, const char* read, double part) {
  SCOPED_TRACE(std::string(neuron) + ", read " + read + ", part " + std::to_string(part));
  kernels::Workspace::release_all();
  const std::size_t before = kernels::Workspace::allocated();
  const tasks::Task task = task_of(read);
  testing::Training training(task, neuron, {{"epochs", "1"}, {"batch_size", "32"}}, {}, 2);
  const auto planned = [&](std::size_t limit) {
    return train::plan_memory(*training.network, task, training.trainer->options(), 2, limit);
  };
  const train::MemoryPlan free = planned(0);
  train::MemoryPlan plan = free;
  if (part < 1) {
    const auto whole = static_cast<double>(free.workspace);
    plan = planned(free.peak + train::MemoryPlan::kMargin -
                   static_cast<std::size_t>(2 * (1 - part) * whole));
    EXPECT_LE(plan.workspace, plan.workspace_limit);
    // The memory of the process may change from one plan to the next.
    const double change = static_cast<double>(free.present) - static_cast<double>(plan.present);
    EXPECT_LT(static_cast<double>(plan.workspace), 1.01 * part * whole + std::abs(change));
  }
  EXPECT_TRUE(plan.known);
  training.trainer->plan_workspace(plan.workspace_limit, plan.largest);
  training.run();
  // Sizes are rounded up to pages of 2 MiB.
  const std::size_t pages = 2 * training.network->layers().size() * (std::size_t{2} << 20);
  EXPECT_LE(kernels::Workspace::allocated() - before, 2 * plan.workspace + pages);
}

TEST(MemoryPlan, HoldsWhereLengthsDiffer) {
  for (const char* neuron : {"glifr", "alif", "elm", "elm_network", "rnn", "gru", "lstm"}) {
    for (const char* read : {"last", "all"}) {
      for (const double part : {1.0, 0.7, 0.8, 0.9}) train_as_planned(neuron, read, part);
    }
  }
}

/// A shard may have a sequence that is read from its first step on.
TEST(MemoryPlan, ReckonsWithShortSequences) {
  const tasks::Task task = task_of("last");
  const testing::Training training(task, "glifr", {{"batch_size", "32"}}, {}, 2);
  const train::MemoryPlan plan =
      train::plan_memory(*training.network, task, training.trainer->options(), 2, 0);
  EXPECT_EQ(plan.largest.first, 0);
  EXPECT_EQ(plan.largest.steps, kLongest);
  EXPECT_EQ(plan.largest.rows, 16);
}

TEST(ParseBytes, KnowsUnitsAndRefusesOtherText) {
  EXPECT_EQ(train::parse_bytes("2GiB", "x"), std::size_t{2} << 30);
  EXPECT_EQ(train::parse_bytes("500 MiB", "x"), std::size_t{500} << 20);
  EXPECT_EQ(train::parse_bytes("1.5 kB", "x"), 1500U);
  EXPECT_EQ(train::parse_bytes("1500000000 B", "x"), 1'500'000'000U);
  for (const char* text : {"", "2", "2 gigs", "0.5B", "-1 GiB", "nan GB", "1e30 GB", "GiB"}) {
    testing::expect_error(ErrorKind::config,
                          {"--memory-limit: found '" + std::string(text) + "', expected a size"},
                          [&] { train::parse_bytes(text, "--memory-limit"); });
  }
}

}  // namespace
}  // namespace afterspike
