#include <algorithm>
#include <cmath>
#include <limits>

#include <ATen/ATen.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "make_task.hpp"
#include "support/expect_error.hpp"
#include "support/sequence_files.hpp"
#include "support/temp_dir.hpp"
#include "support/tensors.hpp"

namespace afterspike::tasks {
namespace {

using testing::all;
using testing::expect_error;
using testing::expect_same;
using testing::Settings;

using Tensors = std::vector<std::pair<std::string, at::Tensor>>;

/// Labelled sequences of unequal lengths; the first feature of the first step is the sample's
/// number.
Tensors labelled(std::int64_t samples) {
  at::Tensor inputs = testing::uniform_tensor({samples, 6, 2}, Rng(1));
  inputs.select(1, 0).select(1, 0).copy_(at::arange(samples));
  return {{"inputs", inputs},
          {"labels", at::arange(samples) % 3},
          {"lengths", at::arange(samples) % 6 + 1}};
}

class FileTask : public ::testing::Test {
 protected:
  std::unique_ptr<Task> hdf5(const Tensors& tensors, const Settings& more = {}) const {
    testing::write_hdf5(directory_ / "own.h5", tensors);
    return make("own.h5", more);
  }
  std::unique_ptr<Task> csv(std::string_view text, const Settings& more = {}) const {
    testing::spill(directory_ / "own.csv", text);
    return make("own.csv", more);
  }

 private:
  std::unique_ptr<Task> make(std::string_view name, const Settings& more) const {
    Settings settings = {{"data", (directory_ / name).string()}};
    settings.insert(settings.end(), more.begin(), more.end());
    return testing::make_task("file", settings);
  }

