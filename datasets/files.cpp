#include <algorithm>
#include <optional>
#include <string>
#include <system_error>
#include <utility>
#include <vector>

#include <fmt/format.h>

#include "afterspike/base/error.hpp"
#include "afterspike/datasets/datasets.hpp"
#include "afterspike/io/bytes.hpp"

namespace afterspike::datasets {
namespace {

namespace fs = std::filesystem;

bool is_file(const fs::path& path) {
  std::error_code ignored;
  return fs::is_regular_file(path, ignored);
}

/// Where the set that ships with the project may lie: in an installation beside the program, else
/// in the source tree that the program was built from.
std::vector<fs::path> shipped_directories() {
  std::vector<fs::path> candidates;
  std::error_code error;
  const fs::path program = fs::read_symlink("/proc/self/exe", error);
  if (!error) {
    const fs::path prefix = program.parent_path().parent_path();
    candidates.push_back(prefix / "share/afterspike/datasets/mini");
  }
  candidates.emplace_back(AFTERSPIKE_SHIPPED_DATASET);
  return candidates;
}

/// The path of a file of a folder, gzipped or not; nothing when it is in neither form.
std::optional<fs::path> find_in(const fs::path& folder, std::string_view file_name) {
  fs::path path = folder / file_name;
  if (is_file(path)) return path;
  path += ".gz";
  return is_file(path) ? std::optional(path) : std::nullopt;
}

bool has_all(const fs::path& folder, std::span<const FileSpec> files) {
  return std::all_of(files.begin(), files.end(),
                     [&](const FileSpec& file) { return find_in(folder, file.name).has_value(); });
}

std::vector<std::string_view> names_of(std::span<const FileSpec> files) {
  std::vector<std::string_view> names;
  for (const FileSpec& file : files) names.push_back(file.name);
  return names;
}

/// Where one can download the files oneself.
std::string addresses(const DatasetEntry& entry) {
  std::vector<std::string_view> found;
  for (const Source& source : entry.sources) {
    if (source.kind == Source::Kind::https) found.push_back(source.location);
  }
  return fmt::format("{}", fmt::join(found, " or "));
}

/// "mnist --data-dir 'my data'": what a command takes to mean the set that belongs into `folder`.
std::string arguments_of(const DatasetEntry& entry, const fs::path& folder) {
  const std::string place = folder.parent_path().string();
  if (place == kDefaultDirectory) return std::string(entry.name);
  std::string quoted;
  for (const char letter : place) quoted += letter == '\'' ? "'\\''" : std::string(1, letter);
  return fmt::format("{} --data-dir '{}'", entry.name, quoted);
}

std::string how_to_obtain(const DatasetEntry& entry, const fs::path& folder) {
  const std::string arguments = arguments_of(entry, folder);
  const std::string by_hand = fmt::format(
      "put these files, gzipped or not, into '{}'\n"
      "    {}\n"
      "and check them with\n"
      "    afterspike data verify {}",
      folder.string(), fmt::join(names_of(entry.files), " "), arguments);
  if (entry.sources.empty()) {
    return fmt::format(
        "The set ships with afterspike, as share/afterspike/datasets/mini of an installation.\n"
        "Install afterspike again, or {}",
        by_hand);
  }
  return fmt::format(
      "Obtain the set with\n"
      "    afterspike data fetch {0}\n"
      "or, where a folder of yours holds its files already, with\n"
      "    afterspike data fetch {0} --from FOLDER\n"
      "or download it from {1},\n"
      "{2}",
      arguments, addresses(entry), by_hand);
}

}  // namespace

fs::path directory(const DatasetEntry& entry, const fs::path& data_directory) {
  const fs::path own = data_directory / entry.name;
  // An incomplete folder does not hide the set that ships: the files are the same.
  if (!entry.sources.empty() || has_all(own, entry.files)) return own;
  for (const fs::path& shipped : shipped_directories()) {
    if (has_all(shipped, entry.files)) return shipped;
  }
  return own;
}

fs::path find_file(const DatasetEntry& entry, const fs::path& data_directory,
                   std::string_view file_name) {
  const fs::path folder = directory(entry, data_directory);
  const std::optional<fs::path> found = find_in(folder, file_name);
  require(found.has_value(), ErrorKind::data,
          "data set '{}': found neither '{}' nor '{}.gz' in '{}'\n{}", entry.name, file_name,
          file_name, folder.string(), how_to_obtain(entry, folder));
  return *found;
}

void verify_file(const FileSpec& file, const fs::path& path) {
  // Keeps a file that decompresses without end from filling memory, and is loose enough for files
  // that are mistaken for each other to be told by their sizes.
  const std::size_t limit =
      std::max(2 * static_cast<std::size_t>(file.bytes), std::size_t{1} << 26);
  const std::vector<std::uint8_t> content = io::read_maybe_gzipped(path, limit);
  require(std::cmp_equal(content.size(), file.bytes), ErrorKind::data,
          "'{}': found {} bytes (decompressed), expected the {} of '{}'", path.string(),
          content.size(), file.bytes, file.name);
  const std::string found = io::sha256(content);
  require(found == file.sha256, ErrorKind::data,
          "'{}': found SHA-256 {} (of the decompressed content), expected the {} of '{}'",
          path.string(), found, file.sha256, file.name);
}

void verify(const DatasetEntry& entry, const fs::path& data_directory) {
  for (const FileSpec& file : entry.files) {
    verify_file(file, find_file(entry, data_directory, file.name));
  }
}

}  // namespace afterspike::datasets
