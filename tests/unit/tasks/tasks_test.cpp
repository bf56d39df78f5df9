// Laws that every task obeys, for every entry of the registry.

#include <cmath>
#include <set>

#include <ATen/ATen.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "make_task.hpp"
#include "support/neuron_files.hpp"
#include "support/sequence_files.hpp"
#include "support/spike_files.hpp"
#include "support/temp_dir.hpp"
#include "support/tensors.hpp"

namespace afterspike::tasks {
namespace {

using testing::all;
using testing::Settings;

constexpr const char* kSplits[] = {"train", "validation", "test"};

class Tasks : public ::testing::TestWithParam<std::string> {
 protected:
  static void SetUpTestSuite() {
    directory_ = std::make_unique<testing::TempDir>();
    testing::write_hdf5(*directory_ / "own.h5",
                        {{"inputs", testing::uniform_tensor({40, 5, 2}, Rng(1))},
                         {"labels", at::arange(40) % 3},
                         {"lengths", at::arange(40) % 5 + 1}});
    const auto spikes = [](const char* file, std::int64_t count, std::uint64_t seed) {
      testing::random_spikes(count, {0, 1, 2}, Rng(seed)).write(*directory_ / file);
    };
    spikes("shd/shd_train.h5", 40, 1);
    spikes("shd/shd_test.h5", 12, 2);
    spikes("ssc/ssc_train.h5", 40, 1);
    spikes("ssc/ssc_valid.h5", 7, 2);
    spikes("ssc/ssc_test.h5", 12, 3);
    for (const std::string batch : {"data_batch_1", "data_batch_2", "data_batch_3", "data_batch_4",
                                    "data_batch_5", "test_batch"}) {
      std::string images;
      Rng rng = Rng(1).stream(batch);
      for (int i = 0; i < 12 * 3073; ++i) {
        images += static_cast<char>(rng.below(i % 3073 == 0 ? 10 : 256));
      }
      std::filesystem::create_directories(*directory_ / "cifar10");
      testing::spill(*directory_ / ("cifar10/" + batch + ".bin"), images);
    }
    testing::random_simulations(15, 3, 60, Rng(1)).write(*directory_ / "neuronio/train.h5");
    testing::random_simulations(5, 3, 60, Rng(2)).write(*directory_ / "neuronio/test.h5");
  }
  static void TearDownTestSuite() { directory_.reset(); }

  /// Returns the task on existing data: its own files, the images that ship with the project.
  std::unique_ptr<Task> make(const Settings& more = {}) const {
    Settings settings;
    if (has("data")) settings.push_back({"data", (*directory_ / "own.h5").string()});
    if (has("dataset")) settings.push_back({"dataset", "mini_mnist"});
    if (has("bin")) settings.push_back({"bin", "100 ms"});
    if (has("validation_runs")) {  // One window of 30 steps in each.
      settings.insert(settings.end(), {{"window", "30 ms"},
                                       {"evaluation_window", "30 ms"},
                                       {"evaluation_burn_in", "0 ms"},
                                       {"skip", "30 ms"},
                                       {"validation_runs", "7"},
                                       {"train_samples", "40"}});
    }
    if (has("validation_samples")) {
      settings.insert(
          settings.end(),
          {{"train_samples", "40"}, {"validation_samples", "7"}, {"test_samples", "12"}});
    } else if (has("validation_fraction")) {
      settings.push_back({"validation_fraction", "0.175"});  // 7 of 40
    } else if (has("validation")) {
      settings.push_back({"validation", "7"});
    }
    settings.insert(settings.end(), more.begin(), more.end());
    return testing::make_task(GetParam(), settings, directory_->path());
  }
  bool has(const std::string& option) const {
    return testing::has_option(*find_entry<TaskEntry>(entries(), GetParam(), "task").make(),
                               option);
  }

