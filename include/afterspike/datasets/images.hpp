#pragma once

#include <cstdint>
#include <filesystem>
#include <vector>

#include "afterspike/datasets/datasets.hpp"

namespace afterspike::datasets {

/// The two parts of a published set of images.
enum class Part { train, test };

/// Grey images, each with a class.
struct ImageSet {
  std::int64_t count = 0, rows = 0, columns = 0;
  std::vector<std::uint8_t> pixels;  ///< [count, rows, columns], row-major, 0..255.
  std::vector<std::uint8_t> labels;  ///< [count]
};

/// Reads a pair of IDX files (http://yann.lecun.com/exdb/mnist), gzipped or not. Throws Error(data)
/// that names file, offset, the value found and the value expected: magic number, dimensions, size,
/// different counts of labels and images, labels from `classes` on, an image file in place of
/// labels and the reverse.
ImageSet read_idx(const std::filesystem::path& images, const std::filesystem::path& labels,
                  int classes = 10);

/// Reads one part of a data set of images in the MNIST family ("mnist", "fashion_mnist",
/// "mini_mnist").
ImageSet read_images(const DatasetEntry& entry, const std::filesystem::path& data_directory,
                     Part part);

}  // namespace afterspike::datasets
