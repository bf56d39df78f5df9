#include <cmath>
#include <map>
#include <set>

#include <ATen/ATen.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "make_task.hpp"
#include "spike_data.hpp"
#include "support/expect_error.hpp"
#include "support/spike_files.hpp"
#include "support/temp_dir.hpp"
#include "support/tensors.hpp"

namespace afterspike::tasks {
namespace {

using testing::all;
using testing::expect_error;
using testing::expect_same;
using testing::Settings;
using testing::SpikeFile;

constexpr std::int64_t kTrain = 60, kTest = 24;

class SpikeTasks : public ::testing::Test {
 protected:
  SpikeTasks() {
    train_.write(folder_ / "shd/shd_train.h5");
    test_.write(folder_ / "shd/shd_test.h5");
  }

  std::unique_ptr<Task> make(std::string_view name, const Settings& settings = {}) const {
    return testing::make_task(name, settings, folder_.path());
  }

  testing::TempDir folder_;
  SpikeFile train_ = testing::random_spikes(kTrain, {0, 1, 3, 6, 9}, Rng(1));
  SpikeFile test_ = testing::random_spikes(kTest, {4, 5}, Rng(2));
};

/// Counts spikes, [steps, recordings, channels], by the definition: spikes with edge(k) <= t <
/// edge(k + 1) of the units that share a channel.
at::Tensor counted(const SpikeFile& file, double bin_ms, std::int64_t steps,
                   std::int64_t channels) {
  at::Tensor counts = at::zeros({steps, std::ssize(file.times), channels});
  auto count = counts.accessor<float, 3>();
  for (std::size_t row = 0; row < file.times.size(); ++row) {
    for (std::size_t i = 0; i < file.times[row].size(); ++i) {
      std::int64_t step = -1;
      while (step < steps &&
             file.times[row][i] >= static_cast<double>(step + 1) * (bin_ms / 1000)) {
        ++step;
      }
      if (step == steps) continue;
      count[step][static_cast<std::int64_t>(row)][file.units[row][i] * channels / 700] += 1;
    }
  }
  return counts;
}

TEST_F(SpikeTasks, InputsAreSpikesCountedInBins) {
  for (const auto& [bin, steps, channels] :
       {std::tuple(10.0, 100, 700), std::tuple(2.0, 500, 140), std::tuple(30.0, 34, 35)}) {
    const Settings settings = {{"bin", std::to_string(bin) + " ms"},
                               {"channels", std::to_string(channels)},
                               {"validation", "none"}};
    const auto task = make("shd", settings);
    EXPECT_EQ(task->shape().steps, steps);
    EXPECT_EQ(task->shape().input_size, channels);
    EXPECT_EQ(task->shape().output_size, 20);
    EXPECT_EQ(task->shape().dt_ms, bin);
    const tasks::Batch batch = all(*task->split(Split::train));
    const at::Tensor expected = counted(train_, bin, steps, channels);
    EXPECT_GT(expected.max().item<float>(), 1);
    expect_same(batch.input, expected, "counts");
    expect_same(batch.target, at::tensor(at::ArrayRef<std::int64_t>(train_.labels)), "labels");
    expect_same(all(*task->split(Split::test)).input, counted(test_, bin, steps, channels), "test");

    Settings boolean = settings;
    boolean.emplace_back("input", "boolean");
    expect_same(all(*make("shd", boolean)->split(Split::train)).input, expected.clamp_max(1),
                "booleans");
  }
}

TEST_F(SpikeTasks, DurationSaysHowMuchOfARecordingIsUsed) {
  const auto task = make("shd", {{"duration", "1400 ms"}, {"validation", "none"}});
  EXPECT_EQ(task->shape().steps, 140);
  expect_same(all(*task->split(Split::train)).input, counted(train_, 10, 140, 700), "longer");
}

/// For example, milliseconds in place of seconds.
TEST_F(SpikeTasks, SpikesThatAreNotUsedAreSpokenOf) {
  const Settings settings = {{"validation", "none"}};
  for (auto& recording : test_.times) {
    for (double& time : recording) time *= 100;
  }
  test_.write(folder_ / "shd/shd_test.h5");
  for (const char* name : {"shd", "shd_adding"}) {
    const auto task = make(name, settings);
    // The spikes of the training file end at 1.2 s.
    ASSERT_EQ(task->remarks().size(), 2u) << name;
    EXPECT_THAT(task->remarks()[1],
                ::testing::AllOf(::testing::HasSubstr("shd_test.h5': 9"),
                                 ::testing::HasSubstr("come after the 1000 ms that are used")));
  }
  EXPECT_EQ(make("shd", {{"duration", "10000 ms"}, {"validation", "none"}})->remarks().size(), 1u)
      << "all of the training file are used";
  for (auto& recording : test_.times) {
    for (double& time : recording) time += 2;
  }
  test_.write(folder_ / "shd/shd_test.h5");
  expect_error(ErrorKind::data, {"shd_test.h5': found all", "times in seconds"},
               [&] { make("shd", settings); });
  for (auto& recording : test_.times) recording.clear();
  for (auto& recording : test_.units) recording.clear();
  test_.write(folder_ / "shd/shd_test.h5");
  expect_error(ErrorKind::data, {"shd_test.h5': found no spikes"}, [&] { make("shd", settings); });
}

TEST_F(SpikeTasks, SamplesAreTheSameInAnyBatch) {
  const auto set = make("shd")->split(Split::train)->for_epoch(Rng(1));
  const auto varied = make("shd", {{"jitter_channels", "5"}, {"stretch", "0.2"}})
                          ->split(Split::train)
                          ->for_epoch(Rng(1));
  for (const auto& samples : {set, varied}) {
    const std::vector<std::int64_t> both = {7, 3}, one = {3};
    const tasks::Batch two = samples->batch(both);
    expect_same(two.input.narrow(1, 1, 1).contiguous(), samples->batch(one).input, "sample 3");
  }
}

TEST_F(SpikeTasks, SpeakersAreHeldOutWhole) {
  const auto task = make("shd", {{"validation", "speakers"}, {"validation_speakers", "3,9"}});
  const at::Tensor inputs = counted(train_, 10, 100, 700);
  std::vector<at::Tensor> held, rest;
  for (std::int64_t row = 0; row < kTrain; ++row) {
    const std::int64_t speaker = (*train_.speakers)[static_cast<std::size_t>(row)];
    (speaker == 3 || speaker == 9 ? held : rest).push_back(inputs.select(1, row));
  }
  expect_same(all(*task->split(Split::validation)).input, at::stack(held, 1), "validation");
  expect_same(all(*task->split(Split::train)).input, at::stack(rest, 1), "train");
}

TEST_F(SpikeTasks, RandomValidationIsTheAskedPart) {
  EXPECT_EQ(make("shd")->split(Split::validation)->size(), 12);
  EXPECT_EQ(make("shd", {{"validation_fraction", "0.5"}})->split(Split::validation)->size(), 30);
  EXPECT_EQ(make("shd", {{"validation", "none"}})->split(Split::validation), nullptr);
}

struct Refused {
  std::string task;
  Settings settings;
  std::vector<std::string> message;
};

TEST_F(SpikeTasks, WhatCannotBeIsRefused) {
  const Refused refused[] = {
      {"shd", {{"channels", "300"}}, {"'task.channels': found 300, expected a divisor of the 700"}},
      {"shd_adding",
       {{"bin", "3 ms"}},
       {"'task.bin': found '3 ms', expected a divisor of 1000 ms"}},
      {"shd",
       {{"validation", "speakers"}, {"validation_speakers", "3,4"}},
       {"'task.validation_speakers': found 4, expected some of 0 1 3 6 9"}},
      {"shd",
       {{"validation", "speakers"}, {"validation_speakers", "0,1,3,6,9"}},
       {"found 5 of 5 speakers, expected some, not all"}},
      {"shd",
       {{"bin", "20 ms"}, {"duration", "10 ms"}},
       {"'task.bin': found 20 ms, expected at most task.duration, 10 ms"}},
      {"shd",
       {{"validation_fraction", "0.001"}},
       {"'task.validation_fraction': found 0.001, 0 of"}},
  };
  for (const Refused& bad : refused) {
    try {
      make(bad.task, bad.settings);
      ADD_FAILURE() << bad.message[0];
    } catch (const Error& error) {
      EXPECT_EQ(error.kind(), ErrorKind::config);
      EXPECT_THAT(error.what(), ::testing::HasSubstr(bad.message[0]));
    }
  }
  expect_error(ErrorKind::config, {"validation_speakers", "numbers of speakers"}, [&] {
    make("shd", {{"validation_speakers", "1.5"}});
  });
}

TEST_F(SpikeTasks, WithoutSpeakersTheyCannotBeHeldOut) {
  train_.speakers.reset();
  train_.write(folder_ / "shd/shd_train.h5");
  EXPECT_NO_THROW(make("shd"));
  expect_error(ErrorKind::data, {"'task.validation': found 'speakers'", "'/extra/speaker'"}, [&] {
    make("shd", {{"validation", "speakers"}});
  });
}

TEST_F(SpikeTasks, AMissingSetSaysHowToObtainIt) {
  expect_error(ErrorKind::data, {"no 'ssc_train.h5'", "afterspike data fetch ssc"},
               [&] { make("ssc"); });
}

/// Bytes of one recording.
std::string bytes_of(const at::Tensor& recording) {
  const at::Tensor plain = recording.contiguous();
  return {static_cast<const char*>(plain.data_ptr()), plain.nbytes()};
}

/// Returns the row of each recording of a file, by its content.
std::map<std::string, std::size_t> rows_of(const SpikeFile& file, double bin_ms,
                                           std::int64_t steps) {
  std::map<std::string, std::size_t> rows;
  const at::Tensor inputs = counted(file, bin_ms, steps, 700);
  for (std::int64_t row = 0; row < inputs.size(1); ++row) {
    rows[bytes_of(inputs.select(1, row))] = static_cast<std::size_t>(row);
  }
  return rows;
}

const Settings kFewPairs = {{"bin", "50 ms"},
                            {"train_samples", "300"},
                            {"validation_samples", "80"},
                            {"test_samples", "200"}};

/// Returns the rows of both digits of each pair; checks the classes.
std::vector<std::pair<std::size_t, std::size_t>> pairs_of(const tasks::Dataset& set,
                                                          const SpikeFile& file) {
  const auto rows = rows_of(file, 50, 20);
  const tasks::Batch batch = all(set);
  EXPECT_EQ(batch.input.size(0), 40);
  std::vector<std::pair<std::size_t, std::size_t>> pairs;
  for (std::int64_t i = 0; i < set.size(); ++i) {
    const at::Tensor sample = batch.input.select(1, i);
    const std::size_t first = rows.at(bytes_of(sample.narrow(0, 0, 20)));
    const std::size_t second = rows.at(bytes_of(sample.narrow(0, 20, 20)));
    EXPECT_EQ(batch.target[i].item<std::int64_t>(),
              file.labels[first] % 10 + file.labels[second] % 10);
    pairs.emplace_back(first, second);
  }
  return pairs;
}

std::set<std::size_t> digits(const std::vector<std::pair<std::size_t, std::size_t>>& pairs) {
  std::set<std::size_t> rows;
  for (const auto& [first, second] : pairs) rows.insert({first, second});
  return rows;
}

TEST_F(SpikeTasks, PairsAreTwoDigitsAndTheirSum) {
  const auto task = make("shd_adding", kFewPairs);
  EXPECT_EQ(task->shape().steps, 40);
  EXPECT_EQ(task->shape().output_size, 19);
  const auto train = pairs_of(*task->split(Split::train), train_);
  const auto validation = pairs_of(*task->split(Split::validation), train_);
  const auto test = pairs_of(*task->split(Split::test), test_);
  EXPECT_EQ(train.size(), 300u);
  EXPECT_EQ(validation.size(), 80u);
  EXPECT_EQ(test.size(), 200u);
  // No recording is in two splits, and all are used: of 48, 12 and 24.
  EXPECT_EQ(digits(train).size(), 48u);
  EXPECT_EQ(digits(validation).size(), 12u);
  EXPECT_EQ(digits(test).size(), 24u);
  for (const std::size_t row : digits(validation)) EXPECT_FALSE(digits(train).contains(row));
}

TEST_F(SpikeTasks, EpochsDrawPairsOfTheirOwn) {
  const auto task = make("shd_adding", kFewPairs);
  const auto train = task->split(Split::train);
  const auto epoch = [&](std::uint64_t number) {
    return pairs_of(*train->for_epoch(Rng(1).stream("samples", number)), train_);
  };
  const auto first = epoch(0), second = epoch(1);
  EXPECT_EQ(first, epoch(0));
  EXPECT_NE(first, second);
  EXPECT_EQ(first.size(), 300u);
  EXPECT_EQ(digits(first), digits(pairs_of(*train, train_)));
}

TEST_F(SpikeTasks, PairsForTestingAreFixedByTheirSeed) {
  const auto pairs = [&](const std::string& option, const std::string& value) {
    Settings settings = kFewPairs;
    settings.emplace_back(option, value);
    const auto task = make("shd_adding", settings);
    return std::pair(pairs_of(*task->split(Split::test), test_),
                     pairs_of(*task->split(Split::validation), train_));
  };
  const auto standard = pairs("pair_seed", "1");
  EXPECT_NE(standard.first, pairs("pair_seed", "2").first);
  EXPECT_EQ(standard.first, pairs("split_seed", "2").first);
  EXPECT_NE(standard.second, pairs("split_seed", "2").second);
  EXPECT_EQ(digits(standard.second), digits(pairs("pair_seed", "2").second));
}

TEST_F(SpikeTasks, PairsAreAsManyAsPublished) {
  const auto task = make("shd_adding");
  EXPECT_EQ(task->shape().steps, 1000);
  EXPECT_EQ(task->split(Split::train)->size(), 16'000);
  EXPECT_EQ(task->split(Split::validation)->size(), 4'000);
  EXPECT_EQ(task->split(Split::test)->size(), 16'000);
}

/// Draws are uniform: 32,000 of 24 recordings, 1,333 each with a standard deviation of 36.
TEST_F(SpikeTasks, PairsAreDrawnUniformly) {
  const auto task = make("shd_adding", {{"bin", "1000 ms"}, {"channels", "1"}});
  const auto set = std::dynamic_pointer_cast<const SpikePairs>(task->split(Split::test));
  ASSERT_NE(set, nullptr);
  const tasks::Batch batch = all(*set);
  std::map<std::int64_t, int> sums;
  for (std::int64_t i = 0; i < set->size(); ++i) ++sums[batch.target[i].item<std::int64_t>()];
  // Labels 0 ... 19 and 0 ... 3 once more: digits 0 to 3 have 3 of 24 recordings, the others 2.
  std::vector<double> digit(10, 2.0 / 24);
  for (std::size_t i = 0; i < 4; ++i) digit[i] = 3.0 / 24;
  for (std::int64_t sum = 0; sum <= 18; ++sum) {
    double expected = 0;
    for (std::int64_t i = std::max<std::int64_t>(0, sum - 9); i <= std::min<std::int64_t>(9, sum);
         ++i) {
      expected += digit[static_cast<std::size_t>(i)] * digit[static_cast<std::size_t>(sum - i)];
    }
    expected *= 16'000;
    EXPECT_NEAR(sums[sum], expected, 5 * std::sqrt(expected)) << sum;
  }
}

TEST_F(SpikeTasks, WithoutVariationEveryEpochIsTheSame) {
  const auto train = make("shd")->split(Split::train);
  EXPECT_EQ(train->for_epoch(Rng(1)), train);
}

TEST_F(SpikeTasks, ChannelsAreShiftedTogether) {
  const auto task = make("shd", {{"jitter_channels", "20"}, {"validation", "none"}});
  const auto train = task->split(Split::train);
  const at::Tensor plain = all(*train).input;
  expect_same(plain, counted(train_, 10, 100, 700), "the set itself");
  const auto epoch = train->for_epoch(Rng(1));
  const at::Tensor varied = all(*epoch).input;
  expect_same(all(*train->for_epoch(Rng(1))).input, varied, "again");
  EXPECT_FALSE(at::equal(all(*train->for_epoch(Rng(2))).input, varied));
  std::set<std::int64_t> shifts;
  for (std::int64_t row = 0; row < kTrain; ++row) {
    std::int64_t matches = 0;
    for (std::int64_t shift = -25; shift <= 25; ++shift) {
      at::Tensor shifted = at::zeros({100, 700});
      const std::int64_t kept = 700 - std::abs(shift);
      const std::int64_t to = std::max<std::int64_t>(0, shift),
                         from = std::max<std::int64_t>(0, -shift);
      shifted.narrow(1, to, kept).copy_(plain.select(1, row).narrow(1, from, kept));
      if (!at::equal(shifted, varied.select(1, row))) continue;
      ++matches;
      shifts.insert(shift);
    }
    EXPECT_EQ(matches, 1) << row;
  }
  EXPECT_GT(shifts.size(), 20u);
  EXPECT_GE(*shifts.begin(), -20);
  EXPECT_LE(*shifts.rbegin(), 20);
}

/// Mean time of the spikes of each recording, in steps.
at::Tensor mean_step(const at::Tensor& input) {
  const at::Tensor spikes = input.sum(2);
  const at::Tensor steps = at::arange(input.size(0)).to(at::kFloat).add(0.5).unsqueeze(1);
  return (spikes * steps).sum(0) / spikes.sum(0);
}

TEST_F(SpikeTasks, TimesAreStretchedAndShiftedTogether) {
  // Recordings of 0.5 s, so that no spike leaves at the end.
  for (auto& times : train_.times) {
    for (double& time : times) time = 0.2 + time / 4;
  }
  train_.time_type = io::Hdf5Type::float64;
  train_.write(folder_ / "shd/shd_train.h5");
  const auto ratio_and_spikes = [&](const Settings& by) {
    Settings settings = {{"bin", "1 ms"}, {"validation", "none"}};
    settings.insert(settings.end(), by.begin(), by.end());
    const auto train = make("shd", settings)->split(Split::train);
    const at::Tensor plain = all(*train).input, varied = all(*train->for_epoch(Rng(3))).input;
    expect_same(varied.sum(at::IntArrayRef({0})), plain.sum(at::IntArrayRef({0})), "channels");
    return std::pair(mean_step(plain), mean_step(varied));
  };
  {
    const auto [plain, varied] = ratio_and_spikes({{"stretch", "0.2"}});
    const at::Tensor ratio = varied / plain;
    EXPECT_GE(ratio.min().item<float>(), 0.795);
    EXPECT_LE(ratio.max().item<float>(), 1.205);
    EXPECT_NEAR(ratio.std().item<float>(), 0.4 / std::sqrt(12), 0.03);
  }
  {
    const auto [plain, varied] = ratio_and_spikes({{"jitter_time", "50 ms"}});
    const at::Tensor shift = varied - plain;
    EXPECT_LE(shift.abs().max().item<float>(), 50.5);
    EXPECT_NEAR(shift.std().item<float>(), 100 / std::sqrt(12), 8);
  }
}

TEST_F(SpikeTasks, SpikesAreDroppedEachByItself) {
  const auto train =
      make("shd", {{"drop_spikes", "0.3"}, {"validation", "none"}})->split(Split::train);
  const at::Tensor plain = all(*train).input, varied = all(*train->for_epoch(Rng(5))).input;
  EXPECT_TRUE((varied <= plain).all().item<bool>());
  const double spikes = plain.sum().item<double>();
  EXPECT_NEAR(varied.sum().item<double>() / spikes, 0.7, 4 * std::sqrt(0.21 / spikes));
}

TEST_F(SpikeTasks, DigitsOfAPairVaryByThemselves) {
  Settings settings = kFewPairs;
  settings.emplace_back("jitter_channels", "30");
  const auto train = make("shd_adding", settings)->split(Split::train);
  const auto plain = make("shd_adding", kFewPairs)->split(Split::train)->for_epoch(Rng(1));
  const at::Tensor still = all(*plain).input, varied = all(*train->for_epoch(Rng(1))).input;
  // The same pairs, with the channels of the halves shifted by different numbers. The shifts are
  // found by the means of the pairs that lose no spikes.
  const at::Tensor channel = at::arange(700).to(at::kFloat);
  const auto centre = [&](const at::Tensor& input, std::int64_t begin) {
    const at::Tensor counts = input.narrow(0, begin, 20).sum(0);
    return (counts * channel).sum(1) / counts.sum(1);
  };
  const at::Tensor first = centre(varied, 0) - centre(still, 0);
  const at::Tensor second = centre(varied, 20) - centre(still, 20);
  EXPECT_GT((first - second).abs().gt(1).sum().item<std::int64_t>(), 250);
  EXPECT_GT(first.abs().gt(1).sum().item<std::int64_t>(), 250);
}

}  // namespace
}  // namespace afterspike::tasks
