#include "afterspike/datasets/pathfinder.hpp"

#include <algorithm>
#include <cmath>
#include <functional>
#include <string>
#include <vector>

#include <gtest/gtest.h>

#include "raster.hpp"
#include "support/expect_error.hpp"
#include "support/npz.hpp"
#include "support/spike_files.hpp"

namespace afterspike::datasets {
namespace {

constexpr int kSide = PathfinderImage::kSide;

std::vector<PathfinderImage> draw(int count, std::uint64_t seed,
                                  const PathfinderOptions& options = {}) {
  std::vector<PathfinderImage> images;
  for (int i = 0; i < count; ++i) {
    images.push_back(
        draw_pathfinder(options, Rng(seed).stream("image", static_cast<std::uint64_t>(i))));
  }
  return images;
}

TEST(Raster, LinesJoinTheirEnds) {
  for (int y = 0; y < 9; ++y) {
    for (int x = 0; x < 9; ++x) {
      Pixels image(9);
      draw_line(image, 4, 4, y, x);
      EXPECT_EQ(image.at(4, 4), 255);
      EXPECT_EQ(image.at(y, x), 255);
      const auto set = std::count(image.values.begin(), image.values.end(), 255);
      EXPECT_EQ(set, std::max(std::abs(y - 4), std::abs(x - 4)) + 1) << y << " " << x;
      for (int row = 0; row < 9; ++row) {
        for (int column = 0; column < 9; ++column) {
          if (image.at(row, column) == 0) continue;
          // At most half a pixel beside the line.
          const double cross = std::abs((row - 4.0) * (x - 4) - (column - 4.0) * (y - 4));
          EXPECT_LE(cross, 0.5 * std::max(std::abs(y - 4), std::abs(x - 4)));
        }
      }
    }
  }
}

TEST(Raster, ResizingKeepsFlatImagesAndTheirSums) {
  Pixels flat(17);
  std::fill(flat.values.begin(), flat.values.end(), std::uint8_t{200});
  for (const std::uint8_t value : resize(flat, 9).values) EXPECT_EQ(value, 200);

  Pixels blob(64);
  for (int y = 24; y < 40; ++y) {
    for (int x = 20; x < 36; ++x) blob.at(y, x) = 100;
  }
  const Pixels half = resize(blob, 32);
  double sum = 0;
  for (const std::uint8_t value : half.values) sum += value;
  EXPECT_NEAR(sum, 16 * 16 * 100 / 4, 0.03 * 6400);
  EXPECT_NEAR(half.at(16, 14), 100, 10);
  EXPECT_EQ(half.at(2, 2), 0);
}

TEST(Raster, DilationTakesTheLargestOfTheNeighbourhood) {
  Field field(5);
  field.at(2, 1) = 0.5F;
  field.at(0, 0) = 0.25F;
  const Field grown = dilate(field, disc(1));
  EXPECT_EQ(disc(1).size(), 5U);
  EXPECT_EQ(disc(2).size(), 13U);
  for (int y = 0; y < 5; ++y) {
    for (int x = 0; x < 5; ++x) {
      const bool first = std::abs(y - 2) + std::abs(x - 1) <= 1, second = y + x <= 1;
      EXPECT_EQ(grown.at(y, x), first ? 0.5F : second ? 0.25F : 0.0F) << y << " " << x;
    }
  }
  // A pixel takes the largest value in its neighbourhood.
  EXPECT_EQ(dilate(field, {{1, 0}}).at(1, 1), 0.5F);
}

TEST(Pathfinder, ImagesAreThoseOfTheirStream) {
  const auto one = draw(20, 1), again = draw(20, 1), other = draw(20, 2);
  int connected = 0;
  for (std::size_t i = 0; i < one.size(); ++i) {
    EXPECT_EQ(one[i].pixels, again[i].pixels);
    EXPECT_EQ(one[i].connected, again[i].connected);
    EXPECT_NE(one[i].pixels, other[i].pixels);
    EXPECT_EQ(*std::max_element(one[i].pixels.begin(), one[i].pixels.end()), 255);
    EXPECT_EQ(*std::min_element(one[i].pixels.begin(), one[i].pixels.end()), 0);
    connected += one[i].connected;
  }
  EXPECT_GT(connected, 2);
  EXPECT_LT(connected, 18);
}

/// Without other curves there are only the two and the discs.
TEST(Pathfinder, OptionsSayHowManyDashesThereAre) {
  const auto inked = [](const PathfinderOptions& options) {
    double sum = 0;
    for (const PathfinderImage& image : draw(40, 3, options)) {
      sum += static_cast<double>(std::count_if(image.pixels.begin(), image.pixels.end(),
                                               [](std::uint8_t value) { return value > 60; }));
    }
    return sum / 40;
  };
  const double shorter = inked({.contour_paddles = 6, .distractors = 0});
  const double plain = inked({.contour_paddles = 12, .distractors = 0});
  EXPECT_GT(plain, 1.25 * shorter);
  EXPECT_GT(inked({.contour_paddles = 12, .distractors = 5}), 1.1 * plain);
  testing::expect_error(ErrorKind::config, {"two curves of 200 paddles do not fit"},
                        [] { draw_pathfinder({.contour_paddles = 200}, Rng(1)); });
}

/// A statistic of an image.
using Statistic = std::function<double(const PathfinderImage&)>;

struct Summary {
  double mean = 0, error = 0;
};

Summary summarise(const std::vector<PathfinderImage>& images, const Statistic& statistic) {
  const auto count = static_cast<double>(images.size());
  Summary summary;
  for (const PathfinderImage& image : images) summary.mean += statistic(image) / count;
  double square = 0;
  for (const PathfinderImage& image : images) {
    square += std::pow(statistic(image) - summary.mean, 2);
  }
  summary.error = std::sqrt(square / (count - 1) / count);
  return summary;
}

std::vector<PathfinderImage> reference(const std::filesystem::path& path) {
  const auto pixels = testing::read_npz(path, "X");
  const auto labels = testing::read_npz(path, "y");
  constexpr std::size_t kImages = 240, kPixels = kSide * kSide;
  EXPECT_EQ(pixels.size(), kImages * kPixels);
  std::vector<PathfinderImage> images(kImages);
  for (std::size_t i = 0; i < kImages; ++i) {
    std::copy_n(pixels.begin() + static_cast<std::ptrdiff_t>(i * kPixels), kPixels,
                images[i].pixels.begin());
    images[i].connected = labels[i * (labels.size() / kImages)];
  }
  return images;
}

std::vector<std::pair<std::string, Statistic>> statistics() {
  std::vector<std::pair<std::string, Statistic>> all;
  const auto share = [](int low, int high) {
    return [=](const PathfinderImage& image) {
      return static_cast<double>(
                 std::count_if(image.pixels.begin(), image.pixels.end(),
                               [&](std::uint8_t v) { return v >= low && v <= high; })) /
             (kSide * kSide);
    };
  };
  all.emplace_back("mean", [](const PathfinderImage& image) {
    double sum = 0;
    for (const std::uint8_t value : image.pixels) sum += value;
    return sum / (kSide * kSide);
  });
  all.emplace_back("not zero", share(1, 255));
  for (const auto& [low, high] :
       {std::pair(1, 10), {11, 40}, {41, 90}, {91, 150}, {151, 220}, {221, 255}}) {
    all.emplace_back("share of " + std::to_string(low) + " to " + std::to_string(high),
                     share(low, high));
  }
  const auto neighbours = [](int dy, int dx) {
    return [=](const PathfinderImage& image) {
      double sum = 0;
      for (int y = 0; y + dy < kSide; ++y) {
        for (int x = 0; x + dx < kSide; ++x) {
          const auto at = [&](int row, int column) {
            return static_cast<double>(
                image.pixels[static_cast<std::size_t>(row * kSide + column)]);
          };
          sum += at(y, x) * at(y + dy, x + dx);
        }
      }
      return sum / (kSide * kSide);
    };
  };
  for (const auto& [dy, dx] : {std::pair(0, 1), {1, 0}, {1, 1}, {0, 2}, {2, 0}, {0, 4}, {4, 4}}) {
    all.emplace_back("product at a distance of " + std::to_string(dy) + ", " + std::to_string(dx),
                     neighbours(dy, dx));
  }
  for (int block = 0; block < 16; ++block) {
    all.emplace_back("mean of block " + std::to_string(block),
                     [block](const PathfinderImage& image) {
                       double sum = 0;
                       for (int i = 0; i < 64; ++i) {
                         const int y = block / 4 * 8 + i / 8, x = block % 4 * 8 + i % 8;
                         sum += image.pixels[static_cast<std::size_t>(y * kSide + x)];
                       }
                       return sum / 64;
                     });
  }
  return all;
}

/// Each of 31 statistics within four standard errors: by chance all are, 499 times in 500.
TEST(PathfinderData, AgreesWithTheOriginalGenerator) {
  const auto path = testing::shared_data("lra/pathfinder32_hard_ref240.npz");
  if (!std::filesystem::exists(path)) GTEST_SKIP() << "there is no " << path;
  const auto expected = reference(path), found = draw(1500, 1);
  for (const auto& [name, statistic] : statistics()) {
    const Summary a = summarise(found, statistic), b = summarise(expected, statistic);
    EXPECT_LT(std::abs(a.mean - b.mean), 4 * std::hypot(a.error, b.error))
        << name << ": found " << a.mean << ", expected " << b.mean << " +- " << b.error;
  }
}

}  // namespace
}  // namespace afterspike::datasets
