#include <dlfcn.h>

#include <algorithm>
#include <optional>
#include <string>
#include <system_error>
#include <utility>
#include <vector>

#include <fmt/format.h>

#include "afterspike/base/error.hpp"
#include "afterspike/base/text.hpp"
#include "afterspike/datasets/datasets.hpp"
#include "afterspike/io/bytes.hpp"

namespace afterspike::datasets {
namespace {

namespace fs = std::filesystem;

bool is_file(const fs::path& path) {
  std::error_code ignored;
  return fs::is_regular_file(path, ignored);
}

/// Returns possible places of the set that ships with the project: beside the program in an
/// installation, else the source tree that the program was built from.
std::vector<fs::path> shipped_directories() {
  constexpr std::string_view kInstalled = "share/afterspike/datasets/mini";
  std::vector<fs::path> candidates;
  std::error_code error;
  const fs::path program = fs::read_symlink("/proc/self/exe", error);
  if (!error) candidates.push_back(program.parent_path().parent_path() / kInstalled);
  // The library that holds this code, if it is a shared one: that of the Python package lies five
  // folders below the prefix.
  Dl_info library;
  if (dladdr(reinterpret_cast<const void*>(&is_file), &library) != 0 &&
      library.dli_fname != nullptr) {
    fs::path prefix = fs::absolute(library.dli_fname, error);
    for (int level = 0; level < 5; ++level) prefix = prefix.parent_path();
    candidates.push_back(prefix / kInstalled);
  }
  candidates.emplace_back(AFTERSPIKE_SHIPPED_DATASET);
  return candidates;
}

/// Returns the usual names of a file: "train-images-idx3-ubyte", also "train-images.idx3-ubyte", as
/// 7-Zip and Kaggle unpack it.
std::vector<std::string> usual_names(const FileSpec& file) {
  std::vector<std::string> names = {std::string(file.name)};
  const auto at = names[0].find("-idx");
  if (at != std::string::npos) names.push_back(names[0]);
  if (at != std::string::npos) names.back()[at] = '.';
  return names;
}

/// Returns the path of a file in a folder, gzipped if that is allowed; nullopt if it does not
/// exist.
std::optional<fs::path> find_in(const fs::path& folder, const FileSpec& file) {
  for (const std::string& name : usual_names(file)) {
    if (is_file(folder / name)) return folder / name;
    if (!file.known_by_form() && is_file(folder / (name + ".gz"))) return folder / (name + ".gz");
  }
  return std::nullopt;
}

bool has_all(const fs::path& folder, std::span<const FileSpec> files) {
  return std::all_of(files.begin(), files.end(),
                     [&](const FileSpec& file) { return find_in(folder, file).has_value(); });
}

std::vector<std::string_view> names_of(std::span<const FileSpec> files) {
  std::vector<std::string_view> names;
  for (const FileSpec& file : files) names.push_back(file.name);
  return names;
}

/// Returns addresses for a manual download.
std::string addresses(const DatasetEntry& entry) {
  std::vector<std::string_view> found;
  for (const Source& source : entry.sources) {
    const bool web = source.kind == Source::Kind::https || source.kind == Source::Kind::archive;
    if (web) found.push_back(source.location);
  }
  return fmt::format("{}", fmt::join(found, " or "));
}

/// Returns the arguments for a command to use `folder` for the set: "mnist --data-dir 'my data'".
std::string arguments_of(const DatasetEntry& entry, const fs::path& folder) {
  const std::string place = folder.parent_path().string();
  if (place == kDefaultDirectory) return std::string(entry.name);
  return fmt::format("{} --data-dir {}", entry.name, shell_quoted(place));
}

std::string_view form_by_hand(const DatasetEntry& entry) {
  const bool unpacked = std::any_of(entry.files.begin(), entry.files.end(),
                                    [](const FileSpec& file) { return file.known_by_form(); });
  return unpacked ? "unpacked" : "gzipped or not";
}

std::string how_to_obtain(const DatasetEntry& entry, const fs::path& folder) {
  const std::string arguments = arguments_of(entry, folder);
  const std::string by_hand = fmt::format(
      "put these files, {}, into '{}'\n"
      "    {}\n"
      "and check them with\n"
      "    afterspike data verify {}",
      form_by_hand(entry), folder.string(), fmt::join(names_of(entry.files), " "), arguments);
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
  const fs::path folder = data_directory / entry.name;
  // An incomplete folder does not hide the set that ships with the project, because the files are
  // the same.
  if (!entry.sources.empty() || has_all(folder, entry.files)) return folder;
  for (const fs::path& shipped : shipped_directories()) {
    if (has_all(shipped, entry.files)) return shipped;
  }
  return folder;
}

fs::path find_file(const DatasetEntry& entry, const fs::path& data_directory,
                   std::string_view file_name) {
  const fs::path folder = directory(entry, data_directory);
  const auto file = std::find_if(entry.files.begin(), entry.files.end(),
                                 [&](const FileSpec& spec) { return spec.name == file_name; });
  require(file != entry.files.end(), ErrorKind::internal, "data set '{}' has no file '{}'",
          entry.name, file_name);
  const std::optional<fs::path> found = find_in(folder, *file);
  const std::string wanted = file->known_by_form()
                                 ? fmt::format("no '{}'", file_name)
                                 : fmt::format("neither '{0}' nor '{0}.gz'", file_name);
  require(found.has_value(), ErrorKind::data, "data set '{}': found {} in '{}'\n{}", entry.name,
          wanted, folder.string(), how_to_obtain(entry, folder));
  return *found;
}

std::string verify_file(const FileSpec& file, const fs::path& path) {
  if (file.known_by_form()) return file.inspect(path);
  // Keeps a file that decompresses endlessly from filling memory, and is loose enough to report the
  // size of a file mistaken for another.
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
  return "";
}

std::vector<std::string> verify(const DatasetEntry& entry, const fs::path& data_directory) {
  std::vector<std::string> held;
  for (const FileSpec& file : entry.files) {
    const std::string content = verify_file(file, find_file(entry, data_directory, file.name));
    if (!content.empty()) held.push_back(fmt::format("{}: {}", file.name, content));
  }
  return held;
}

}  // namespace afterspike::datasets
