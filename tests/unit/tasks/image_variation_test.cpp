#include "image_variation.hpp"

#include <cmath>
#include <numbers>
#include <string_view>
#include <vector>

#include <ATen/ATen.h>
#include <gtest/gtest.h>

#include "make_task.hpp"
#include "support/expect_error.hpp"
#include "support/settings.hpp"
#include "support/tensors.hpp"

namespace afterspike::tasks {
namespace {

using testing::all;
using testing::expect_close;
using testing::expect_same;
using testing::Settings;

/// The mapped image as a tensor [rows, columns].
at::Tensor mapped(const at::Tensor& image, const ImageMap& map) {
  const at::Tensor bytes = image.to(at::kByte).contiguous();
  at::Tensor result = at::empty(image.sizes(), at::kFloat);
  const auto size = static_cast<std::size_t>(bytes.numel());
  map_image({bytes.data_ptr<std::uint8_t>(), size}, image.size(1), map,
            {result.data_ptr<float>(), size});
  return result;
}

at::Tensor random_image() {
  return testing::uniform_tensor({9, 9}, Rng(3), 0, 255).floor();
}

TEST(ImageVariation, ShiftsByWholePixelsMovePixelsAndFillWithZeros) {
  const at::Tensor image = random_image();
  at::Tensor expected = at::zeros_like(image);
  expected.slice(0, 2).slice(1, 0, 8).copy_(image.slice(0, 0, 7).slice(1, 1));
  expect_same(mapped(image, {.down = 2, .right = -1}), expected.to(at::kFloat), "shifted");
  expect_same(mapped(image, {}), image.to(at::kFloat), "not mapped");
}

TEST(ImageVariation, RotationsByAQuarterTurnThePixelsClockwise) {
  const at::Tensor image = random_image();
  expect_close(mapped(image, {.angle = std::numbers::pi / 2}), at::rot90(image, -1, {0, 1}), 1e-3,
               "a quarter");
  expect_close(mapped(image, {.angle = std::numbers::pi}), at::rot90(image, 2, {0, 1}), 1e-3,
               "a half");
}

// Bilinear interpolation is exact where an image is a linear function of its place.
TEST(ImageVariation, MapsALinearImageExactly) {
  const auto rows = at::arange(21, at::kDouble).view({-1, 1});
  const auto columns = at::arange(15, at::kDouble).view({1, -1});
  const at::Tensor image = 4 * rows + 7 * columns;
  const ImageMap map{.down = 0.7, .right = -1.3, .angle = 0.3, .factor = 1.25};
  const at::Tensor y = rows - 10 - map.down, x = columns - 7 - map.right;
  const double c = std::cos(0.3) / 1.25, s = std::sin(0.3) / 1.25;
  const at::Tensor from_row = 10 + c * y - s * x, from_column = 7 + s * y + c * x;
  const at::Tensor inside =
      from_row.ge(0) * from_row.le(20) * from_column.ge(0) * from_column.le(14);
  ASSERT_GT(inside.sum().item<std::int64_t>(), 150);
  const at::Tensor found = mapped(image, map).to(at::kDouble);
  expect_close(found * inside, (4 * from_row + 7 * from_column) * inside, 1e-4, "inside");
}

TEST(ImageVariation, DrawsEvenlyWithinItsBounds) {
  const ImageVariation bounds{.shift = 2, .rotate = 90, .scale = 0.25};
  std::vector<double> down, right, angle, factor;
  for (std::uint64_t sample = 0; sample < 4000; ++sample) {
    const ImageMap map = ImageMap::draw(bounds, Rng(1).stream("sample", sample));
    down.push_back(map.down);
    right.push_back(map.right);
    angle.push_back(map.angle);
    factor.push_back(map.factor - 1);
  }
  for (const auto& [values, bound] :
       {std::pair(down, 2.), std::pair(right, 2.), std::pair(angle, std::numbers::pi / 2),
        std::pair(factor, 0.25)}) {
    const at::Tensor drawn = at::tensor(at::ArrayRef<double>(values), at::kDouble);
    EXPECT_LE(drawn.abs().max().item<double>(), bound);
    EXPECT_NEAR(drawn.mean().item<double>(), 0, 0.04 * bound);
    EXPECT_NEAR(drawn.std().item<double>(), bound / std::sqrt(3), 0.03 * bound);
  }
  const auto correlation = at::corrcoef(at::stack(
      {at::tensor(at::ArrayRef<double>(down)), at::tensor(at::ArrayRef<double>(right)),
       at::tensor(at::ArrayRef<double>(angle)), at::tensor(at::ArrayRef<double>(factor))}));
  EXPECT_LT((correlation - at::eye(4)).abs().max().item<double>(), 0.06);
}

std::unique_ptr<Task> small_images(std::string_view name, const Settings& more) {
  Settings settings = {{"dataset", "mini_mnist"}, {"validation", "50"}};
  settings.insert(settings.end(), more.begin(), more.end());
  return testing::make_task(name, settings);
}

TEST(ImageVariation, VariesTrainingImagesByTheStreamOfTheEpochOnly) {
  const auto varied =
      small_images("line_mnist", {{"shift", "2"}, {"rotate", "10"}, {"scale", "0.1"}});
  const auto plain = small_images("line_mnist", {});
  const auto train = varied->split(Split::train);
  for (const Split split : {Split::train, Split::validation, Split::test}) {
    expect_same(all(*varied->split(split)).input, all(*plain->split(split)).input,
                std::string(split_name(split)));
  }
  EXPECT_EQ(plain->split(Split::train)->for_epoch(Rng(1)), plain->split(Split::train));
  const tasks::Batch first = all(*train->for_epoch(Rng(1)));
  expect_same(all(*train->for_epoch(Rng(1))).input, first.input, "the same epoch");
  expect_same(first.target, all(*train).target, "targets");
  const at::Tensor other = all(*train->for_epoch(Rng(2))).input;
  EXPECT_FALSE(other.eq(first.input).all(2).all(0).any().item<bool>()) << "another epoch";
  const std::vector<std::int64_t> some = {7, 3};
  expect_same(train->for_epoch(Rng(1))->batch(some).input,
              at::stack({first.input.select(1, 7), first.input.select(1, 3)}, 1),
              "whatever the batch");
}

TEST(ImageVariation, IsThatOfTheImageInEveryForm) {
  const Settings shift = {{"shift", "3"}};
  const auto sample = [&](const char* name) {
    return all(*small_images(name, shift)->split(Split::train)->for_epoch(Rng(4))).input;
  };
  const at::Tensor lines = sample("line_mnist").transpose(0, 1).flatten(1);
  const at::Tensor pixels = sample("pixel_mnist").squeeze(2).t();
  expect_same(pixels.contiguous(), lines.contiguous(), "pixels");
  const at::Tensor permuted = sample("permuted_mnist").squeeze(2).t();
  expect_same(std::get<0>(permuted.sort(1)), std::get<0>(lines.sort(1)), "permuted");
}

TEST(ImageVariation, RefusesBoundsThatNoImageSurvives) {
  for (const auto& [name, value, expected] :
       {std::tuple("shift", "-1", "0 or more"), std::tuple("rotate", "181", "180 or less"),
        std::tuple("scale", "1", "less than 1")}) {
    testing::expect_error(ErrorKind::config, {name, value, expected}, [&] {
      small_images("line_mnist", {{name, value}});
    });
  }
}

}  // namespace
}  // namespace afterspike::tasks
