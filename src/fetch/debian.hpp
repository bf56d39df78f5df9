#pragma once

#include <cstdint>
#include <filesystem>

#include "afterspike/datasets/datasets.hpp"

namespace afterspike::fetch {

/// Downloads the package of a Debian source by apt-get, which needs no root and checks it against
/// the signed lists of Debian, to the directory `folder`, which it makes, and takes the archive of
/// its files, at most `limit` bytes, out of it. Nothing of the package is run or installed. Returns
/// that archive. Throws Error(data).
std::filesystem::path download_debian(const datasets::Source& source,
                                      const std::filesystem::path& folder, std::int64_t limit);

}  // namespace afterspike::fetch
