#pragma once

#include <archive.h>
#include <archive_entry.h>
#include <gtest/gtest.h>

#include <string>
#include <string_view>
#include <vector>

#include "unit/fetch/small_set.hpp"

/// Archives, written by libarchive.
namespace afterspike::test_files {

struct Member {
  std::string path;
  Bytes content;
  std::string link = "";  ///< Target of a symbolic link.
};

inline void write_members(archive* writer, const fs::path& path,
                          const std::vector<Member>& members) {
  ASSERT_EQ(archive_write_open_filename(writer, path.c_str()), ARCHIVE_OK);
  for (const Member& member : members) {
    archive_entry* const entry = archive_entry_new();
    archive_entry_set_pathname(entry, member.path.c_str());
    archive_entry_set_perm(entry, 0644);
    archive_entry_set_filetype(entry, member.link.empty() ? AE_IFREG : AE_IFLNK);
    archive_entry_set_size(entry, static_cast<la_int64_t>(member.content.size()));
    if (!member.link.empty()) archive_entry_set_symlink(entry, member.link.c_str());
    ASSERT_EQ(archive_write_header(writer, entry), ARCHIVE_OK);
    archive_write_data(writer, member.content.data(), member.content.size());
    archive_entry_free(entry);
  }
  ASSERT_EQ(archive_write_close(writer), ARCHIVE_OK);
  archive_write_free(writer);
}

/// A tar archive, packed by "gzip", "xz", ...
inline void write_tar(const fs::path& path, const std::string& packing,
                      const std::vector<Member>& members) {
  archive* const writer = archive_write_new();
  ASSERT_EQ(archive_write_add_filter_by_name(writer, packing.c_str()), ARCHIVE_OK);
  archive_write_set_format_ustar(writer);
  write_members(writer, path, members);
}

/// Writes an ar archive, the format of Debian packages.
inline void write_ar(const fs::path& path, const std::vector<Member>& members) {
  archive* const writer = archive_write_new();
  archive_write_set_format_ar_svr4(writer);
  write_members(writer, path, members);
}

/// Returns the members of a package that holds the set in the folder `inside`, among misleading
/// others.
inline std::vector<Member> package_members(const SmallSet& set, const std::string& inside,
                                           const fs::path& outside) {
  return {{"../../outside", {1}},
          {outside.string(), {1}},
          {"first", {1}},
          {"package.json", {'{', '}'}},
          {inside + "/../data/second", {1}},
          {inside + "/first", {}, "/etc/passwd"},  // a link of the right name
          {inside + "/first", set.content(0)},
          {inside + "/second.gz", gzip(set.content(1))},
          {inside + "/third", set.content(2)}};
}

/// A folder at the front of PATH, with scripts in place of programs.
class Programs {
 public:
  /// Makes `program` write its arguments to arguments() and then run `body`.
  void make(const std::string& program, const std::string& body) const {
    const std::string script =
        "#!/bin/sh\necho \"$@\" > " + arguments_path().string() + "\n" + body;
    write(folder_ / program, Bytes(script.begin(), script.end()));
    fs::permissions(folder_ / program, fs::perms::owner_all);
  }

  /// Returns the arguments of the last call; "" without a call.
  std::string arguments() const {
    const Bytes bytes = read(arguments_path());
    return {bytes.begin(), bytes.end()};
  }

  fs::path operator/(const fs::path& name) const { return folder_ / name; }

 private:
  fs::path arguments_path() const { return folder_ / "arguments"; }

  Folder folder_;
  Environment path_{"PATH", folder_.path().string() + ":/usr/bin:/bin"};
};

}  // namespace afterspike::test_files
