#include <map>
#include <set>

#include <ATen/ATen.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "afterspike/datasets/neuronio.hpp"
#include "make_task.hpp"
#include "neuron_windows.hpp"
#include "support/expect_error.hpp"
#include "support/neuron_files.hpp"
#include "support/spike_files.hpp"
#include "support/temp_dir.hpp"
#include "support/tensors.hpp"

namespace afterspike::tasks {
namespace {

using testing::all;
using testing::expect_error;
using testing::expect_same;
using testing::Settings;

constexpr std::int64_t kSegments = 4, kSteps = 60;

const Settings kSmall = {
    {"window", "15 ms"}, {"evaluation_window", "20 ms"}, {"evaluation_burn_in", "6 ms"},
    {"skip", "10 ms"},   {"validation_runs", "2"},       {"train_samples", "50"}};

class NeuronIoTask : public ::testing::Test {
 protected:
  NeuronIoTask() {
    testing::random_simulations(9, kSegments, kSteps, Rng(1)).write(folder_ / "neuronio/train.h5");
    testing::random_simulations(3, kSegments, kSteps, Rng(2)).write(folder_ / "neuronio/test.h5");
  }

  std::unique_ptr<Task> make(const Settings& more = {}) const {
    Settings settings = kSmall;
    settings.insert(settings.end(), more.begin(), more.end());
    return testing::make_task("neuronio", settings, folder_.path());
  }

