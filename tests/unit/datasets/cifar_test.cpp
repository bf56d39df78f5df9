#include "afterspike/datasets/cifar.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "afterspike/base/registry.hpp"
#include "afterspike/datasets/datasets.hpp"
#include "test_files.hpp"

namespace afterspike::datasets {
namespace {

using test_files::Bytes;
using ::testing::HasSubstr;

constexpr std::size_t kRecord = 3073;

/// Images of label i mod 10 whose pixels count up from i.
Bytes images(std::size_t count) {
  Bytes bytes;
  for (std::size_t i = 0; i < count; ++i) {
    bytes.push_back(static_cast<std::uint8_t>(i % 10));
    for (std::size_t pixel = 0; pixel + 1 < kRecord; ++pixel) {
      bytes.push_back(static_cast<std::uint8_t>(i + pixel));
    }
  }
  return bytes;
}

class Cifar : public ::testing::Test {
 protected:
  std::string error_of(const Bytes& content) const {
    test_files::write(path_, content);
    return test_files::data_error_of([&] { read_cifar(std::span(&path_, 1)); });
  }

  test_files::Folder folder_;
  std::filesystem::path path_ = folder_ / "batch.bin";
};

TEST_F(Cifar, FilesAreReadOneAfterTheOther) {
  const std::vector<std::filesystem::path> files = {folder_ / "a.bin", folder_ / "b.bin"};
  test_files::write(files[0], images(12));
  test_files::write(files[1], images(3));
  const ColourImages found = read_cifar(files);
  ASSERT_EQ(found.count(), 15);
  ASSERT_EQ(found.pixels.size(), 15 * (kRecord - 1));
  EXPECT_EQ(found.labels[11], 1);
  EXPECT_EQ(found.labels[12], 0);
  EXPECT_EQ(found.pixels[0], 0);
  EXPECT_EQ(found.pixels[11 * (kRecord - 1) + 5], 16);
  EXPECT_EQ(found.pixels[14 * (kRecord - 1) + 1], 3);
}

TEST_F(Cifar, DamagedFilesAreRefused) {
  EXPECT_THAT(error_of({}), HasSubstr("found 0 bytes, expected whole images of 3073"));
  Bytes cut = images(3);
  cut.pop_back();
  EXPECT_THAT(error_of(cut), HasSubstr("found 9218 bytes"));
  Bytes labelled = images(3);
  labelled[kRecord] = 10;
  EXPECT_THAT(error_of(labelled), HasSubstr("offset 3073: found label 10 of image 1"));
}

TEST_F(Cifar, TheSetIsKnownByItsForm) {
  const auto& entry = find_entry<DatasetEntry>(entries(), "cifar10", "data set");
  const Bytes whole = images(10'000);
  test_files::write(path_, whole);
  std::filesystem::create_directories(folder_ / "cifar10");
  for (const FileSpec& file : entry.files) {
    EXPECT_EQ(static_cast<std::size_t>(file.bytes), whole.size());
    std::filesystem::create_hard_link(path_, folder_ / "cifar10" / file.name);
  }
  const auto held = verify(entry, folder_.path());
  ASSERT_EQ(held.size(), 6U);
  EXPECT_EQ(held[5], "test_batch.bin: 10000 images, labels 0 to 9");
  std::filesystem::remove(folder_ / "cifar10/data_batch_3.bin");
  test_files::write(folder_ / "cifar10/data_batch_3.bin", images(9'999));
  EXPECT_THAT(test_files::data_error_of([&] { verify(entry, folder_.path()); }),
              HasSubstr("found 9999 images, expected 10000"));
}

}  // namespace
}  // namespace afterspike::datasets
