#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cstdlib>
#include <iostream>
#include <string>
#include <vector>

#include "afterspike/base/registry.hpp"
#include "afterspike/datasets/datasets.hpp"
#include "afterspike/datasets/images.hpp"
#include "afterspike/io/bytes.hpp"
#include "unit/datasets/test_files.hpp"

namespace afterspike::datasets {
namespace {

namespace fs = std::filesystem;
using test_files::Bytes;
using test_files::data_error_of;
using test_files::Folder;
using test_files::gzip;
using test_files::write;
using ::testing::AllOf;
using ::testing::EndsWith;
using ::testing::HasSubstr;
using ::testing::Not;

const DatasetEntry& entry(std::string_view name) {
  return find_entry<DatasetEntry>(entries(), name, "data set");
}

/// The content of a file of mini_mnist.
Bytes mini(std::string_view name) {
  return io::read_maybe_gzipped(find_file(entry("mini_mnist"), "/nowhere", name));
}

/// A copy of mini_mnist under data_directory(), to damage.
class MiniCopy {
 public:
  MiniCopy() {
    for (const FileSpec& file : entry("mini_mnist").files) {
      write(folder_ / "mini_mnist" / file.name, mini(file.name));
    }
  }
  const fs::path& data_directory() const { return folder_.path(); }
  fs::path operator/(std::string_view name) const { return folder_ / "mini_mnist" / name; }