  testing::TempDir folder_;
};

std::vector<std::int64_t> first(std::int64_t count) {
  std::vector<std::int64_t> numbers(static_cast<std::size_t>(count));
  std::iota(numbers.begin(), numbers.end(), 0);
  return numbers;
}

TEST_F(NeuronIoTask, WindowsCoverEveryStepAfterTheSkippedOnesOnce) {
  const auto simulations = datasets::read_neuronio(folder_ / "neuronio/test.h5");
  for (const WindowRule& rule : {WindowRule{20, 6, 10}, WindowRule{20, 0, 0}, WindowRule{60, 0, 0},
                                 WindowRule{17, 16, 43}, WindowRule{25, 10, 30}}) {
    std::map<std::size_t, std::vector<int>> asked;
    for (const NeuronWindow& window : covering_windows(simulations, {0, 2}, rule)) {
      auto& steps = asked[window.run];
      steps.resize(kSteps);
      EXPECT_LT(window.asked, window.asked_end);
      EXPECT_LE(window.asked_end, window.begin + rule.length);
      EXPECT_GE(window.asked, window.begin == 0 ? 0 : window.begin + rule.burn_in);
      for (std::int64_t step = window.asked; step < window.asked_end; ++step) {
        ++steps[static_cast<std::size_t>(step)];
      }
    }
    EXPECT_EQ(asked.size(), 2U);
    for (const auto& [run, steps] : asked) {
      EXPECT_NE(run, 1U);
      for (std::int64_t step = 0; step < kSteps; ++step) {
        EXPECT_EQ(steps[static_cast<std::size_t>(step)], step >= rule.skip ? 1 : 0) << step;
      }
    }
  }
}

TEST_F(NeuronIoTask, SamplesAreWhatTheFileSays) {
  const auto simulations = std::make_shared<datasets::NeuronSimulations>(
      datasets::read_neuronio(folder_ / "neuronio/test.h5"));
  // The last one exceeds the end of its run.
  const std::vector<NeuronWindow> windows = {{0, 0, 0, 20}, {2, 15, 21, 30}, {1, 50, 52, 60}};
  const NeuronWindows set(simulations, 20, windows);
  const tasks::Batch batch = all(set);
  for (std::size_t i = 0; i < windows.size(); ++i) {
    const NeuronWindow& window = windows[i];
    const datasets::NeuronRun& run = simulations->runs[window.run];
    at::Tensor input = at::zeros({20, 2 * kSegments}), target = at::zeros({20, 2});
    at::Tensor weight = at::zeros({20});
    for (std::int64_t step = 0; step < 20 && window.begin + step < kSteps; ++step) {
      const auto at = static_cast<std::size_t>(window.begin + step);
      for (auto spike = run.first[at]; spike < run.first[at + 1]; ++spike) {
        const std::int64_t synapse = run.synapses[spike];
        input[step][synapse] = synapse < kSegments ? 1 : -1;
      }
      if (std::count(run.spikes.begin(), run.spikes.end(), window.begin + step) > 0) {
        target[step][0] = 1;
      }
      target[step][1] = (std::min(run.soma_mV[at], -55.0F) + 67.7F) / 10;
      if (window.begin + step >= window.asked && window.begin + step < window.asked_end) {
        weight[step] = 1;
      }
    }
    const auto sample = static_cast<std::int64_t>(i);
    expect_same(batch.input.select(1, sample), input, "input");
    testing::expect_close(batch.target.select(1, sample), target, 1e-6, "target");
    expect_same(batch.weight.select(1, sample), weight, "weight");
    const std::vector<std::int64_t> one = {sample};
    expect_same(set.batch(one).input.select(1, 0), input, "alone");
  }
  EXPECT_EQ(batch.input.min().item<float>(), -1);
  EXPECT_EQ(batch.input.max().item<float>(), 1) << "two spikes in a step are one";
}

TEST_F(NeuronIoTask, TrainingWindowsAreDrawnAnewInEachEpochFromTheTrainingRuns) {
  const auto simulations = std::make_shared<datasets::NeuronSimulations>(
      datasets::read_neuronio(folder_ / "neuronio/train.h5"));
  const std::vector<std::int64_t> runs = {1, 4, 8};
  const auto set =
      std::make_shared<RandomNeuronWindows>(simulations, runs, WindowRule{15, 5, 10}, 400, Rng(3));
  std::set<std::int64_t> begins;
  std::set<std::size_t> seen;
  for (const NeuronWindow& window : set->windows()) {
    begins.insert(window.begin);
    seen.insert(window.run);
    EXPECT_EQ(window.asked, window.begin + 5);
    EXPECT_EQ(window.asked_end, window.begin + 15);
  }
  EXPECT_EQ(*begins.begin(), 10);
  EXPECT_EQ(*begins.rbegin(), kSteps - 15) << "the last place that there is";
  EXPECT_THAT(seen, ::testing::ElementsAre(1, 4, 8));

  const auto one = set->for_epoch(Rng(1)), again = set->for_epoch(Rng(1)),
             other = set->for_epoch(Rng(2));
  EXPECT_EQ(one->size(), 400);
  const auto some = first(60);
  expect_same(one->batch(some).input, again->batch(some).input, "one epoch");
  EXPECT_FALSE(at::equal(one->batch(some).input, other->batch(some).input));
  EXPECT_FALSE(at::equal(one->batch(some).input, set->batch(some).input));
}

TEST_F(NeuronIoTask, SplitsTakeRunsWhole) {
  const auto steps_of = [](const Task& task, Split split) {
    return all(*task.split(split)).weight.sum().item<std::int64_t>();
  };
  const auto task = make();
  EXPECT_EQ(task->shape().input_size, 2 * kSegments);
  EXPECT_EQ(task->shape().output_size, 2);
  EXPECT_EQ(task->shape().steps, 20);
  EXPECT_EQ(steps_of(*task, Split::validation), 2 * 50);
  EXPECT_EQ(steps_of(*task, Split::test), 3 * 50);
  EXPECT_EQ(make({{"validation_runs", "0"}})->split(Split::validation), nullptr);
  EXPECT_EQ(steps_of(*make({{"validation_runs", "-1"}}), Split::validation), 50);
  const auto own = make({{"validation_files", "test.h5, train.h5"}});
  EXPECT_EQ(steps_of(*own, Split::validation), 12 * 50);
  EXPECT_THAT(make({{"test", "test.h5,test.h5"}})->remarks(),
              ::testing::ElementsAre(::testing::HasSubstr("test.h5' is named twice in task.test")));
  ASSERT_EQ(own->remarks().size(), 2u);
  EXPECT_THAT(own->remarks()[0], ::testing::HasSubstr("test.h5' is named in task.test and in"));
  EXPECT_THAT(own->remarks()[1], ::testing::HasSubstr("train.h5' is named in task.train and in"));
  EXPECT_EQ(steps_of(*make({{"skip", "0 ms"}}), Split::test), 3 * 60);

  const auto simulations = datasets::read_neuronio(folder_ / "neuronio/test.h5");
  std::vector<std::size_t> counts;
  for (const auto& run : simulations.runs) counts.push_back(run.spikes.size());
  const std::size_t most = *std::max_element(counts.begin(), counts.end());
  const auto kept =
      std::count_if(counts.begin(), counts.end(), [&](std::size_t count) { return count < most; });
  ASSERT_GT(kept, 0);
  const auto fewer = make({{"most_spikes", std::to_string(most - 1)}, {"validation_runs", "0"}});
  EXPECT_EQ(steps_of(*fewer, Split::test), kept * 50);
  ASSERT_EQ(fewer->remarks().size(), 1u);
  EXPECT_THAT(fewer->remarks()[0],
              ::testing::HasSubstr(std::to_string(3 - kept) + " of the 3 test runs are left out"));
}

TEST_F(NeuronIoTask, MistakesAreExplained) {
  testing::random_simulations(1, kSegments + 1, kSteps, Rng(1))
      .write(folder_ / "neuronio/other_cell.h5");
  const std::vector<std::tuple<Settings, ErrorKind, std::string>> table = {
      {{{"test", "none.h5"}}, ErrorKind::data, "option 'task.test': there is no '"},
      {{{"test", ""}}, ErrorKind::config, "option 'task.test': found '', expected names of files"},
      {{{"test", "other_cell.h5"}},
       ErrorKind::data,
       "option 'task.test': found a cell of 5 segments, expected the 4"},
      {{{"validation_files", "other_cell.h5"}},
       ErrorKind::data,
       "option 'task.validation_files': found a cell of 5 segments"},
      {{{"train", "train.h5,other_cell.h5"}}, ErrorKind::data, "found 5 segments and 60 steps"},
      {{{"window", "51 ms"}}, ErrorKind::config, "'task.window': found 51 ms"},
      {{{"window", "1.5 ms"}}, ErrorKind::config, "found 1.5 ms, expected whole milliseconds"},
      {{{"evaluation_burn_in", "20 ms"}}, ErrorKind::config, "'task.evaluation_window': found 20"},
      {{{"validation_runs", "9"}}, ErrorKind::config, "found 9, expected less than the 9 training"},
      {{{"most_spikes", "0"}}, ErrorKind::config, "'task.most_spikes': found 0"}};
  for (const auto& [settings, kind, message] : table) {
    expect_error(kind, {message}, [&, given = settings] { make(given); });
  }
}

/// 4 runs of 6 s of which the first 500 ms are skipped; 39 spikes, found with h5dump.
TEST(NeuronIoTaskData, EveryStepOfRealRunsIsAskedForOnce) {
  const auto file = testing::shared_data("neuronio/test__sim__4runs_seed101.h5");
  if (!std::filesystem::exists(file)) GTEST_SKIP() << "there is no " << file;
  const auto task = testing::make_task("neuronio", {{"train", file.string()},
                                                    {"test", file.string()},
                                                    {"most_spikes", "100"},
                                                    {"skip", "0 ms"},
                                                    {"train_samples", "8"}});
  const auto test = task->split(Split::test);
  EXPECT_EQ(test->size(), 4 * 17);
  const tasks::Batch batch = all(*test);
  EXPECT_EQ(batch.weight.sum().item<std::int64_t>(), 4 * 6000);
  EXPECT_EQ((batch.weight * batch.target.select(-1, 0)).sum().item<std::int64_t>(), 39);
  EXPECT_LE(batch.target.select(-1, 1).max().item<float>(), 1.2701F);
}

}  // namespace
}  // namespace afterspike::tasks
