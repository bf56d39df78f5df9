#include <ATen/ATen.h>

#include "afterspike/datasets/pathfinder.hpp"
#include "task_options.hpp"

namespace afterspike::tasks {
namespace {

using datasets::PathfinderImage;

/// Images pixel by pixel, row by row, as numbers from 0 to 1; each is drawn on request, by a stream
/// named by its number.
class PathfinderImages final : public tasks::Dataset {
 public:
  PathfinderImages(const datasets::PathfinderOptions& options, std::int64_t count, const Rng& rng)
      : options_(options), count_(count), rng_(rng) {}

  std::int64_t size() const override { return count_; }

  tasks::Batch batch(std::span<const std::int64_t> numbers) const override {
    const std::int64_t size = std::ssize(numbers);
    constexpr std::int64_t kPixels = PathfinderImage::kSide * PathfinderImage::kSide;
    tasks::Batch batch;
    batch.input = at::empty({kPixels, size, 1}, at::kFloat);
    batch.target = at::empty({size}, at::kLong);
    auto* input = batch.input.data_ptr<float>();
    for (std::int64_t place = 0; place < size; ++place) {
      const auto number = static_cast<std::uint64_t>(numbers[static_cast<std::size_t>(place)]);
      const PathfinderImage image =
          datasets::draw_pathfinder(options_, rng_.stream("image", number));
      for (std::int64_t pixel = 0; pixel < kPixels; ++pixel) {
        input[pixel * size + place] =
            static_cast<float>(image.pixels[static_cast<std::size_t>(pixel)]) / 255;
      }
      batch.target.data_ptr<std::int64_t>()[place] = image.connected;
    }
    return batch;
  }

 private:
  datasets::PathfinderOptions options_;
  std::int64_t count_;
  Rng rng_;
};

/// Decides whether two discs are the ends of one dashed curve (Long Range Arena).
class Pathfinder final : public TaskModel {
 public:
  void describe(options::Section section) override {
    describe_time_step(section, dt_ms_);
    section.add("contour_paddles", contour_, "Dashes of each of the two curves.")
        .at_least(2)
        .at_most(30);
    section.add("distractors", distractors_, "Other curves.").at_least(0).at_most(100);
    section.add("distractor_paddles", distractor_paddles_, "Dashes of each of these.")
        .at_least(1)
        .at_most(30);
    section.add("continuity", continuity_, "Larger values make straighter curves.")
        .at_least(0)
        .at_most(10);
    describe_drawn(section, sizes_);
    describe_reading(section, read_, over_);
  }

  std::unique_ptr<Task> make(const TaskContext&) const override {
    const datasets::PathfinderOptions options{static_cast<int>(contour_),
                                              static_cast<int>(distractors_),
                                              static_cast<int>(distractor_paddles_), continuity_};
    const Rng rng = Rng(static_cast<std::uint64_t>(sizes_.seed)).stream("pathfinder");
    const auto split = [&](std::string_view name,
                           std::int64_t count) -> std::shared_ptr<const tasks::Dataset> {
      if (count == 0) return nullptr;
      return std::make_shared<PathfinderImages>(options, count, rng.stream(name));
    };
    const std::int64_t steps = PathfinderImage::kSide * PathfinderImage::kSide;
    const TaskShape shape{1, 2, steps, dt_ms_};
    return std::make_unique<Task>(
        shape, Objective{Objective::Kind::classify, read_, over_},
        Task::Parts{split("train", sizes_.train), split("validation", sizes_.validation),
                    split("test", sizes_.test)});
  }

 private:
  std::int64_t contour_ = 14, distractors_ = 5, distractor_paddles_ = 4;
  double continuity_ = 1;
  DrawnSizes sizes_ = {160'000, 20'000, 20'000};
  double dt_ms_ = 1;
  ReadSteps read_;
  Objective::Over over_ = Objective::Over::mean_output;
};

}  // namespace

TaskEntry entry_pathfinder() {
  return {"pathfinder",
          "are two discs joined by a dashed curve (Long Range Arena, 32 x 32): 1024 steps of a "
          "pixel, 2 classes",
          [] { return std::unique_ptr<TaskModel>(std::make_unique<Pathfinder>()); }};
}

}  // namespace afterspike::tasks
