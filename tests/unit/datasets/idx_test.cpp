#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <functional>
#include <numeric>
#include <string>
#include <vector>

#include "afterspike/datasets/images.hpp"
#include "unit/datasets/test_files.hpp"

namespace afterspike::datasets {
namespace {

namespace fs = std::filesystem;
using test_files::Bytes;
using test_files::data_error_of;
using test_files::Folder;
using test_files::gzip;
using test_files::idx;
using test_files::write;
using ::testing::AllOf;
using ::testing::HasSubstr;

constexpr std::uint32_t kCount = 3, kRows = 2, kColumns = 4;

Bytes some_pixels() {
  Bytes pixels(kCount * kRows * kColumns);
  std::iota(pixels.begin(), pixels.end(), std::uint8_t{240});  // wraps: both ends of the range
  return pixels;
}

/// A pair of files, and the test's change before reading.
struct Pair {
  Bytes images = idx({kCount, kRows, kColumns}, some_pixels());
  Bytes labels = idx({kCount}, {9, 0, 4});
};

class IdxTest : public ::testing::TestWithParam<bool> {
 protected:
  /// Reads the pair from files, gzipped or plain as the parameter says.
  ImageSet read(const Pair& pair, int classes = 10) const {
    write(images_, GetParam() ? gzip(pair.images) : pair.images);
    write(labels_, GetParam() ? gzip(pair.labels) : pair.labels);
    return read_idx(images_, labels_, classes);
  }

  std::string error_of(const Pair& pair) const {
    return data_error_of([&] { read(pair); });
  }

