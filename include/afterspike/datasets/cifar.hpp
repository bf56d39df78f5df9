#pragma once

#include <cstdint>
#include <filesystem>
#include <span>
#include <vector>

namespace afterspike::datasets {

/// Colour images, each with a class.
struct ColourImages {
  static constexpr std::int64_t kSide = 32, kPlane = kSide * kSide, kClasses = 10;
  static constexpr std::int64_t kOfFile = 10'000;  ///< Images in each published file.
  std::vector<std::uint8_t> pixels;  ///< [images, 3, 32, 32]: red, green, blue planes.
  std::vector<std::uint8_t> labels;  ///< [images], 0 to 9.

  std::int64_t count() const { return std::ssize(labels); }
};

/// Reads files of CIFAR-10 in its binary form (Krizhevsky 2009), one after the other: for each
/// image a byte with its label and its 3072 pixels. Throws Error(data) that names file, offset, the
/// value found and the value expected for an empty file, part of an image at the end, or a label
/// above 9.
ColourImages read_cifar(std::span<const std::filesystem::path> files);

}  // namespace afterspike::datasets
