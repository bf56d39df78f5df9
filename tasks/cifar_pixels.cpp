#include <array>
#include <string>

#include <ATen/ATen.h>
#include <fmt/format.h>

#include "afterspike/base/registry.hpp"
#include "afterspike/datasets/cifar.hpp"
#include "afterspike/datasets/datasets.hpp"
#include "task_options.hpp"

namespace afterspike::tasks {
namespace {

using datasets::ColourImages;

enum class Colours { grey, rgb };

/// Pixels row by row, grey or red, green and blue, normalised on request.
class PixelSequences final : public tasks::Dataset {
 public:
  PixelSequences(ColourImages images, Colours colours)
      : images_(std::move(images)), colours_(colours) {}

  std::int64_t size() const override { return images_.count(); }

  tasks::Batch batch(std::span<const std::int64_t> numbers) const override {
    const std::int64_t size = std::ssize(numbers), features = colours_ == Colours::grey ? 1 : 3;
    tasks::Batch batch;
    batch.input = at::empty({ColourImages::kPlane, size, features}, at::kFloat);
    batch.target = at::empty({size}, at::kLong);
    for (std::int64_t place = 0; place < size; ++place) {
      const std::int64_t number = numbers[static_cast<std::size_t>(place)];
      write(number, batch.input.data_ptr<float>() + place * features, size * features);
      batch.target.data_ptr<std::int64_t>()[place] =
          images_.labels[static_cast<std::size_t>(number)];
    }
    return batch;
  }

 private:
  /// Writes the features of pixel k to rows + k * stride.
  void write(std::int64_t number, float* rows, std::int64_t stride) const {
    const std::uint8_t* red = images_.pixels.data() + number * 3 * ColourImages::kPlane;
    for (std::int64_t pixel = 0; pixel < ColourImages::kPlane; ++pixel) {
      const std::array<float, 3> colour = {value(red[pixel]),
                                           value(red[pixel + ColourImages::kPlane]),
                                           value(red[pixel + 2 * ColourImages::kPlane])};
      float* row = rows + pixel * stride;
      if (colours_ == Colours::rgb) {
        std::copy(colour.begin(), colour.end(), row);
      } else {
        // Luma of ITU-R BT.601, as in the published input pipeline.
        *row = 0.2989F * colour[0] + 0.587F * colour[1] + 0.114F * colour[2];
      }
    }
  }

  /// Maps 0 to 255 to a mean near 0 and a standard deviation near 1 / 2.
  static float value(std::uint8_t byte) { return 2 * static_cast<float>(byte) / 255 - 1; }

  ColourImages images_;
  Colours colours_;
};

/// Images of CIFAR-10 as sequences (Long Range Arena's Image; "sequential CIFAR").
class CifarPixels final : public TaskModel {
 public:
  CifarPixels() {
    common_.validation = 5'000;
    common_.dt_ms = 1;
  }

  void describe(options::Section section) override {
    section.choice("colours", colours_, {{"grey", Colours::grey}, {"rgb", Colours::rgb}},
                   "One input (Long Range Arena) or three.");
    common_.describe(section);
  }

  std::unique_ptr<Task> make(const TaskContext& context) const override {
    const auto& entry =
        find_entry<datasets::DatasetEntry>(datasets::entries(), "cifar10", "data set");
    const auto read = [&](const std::vector<std::string>& names) {
      std::vector<std::filesystem::path> files;
      for (const std::string& name : names) {
        files.push_back(datasets::find_file(entry, context.data_directory, name));
      }
      return std::make_shared<PixelSequences>(datasets::read_cifar(files), colours_);
    };
    std::vector<std::string> batches;
    for (int batch = 1; batch <= 5; ++batch) {
      batches.push_back(fmt::format("data_batch_{}.bin", batch));
    }
    const auto train = read(batches), test = read({"test_batch.bin"});
    Task::Parts parts = make_parts(train, test, common_);
    const std::int64_t published = std::ssize(batches) * ColourImages::kOfFile;
    if (train->size() != published || test->size() != ColourImages::kOfFile) {
      parts.remarks.push_back(
          fmt::format("found {} and {} images of CIFAR-10 for training and testing; the published "
                      "files have {} and {}",
                      train->size(), test->size(), published, ColourImages::kOfFile));
    }
    const TaskShape shape{colours_ == Colours::grey ? 1 : 3, ColourImages::kClasses,
                          ColourImages::kPlane, common_.dt_ms};
    return std::make_unique<Task>(
        shape, Objective{Objective::Kind::classify, common_.read, common_.over}, std::move(parts));
  }

 private:
  Colours colours_ = Colours::grey;
  CommonTaskOptions common_;
};

}  // namespace

TaskEntry entry_cifar_pixels() {
  return {"cifar_pixels",
          "images of CIFAR-10 pixel by pixel (Long Range Arena, Image): 1024 steps, 10 classes",
          [] { return std::unique_ptr<TaskModel>(std::make_unique<CifarPixels>()); }};
}

}  // namespace afterspike::tasks
