#include "archive.hpp"

#include <archive.h>
#include <archive_entry.h>

#include <array>
#include <fstream>
#include <memory>

#include "afterspike/base/error.hpp"

namespace afterspike::fetch {
namespace {

namespace fs = std::filesystem;

struct FreeReader {
  void operator()(archive* reader) const { archive_read_free(reader); }
};
using Reader = std::unique_ptr<archive, FreeReader>;

Reader new_reader() {
  Reader reader(archive_read_new());
  require(reader != nullptr, ErrorKind::internal, "libarchive cannot be initialised");
  archive_read_support_filter_gzip(reader.get());
  archive_read_support_filter_xz(reader.get());
  return reader;
}

void open(archive* reader, const fs::path& path, std::string_view form) {
  constexpr std::size_t kBlock = 1 << 16;
  const int state = archive_read_open_filename(reader, path.c_str(), kBlock);
  require(state == ARCHIVE_OK, ErrorKind::data, "'{}' cannot be read as {}: {}", path.string(),
          form, archive_error_string(reader));
}

/// Returns the next member; null after the last.
archive_entry* next_member(archive* reader, const fs::path& path) {
  archive_entry* member = nullptr;
  const int state = archive_read_next_header(reader, &member);
  if (state == ARCHIVE_EOF) return nullptr;
  require(state >= ARCHIVE_WARN, ErrorKind::data, "'{}': damaged: {}", path.string(),
          archive_error_string(reader));
  return member;
}

/// Returns whether a member is a file of this name. A hard link is a member without content.
bool is_wanted(archive_entry* member, std::string_view name) {
  const char* path = archive_entry_pathname(member);
  if (path == nullptr || archive_entry_filetype(member) != AE_IFREG) return false;
  return path == name && archive_entry_hardlink(member) == nullptr;
}

void copy_member(archive* reader, const fs::path& archive_path, const fs::path& target,
                 std::int64_t limit) {
  std::ofstream output(target, std::ios::binary);
  std::array<char, 1 << 16> block;
  std::int64_t total = 0;
  for (;;) {
    const la_ssize_t count = archive_read_data(reader, block.data(), block.size());
    require(count >= 0, ErrorKind::data, "'{}': damaged: {}", archive_path.string(),
            archive_error_string(reader));
    if (count == 0) break;
    total += count;
    require(total <= limit, ErrorKind::data,
            "'{}': a member has more than the {} bytes expected at most", archive_path.string(),
            limit);
    output.write(block.data(), count);
  }
  output.close();
  require(!output.fail(), ErrorKind::data, "'{}' cannot be written", target.string());
}

}  // namespace

std::string extract_member(const fs::path& archive_path, std::string_view name,
                           const fs::path& target, std::int64_t limit) {
  const std::string gzipped = fmt::format("{}.gz", name);
  const Reader reader = new_reader();
  archive_read_support_filter_zstd(reader.get());
  archive_read_support_format_tar(reader.get());
  open(reader.get(), archive_path, "a tar archive");
  while (archive_entry* member = next_member(reader.get(), archive_path)) {
    if (!is_wanted(member, name) && !is_wanted(member, gzipped)) continue;
    std::string found = archive_entry_pathname(member);
    copy_member(reader.get(), archive_path, target, limit);
    return found;
  }
  fail(ErrorKind::data, "'{}': has no member '{}'", archive_path.string(), name);
}

void extract_deb(const fs::path& package, const fs::path& target, std::int64_t limit) {
  const Reader reader = new_reader();
  archive_read_support_format_ar(reader.get());
  open(reader.get(), package, "a Debian package");
  while (archive_entry* member = next_member(reader.get(), package)) {
    const char* name = archive_entry_pathname(member);
    if (name == nullptr || !std::string_view(name).starts_with("data.tar")) continue;
    copy_member(reader.get(), package, target, limit);
    return;
  }
  fail(ErrorKind::data, "'{}': has no member 'data.tar'", package.string());
}

void unpack(const fs::path& packed, std::string_view name, const fs::path& target,
            std::int64_t limit) {
  const Reader reader = new_reader();
  archive_read_support_format_zip(reader.get());
  archive_read_support_format_raw(reader.get());
  open(reader.get(), packed, "a file, packed or not");
  while (archive_entry* member = next_member(reader.get(), packed)) {
    const bool alone = archive_format(reader.get()) == ARCHIVE_FORMAT_RAW;
    if (!alone && !is_wanted(member, name)) continue;
    copy_member(reader.get(), packed, target, limit);
    return;
  }
  fail(ErrorKind::data, "'{}': has no member '{}'", packed.string(), name);
}

}  // namespace afterspike::fetch