  testing::TempDir directory_;
};

/// Returns the numbers of the samples in a split of labelled().
std::vector<std::int64_t> numbers(const Task& task, Split split) {
  const auto set = task.split(split);
  if (set == nullptr) return {};
  const at::Tensor first = all(*set).input[0].select(1, 0).to(at::kLong).contiguous();
  return {first.data_ptr<std::int64_t>(), first.data_ptr<std::int64_t>() + first.numel()};
}

TEST_F(FileTask, ShapeComesFromTheFile) {
  const auto classes = hdf5(labelled(10));
  EXPECT_EQ(classes->shape().input_size, 2);
  EXPECT_EQ(classes->shape().output_size, 3);
  EXPECT_EQ(classes->shape().steps, 6);
  EXPECT_EQ(classes->shape().dt_ms, 1);
  EXPECT_TRUE(classes->classifies());
  EXPECT_EQ(hdf5(labelled(10), {{"classes", "5"}, {"dt", "2 ms"}})->shape().output_size, 5);
  const auto traces = hdf5({{"inputs", at::ones({4, 6, 2})}, {"targets", at::ones({4, 6, 7})}});
  EXPECT_FALSE(traces->classifies());
  EXPECT_EQ(traces->shape().output_size, 7);
}

TEST_F(FileTask, SplitOfTheFileIsObeyed) {
  Tensors tensors = labelled(6);
  tensors.push_back({"split", at::tensor({2, 0, 1, 0, 2, 0}, at::kLong)});
  const auto task = hdf5(tensors, {{"validation", "2"}});
  EXPECT_EQ(numbers(*task, Split::train), (std::vector<std::int64_t>{1, 3, 5}));
  EXPECT_EQ(numbers(*task, Split::validation), (std::vector<std::int64_t>{2}));
  EXPECT_EQ(numbers(*task, Split::test), (std::vector<std::int64_t>{0, 4}));

  tensors.back().second = at::tensor({2, 0, 0, 0, 2, 0}, at::kLong);
  const auto carved = hdf5(tensors, {{"validation", "2"}});
  EXPECT_EQ(numbers(*carved, Split::validation).size(), 2u);
  EXPECT_EQ(numbers(*carved, Split::train).size(), 2u);
  EXPECT_EQ(numbers(*carved, Split::test), (std::vector<std::int64_t>{0, 4}));
  EXPECT_EQ(hdf5(tensors)->split(Split::validation), nullptr);
}

TEST_F(FileTask, WithoutASplitAFifthIsForTesting) {
  const auto task = hdf5(labelled(20), {{"validation", "3"}});
  auto together = numbers(*task, Split::train);
  EXPECT_EQ(together.size(), 13u);
  for (const Split split : {Split::validation, Split::test}) {
    const auto more = numbers(*task, split);
    EXPECT_EQ(more.size(), split == Split::test ? 4u : 3u);
    together.insert(together.end(), more.begin(), more.end());
  }
  std::sort(together.begin(), together.end());
  for (std::size_t i = 0; i < 20; ++i) EXPECT_EQ(together[i], static_cast<std::int64_t>(i));
  EXPECT_EQ(numbers(*hdf5(labelled(20), {{"test", "7"}}), Split::test).size(), 7u);
}

TEST_F(FileTask, LengthsAndLabelsStayWithTheirSamples) {
  const auto task = hdf5(labelled(20));
  for (const Split split : {Split::train, Split::test}) {
    const tasks::Batch batch = all(*task->split(split));
    const auto found = numbers(*task, split);
    for (std::size_t i = 0; i < found.size(); ++i) {
      const auto place = static_cast<std::int64_t>(i);
      EXPECT_EQ(batch.lengths[place].item<std::int64_t>(), found[i] % 6 + 1);
      EXPECT_EQ(batch.target[place].item<std::int64_t>(), found[i] % 3);
    }
  }
}

TEST_F(FileTask, WhatPadsShortSequencesDoesNotMatter) {
  Tensors clean = labelled(12);
  clean.push_back({"split", at::arange(12) % 2 * 2});
  Tensors spoiled = clean;
  at::Tensor inputs = clean[0].second.clone();
  for (std::int64_t sample = 0; sample < 12; ++sample) {
    const std::int64_t length = sample % 6 + 1;
    inputs[sample].narrow(0, length, 6 - length).fill_(std::numeric_limits<double>::quiet_NaN());
  }
  spoiled[0].second = inputs;
  const tasks::Batch expected = all(*hdf5(clean)->split(Split::train));
  const tasks::Batch found = all(*hdf5(spoiled)->split(Split::train));
  expect_same(found.input, expected.input, "input");
  expect_same(found.lengths, expected.lengths, "lengths");

  // Outputs after the end of a sample have no effect either.
  const at::Tensor outputs = testing::uniform_tensor({6, 6, 3}, Rng(3));
  at::Tensor noisy = outputs.clone();
  for (std::int64_t sample = 0; sample < 6; ++sample) {
    const auto length = expected.lengths[sample].item<std::int64_t>();
    noisy.select(1, sample).narrow(0, length, 6 - length).fill_(NAN);
  }
  for (const std::string read : {"last", "all", "2"}) {
    const auto task = hdf5(clean, {{"read", read}});
    const auto tally = [&](const at::Tensor& sequence) {
      return task->tally(read_steps(sequence, expected.lengths, task->objective().read), expected);
    };
    EXPECT_EQ(tally(noisy).loss, tally(outputs).loss) << read;
    EXPECT_EQ(tally(noisy).correct, tally(outputs).correct) << read;
  }
}

TEST_F(FileTask, CsvAndHdf5MakeTheSameTask) {
  const auto text =
      csv("sequence,input_a,input_b,label,split\n"
          "0,1,2,1,0\n0,3,4,1,0\n"
          "1,5,6,0,2\n"
          "2,7,8,2,0\n2,9,10,2,0\n2,11,12,2,0\n");
  at::Tensor inputs = at::zeros({3, 3, 2});
  inputs[0].narrow(0, 0, 2).copy_(at::tensor({1, 2, 3, 4}).reshape({2, 2}));
  inputs[1][0].copy_(at::tensor({5, 6}));
  inputs[2].copy_(at::arange(7, 13).reshape({3, 2}));
  const auto binary = hdf5({{"inputs", inputs},
                            {"labels", at::tensor({1, 0, 2}, at::kLong)},
                            {"lengths", at::tensor({2, 1, 3}, at::kLong)},
                            {"split", at::tensor({0, 2, 0}, at::kLong)}});
  EXPECT_EQ(text->shape().steps, binary->shape().steps);
  EXPECT_EQ(text->shape().output_size, binary->shape().output_size);
  for (const Split split : {Split::train, Split::test}) {
    const tasks::Batch a = all(*text->split(split)), b = all(*binary->split(split));
    expect_same(a.input, b.input, "input");
    expect_same(a.target, b.target, "target");
    expect_same(a.lengths, b.lengths, "lengths");
  }
}

TEST_F(FileTask, FilesThatCannotBeLearnedAreRefused) {
  struct Bad {
    Tensors tensors;
    Settings settings;
    ErrorKind kind;
    std::string part;
  };
  const at::Tensor inputs = at::ones({4, 6, 2}), labels = at::tensor({0, 1, 2, 0}, at::kLong);
  const auto split = [&](std::vector<std::int64_t> numbers) {
    return Tensors{
        {"inputs", inputs}, {"labels", labels}, {"split", at::tensor(numbers, at::kLong)}};
  };
  const Tensors good = {{"inputs", inputs}, {"labels", labels}};
  const std::vector<Bad> table = {
      {{{"inputs", inputs}}, {}, ErrorKind::data, "nothing to learn; expected labels or targets"},
      {good, {{"classes", "2"}}, ErrorKind::data, "a label 2; expected labels below the 2 classes"},
      {good, {{"test", "4"}}, ErrorKind::config, "'task.test': found 4, expected less than the 4"},
      {good, {{"validation", "3"}}, ErrorKind::config, "'task.validation': found 3"},
      {split({0, 0, 0, 1}), {}, ErrorKind::data, "3 samples for training and 0 for testing"},
      {split({2, 2, 2, 1}), {}, ErrorKind::data, "0 samples for training and 3 for testing"},
      {split({0, 0, 2, 4}), {}, ErrorKind::data, "split of sample 3 is 4"},
      {{{"inputs", inputs.narrow(0, 0, 1)}, {"labels", labels.narrow(0, 0, 1)}},
       {},
       ErrorKind::data,
       "one sample; expected at least 2"},
      {{{"labels", labels}}, {}, ErrorKind::data, "no /inputs"},
      {{{"inputs", inputs}, {"labels", labels.narrow(0, 0, 3)}}, {}, ErrorKind::data, "3 values"},
      {{{"inputs", inputs}, {"labels", -labels}}, {}, ErrorKind::data, "labels of sample 1 is -1"},
      {{{"inputs", inputs}, {"labels", labels}, {"lengths", labels}},
       {},
       ErrorKind::data,
       "lengths of sample 0 is 0, expected 1 to 6"},
      {{{"inputs", inputs}, {"targets", at::ones({4, 5, 1})}},
       {},
       ErrorKind::data,
       "[4, 6, outputs]"},
      {{{"inputs", inputs * NAN}, {"labels", labels}}, {}, ErrorKind::data, "not finite"}};
  for (const Bad& bad : table) {
    SCOPED_TRACE(bad.part);
    expect_error(bad.kind, {"own.h5", bad.part}, [&] {
      try {
        hdf5(bad.tensors, bad.settings);
      } catch (const Error& error) {
        // Errors of options name the option rather than the file.
        throw bad.kind == ErrorKind::config ? error.within("own.h5") : error;
      }
    });
  }
}

TEST_F(FileTask, AFileMustBeNamedAndThere) {
  expect_error(ErrorKind::config, {"no file was named", "--data"},
               [] { testing::make_task("file"); });
  expect_error(ErrorKind::data, {"nowhere.csv"}, [] {
    testing::make_task("file", {{"data", "nowhere.csv"}});
  });
}

}  // namespace
}  // namespace afterspike::tasks