 private:
  Folder folder_;
};

void exchange(const fs::path& left, const fs::path& right) {
  fs::path aside = left;
  aside += ".aside";
  fs::rename(left, aside);
  fs::rename(right, left);
  fs::rename(aside, right);
}

TEST(Datasets, HaveFilesWithChecksums) {
  for (const std::string_view name : {"mnist", "fashion_mnist", "mini_mnist"}) {
    const DatasetEntry& set = entry(name);
    EXPECT_EQ(set.name, name);
    EXPECT_EQ(set.files.size(), 4u) << name;
    EXPECT_FALSE(set.summary.empty() || set.licence.empty()) << name;
    for (const FileSpec& file : set.files) {
      EXPECT_THAT(std::string(file.sha256), ::testing::MatchesRegex("[0-9a-f]{64}")) << file.name;
    }
  }
}

TEST(Datasets, LieInAFolderOfTheirName) {
  EXPECT_EQ(directory(entry("mnist"), "/data"), "/data/mnist");
  EXPECT_EQ(directory(entry("fashion_mnist"), "/data"), "/data/fashion_mnist");
}

TEST(Datasets, FilesAreFoundPlainAndGzipped) {
  const Folder folder;
  write(folder / "mnist/t10k-labels-idx1-ubyte.gz", {1});
  const auto find = [&] {
    return find_file(entry("mnist"), folder.path(), "t10k-labels-idx1-ubyte");
  };
  EXPECT_EQ(find(), folder / "mnist/t10k-labels-idx1-ubyte.gz");
  write(folder / "mnist/t10k-labels-idx1-ubyte", {1});
  EXPECT_EQ(find(), folder / "mnist/t10k-labels-idx1-ubyte");
}

TEST(Datasets, OtherUsualNamesAreTaken) {
  const MiniCopy copy;
  fs::rename(copy / "train-images-idx3-ubyte", copy / "train-images.idx3-ubyte");
  EXPECT_EQ(find_file(entry("mini_mnist"), copy.data_directory(), "train-images-idx3-ubyte"),
            copy / "train-images.idx3-ubyte");
  verify(entry("mini_mnist"), copy.data_directory());
}

TEST(Datasets, AMissingSetSaysHowToObtainIt) {
  const Folder folder;
  const auto find = [&] { find_file(entry("mnist"), folder.path(), "train-images-idx3-ubyte"); };
  EXPECT_THAT(
      data_error_of(find),
      AllOf(HasSubstr("data set 'mnist': found neither 'train-images-idx3-ubyte' nor "
                      "'train-images-idx3-ubyte.gz' in '" +
                      (folder / "mnist").string() + "'"),
            HasSubstr("afterspike data fetch mnist --data-dir " + folder.path().string() + "\n"),
            HasSubstr("--from FOLDER"), HasSubstr("https://ossci-datasets.s3.amazonaws.com/mnist"),
            HasSubstr("train-images-idx3-ubyte train-labels-idx1-ubyte t10k-images-idx3-ubyte "
                      "t10k-labels-idx1-ubyte"),
            HasSubstr("afterspike data verify mnist")));
}

TEST(Datasets, TheHintNamesTheDirectoryUnlessItIsTheUsualOne) {
  const auto hint = [](const std::string& directory) {
    return data_error_of([&] { find_file(entry("mnist"), directory, "train-images-idx3-ubyte"); });
  };
  if (!fs::exists(fs::path(kDefaultDirectory) / "mnist")) {
    EXPECT_THAT(hint(std::string(kDefaultDirectory)), HasSubstr("afterspike data fetch mnist\n"));
  }
  EXPECT_THAT(hint("it's here"),
              HasSubstr("afterspike data fetch mnist --data-dir 'it'\\''s here' --from FOLDER\n"));
}

TEST(Datasets, AFolderUnderTheNameOfAFileIsNotTheFile) {
  const Folder folder;
  fs::create_directories(folder / "mnist/train-images-idx3-ubyte");
  EXPECT_THAT(
      data_error_of([&] { find_file(entry("mnist"), folder.path(), "train-images-idx3-ubyte"); }),
      HasSubstr("found neither"));
}

TEST(ShippedSet, IsFoundWithoutADataDirectory) {
  EXPECT_NO_THROW(verify(entry("mini_mnist"), "/nowhere"));
}

TEST(ShippedSet, IsTakenFromTheDataDirectoryWhenComplete) {
  const MiniCopy copy;
  EXPECT_EQ(directory(entry("mini_mnist"), copy.data_directory()),
            copy.data_directory() / "mini_mnist");
  EXPECT_NO_THROW(verify(entry("mini_mnist"), copy.data_directory()));
}

TEST(ShippedSet, IsNotHiddenByAnIncompleteFolder) {
  const MiniCopy copy;
  fs::remove(copy / "t10k-labels-idx1-ubyte");
  EXPECT_NE(directory(entry("mini_mnist"), copy.data_directory()),
            copy.data_directory() / "mini_mnist");
  EXPECT_NO_THROW(verify(entry("mini_mnist"), copy.data_directory()));
}

// Run by the next test, in a copy of this program.
TEST(ShippedSet, DISABLED_PrintsItsDirectory) {
  std::cout << "[" << directory(entry("mini_mnist"), "/nowhere").string() << "]\n";
}

TEST(ShippedSet, IsFoundBesideAnInstalledProgram) {
  const Folder prefix;
  const fs::path data = prefix / "share/afterspike/datasets/mini", program = prefix / "bin/program";
  for (const FileSpec& file : entry("mini_mnist").files) {
    write(data / fmt::format("{}.gz", file.name), gzip(mini(file.name)));
  }
  fs::create_directories(program.parent_path());
  fs::copy_file("/proc/self/exe", program);
  const std::string command = program.string() +
                              " --gtest_also_run_disabled_tests "
                              "--gtest_filter=ShippedSet.DISABLED_PrintsItsDirectory > " +
                              (prefix / "output").string();
  ASSERT_EQ(std::system(command.c_str()), 0);
  const Bytes output = test_files::read(prefix / "output");
  EXPECT_THAT(std::string(output.begin(), output.end()), HasSubstr("[" + data.string() + "]"));
}

TEST(Verify, AcceptsGzippedAndPlainAlike) {
  const MiniCopy copy;
  fs::remove(copy / "train-labels-idx1-ubyte");
  write(copy / "train-labels-idx1-ubyte.gz", gzip(mini("train-labels-idx1-ubyte")));
  EXPECT_NO_THROW(verify(entry("mini_mnist"), copy.data_directory()));
}

TEST(Verify, CatchesAFlippedBit) {
  for (const FileSpec& file : entry("mini_mnist").files) {
    const MiniCopy copy;
    Bytes content = mini(file.name);
    content[content.size() / 2] ^= 1;
    write(copy / file.name, content);
    EXPECT_THAT(data_error_of([&] { verify(entry("mini_mnist"), copy.data_directory()); }),
                AllOf(HasSubstr("'" + (copy / file.name).string() + "': found SHA-256 " +
                                io::sha256(content)),
                      HasSubstr("expected the " + std::string(file.sha256)), Not(HasSubstr("\n"))));
  }
}

TEST(Verify, CatchesOtherSizes) {
  const MiniCopy copy;
  Bytes content = mini("t10k-labels-idx1-ubyte");
  content.push_back(0);
  write(copy / "t10k-labels-idx1-ubyte", content);
  EXPECT_THAT(data_error_of([&] { verify(entry("mini_mnist"), copy.data_directory()); }),
              EndsWith("found 509 bytes (decompressed), expected the 508 of "
                       "'t10k-labels-idx1-ubyte'"));
}

TEST(Verify, DoesNotFillMemoryWithAFileThatDecompressesWithoutEnd) {
  const Folder folder;
  write(folder / "bomb.gz", gzip(Bytes(std::size_t{80} << 20)));
  EXPECT_THAT(data_error_of([&] { verify_file(entry("mini_mnist").files[0], folder / "bomb.gz"); }),
              AllOf(HasSubstr("bomb.gz"), HasSubstr("67108864")));
}

TEST(Verify, CatchesTrainingAndTestFilesExchanged) {
  const MiniCopy copy;
  exchange(copy / "train-images-idx3-ubyte", copy / "t10k-images-idx3-ubyte");
  EXPECT_THAT(data_error_of([&] { verify(entry("mini_mnist"), copy.data_directory()); }),
              EndsWith("found 392016 bytes (decompressed), expected the 784016 of "
                       "'train-images-idx3-ubyte'"));
}

TEST(ReadImages, RefusesTrainingAndTestFilesExchanged) {
  const MiniCopy copy;
  exchange(copy / "train-images-idx3-ubyte", copy / "t10k-images-idx3-ubyte");
  exchange(copy / "train-labels-idx1-ubyte", copy / "t10k-labels-idx1-ubyte");
  EXPECT_THAT(
      data_error_of([&] { read_images(entry("mini_mnist"), copy.data_directory(), Part::test); }),
      EndsWith("t10k-images-idx3-ubyte': found 784016 bytes of images (decompressed), "
               "expected the 392016 of the published 't10k-images-idx3-ubyte'"));
}

TEST(ReadImages, RefusesLabelsOfTheOtherPart) {
  const MiniCopy copy;
  exchange(copy / "train-labels-idx1-ubyte", copy / "t10k-labels-idx1-ubyte");
  EXPECT_THAT(
      data_error_of([&] { read_images(entry("mini_mnist"), copy.data_directory(), Part::train); }),
      HasSubstr("train-labels-idx1-ubyte': offset 4: found 500 labels, expected 1000"));
}

TEST(ReadImages, RefusesFilesOfAnotherSet) {
  const MiniCopy copy;
  fs::rename(copy.data_directory() / "mini_mnist", copy.data_directory() / "mnist");
  EXPECT_THAT(
      data_error_of([&] { read_images(entry("mnist"), copy.data_directory(), Part::train); }),
      HasSubstr("found 784016 bytes of images (decompressed), expected the 47040016"));
}

TEST(ReadImages, SaysHowToObtainAMissingSet) {
  const Folder folder;
  EXPECT_THAT(
      data_error_of([&] { read_images(entry("fashion_mnist"), folder.path(), Part::test); }),
      HasSubstr("afterspike data fetch fashion_mnist"));
}

}  // namespace
}  // namespace afterspike::datasets
