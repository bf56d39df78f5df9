#include "fetch/debian.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "unit/fetch/archives.hpp"

namespace afterspike::fetch {
namespace {

namespace fs = std::filesystem;
using datasets::Source;
using test_files::Bytes;
using test_files::data_error_of;
using test_files::Fetching;
using test_files::Folder;
using test_files::Member;
using test_files::package_members;
using test_files::SmallSet;
using test_files::write;
using ::testing::AllOf;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::Not;

constexpr const char* kInside = "/no/such/data";

class DebianTest : public ::testing::Test {
 protected:
  /// Returns a package of these files, with a script that must not be run.
  Bytes package(const std::string& packing, const std::vector<Member>& files) const {
    const std::string script = "#!/bin/sh\ntouch " + (programs_ / "ran").string() + "\n";
    test_files::write_tar(programs_ / "control", "xz",
                          {{"./preinst", {script.begin(), script.end()}}});
    test_files::write_tar(programs_ / "data", packing, files);
    test_files::write_ar(programs_ / "package",
                         {{"debian-binary", {'2', '.', '0', '\n'}},
                          {"control.tar.xz", test_files::read(programs_ / "control")},
                          {"data.tar." + packing, test_files::read(programs_ / "data")}});
    return test_files::read(programs_ / "package");
  }
  Bytes good_package(const std::string& packing = "xz") const {
    return package(packing,
                   package_members(SmallSet(), std::string(".") + kInside, programs_ / "outside"));
  }

  /// Makes apt-get, called with -q download NAME, write these bytes.
  void apt_get_writes(const Bytes& bytes) const {
    write(programs_ / "small.deb", bytes);
    programs_.make("apt-get", "cp " + (programs_ / "small.deb").string() + " small_1.0_all.deb\n");
  }

  static Source source(std::string_view inside = kInside) {
    return {.kind = Source::Kind::debian, .location = "dataset-small", .inside = inside};
  }

  test_files::Programs programs_;
};

TEST_F(DebianTest, TakesTheFilesOfAnInstalledPackage) {
  programs_.make("apt-get", "exit 1\n");
  const Folder installed;
  const std::string inside = installed.path().string();
  const SmallSet set({source(inside)});
  set.write_to(installed.path());
  Fetching fetching;
  EXPECT_EQ(fetching(set).source, "Debian package dataset-small");
  EXPECT_NO_THROW(datasets::verify(set.entry(), fetching.data.path()));
  EXPECT_EQ(programs_.arguments(), "") << "apt-get is not asked";
}

TEST_F(DebianTest, DownloadsThePackageAndTakesTheFilesOutOfIt) {
  for (const char* packing : {"xz", "zstd", "gzip"}) {
    apt_get_writes(good_package(packing));
    const SmallSet set({source()});
    Fetching fetching;
    EXPECT_EQ(fetching(set).source, "Debian package dataset-small");
    EXPECT_EQ(programs_.arguments(), "-q download dataset-small\n");
    EXPECT_THAT(fetching.there(),
                ElementsAre("small/", "small/first", "small/second.gz", "small/third"));
    EXPECT_NO_THROW(datasets::verify(set.entry(), fetching.data.path()));
    EXPECT_FALSE(fs::exists(fetching.data.path().parent_path() / "outside"));
    EXPECT_FALSE(fs::exists(programs_ / "outside"));
    EXPECT_FALSE(fs::exists(programs_ / "ran"));
  }
}

TEST_F(DebianTest, SaysWhatWentWrong) {
  const Bytes whole = good_package(), none;
  Bytes flipped = whole;
  flipped[flipped.size() - 1000] ^= 0x55;
  const std::string first = std::string(".") + kInside + "/first";
  const struct {
    Bytes package;
    std::string message;
  } cases[] = {
      {{'n', 'o', 'n', 'e'}, "small_1.0_all.deb' cannot be read as a Debian package: "},
      {none, "small_1.0_all.deb' cannot be read as a Debian package: "},
      {{whole.begin(), whole.begin() + 150}, "small_1.0_all.deb'"},
      {{whole.begin(), whole.end() - 1000}, "small_1.0_all.deb': damaged: "},
      {flipped, "debian/files'"},
      {package("xz", {{"./usr/share/doc/copyright", {1}}}), "has no member '" + first + "'"},
      {package("xz", {{first, Bytes(5000, 7)}}), first + " of dataset-small': found SHA-256 "},
      {package("xz", {{first, Bytes(30'000)}}), "a member has more than the 9146 bytes"},
      {package("xz", {{first, test_files::noise(90'000)}}), "a member has more than the "},
  };
  for (const auto& bad : cases) {
    apt_get_writes(bad.package);
    const SmallSet set({source()});
    Fetching fetching;
    EXPECT_THAT(data_error_of([&] { fetching(set); }),
                AllOf(HasSubstr("Debian package dataset-small: first: "), HasSubstr(bad.message)));
    EXPECT_THAT(fetching.there(), IsEmpty()) << bad.message;
  }
}

TEST_F(DebianTest, SaysWhatAptGetSays) {
  const struct {
    std::string script, message;
  } cases[] = {
      {"echo Reading >&2\necho 'E: Unable to locate package' >&2\nexit 100\n",
       "'apt-get' ended with status 100: E: Unable to locate package"},
      {"exit 0\n", "apt-get reports success, but wrote no .deb file"},
  };
  for (const auto& bad : cases) {
    programs_.make("apt-get", bad.script);
    Fetching fetching;
    EXPECT_THAT(data_error_of([&] { fetching(SmallSet({source()})); }), HasSubstr(bad.message));
    EXPECT_THAT(fetching.there(), IsEmpty());
  }
}

TEST_F(DebianTest, WithoutAptGetTheNextPlaceIsTried) {
  const test_files::Environment nothing("PATH", (programs_ / "").string());
  const Folder installed;
  const std::string inside = installed.path().string();
  const SmallSet set({source(), source(inside)});
  set.write_to(installed.path());
  Fetching fetching;
  fetching(set);
  EXPECT_THAT(fetching.reports,
              ::testing::Contains("Debian package dataset-small: first: the program 'apt-get' is "
                                  "not installed"));
  EXPECT_NO_THROW(datasets::verify(set.entry(), fetching.data.path()));
}

}  // namespace
}  // namespace afterspike::fetch
