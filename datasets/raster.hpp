#pragma once

#include <cstdint>
#include <vector>

/// Operations on small images for the generator of Pathfinder, as in the Python imaging library and
/// OpenCV.
namespace afterspike::datasets {

/// A square image, row by row.
template <typename T>
struct Raster {
  explicit Raster(int size) : side(size), values(static_cast<std::size_t>(size * size)) {}
  bool has(int y, int x) const { return y >= 0 && y < side && x >= 0 && x < side; }
  T& at(int y, int x) { return values[static_cast<std::size_t>(y * side + x)]; }
  T at(int y, int x) const { return values[static_cast<std::size_t>(y * side + x)]; }

  int side;
  std::vector<T> values;
};

using Pixels = Raster<std::uint8_t>;
using Field = Raster<float>;

/// Sets the pixels of a line by Bresenham's algorithm, both ends included; 255 each.
void draw_line(Pixels& image, int y0, int x0, int y1, int x1);

/// Resizes by a Lanczos filter of three lobes, rows first, rounded to 8 bits after each direction.
Pixels resize(const Pixels& image, int side);

/// Pixels of a neighbourhood, relative to its centre.
struct Offset {
  int y, x;
};

/// Returns the pixels of a disc.
std::vector<Offset> disc(int radius);

/// Returns the largest value in the neighbourhood of each pixel.
template <typename T>
Raster<T> dilate(const Raster<T>& image, const std::vector<Offset>& neighbourhood) {
  Raster<T> result(image.side);
  for (int y = 0; y < image.side; ++y) {
    for (int x = 0; x < image.side; ++x) {
      T largest = 0;
      for (const Offset& offset : neighbourhood) {
        if (!image.has(y + offset.y, x + offset.x)) continue;
        const T value = image.at(y + offset.y, x + offset.x);
        if (value > largest) largest = value;
      }
      result.at(y, x) = largest;
    }
  }
  return result;
}

}  // namespace afterspike::datasets
