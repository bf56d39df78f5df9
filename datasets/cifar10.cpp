#include <algorithm>
#include <string>
#include <utility>

#include <fmt/format.h>

#include "afterspike/base/error.hpp"
#include "afterspike/datasets/cifar.hpp"
#include "afterspike/datasets/datasets.hpp"
#include "afterspike/io/bytes.hpp"

namespace afterspike::datasets {
namespace {

namespace fs = std::filesystem;

constexpr std::int64_t kRecord = 1 + 3 * ColourImages::kPlane;

void append(const fs::path& path, ColourImages& images) {
  const std::vector<std::uint8_t> content = io::read_file(path);
  const std::int64_t bytes = std::ssize(content);
  require(bytes > 0 && bytes % kRecord == 0, ErrorKind::data,
          "'{}': found {} bytes, expected whole images of {}: a label and 32 x 32 pixels of red, "
          "green and blue",
          path.string(), bytes, kRecord);
  for (std::int64_t offset = 0; offset < bytes; offset += kRecord) {
    const auto record = content.begin() + offset;
    require(*record < ColourImages::kClasses, ErrorKind::data,
            "'{}': offset {}: found label {} of image {}, expected 0 to 9", path.string(), offset,
            *record, offset / kRecord);
    images.labels.push_back(*record);
    images.pixels.insert(images.pixels.end(), record + 1, record + kRecord);
  }
}

/// As published: 10,000 images in each file.
std::string inspect(const fs::path& path) {
  const ColourImages images = read_cifar(std::span(&path, 1));
  require(images.count() == ColourImages::kOfFile, ErrorKind::data,
          "'{}': found {} images, expected {} as in each of the published files", path.string(),
          images.count(), ColourImages::kOfFile);
  return fmt::format("{} images, labels 0 to {}", images.count(),
                     *std::max_element(images.labels.begin(), images.labels.end()));
}

constexpr FileSpec file(std::string_view name) {
  return {.name = name, .bytes = ColourImages::kOfFile * kRecord, .inspect = inspect};
}

constexpr FileSpec kFiles[] = {file("data_batch_1.bin"), file("data_batch_2.bin"),
                               file("data_batch_3.bin"), file("data_batch_4.bin"),
                               file("data_batch_5.bin"), file("test_batch.bin")};

constexpr Source kSources[] = {
    {.kind = Source::Kind::archive,
     .location = "https://www.cs.toronto.edu/~kriz/cifar-10-binary.tar.gz",
     .inside = "cifar-10-batches-bin",
     .md5 = "c32a1d4ab5d03f1284b67883e8d87530"},
};

}  // namespace

ColourImages read_cifar(std::span<const fs::path> files) {
  ColourImages images;
  for (const fs::path& path : files) append(path, images);
  return images;
}

DatasetEntry entry_cifar10() {
  return {.name = "cifar10",
          .summary = "CIFAR-10: 50,000 + 10,000 colour images of 32 x 32, 10 classes",
          .licence = "none stated; cite Krizhevsky 2009",
          .files = kFiles,
          .sources = kSources};
}

}  // namespace afterspike::datasets
