#include <algorithm>
#include <cassert>
#include <cstddef>
#include <functional>
#include <numeric>
#include <span>
#include <string>
#include <string_view>
#include <utility>

#include <fmt/format.h>

#include "afterspike/base/error.hpp"
#include "afterspike/datasets/images.hpp"
#include "afterspike/io/bytes.hpp"

namespace afterspike::datasets {
namespace {

namespace fs = std::filesystem;

/// The two kinds of IDX files: bytes (0x08 in the third byte) in 3 or 1 dimensions (the fourth).
struct Form {
  std::uint32_t magic;
  std::string_view holds;
  std::span<const std::string_view> dimensions;  ///< Names of the sizes in the header.

  std::size_t header_bytes() const { return 4 * (1 + dimensions.size()); }
};

constexpr std::string_view kImageDimensions[] = {"images", "rows", "columns"};
constexpr std::string_view kLabelDimensions[] = {"labels"};
constexpr Form kImages = {0x803, "images", kImageDimensions};
constexpr Form kLabels = {0x801, "labels", kLabelDimensions};

// More than any set has; keeps the product of three sizes within 64 bits.
constexpr std::int64_t kLargestSide = 4096;

struct IdxFile {
  std::vector<std::int64_t> sizes;
  std::vector<std::uint8_t> values;
};

std::uint32_t big_endian(std::span<const std::uint8_t> content, std::size_t offset) {
  std::uint32_t value = 0;
  for (const std::uint8_t byte : content.subspan(offset, 4)) value = value << 8 | byte;
  return value;
}

std::string_view meaning(std::uint32_t magic) {
  if (magic == kImages.magic) return " (images)";
  if (magic == kLabels.magic) return " (labels)";
  return "";
}

void check_header(const fs::path& path, std::span<const std::uint8_t> content, const Form& form) {
  require(!content.empty(), ErrorKind::data, "'{}': found an empty file, expected {} in IDX form",
          path.string(), form.holds);
  if (content.size() >= 4) {
    const std::uint32_t magic = big_endian(content, 0);
    require(magic == form.magic, ErrorKind::data,
            "'{}': offset 0: found magic number 0x{:08x}{}, expected 0x{:08x} ({})", path.string(),
            magic, meaning(magic), form.magic, form.holds);
  }
  require(content.size() >= form.header_bytes(), ErrorKind::data,
          "'{}': ends at offset {}, expected an IDX header of {} bytes", path.string(),
          content.size(), form.header_bytes());
}

std::vector<std::int64_t> read_sizes(const fs::path& path, std::span<const std::uint8_t> content,
                                     const Form& form) {
  std::vector<std::int64_t> sizes;
  for (std::size_t index = 0; index < form.dimensions.size(); ++index) {
    const std::size_t offset = 4 * (1 + index);
    const std::int64_t size = big_endian(content, offset);
    require(size >= 1, ErrorKind::data, "'{}': offset {}: found 0 {}, expected at least 1",
            path.string(), offset, form.dimensions[index]);
    require(index == 0 || size <= kLargestSide, ErrorKind::data,
            "'{}': offset {}: found {} {}, expected at most {}", path.string(), offset, size,
            form.dimensions[index], kLargestSide);
    sizes.push_back(size);
  }
  return sizes;
}

/// Returns "1000 x 28 x 28".
std::string product_text(std::span<const std::int64_t> sizes) {
  return fmt::format("{}", fmt::join(sizes, " x "));
}

IdxFile read_form(const fs::path& path, const Form& form) {
  std::vector<std::uint8_t> content = io::read_maybe_gzipped(path);
  check_header(path, content, form);
  std::vector<std::int64_t> sizes = read_sizes(path, content, form);
  const std::int64_t values =
      std::accumulate(sizes.begin(), sizes.end(), std::int64_t{1}, std::multiplies());
  const std::uint64_t end = form.header_bytes() + static_cast<std::uint64_t>(values);
  require(content.size() >= end, ErrorKind::data,
          "'{}': ends at offset {}, expected {} bytes for {} {} after a header of {}",
          path.string(), content.size(), end, product_text(sizes), form.holds, form.header_bytes());
  require(content.size() == end, ErrorKind::data,
          "'{}': offset {}: found {} more bytes, expected the end of {} {}", path.string(), end,
          content.size() - end, product_text(sizes), form.holds);
  content.erase(content.begin(),
                content.begin() + static_cast<std::ptrdiff_t>(form.header_bytes()));
  return {std::move(sizes), std::move(content)};
}

void check_labels(const fs::path& path, std::span<const std::uint8_t> labels, int classes) {
  const auto wrong = std::find_if(labels.begin(), labels.end(),
                                  [&](std::uint8_t label) { return label >= classes; });
  if (wrong == labels.end()) return;
  const auto index = static_cast<std::size_t>(wrong - labels.begin());
  fail(ErrorKind::data, "'{}': offset {}: found label {} of sample {}, expected 0 to {}",
       path.string(), kLabels.header_bytes() + index, *wrong, index, classes - 1);
}

const FileSpec& spec(const DatasetEntry& entry, std::string_view name) {
  const auto found =
      std::find_if(entry.files.begin(), entry.files.end(),
                   [&](const FileSpec& candidate) { return candidate.name == name; });
  require(found != entry.files.end(), ErrorKind::usage,
          "data set '{}' has no file '{}': it is not a set of images like MNIST", entry.name, name);
  return *found;
}

/// Detects valid files of another set or part.
void check_size(const FileSpec& file, const fs::path& path, const Form& form,
                std::span<const std::uint8_t> values) {
  const std::size_t found = form.header_bytes() + values.size();
  require(std::cmp_equal(found, file.bytes), ErrorKind::data,
          "'{}': found {} bytes of {} (decompressed), expected the {} of the published '{}'",
          path.string(), found, form.holds, file.bytes, file.name);
}

}  // namespace

ImageSet read_idx(const fs::path& images, const fs::path& labels, int classes) {
  assert(classes >= 1 && classes <= 256);
  IdxFile image_file = read_form(images, kImages);
  IdxFile label_file = read_form(labels, kLabels);
  require(label_file.sizes[0] == image_file.sizes[0], ErrorKind::data,
          "'{}': offset 4: found {} labels, expected {}, one for each image of '{}'",
          labels.string(), label_file.sizes[0], image_file.sizes[0], images.string());
  check_labels(labels, label_file.values, classes);
  return {.count = image_file.sizes[0],
          .rows = image_file.sizes[1],
          .columns = image_file.sizes[2],
          .pixels = std::move(image_file.values),
          .labels = std::move(label_file.values)};
}

ImageSet read_images(const DatasetEntry& entry, const fs::path& data_directory, Part part) {
  const std::string_view prefix = part == Part::train ? "train" : "t10k";
  const FileSpec& images = spec(entry, fmt::format("{}-images-idx3-ubyte", prefix));
  const FileSpec& labels = spec(entry, fmt::format("{}-labels-idx1-ubyte", prefix));
  const fs::path image_path = find_file(entry, data_directory, images.name);
  const fs::path label_path = find_file(entry, data_directory, labels.name);
  ImageSet set = read_idx(image_path, label_path);
  check_size(images, image_path, kImages, set.pixels);
  check_size(labels, label_path, kLabels, set.labels);
  return set;
}

}  // namespace afterspike::datasets
