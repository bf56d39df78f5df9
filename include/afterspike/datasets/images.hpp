#pragma once

#include <cstdint>
#include <filesystem>
#include <vector>

#include "afterspike/datasets/datasets.hpp"

namespace afterspike::datasets {

/// The two files that a published set of images comes in.
enum class Part { train, test };

/// Grey images with a class each.
struct ImageSet {
  std::int64_t count = 0, rows = 0, columns = 0;
  std::vector<std::uint8_t> pixels;  ///< [count, rows, columns], row-major, 0..255.
  std::vector<std::uint8_t> labels;  ///< [count]
};

/// Reads a pair of IDX files (http://yann.lecun.com/exdb/mnist), gzipped or not. Throws Error(data)
/// that names file, offset, what was found and what was expected: magic number, dimensions, size,
/// as many labels as images, labels below `classes`, an image file where labels belong and the
/// reverse.
ImageSet read_idx(const std::filesystem::path& images, const std::filesystem::path& labels,
                  int classes = 10);

/// Reads one part of a data set of images in the MNIST family ("mnist", "fashion_mnist",
/// "mini_mnist").
ImageSet read_images(const DatasetEntry& entry, const std::filesystem::path& data_directory,
                     Part part);

}  // namespace afterspike::datasets
