// The tasks of Long Range Arena.

#include <ATen/ATen.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "afterspike/datasets/listops.hpp"
#include "afterspike/datasets/pathfinder.hpp"
#include "make_task.hpp"
#include "support/expect_error.hpp"
#include "support/temp_dir.hpp"
#include "support/tensors.hpp"

namespace afterspike::tasks {
namespace {

using testing::all;
using testing::expect_same;
using testing::make_task;
using testing::Settings;

const Settings kFew = {{"train_samples", "30"}, {"validation_samples", "8"}, {"test_samples", "9"}};

Settings with(Settings settings) {
  settings.insert(settings.end(), kFew.begin(), kFew.end());
  return settings;
}

TEST(ListOpsTask, SamplesAreExpressionsInEitherOrder) {
  const auto forward = make_task("listops", kFew);
  const auto backward = make_task("listops", with({{"order", "backward"}}));
  EXPECT_EQ(forward->shape().steps, 1999);
  EXPECT_EQ(forward->shape().input_size, 15);
  EXPECT_EQ(forward->shape().output_size, 10);
  const tasks::Batch batch = all(*forward->split(Split::train));
  const tasks::Batch reversed = all(*backward->split(Split::train));
  expect_same(batch.target, reversed.target, "values");
  expect_same(batch.lengths, reversed.lengths, "lengths");
  EXPECT_EQ(batch.input.size(0), batch.lengths.max().item<std::int64_t>());
  for (std::int64_t sample = 0; sample < 30; ++sample) {
    const auto length = batch.lengths[sample].item<std::int64_t>();
    EXPECT_GT(length, 500);
    const at::Tensor own = batch.input.select(1, sample), other = reversed.input.select(1, sample);
    expect_same(own.sum(-1).narrow(0, 0, length).contiguous(), at::ones({length}), "one each");
    EXPECT_EQ(own.narrow(0, length, own.size(0) - length).abs().sum().item<float>(), 0);
    expect_same(own.narrow(0, 0, length).flip(0), other.narrow(0, 0, length).contiguous(), "order");
    const at::Tensor tokens = own.narrow(0, 0, length).argmax(-1);
    std::vector<std::uint8_t> expression;
    for (std::int64_t step = 0; step < length; ++step) {
      expression.push_back(static_cast<std::uint8_t>(tokens[step].item<std::int64_t>()));
    }
    EXPECT_EQ(datasets::listops_value(expression), batch.target[sample].item<std::int64_t>());
  }
}

TEST(ListOpsTask, ShorterExpressionsAreAnOption) {
  const auto task =
      make_task("listops", with({{"min_length", "10"}, {"max_length", "30"}, {"data_seed", "7"}}));
  const at::Tensor lengths = all(*task->split(Split::train)).lengths;
  EXPECT_GT(lengths.min().item<std::int64_t>(), 10);
  EXPECT_LT(lengths.max().item<std::int64_t>(), 30);
  testing::expect_error(ErrorKind::config, {"more than 30 and fewer than 20 tokens"}, [] {
    make_task("listops", with({{"min_length", "30"}, {"max_length", "20"}, {"max_depth", "3"}}));
  });
}

TEST(DrawnTasks, HaveThePublishedSizesAndOtherSamplesForAnotherSeed) {
  const auto published = make_task("pathfinder");
  EXPECT_EQ(published->split(Split::train)->size(), 160'000);
  EXPECT_EQ(published->split(Split::validation)->size(), 20'000);
  EXPECT_EQ(published->split(Split::test)->size(), 20'000);
  for (const char* name : {"listops", "pathfinder"}) {
    const auto inputs = [&](const char* seed) {
      const auto task = make_task(name, with({{"data_seed", seed}}));
      return all(*task->split(Split::test)).input;
    };
    expect_same(inputs("1"), inputs("1"), name);
    EXPECT_FALSE(at::equal(inputs("1"), inputs("2"))) << name;
    EXPECT_EQ(
        make_task(name,
                  {{"train_samples", "5"}, {"validation_samples", "0"}, {"test_samples", "2"}})
            ->split(Split::validation),
        nullptr);
  }
}

TEST(PathfinderTask, SamplesAreImagesRowByRow) {
  const auto task = make_task("pathfinder", kFew);
  const tasks::Batch batch = all(*task->split(Split::test));
  const Rng rng = Rng(1).stream("pathfinder").stream("test");
  for (std::int64_t sample = 0; sample < 9; ++sample) {
    const auto image =
        datasets::draw_pathfinder({}, rng.stream("image", static_cast<std::uint64_t>(sample)));
    EXPECT_EQ(batch.target[sample].item<std::int64_t>(), image.connected);
    for (std::int64_t pixel = 0; pixel < 1024; ++pixel) {
      EXPECT_EQ(batch.input[pixel][sample][0].item<float>(),
                static_cast<float>(image.pixels[static_cast<std::size_t>(pixel)]) / 255);
    }
  }
}

TEST(CifarPixels, AreGreyOrColoured) {
  const testing::TempDir folder;
  std::filesystem::create_directories(folder / "cifar10");
  const auto byte = [](int image, int colour, int pixel) {
    return static_cast<std::uint8_t>(37 * image + 91 * colour + pixel);
  };
  std::string content;
  for (int image = 0; image < 4; ++image) {
    content += static_cast<char>(image + 3);
    for (int colour = 0; colour < 3; ++colour) {
      for (int pixel = 0; pixel < 1024; ++pixel) {
        content += static_cast<char>(byte(image, colour, pixel));
      }
    }
  }
  for (const char* name : {"data_batch_1", "data_batch_2", "data_batch_3", "data_batch_4",
                           "data_batch_5", "test_batch"}) {
    testing::spill(folder / ("cifar10/" + std::string(name) + ".bin"), content);
  }
  const auto inputs = [&](const char* colours) {
    const auto task =
        make_task("cifar_pixels", {{"colours", colours}, {"validation", "0"}}, folder.path());
    EXPECT_EQ(task->split(Split::train)->size(), 20);
    EXPECT_THAT(task->remarks(), ::testing::ElementsAre(::testing::HasSubstr("found 20 and 4")));
    EXPECT_EQ(task->shape().steps, 1024);
    const tasks::Batch batch = all(*task->split(Split::test));
    expect_same(batch.target, at::tensor({3, 4, 5, 6}, at::kLong), "labels");
    return batch.input;
  };
  const at::Tensor rgb = inputs("rgb"), grey = inputs("grey");
  EXPECT_EQ(grey.sizes(), at::IntArrayRef({1024, 4, 1}));
  for (int image = 0; image < 4; ++image) {
    for (const int pixel : {0, 31, 32, 500, 1023}) {
      double luma = 0;
      for (int colour = 0; colour < 3; ++colour) {
        const double value = 2.0 * byte(image, colour, pixel) / 255 - 1;
        EXPECT_NEAR(rgb[pixel][image][colour].item<double>(), value, 1e-6);
        luma += value * (colour == 0 ? 0.2989 : colour == 1 ? 0.587 : 0.114);
      }
      EXPECT_NEAR(grey[pixel][image][0].item<double>(), luma, 1e-6);
    }
  }
}

}  // namespace
}  // namespace afterspike::tasks
