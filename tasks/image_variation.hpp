#pragma once

#include <cstdint>
#include <span>

#include "afterspike/base/options.hpp"
#include "afterspike/base/rng.hpp"

/// Random affine changes of grey images, which keep their class.
namespace afterspike::tasks {

/// Bounds of the changes of an image; each is drawn uniformly within its bounds. See
/// docs/numerics.md, "Augmentation of images".
struct ImageVariation {
  double shift = 0;   ///< Along rows and along columns, pixels.
  double rotate = 0;  ///< Degrees.
  double scale = 0;   ///< The image is enlarged by a factor of 1 - scale to 1 + scale.

  void describe(options::Section section);
  bool any() const { return shift > 0 || rotate > 0 || scale > 0; }
};

/// An affine map about the centre of an image.
struct ImageMap {
  double down = 0, right = 0;  ///< Shift, pixels.
  double angle = 0;            ///< Radians, clockwise as images are shown.
  double factor = 1;           ///< Above 1: larger.

  /// Draws a map within the bounds of `variation`.
  static ImageMap draw(const ImageVariation& variation, Rng rng);
};

/// Writes the mapped image, [rows, columns] of 0 to 255, by bilinear interpolation; pixels outside
/// of the image count as 0.
void map_image(std::span<const std::uint8_t> image, std::int64_t columns, const ImageMap& map,
               std::span<float> mapped);

}  // namespace afterspike::tasks
