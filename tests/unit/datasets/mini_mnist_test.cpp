#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <string>
#include <vector>

#include "afterspike/base/registry.hpp"
#include "afterspike/datasets/images.hpp"
#include "unit/datasets/test_files.hpp"

// Published facts about MNIST must hold for the part of it that ships.
namespace afterspike::datasets {
namespace {

using test_files::Bytes;

const DatasetEntry& mini_mnist() {
  return find_entry<DatasetEntry>(entries(), "mini_mnist", "data set");
}

struct Known {
  Part part;
  std::int64_t of_each_class;
  Bytes first_labels;  ///< First labels of the part of MNIST: early samples of all classes are
                       ///< kept.
};

class MiniMnist : public ::testing::TestWithParam<Known> {};
INSTANTIATE_TEST_SUITE_P(Parts, MiniMnist,
                         ::testing::Values(Known{Part::train, 100, {5, 0, 4, 1, 9, 2, 1, 3}},
                                           Known{Part::test, 50, {7, 2, 1, 0, 4, 1, 4, 9}}));

TEST_P(MiniMnist, HasAsManyImagesOfEachClass) {
  const ImageSet set = read_images(mini_mnist(), "/nowhere", GetParam().part);
  EXPECT_EQ(set.count, 10 * GetParam().of_each_class);
  EXPECT_EQ(set.rows, 28);
  EXPECT_EQ(set.columns, 28);
  for (int label = 0; label < 10; ++label) {
    EXPECT_EQ(std::count(set.labels.begin(), set.labels.end(), label), GetParam().of_each_class);
  }
}

TEST_P(MiniMnist, KeepsTheOrderOfMnist) {
  const ImageSet set = read_images(mini_mnist(), "/nowhere", GetParam().part);
  const Bytes& known = GetParam().first_labels;
  EXPECT_TRUE(std::equal(known.begin(), known.end(), set.labels.begin()));
}

TEST_P(MiniMnist, HasTheBrightnessOfMnist) {
  const ImageSet set = read_images(mini_mnist(), "/nowhere", GetParam().part);
  double sum = 0, squares = 0;
  for (const std::uint8_t pixel : set.pixels) {
    sum += pixel / 255.0;
    squares += pixel / 255.0 * (pixel / 255.0);
  }
  const double pixels = static_cast<double>(set.pixels.size());
  const double mean = sum / pixels;
  // 0.1307 and 0.3081 for the 60,000. For 500 random images both would differ by some 0.002; but
  // MNIST is ordered by writer, and the first writers are not typical. Inverted, shifted or
  // rescaled pixels differ by far more.
  EXPECT_NEAR(mean, 0.1307, 0.015);
  EXPECT_NEAR(std::sqrt(squares / pixels - mean * mean), 0.3081, 0.015);
}

TEST(MiniMnistFiles, AreSmallAndWithoutTheTimeOfTheirMaking) {
  std::uintmax_t bytes = 0;
  for (const FileSpec& file : mini_mnist().files) {
    const std::filesystem::path path = find_file(mini_mnist(), "/nowhere", file.name);
    bytes += std::filesystem::file_size(path);
    const Bytes content = test_files::read(path);
    ASSERT_GT(content.size(), 8u);
    EXPECT_EQ(Bytes(content.begin() + 4, content.begin() + 8), Bytes(4)) << path;  // gzip's MTIME
  }
  EXPECT_LT(bytes, 400'000u);
}

}  // namespace
}  // namespace afterspike::datasets
