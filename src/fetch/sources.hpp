#pragma once

#include <filesystem>
#include <functional>
#include <string>
#include <vector>

#include "afterspike/datasets/datasets.hpp"
#include "afterspike/fetch/fetch.hpp"

namespace afterspike::fetch {

/// A place that may hold the files of a set.
struct Provider {
  std::string name;  ///< For messages and FetchResult::source: "directory /a/b".

  /// Copies a file, gzipped or not, to a path. Returns its exact origin, for messages. Throws
  /// Error(data) with the reason.
  std::function<std::string(const datasets::FileSpec&, const std::filesystem::path&)> obtain;

  /// Skips the other files after one failure, such as a host that does not answer.
  bool one_failure_ends = true;
};

/// Returns the places of a set, in the order to try. `scratch` is a directory for their
/// intermediate files.
std::vector<Provider> providers(const datasets::DatasetEntry& entry, const FetchOptions& options,
                                const std::filesystem::path& scratch);

}  // namespace afterspike::fetch
