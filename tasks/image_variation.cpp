#include "image_variation.hpp"

#include <cassert>
#include <cmath>
#include <numbers>

namespace afterspike::tasks {
namespace {

/// An image with zeros around it.
struct PaddedImage {
  std::span<const std::uint8_t> pixels;
  std::int64_t rows, columns;

  double at(std::int64_t row, std::int64_t column) const {
    if (row < 0 || row >= rows || column < 0 || column >= columns) return 0;
    return static_cast<double>(pixels[static_cast<std::size_t>(row * columns + column)]);
  }

  /// Bilinear interpolation between the four pixels around a place.
  double between(double row, double column) const {
    const double above = std::floor(row), left = std::floor(column);
    const double down = row - above, right = column - left;
    const auto r = static_cast<std::int64_t>(above), c = static_cast<std::int64_t>(left);
    return (1 - down) * ((1 - right) * at(r, c) + right * at(r, c + 1)) +
           down * ((1 - right) * at(r + 1, c) + right * at(r + 1, c + 1));
  }
};

}  // namespace

void ImageVariation::describe(options::Section section) {
  section.add("shift", shift, "While training, move each image by up to so many pixels each way.")
      .at_least(0)
      .at_most(1000);
  section.add("rotate", rotate, "While training, rotate each image by up to so many degrees.")
      .at_least(0)
      .at_most(180);
  section
      .add("scale", scale,
           "While training, enlarge each image by a factor of 1 - this to 1 + this.")
      .at_least(0)
      .below(1);
}

ImageMap ImageMap::draw(const ImageVariation& variation, Rng rng) {
  ImageMap map;
  map.down = variation.shift * rng.uniform(-1, 1);
  map.right = variation.shift * rng.uniform(-1, 1);
  map.angle = variation.rotate * std::numbers::pi / 180 * rng.uniform(-1, 1);
  map.factor = 1 + variation.scale * rng.uniform(-1, 1);
  return map;
}

void map_image(std::span<const std::uint8_t> image, std::int64_t columns, const ImageMap& map,
               std::span<float> mapped) {
  assert(image.size() == mapped.size());
  const PaddedImage source{image, std::ssize(image) / columns, columns};
  const double centre_row = static_cast<double>(source.rows - 1) / 2;
  const double centre_column = static_cast<double>(columns - 1) / 2;
  const double cosine = std::cos(map.angle) / map.factor;
  const double sine = std::sin(map.angle) / map.factor;
  std::size_t pixel = 0;
  for (std::int64_t row = 0; row < source.rows; ++row) {
    const double y = static_cast<double>(row) - centre_row - map.down;
    for (std::int64_t column = 0; column < columns; ++column) {
      const double x = static_cast<double>(column) - centre_column - map.right;
      mapped[pixel++] = static_cast<float>(source.between(centre_row + cosine * y - sine * x,
                                                          centre_column + sine * y + cosine * x));
    }
  }
}

}  // namespace afterspike::tasks
