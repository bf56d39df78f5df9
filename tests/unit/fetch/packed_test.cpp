// Files recognised by their form: fetched in various packings, stored unpacked.

#include "fetch/archive.hpp"

#include <archive.h>
#include <archive_entry.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>

#include "afterspike/fetch/fetch.hpp"
#include "unit/fetch/small_set.hpp"
#include "unit/fetch/web_server.hpp"

namespace afterspike::fetch {
namespace {

namespace fs = std::filesystem;
using test_files::Bytes;
using test_files::data_error_of;
using test_files::Folder;
using test_files::gzip;
using test_files::read;
using test_files::WebServer;
using test_files::write;
using ::testing::AllOf;
using ::testing::ElementsAre;
using ::testing::HasSubstr;

enum class Packing { zip, xz };

/// Returns `content` packed, as a member of that name if members have names.
Bytes packed(const Bytes& content, Packing packing, const std::string& name) {
  Bytes bytes(content.size() + 4096);
  std::size_t used = 0;
  archive* writer = archive_write_new();
  if (packing == Packing::zip) {
    archive_write_set_format_zip(writer);
  } else {
    archive_write_set_format_raw(writer);
    archive_write_add_filter_xz(writer);
  }
  archive_write_set_bytes_in_last_block(writer, 1);
  EXPECT_EQ(archive_write_open_memory(writer, bytes.data(), bytes.size(), &used), ARCHIVE_OK);
  archive_entry* member = archive_entry_new();
  archive_entry_set_pathname(member, name.c_str());
  archive_entry_set_filetype(member, AE_IFREG);
  archive_entry_set_size(member, static_cast<la_int64_t>(content.size()));
  EXPECT_EQ(archive_write_header(writer, member), ARCHIVE_OK);
  EXPECT_EQ(archive_write_data(writer, content.data(), content.size()),
            static_cast<la_ssize_t>(content.size()));
  archive_entry_free(member);
  archive_write_close(writer);
  archive_write_free(writer);
  bytes.resize(used);
  return bytes;
}

/// The form in these tests: a file that begins with "form".
std::string inspect(const fs::path& path) {
  const Bytes bytes = read(path);
  const std::string start(bytes.begin(),
                          bytes.begin() + std::min<std::ptrdiff_t>(4, std::ssize(bytes)));
  require(start == "form", ErrorKind::data, "'{}': found '{}', expected 'form'", path.string(),
          start);
  return std::to_string(bytes.size()) + " bytes";
}

const Bytes kContent = {'f', 'o', 'r', 'm', 1, 2, 3};

/// A data set of one file recognised by its form.
struct FormSet {
  std::string md5;
  std::string location;
  std::vector<datasets::FileSpec> files;
  std::vector<datasets::Source> sources;
  Folder data;

  explicit FormSet(std::string zip_md5 = "", std::string from = "")
      : md5(std::move(zip_md5)), location(std::move(from)) {
    files.push_back({.name = "a.h5", .bytes = 1000, .inspect = inspect, .zip_md5 = md5});
    if (!location.empty()) {
      sources.push_back({.kind = datasets::Source::Kind::https, .location = location});
    }
  }

  datasets::DatasetEntry entry() const {
    return {.name = "forms", .summary = "", .licence = "", .files = files, .sources = sources};
  }
  FetchResult fetch_it(std::optional<fs::path> folder = {}) const {
    return fetch(entry(), {.data_directory = data.path(), .from = std::move(folder), .report = {}});
  }
  std::vector<std::string> there() const { return test_files::listing(data.path()); }
};

TEST(FetchByForm, UnpacksWhatAFolderHolds) {
  const std::vector<std::pair<std::string, Bytes>> forms = {
      {"a.h5", kContent},
      {"a.h5.gz", gzip(kContent)},
      {"a.h5.xz", packed(kContent, Packing::xz, "")},
      {"a.h5.zip", packed(kContent, Packing::zip, "a.h5")}};
  for (const auto& [name, bytes] : forms) {
    const Folder own;
    write(own / name, bytes);
    const FormSet set;
    EXPECT_FALSE(set.fetch_it(own.path()).already_there) << name;
    EXPECT_THAT(set.there(), ElementsAre("forms/", "forms/a.h5")) << name;
    EXPECT_EQ(read(set.data / "forms/a.h5"), kContent) << name;
    EXPECT_THAT(datasets::verify(set.entry(), set.data.path()), ElementsAre("a.h5: 7 bytes"));
    EXPECT_TRUE(set.fetch_it(own.path()).already_there) << name;
  }
}

TEST(FetchByForm, LeavesPackedFilesOfTheUserWhereTheyAre) {
  const FormSet set;
  write(set.data / "forms/a.h5.gz", gzip(kContent));
  set.fetch_it(set.data / "forms");
  EXPECT_THAT(set.there(), ElementsAre("forms/", "forms/a.h5", "forms/a.h5.gz"));
}

TEST(FetchByForm, RefusesWhatIsOfAnotherForm) {
  struct Bad {
    std::string name;
    Bytes bytes;
    std::string message;
  };
  Bytes cut = gzip(kContent);
  cut.resize(cut.size() - 10);
  const Bad bads[] = {
      {"a.h5", {'x'}, "a.h5': found 'x', expected 'form'"},
      {"a.h5.zip", packed(kContent, Packing::zip, "b.h5"), "a.h5.zip': has no member 'a.h5'"},
      {"a.h5.gz", gzip(Bytes(2000, 'f')), "more than the 1000 bytes expected at most"},
      {"a.h5.gz", cut, "truncated gzip input"},
      {"b.h5", kContent, "found none of 'a.h5', 'a.h5.gz', 'a.h5.xz', 'a.h5.zip' in '"},
  };
  for (const Bad& bad : bads) {
    const Folder own;
    write(own / bad.name, bad.bytes);
    const FormSet set;
    EXPECT_THAT(data_error_of([&] { set.fetch_it(own.path()); }), HasSubstr(bad.message));
    EXPECT_TRUE(set.there().empty()) << bad.message;
  }
}

TEST(FetchByForm, ChecksThePublishedArchiveWhereItsChecksumIsKnown) {
  const Bytes zip = packed(kContent, Packing::zip, "a.h5");
  const WebServer server({{"/a.h5.zip", WebServer::answer(zip)}});
  const FormSet good(io::md5(zip), server.location());
  EXPECT_EQ(good.fetch_it().source, server.location());
  EXPECT_EQ(read(good.data / "forms/a.h5"), kContent);

  const FormSet bad(std::string(32, '0'), server.location());
  EXPECT_THAT(data_error_of([&] { bad.fetch_it(); }),
              AllOf(HasSubstr("/a.h5.zip': found MD5 " + io::md5(zip)),
                    HasSubstr("expected the published " + std::string(32, '0'))));
  EXPECT_TRUE(bad.there().empty());
}

TEST(FetchByForm, TakesTheGzippedFileWhereNoChecksumIsKnown) {
  const WebServer server({{"/a.h5.gz", WebServer::answer(gzip(kContent))}});
  const FormSet set("", server.location());
  set.fetch_it();
  EXPECT_EQ(read(set.data / "forms/a.h5"), kContent);
}

}  // namespace
}  // namespace afterspike::fetch
