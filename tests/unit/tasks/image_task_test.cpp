#include <algorithm>
#include <vector>

#include <ATen/ATen.h>
#include <gtest/gtest.h>

#include "afterspike/datasets/images.hpp"
#include "image_task.hpp"
#include "make_task.hpp"
#include "support/expect_error.hpp"
#include "support/temp_dir.hpp"
#include "support/tensors.hpp"

namespace afterspike::tasks {
namespace {

using testing::all;
using testing::expect_close;
using testing::expect_same;
using testing::Settings;

std::unique_ptr<Task> mini(std::string_view name, const Settings& more = {}) {
  Settings settings = {{"dataset", "mini_mnist"}, {"validation", "0"}};
  settings.insert(settings.end(), more.begin(), more.end());
  return testing::make_task(name, settings);
}

datasets::ImageSet images(datasets::Part part) {
  return datasets::read_images(
      find_entry<datasets::DatasetEntry>(datasets::entries(), "mini_mnist", "data set"), {}, part);
}

TEST(ImageTasks, LinesAreTheRowsOfNormalisedImages) {
  for (const auto& [split, part] : {std::pair(Split::train, datasets::Part::train),
                                    std::pair(Split::test, datasets::Part::test)}) {
    const datasets::ImageSet expected = images(part);
    const tasks::Batch batch = all(*mini("line_mnist")->split(split));
    at::Tensor pixels =
        at::tensor(at::ArrayRef<std::uint8_t>(expected.pixels), at::kDouble).reshape({-1, 28, 28});
    pixels = (pixels / 255 - 0.1307) / 0.3081;
    expect_close(batch.input, pixels.transpose(0, 1), 1e-6, "input");
    expect_same(batch.target, at::tensor(at::ArrayRef<std::uint8_t>(expected.labels), at::kLong),
                "target");
  }
}

TEST(ImageTasks, NormaliseEachSetByItsOwnMoments) {
  // Mean and standard deviation of all training pixels, in grey levels: 33.318421 and 78.567490;
  // 72.940352 and 90.021183.
  for (const auto& [set, mean, sd] :
       {std::tuple("mnist", 33.318421, 78.567490), std::tuple("mini_mnist", 33.318421, 78.567490),
        std::tuple("fashion_mnist", 72.940352, 90.021183)}) {
    EXPECT_NEAR(normalisation(set).mean, mean / 255, 1e-4) << set;
    EXPECT_NEAR(normalisation(set).sd, sd / 255, 1e-4) << set;
  }
}

TEST(ImageTasks, PixelsAreTheLinesOneAfterTheOther) {
  const tasks::Batch lines = all(*mini("line_mnist")->split(Split::train));
  const tasks::Batch pixels = all(*mini("pixel_mnist")->split(Split::train));
  expect_same(pixels.input.squeeze(2).t().contiguous(),
              lines.input.transpose(0, 1).reshape({-1, 784}), "input");
  expect_same(pixels.target, lines.target, "target");
}

/// Returns the values of each step over all samples of both splits, one text per step.
std::vector<std::string> steps(const Task& task) {
  const at::Tensor input =
      at::cat({all(*task.split(Split::train)).input, all(*task.split(Split::test)).input}, 1);
  std::vector<std::string> texts;
  for (std::int64_t step = 0; step < input.size(0); ++step) {
    const at::Tensor row = input[step].contiguous();
    texts.emplace_back(static_cast<const char*>(row.data_ptr()), row.nbytes());
  }
  return texts;
}

TEST(ImageTasks, PermutedPixelsAreAllPixelsInAnOrderThatTheSeedFixes) {
  const auto raster = steps(*mini("pixel_mnist"));
  const auto first = steps(*mini("permuted_mnist"));
  EXPECT_EQ(steps(*mini("permuted_mnist", {{"permutation_seed", "1"}})), first);
  const auto other = steps(*mini("permuted_mnist", {{"permutation_seed", "2"}}));
  EXPECT_NE(first, raster);
  EXPECT_NE(first, other);
  // The split's seed has no effect.
  EXPECT_EQ(steps(*mini("permuted_mnist", {{"split_seed", "2"}})), first);
  const auto sorted = [](std::vector<std::string> texts) {
    std::sort(texts.begin(), texts.end());
    return texts;
  };
  EXPECT_EQ(sorted(first), sorted(raster));
  EXPECT_EQ(sorted(other), sorted(raster));
}

TEST(ImageTasks, FormsBelongToTheTaskAndNormalisationToTheData) {
  EXPECT_EQ(mini("line_mnist")->shape().steps, 28);
  EXPECT_EQ(mini("line_mnist")->shape().input_size, 28);
  for (const char* task : {"pixel_mnist", "permuted_mnist"}) {
    EXPECT_EQ(mini(task)->shape().steps, 784);
    EXPECT_EQ(mini(task)->shape().input_size, 1);
  }
  EXPECT_EQ(mini("line_mnist")->shape().output_size, 10);
  EXPECT_EQ(mini("line_mnist")->shape().dt_ms, 0.05);
  EXPECT_EQ(mini("line_mnist")->objective().read.text(), "last");
  const auto darkest = [](const Task& task) {
    return all(*task.split(Split::train)).input.min().item<double>();
  };
  EXPECT_NEAR(darkest(*mini("line_mnist")), -0.1307 / 0.3081, 1e-6);
  const auto other = image_task({"fashion_mnist", "mini_mnist"}, ImageForm::lines);
  testing::apply(*other, {{"dataset", "mini_mnist"}});
  EXPECT_NEAR(darkest(*other->make({})), -0.1307 / 0.3081, 1e-6)
      << "the normalisation is that of the data set, whatever the task";
}

TEST(ImageTasks, TakeNoDataOfAnotherTask) {
  for (const std::string form : {"line_", "pixel_", "permuted_"}) {
    testing::expect_error(ErrorKind::config, {"'dataset'", "'fashion_mnist'", "mnist, mini_mnist"},
                          [&] {
                            testing::make_task(form + "mnist", {{"dataset", "fashion_mnist"}});
                          });
    for (const char* set : {"mnist", "mini_mnist"}) {
      testing::expect_error(ErrorKind::config, {"'dataset'", set, "one of fashion_mnist"}, [&] {
        testing::make_task(form + "fashion", {{"dataset", set}});
      });
    }
  }
}

TEST(ImageTasks, DefaultsAreThoseOfTheExperiments) {
  for (const TaskEntry& entry : entries()) {
    if (!testing::has_option(*entry.make(), "dataset")) continue;
    options::Description description;
    const auto model = entry.make();
    model->describe(options::Section(description, ""));
    const auto value = [&](const char* name) {
      return options::text(description.find(name).value());
    };
    const bool fashion = entry.name.ends_with("fashion");
    EXPECT_EQ(value("dataset"), fashion ? "fashion_mnist" : "mnist") << entry.name;
    EXPECT_EQ(value("validation"), "-1") << entry.name;
  }
}

TEST(ImageTasks, MissingImagesAndWrongSettingsAreRefused) {
  const testing::TempDir empty;
  const auto model = find_entry<TaskEntry>(entries(), "line_mnist", "task").make();
  testing::expect_error(ErrorKind::data, {"mnist"}, [&] { model->make({empty.path()}); });
  for (const auto& [name, text] : Settings{{"dataset", "cifar"},
                                           {"dt", "0 ms"},
                                           {"read", "first"},
                                           {"loss_over", "none"},
                                           {"validation", "-2"},
                                           {"train_samples", "-1"}}) {
    testing::expect_error(
        ErrorKind::config, {name, "'" + text + "'"},
        [&, setting = std::pair(name, text)] { testing::make_task("line_mnist", {setting}); });
  }
}

}  // namespace
}  // namespace afterspike::tasks
