#include "afterspike/fetch/fetch.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <functional>
#include <string>
#include <vector>

#include "afterspike/base/registry.hpp"
#include "unit/fetch/small_set.hpp"

namespace afterspike::fetch {
namespace {

namespace fs = std::filesystem;
using datasets::Source;
using test_files::Bytes;
using test_files::data_error_of;
using test_files::Fetching;
using test_files::Folder;
using test_files::gzip;
using test_files::read;
using test_files::SmallSet;
using test_files::write;
using ::testing::AllOf;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::Not;

TEST(FetchFromDirectory, StoresFilesAsTheyCome) {
  const SmallSet set;
  const Folder own;
  set.write_to(own.path());
  fs::remove(own / "second");
  const Bytes packed = gzip(set.content(1));
  write(own / "second.gz", packed);
  write(own / "third.gz", gzip(set.content(0)));  // ignored, because "third" exists

  Fetching fetching;
  const FetchResult result = fetching(set, own.path());
  EXPECT_FALSE(result.already_there);
  EXPECT_EQ(result.source, "directory " + own.path().string());
  EXPECT_THAT(fetching.there(),
              ElementsAre("small/", "small/first", "small/second.gz", "small/third"));
  EXPECT_EQ(read(fetching.data / "small/first"), set.content(0));
  EXPECT_EQ(read(fetching.data / "small/second.gz"), packed);
  EXPECT_NO_THROW(datasets::verify(set.entry(), fetching.data.path()));
}

TEST(FetchFromDirectory, TellsByContentWhetherAFileIsGzipped) {
  const SmallSet set;
  const Folder own;
  set.write_to(own.path());
  write(own / "first", gzip(set.content(0)));
  Fetching fetching;
  fetching(set, own.path());
  EXPECT_THAT(fetching.there(),
              ElementsAre("small/", "small/first.gz", "small/second", "small/third"));
}

TEST(Fetch, RepeatedTouchesNothing) {
  const SmallSet set;
  const Folder own;
  set.write_to(own.path());
  Fetching fetching;
  fetching(set, own.path());
  const auto made = fs::last_write_time(fetching.data / "small/first");
  fs::permissions(fetching.data.path(), fs::perms::owner_read | fs::perms::owner_exec);
  fetching.reports.clear();

  const FetchResult again = fetching(set);
  fs::permissions(fetching.data.path(), fs::perms::owner_all);
  EXPECT_TRUE(again.already_there);
  EXPECT_EQ(again.source, "directory " + (fetching.data / "small").string());
  EXPECT_THAT(fetching.reports, IsEmpty());
  EXPECT_EQ(fs::last_write_time(fetching.data / "small/first"), made);
}

TEST(Fetch, ReplacesOnlyWhatIsNotRight) {
  const SmallSet set;
  Fetching fetching;
  const fs::path folder = fetching.data / "small";
  write(folder / "first", Bytes(5000, 2));               // wrong, and hides the fetched .gz
  write(folder / "second", set.content(1));              // right
  write(folder / "third.gz", {0x1f, 0x8b, 8, 0, 0, 0});  // truncated
  const Folder own;
  write(own / "first.gz", gzip(set.content(0)));
  write(own / "third", set.content(2));

  fetching(set, own.path());
  EXPECT_THAT(fetching.there(),
              ElementsAre("small/", "small/first.gz", "small/second", "small/third"));
  EXPECT_NO_THROW(datasets::verify(set.entry(), fetching.data.path()));
}

TEST(Fetch, RemovesWhatAnInterruptedOneLeft) {
  const SmallSet set;
  const Folder own;
  set.write_to(own.path());
  Fetching fetching;
  write(fetching.data / ".fetch-small/first/in-the-way", {1, 2, 3});
  write(fetching.data / ".fetch-small/npm/some.tgz", {1, 2, 3});
  fetching(set, own.path());
  EXPECT_THAT(fetching.there(),
              ElementsAre("small/", "small/first", "small/second", "small/third"));

  write(fetching.data / ".fetch-small/first", {1, 2, 3});  // also if all files exist
  EXPECT_TRUE(fetching(set).already_there);
  EXPECT_THAT(fetching.there(),
              ElementsAre("small/", "small/first", "small/second", "small/third"));
}

struct BadFile {
  std::string name;
  std::function<void(const SmallSet&, const fs::path&)> make;
  std::string message;
};

std::vector<BadFile> bad_files() {
  const auto as = [](std::function<Bytes(Bytes)> change) {
    return [change](const SmallSet& set, const fs::path& own) {
      write(own / "first", change(set.content(0)));
    };
  };
  const auto packed_as = [](std::function<Bytes(Bytes)> change) {
    return [change](const SmallSet& set, const fs::path& own) {
      fs::remove(own / "first");
      write(own / "first.gz", change(gzip(set.content(0))));
    };
  };
  return {
      {"FlippedBit", as([](Bytes bytes) { return bytes[77] ^= 1, bytes; }),
       "/first': found SHA-256 "},
      {"Truncated", as([](Bytes bytes) { return bytes.pop_back(), bytes; }),
       "/first': found 4999 bytes (decompressed), expected the 5000 of 'first'"},
      {"Longer", as([](Bytes bytes) { return bytes.push_back(0), bytes; }),
       "/first': found 5001 bytes (decompressed), expected the 5000 of 'first'"},
      {"MuchLonger", as([](Bytes bytes) { return bytes.resize(100'000), bytes; }),
       "/first': found 100000 bytes, expected at most 9146"},
      {"Empty", as([](const Bytes&) { return Bytes(); }), "/first': found 0 bytes"},
      {"TruncatedGzip", packed_as([](Bytes bytes) { return bytes.pop_back(), bytes; }),
       "/first.gz': offset "},
      {"FlippedGzip", packed_as([](Bytes bytes) { return bytes[12] ^= 0x55, bytes; }),
       "/first.gz': offset "},
      {"Missing", [](const SmallSet&, const fs::path& own) { fs::remove(own / "first"); },
       "found neither 'first' nor 'first.gz' in '"},
      {"AFolder",
       [](const SmallSet&, const fs::path& own) {
         fs::remove(own / "first");
         fs::create_directory(own / "first");
       },
       "found neither 'first' nor 'first.gz' in '"},
  };
}

TEST(FetchFromDirectory, RefusesBadFilesAndKeepsTheGoodOnes) {
  for (const BadFile& bad : bad_files()) {
    const SmallSet set;
    const Folder own;
    set.write_to(own.path());
    bad.make(set, own.path());
    Fetching fetching;
    const std::string message = data_error_of([&] { fetching(set, own.path()); });
    EXPECT_THAT(message, AllOf(HasSubstr("data set 'small' cannot be fetched; tried:"),
                               HasSubstr("directory " + own.path().string() + ": first: "),
                               HasSubstr(bad.message), HasSubstr("--from FOLDER"),
                               Not(HasSubstr(".fetch-small"))))
        << bad.name;
    EXPECT_THAT(fetching.there(), ElementsAre("small/", "small/second", "small/third")) << bad.name;
  }
}

TEST(FetchFromDirectory, LeavesABadFileThatWasThereUntilItHasTheRightOne) {
  const SmallSet set;
  const Folder empty;
  Fetching fetching;
  write(fetching.data / "small/first", {1, 2, 3});
  data_error_of([&] { fetching(set, empty.path()); });
  EXPECT_EQ(read(fetching.data / "small/first"), (Bytes{1, 2, 3}));
}

TEST(FetchFromDirectory, SaysThatADirectoryIsNotThere) {
  const SmallSet set;
  Fetching fetching;
  EXPECT_THAT(data_error_of([&] { fetching(set, "/no/such/folder"); }),
              HasSubstr("'/no/such/folder' is not a directory"));
  EXPECT_THAT(fetching.there(), IsEmpty());
}

TEST(Fetch, SaysThatTheDataDirectoryCannotBeMade) {
  const SmallSet set;
  const Folder folder;
  write(folder / "file", {1});
  EXPECT_THAT(data_error_of([&] {
                fetch(set.entry(),
                      {.data_directory = folder / "file/data", .from = {}, .report = {}});
              }),
              AllOf(HasSubstr("data set 'small' cannot be fetched"),
                    HasSubstr((folder / "file/data").string())));
}

TEST(Fetch, WithoutADataDirectoryIsAMistakeOfConfiguration) {
  const SmallSet set;
  try {
    fetch(set.entry(), {.data_directory = "", .from = {}, .report = {}});
    FAIL() << "no error was thrown";
  } catch (const Error& error) {
    EXPECT_EQ(error.kind(), ErrorKind::config);
    EXPECT_THAT(error.what(), HasSubstr("data directory"));
  }
}

TEST(Fetch, ReportsEveryPlaceTriedAndItsOutcome) {
  const Folder installed, own;
  const std::string inside = installed.path().string();
  const SmallSet set(
      {{.kind = Source::Kind::debian, .location = "dataset-small", .inside = inside}});
  set.write_to(installed.path());
  write(own / "second", set.content(1));
  Fetching fetching;
  const std::string from = "directory " + own.path().string();
  EXPECT_EQ(fetching(set, own.path()).source, from + " and Debian package dataset-small");
  EXPECT_THAT(fetching.reports,
              ElementsAre("trying " + from, HasSubstr(from + ": first: found neither"),
                          from + ": second: verified", HasSubstr(from + ": third: found neither"),
                          "trying Debian package dataset-small",
                          "Debian package dataset-small: first: verified",
                          "Debian package dataset-small: third: verified"));
}

TEST(Fetch, OfASetThatShipsFindsItThere) {
  const Folder data;
  const auto& mini =
      find_entry<datasets::DatasetEntry>(datasets::entries(), "mini_mnist", "data set");
  EXPECT_TRUE(fetch(mini, {.data_directory = data.path(), .from = {}, .report = {}}).already_there);
  EXPECT_THAT(test_files::listing(data.path()), IsEmpty());
}

}  // namespace
}  // namespace afterspike::fetch
