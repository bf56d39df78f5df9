#include "raster.hpp"

#include <algorithm>
#include <cmath>
#include <numbers>

namespace afterspike::datasets {
namespace {

constexpr double kLobes = 3;

double sinc(double x) {
  if (x == 0) return 1;
  x *= std::numbers::pi;
  return std::sin(x) / x;
}

double lanczos(double x) {
  return std::abs(x) < kLobes ? sinc(x) * sinc(x / kLobes) : 0;
}

/// Source of one pixel of the result: `weights` of the pixels from `first` on.
struct Taps {
  int first = 0;
  std::vector<double> weights;
};

std::vector<Taps> taps_of(int from, int to) {
  const double scale = static_cast<double>(from) / to;
  const double width = std::max(scale, 1.0);
  std::vector<Taps> all;
  for (int place = 0; place < to; ++place) {
    const double centre = (place + 0.5) * scale;
    const int first = std::max(0, static_cast<int>(centre - kLobes * width + 0.5));
    const int end = std::min(from, static_cast<int>(centre + kLobes * width + 0.5));
    Taps taps{first, {}};
    double sum = 0;
    for (int pixel = first; pixel < end; ++pixel) {
      taps.weights.push_back(lanczos((pixel - centre + 0.5) / width));
      sum += taps.weights.back();
    }
    for (double& weight : taps.weights) weight /= sum;
    all.push_back(std::move(taps));
  }
  return all;
}

std::uint8_t rounded(double value) {
  return static_cast<std::uint8_t>(std::clamp(std::floor(value + 0.5), 0.0, 255.0));
}

}  // namespace

void draw_line(Pixels& image, int y0, int x0, int y1, int x1) {
  const int dx = std::abs(x1 - x0), dy = std::abs(y1 - y0);
  const int x_step = x1 < x0 ? -1 : 1, y_step = y1 < y0 ? -1 : 1;
  const int longer = std::max(dx, dy), shorter = std::min(dx, dy);
  int error = 2 * shorter - longer;
  for (int i = 0, y = y0, x = x0; i <= longer; ++i) {
    if (image.has(y, x)) image.at(y, x) = 255;
    if (i == longer) break;
    const bool both = error >= 0 && shorter > 0;
    if (both) error -= 2 * longer;
    error += 2 * shorter;
    if (both || dx > dy) x += x_step;
    if (both || dx <= dy) y += y_step;
  }
}

Pixels resize(const Pixels& image, int side) {
  const std::vector<Taps> taps = taps_of(image.side, side);
  // [rows of the image, columns of the result]
  std::vector<std::uint8_t> narrow(static_cast<std::size_t>(image.side * side));
  for (int y = 0; y < image.side; ++y) {
    for (int x = 0; x < side; ++x) {
      const Taps& tap = taps[static_cast<std::size_t>(x)];
      double sum = 0;
      for (std::size_t k = 0; k < tap.weights.size(); ++k) {
        sum += tap.weights[k] * image.at(y, tap.first + static_cast<int>(k));
      }
      narrow[static_cast<std::size_t>(y * side + x)] = rounded(sum);
    }
  }
  Pixels result(side);
  for (int y = 0; y < side; ++y) {
    const Taps& tap = taps[static_cast<std::size_t>(y)];
    for (int x = 0; x < side; ++x) {
      double sum = 0;
      for (std::size_t k = 0; k < tap.weights.size(); ++k) {
        const int row = tap.first + static_cast<int>(k);
        sum += tap.weights[k] * narrow[static_cast<std::size_t>(row * side + x)];
      }
      result.at(y, x) = rounded(sum);
    }
  }
  return result;
}

std::vector<Offset> disc(int radius) {
  std::vector<Offset> offsets;
  for (int y = -radius; y <= radius; ++y) {
    for (int x = -radius; x <= radius; ++x) {
      if (x * x + y * y <= radius * radius) offsets.push_back({y, x});
    }
  }
  return offsets;
}

}  // namespace afterspike::datasets
