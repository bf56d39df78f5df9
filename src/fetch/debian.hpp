#pragma once

#include <cstdint>
#include <filesystem>

#include "afterspike/datasets/datasets.hpp"

namespace afterspike::fetch {

/// Downloads the package of a Debian source into the new directory `folder` by apt-get, which needs
/// no root and checks it against the signed lists of Debian, and extracts its file archive, at most
/// `limit` bytes. Nothing of the package is run or installed. Returns that archive. Throws
/// Error(data).
std::filesystem::path download_debian(const datasets::Source& source,
                                      const std::filesystem::path& folder, std::int64_t limit);

}  // namespace afterspike::fetch
