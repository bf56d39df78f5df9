#include "image_task.hpp"

#include <array>
#include <optional>
#include <span>

#include <ATen/ATen.h>

#include "afterspike/base/error.hpp"
#include "afterspike/base/registry.hpp"
#include "afterspike/datasets/images.hpp"

namespace afterspike::tasks {
namespace {

/// Images as sequences, normalised on request: one byte per pixel in memory.
class ImageSequences final : public tasks::Dataset {
 public:
  ImageSequences(datasets::ImageSet images, const ImageTaskOptions& options)
      : images_(std::make_shared<const datasets::ImageSet>(std::move(images))),
        steps_(options.form == ImageForm::lines ? images_->rows : pixels()),
        features_(pixels() / steps_),
        order_(static_cast<std::size_t>(pixels())),
        bounds_(options.variation) {
    for (std::int64_t i = 0; i < steps_ * features_; ++i) order_[static_cast<std::size_t>(i)] = i;
    if (options.form == ImageForm::permuted) {
      order_ = Rng(static_cast<std::uint64_t>(options.permutation_seed))
                   .stream("permutation")
                   .permutation(steps_);
    }
    scale_ = normalisation(options.dataset);
    for (std::size_t value = 0; value < 256; ++value) {
      const double grey = static_cast<double>(value) / 255;
      normalised_[value] = static_cast<float>((grey - scale_.mean) / scale_.sd);
    }
  }

  std::int64_t size() const override { return images_->count; }
  std::int64_t steps() const noexcept { return steps_; }
  std::int64_t features() const noexcept { return features_; }

  tasks::Batch batch(std::span<const std::int64_t> numbers) const override {
    const std::int64_t batch_size = std::ssize(numbers);
    tasks::Batch batch;
    batch.input = at::empty({steps_, batch_size, features_}, at::kFloat);
    batch.target = at::empty({batch_size}, at::kLong);
    std::vector<float> image(order_.size());
    for (std::int64_t sample = 0; sample < batch_size; ++sample) {
      const std::int64_t number = numbers[static_cast<std::size_t>(sample)];
      read(number, image);
      float* rows = batch.input.data_ptr<float>() + sample * features_;
      for (std::int64_t step = 0; step < steps_; ++step) {
        for (std::int64_t feature = 0; feature < features_; ++feature) {
          const auto place = static_cast<std::size_t>(step * features_ + feature);
          rows[step * batch_size * features_ + feature] =
              image[static_cast<std::size_t>(order_[place])];
        }
      }
      batch.target.data_ptr<std::int64_t>()[sample] =
          images_->labels[static_cast<std::size_t>(number)];
    }
    return batch;
  }

  std::shared_ptr<const tasks::Dataset> for_epoch(const Rng& epoch) const override {
    if (!bounds_.any()) return shared_from_this();
    auto varied = std::make_shared<ImageSequences>(*this);
    varied->variation_ = epoch.stream("variation");
    return varied;
  }

 private:
  std::int64_t pixels() const { return images_->rows * images_->columns; }

  /// The normalised pixels of an image, varied where this is the set of an epoch.
  void read(std::int64_t number, std::vector<float>& values) const {
    const std::span image(images_->pixels.data() + number * pixels(), values.size());
    if (!variation_) {
      for (std::size_t i = 0; i < values.size(); ++i) values[i] = normalised_[image[i]];
      return;
    }
    const Rng rng = variation_->stream("sample", static_cast<std::uint64_t>(number));
    map_image(image, images_->columns, ImageMap::draw(bounds_, rng), values);
    for (float& value : values) {
      value = static_cast<float>((value / 255. - scale_.mean) / scale_.sd);
    }
  }

  std::shared_ptr<const datasets::ImageSet> images_;
  std::int64_t steps_, features_;
  std::vector<std::int64_t> order_;
  Normalisation scale_{};
  std::array<float, 256> normalised_{};
  ImageVariation bounds_;
  std::optional<Rng> variation_;  ///< Stream of an epoch.
};

class ImageTaskModel final : public TaskModel {
 public:
  explicit ImageTaskModel(ImageTaskOptions options) : options_(std::move(options)) {}

  void describe(options::Section section) override {
    section.add("dataset", options_.dataset, "Data set of the images.").one_of(options_.datasets);
    if (options_.form == ImageForm::permuted) {
      section.add("permutation_seed", options_.permutation_seed, "Seed of the pixel order.")
          .at_least(0);
    }
    options_.common.describe(section);
    options_.variation.describe(section);
  }

  std::unique_ptr<Task> make(const TaskContext& context) const override {
    const auto& entry =
        find_entry<datasets::DatasetEntry>(datasets::entries(), options_.dataset, "data set");
    const auto read = [&](datasets::Part part) {
      return std::make_shared<ImageSequences>(
          datasets::read_images(entry, context.data_directory, part), options_);
    };
    const auto train = read(datasets::Part::train);
    const auto test = read(datasets::Part::test);
    const TaskShape shape{train->features(), 10, train->steps(), options_.common.dt_ms};
    const Objective objective{Objective::Kind::classify, options_.common.read,
                              options_.common.over};
    return std::make_unique<Task>(shape, objective, make_parts(train, test, options_.common));
  }

 private:
  ImageTaskOptions options_;
};

}  // namespace

Normalisation normalisation(std::string_view dataset) {
  if (dataset == "fashion_mnist") return {0.2860, 0.3530};
  return {0.1307, 0.3081};
}

std::unique_ptr<TaskModel> image_task(std::vector<std::string> datasets, ImageForm form) {
  ImageTaskOptions options;
  options.dataset = datasets.front();
  options.datasets = std::move(datasets);
  options.form = form;
  options.common.dt_ms = 0.05;
  options.common.validation = -1;
  return std::make_unique<ImageTaskModel>(std::move(options));
}

}  // namespace afterspike::tasks