  static std::unique_ptr<testing::TempDir> directory_;
};

std::unique_ptr<testing::TempDir> Tasks::directory_;

/// Returns a text for each sample that identifies it.
std::multiset<std::string> prints(const std::shared_ptr<const tasks::Dataset>& set) {
  std::multiset<std::string> texts;
  if (set == nullptr) return texts;
  const at::Tensor samples = all(*set).input.transpose(0, 1).contiguous();
  const auto bytes = static_cast<std::size_t>(samples[0].nbytes());
  for (std::int64_t i = 0; i < set->size(); ++i) {
    texts.emplace(static_cast<const char*>(samples[i].data_ptr()), bytes);
  }
  return texts;
}

TEST_P(Tasks, BatchesHaveTheDeclaredShape) {
  const auto task = make();
  const TaskShape& shape = task->shape();
  EXPECT_GT(shape.dt_ms, 0);
  for (const char* name : kSplits) {
    const auto set = task->split(parse_split(name));
    if (set == nullptr) continue;
    ASSERT_GT(set->size(), 0) << name;
    const tasks::Batch batch = all(*set);
    // A batch of samples of several lengths is as long as its longest.
    const std::int64_t steps = batch.lengths.defined() ? batch.input.size(0) : shape.steps;
    EXPECT_LE(steps, shape.steps);
    if (batch.lengths.defined()) {
      EXPECT_LE(batch.lengths.max().item<std::int64_t>(), steps);
    }
    EXPECT_EQ(batch.input.sizes(), at::IntArrayRef({steps, set->size(), shape.input_size}));
    EXPECT_EQ(batch.input.scalar_type(), at::kFloat);
    EXPECT_TRUE(at::isfinite(batch.input).all().item<bool>());
    if (task->classifies()) {
      ASSERT_EQ(batch.target.sizes(), at::IntArrayRef({set->size()}));
      EXPECT_EQ(batch.target.scalar_type(), at::kLong);
      EXPECT_GE(batch.target.min().item<std::int64_t>(), 0);
      EXPECT_LT(batch.target.max().item<std::int64_t>(), shape.output_size);
    } else {
      ASSERT_EQ(batch.target.sizes(), at::IntArrayRef({steps, set->size(), shape.output_size}));
      EXPECT_EQ(batch.target.scalar_type(), at::kFloat);
    }
  }
}

TEST_P(Tasks, LossIsFiniteAndPartsOfASplitAddUp) {
  const auto task = make();
  const auto set = task->split(Split::train);
  const at::Tensor outputs = testing::uniform_tensor(
      {task->shape().steps, set->size(), task->shape().output_size}, Rng(3));
  const auto tally = [&](std::int64_t begin, std::int64_t end) {
    std::vector<std::int64_t> numbers;
    for (std::int64_t i = begin; i < end; ++i) numbers.push_back(i);
    const tasks::Batch batch = set->batch(numbers);
    const at::Tensor own = outputs.narrow(1, begin, end - begin);
    return task->tally(read_steps(own, batch.lengths, task->objective().read), batch);
  };
  const Tally whole = tally(0, set->size());
  EXPECT_TRUE(std::isfinite(whole.loss));
  EXPECT_GT(whole.loss, 0);
  EXPECT_EQ(whole.samples, set->size());
  Tally sum;
  for (std::int64_t begin = 0; begin < set->size(); begin += 13) {
    sum += tally(begin, std::min(begin + 13, set->size()));
  }
  EXPECT_EQ(sum.samples, whole.samples);
  EXPECT_EQ(sum.correct, whole.correct);
  EXPECT_NEAR(sum.loss, whole.loss, 1e-9 * whole.loss);
}

TEST_P(Tasks, SplitsAreDisjoint) {
  const auto task = make();
  const auto train = prints(task->split(Split::train)), test = prints(task->split(Split::test));
  const auto validation = prints(task->split(Split::validation));
  if (task->split(Split::train) == task->split(Split::test)) {
    // A task without anything to generalise to says so.
    EXPECT_THAT(GetParam(), ::testing::AnyOf("sine_generation", "realizable"));
    EXPECT_TRUE(validation.empty());
    return;
  }
  EXPECT_EQ(validation.size(), 7u);
  const auto disjoint = [](const auto& a, const auto& b) {
    for (const std::string& print : a) {
      if (b.contains(print)) return false;
    }
    return true;
  };
  EXPECT_TRUE(disjoint(train, test) && disjoint(train, validation) && disjoint(validation, test));
}

TEST_P(Tasks, ValidationIsCarvedFromTheTrainingDataOnly) {
  // Pairs of recordings are drawn; their own test checks the recordings.
  if (!has("validation") || has("validation_samples")) return;
  const auto with = make();
  const auto without = make({{"validation", has("validation_fraction") ? "none" : "0"}});
  EXPECT_EQ(without->split(Split::validation), nullptr);
  EXPECT_EQ(prints(with->split(Split::test)), prints(without->split(Split::test)));
  auto both = prints(with->split(Split::train));
  both.merge(prints(with->split(Split::validation)));
  EXPECT_EQ(both, prints(without->split(Split::train)));
}

TEST_P(Tasks, SplitDependsOnItsSeedOnly) {
  if (!has("split_seed")) return;
  const auto validation = [&](const std::string& seed) {
    return prints(make({{"split_seed", seed}})->split(Split::validation));
  };
  EXPECT_EQ(validation("3"), validation("3"));
  EXPECT_NE(validation("3"), validation("4"));
}

TEST_P(Tasks, SamplesCanBeFewer) {
  if (!has("train_samples")) return;
  const auto whole = make(), few = make({{"train_samples", "5"}, {"test_samples", "3"}});
  EXPECT_EQ(few->split(Split::train)->size(), 5);
  EXPECT_EQ(few->split(Split::test)->size(), 3);
  EXPECT_EQ(few->split(Split::validation)->size(), 7);
  const auto first = [](const Task& task, Split split, std::int64_t count) {
    std::vector<std::int64_t> numbers(static_cast<std::size_t>(count));
    std::iota(numbers.begin(), numbers.end(), 0);
    return task.split(split)->batch(numbers).input;
  };
  testing::expect_same(first(*few, Split::train, 5), first(*whole, Split::train, 5), "train");
  testing::expect_same(first(*few, Split::test, 3), first(*whole, Split::test, 3), "test");
}

TEST_P(Tasks, MoreValidationSamplesThanThereAreIsAnError) {
  if (!has("validation") || has("validation_fraction")) return;
  try {
    make({{"validation", "1000000"}});
    ADD_FAILURE();
  } catch (const Error& error) {
    EXPECT_EQ(error.kind(), ErrorKind::config);
    EXPECT_THAT(error.what(), ::testing::HasSubstr("'task.validation': found 1000000"));
  }
}

TEST_P(Tasks, WhatTheLossReadsCanBeChosen) {
  if (!has("read")) return;
  const auto task = make({{"read", "3"}, {"loss_over", "each_step"}, {"dt", "0.25 ms"}});
  EXPECT_EQ(task->objective().read.text(), "3");
  EXPECT_EQ(task->objective().over, Objective::Over::each_step);
  EXPECT_EQ(task->shape().dt_ms, 0.25);
}

std::vector<std::string> names() {
  std::vector<std::string> all_names;
  for (const TaskEntry& entry : entries()) {
    // Images that do not ship with the project; their tasks differ from MNIST's only by name.
    if (!entry.name.ends_with("_fashion")) all_names.emplace_back(entry.name);
  }
  return all_names;
}

std::string label(const ::testing::TestParamInfo<std::string>& info) {
  return info.param;
}

INSTANTIATE_TEST_SUITE_P(All, Tasks, ::testing::ValuesIn(names()), label);

TEST(TaskEntries, HaveNamesSummariesAndOptionsThatTakeTheirDefaults) {
  std::set<std::string_view> seen;
  for (const TaskEntry& entry : entries()) {
    EXPECT_TRUE(seen.insert(entry.name).second) << entry.name;
    EXPECT_FALSE(entry.summary.empty()) << entry.name;
    const auto model = entry.make();
    options::Description description;
    model->describe(options::Section(description, "task"));
    for (const options::Field& field : description.fields()) {
      const std::string before = options::text(field.value());
      EXPECT_NO_THROW(field.set_text(before)) << field.path();
      EXPECT_EQ(options::text(field.value()), before) << field.path();
      EXPECT_FALSE(field.help().empty()) << field.path();
    }
  }
  EXPECT_THAT(seen, ::testing::IsSupersetOf({"line_mnist", "pixel_mnist", "permuted_mnist",
                                             "sine_generation", "realizable", "file"}));
}

}  // namespace
}  // namespace afterspike::tasks
