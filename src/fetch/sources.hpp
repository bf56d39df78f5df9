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

  /// Copies a file as it comes, gzipped or not, to a path. Returns where exactly it came from, for
  /// messages. Throws Error(data) with the reason.
  std::function<std::string(const datasets::FileSpec&, const std::filesystem::path&)> obtain;

  /// What fails for one file is not worth trying for the next: a host that does not answer.
  bool one_failure_ends = true;
};

/// The places of a set, in the order of trying. `scratch` is a directory for what they must store
/// on the way.
std::vector<Provider> providers(const datasets::DatasetEntry& entry, const FetchOptions& options,
                                const std::filesystem::path& scratch);

}  // namespace afterspike::fetch