  Folder folder_;
  fs::path images_ = folder_ / "images", labels_ = folder_ / "labels";
};

INSTANTIATE_TEST_SUITE_P(Forms, IdxTest, ::testing::Bool(),
                         [](const auto& form) { return form.param ? "Gzipped" : "Plain"; });

TEST_P(IdxTest, ReadsBackWhatWasWritten) {
  const ImageSet set = read({});
  EXPECT_EQ(set.count, kCount);
  EXPECT_EQ(set.rows, kRows);
  EXPECT_EQ(set.columns, kColumns);
  EXPECT_EQ(set.pixels, some_pixels());
  EXPECT_EQ(set.labels, (Bytes{9, 0, 4}));
}

TEST_P(IdxTest, TakesEveryLabelBelowTheNumberOfClasses) {
  const Pair pair{.labels = idx({kCount}, {0, 255, 10})};
  EXPECT_EQ(read(pair, 256).labels, (Bytes{0, 255, 10}));
}

TEST_P(IdxTest, RefusesEveryTruncation) {
  const Pair whole;
  for (std::size_t size = 0; size < whole.images.size(); ++size) {
    Pair pair;
    pair.images.resize(size);
    EXPECT_THAT(error_of(pair), HasSubstr(images_.string())) << size;
  }
  for (std::size_t size = 0; size < whole.labels.size(); ++size) {
    Pair pair;
    pair.labels.resize(size);
    EXPECT_THAT(error_of(pair), HasSubstr(labels_.string())) << size;
  }
}

TEST_P(IdxTest, RefusesEveryFlippedBitOfAHeader) {
  for (std::size_t bit = 0; bit < 16 * 8; ++bit) {
    Pair pair;
    pair.images[bit / 8] ^= static_cast<std::uint8_t>(1 << bit % 8);
    EXPECT_THAT(error_of(pair), HasSubstr(images_.string() + "': ")) << bit;
  }
  for (std::size_t bit = 0; bit < 8 * 8; ++bit) {
    Pair pair;
    pair.labels[bit / 8] ^= static_cast<std::uint8_t>(1 << bit % 8);
    EXPECT_THAT(error_of(pair), HasSubstr(labels_.string() + "': ")) << bit;
  }
}

struct Damage {
  std::string name;
  std::function<void(Pair&)> apply;
  std::string file;  ///< File that the message must name.
  std::string message;
};

std::vector<Damage> damages() {
  return {
      {"EmptyImages", [](Pair& pair) { pair.images.clear(); }, "images",
       "': found an empty file, expected images in IDX form"},
      {"EmptyLabels", [](Pair& pair) { pair.labels.clear(); }, "labels",
       "': found an empty file, expected labels in IDX form"},
      {"FlippedMagic", [](Pair& pair) { pair.images[2] ^= 0x40; }, "images",
       "': offset 0: found magic number 0x00004803, expected 0x00000803 (images)"},
      {"OtherByteOrder", [](Pair& pair) { std::swap(pair.labels[0], pair.labels[3]); }, "labels",
       "': offset 0: found magic number 0x01000800, expected 0x00000801 (labels)"},
      {"ImagesAndLabelsSwapped", [](Pair& pair) { std::swap(pair.images, pair.labels); }, "images",
       "': offset 0: found magic number 0x00000801 (labels), expected 0x00000803 (images)"},
      {"ImagesAsLabels", [](Pair& pair) { pair.labels = pair.images; }, "labels",
       "': offset 0: found magic number 0x00000803 (images), expected 0x00000801 (labels)"},
      {"HeaderCut", [](Pair& pair) { pair.images.resize(11); }, "images",
       "': ends at offset 11, expected an IDX header of 16 bytes"},
      {"PixelsCut", [](Pair& pair) { pair.images.resize(30); }, "images",
       "': ends at offset 30, expected 40 bytes for 3 x 2 x 4 images after a header of 16"},
      {"LabelsCut", [](Pair& pair) { pair.labels.resize(9); }, "labels",
       "': ends at offset 9, expected 11 bytes for 3 labels after a header of 8"},
      {"MoreColumns", [](Pair& pair) { pair.images[15] = 5; }, "images",
       "': ends at offset 40, expected 46 bytes for 3 x 2 x 5 images after a header of 16"},
      {"FewerRows", [](Pair& pair) { pair.images[11] = 1; }, "images",
       "': offset 28: found 12 more bytes, expected the end of 3 x 1 x 4 images"},
      {"NoImages",
       [](Pair& pair) {
         pair.images = idx({0, 28, 28}, {});
       },
       "images", "': offset 4: found 0 images, expected at least 1"},
      {"NoRows", [](Pair& pair) { pair.images[11] = 0; }, "images",
       "': offset 8: found 0 rows, expected at least 1"},
      {"EnormousColumns", [](Pair& pair) { pair.images[12] = 0xff; }, "images",
       "': offset 12: found 4278190084 columns, expected at most 4096"},
      {"EnormousCount", [](Pair& pair) { pair.images[4] = 0xff; }, "images",
       "': ends at offset 40, expected 34225520680 bytes for 4278190083 x 2 x 4 images"},
      {"TrailingPixels", [](Pair& pair) { pair.images.push_back(0); }, "images",
       "': offset 40: found 1 more bytes, expected the end of 3 x 2 x 4 images"},
      {"TrailingLabels", [](Pair& pair) { pair.labels.insert(pair.labels.end(), 7, 0); }, "labels",
       "': offset 11: found 7 more bytes, expected the end of 3 labels"},
      {"FewerLabels",
       [](Pair& pair) {
         pair.labels = idx({2}, {9, 0});
       },
       "labels", "': offset 4: found 2 labels, expected 3, one for each image of '"},
      {"LabelOutOfRange", [](Pair& pair) { pair.labels[9] = 10; }, "labels",
       "': offset 9: found label 10 of sample 1, expected 0 to 9"},
  };
}

TEST_P(IdxTest, NamesWhatIsDamaged) {
  for (const Damage& damage : damages()) {
    Pair pair;
    damage.apply(pair);
    EXPECT_THAT(error_of(pair), HasSubstr((folder_ / damage.file).string() + damage.message))
        << damage.name;
  }
}

TEST(IdxGzipTest, RefusesDamagedGzipData) {
  const Folder folder;
  const Bytes images = gzip(Pair().images), labels = gzip(Pair().labels);
  const auto error_with = [&](const Bytes& packed_images) {
    write(folder / "images.gz", packed_images);
    write(folder / "labels.gz", labels);
    return data_error_of([&] { read_idx(folder / "images.gz", folder / "labels.gz"); });
  };

  for (std::size_t size = 2; size < images.size(); ++size) {
    EXPECT_THAT(error_with(Bytes(images.begin(), images.begin() + static_cast<long>(size))),
                AllOf(HasSubstr((folder / "images.gz").string()), HasSubstr("offset")))
        << size;
  }
  Bytes trailing = images;
  trailing.push_back(1);  // gzip itself ignores zeros.
  EXPECT_THAT(error_with(trailing), HasSubstr((folder / "images.gz").string()));
  Bytes flipped = images;
  flipped[flipped.size() - 6] ^= 1;  // in the checksum of gzip
  EXPECT_THAT(error_with(flipped), HasSubstr((folder / "images.gz").string()));
}

TEST(IdxGzipTest, NamesAFileThatIsNotThere) {
  const Folder folder;
  EXPECT_THAT(data_error_of([&] { read_idx(folder / "no-images", folder / "no-labels"); }),
              HasSubstr((folder / "no-images").string()));
}

}  // namespace
}  // namespace afterspike::datasets
