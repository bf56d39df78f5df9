#pragma once

#include <chrono>
#include <filesystem>
#include <string>
#include <vector>

namespace afterspike::fetch {

/// Runs a program, found through PATH, in `folder`, without a shell and without input; what it
/// prints goes to the file `log`. Throws Error(data) when it cannot be started, fails, or takes
/// longer than `patience` (it is ended then), with the last line that it printed.
void run_program(const std::vector<std::string>& arguments, const std::filesystem::path& log,
                 std::chrono::milliseconds patience, const std::filesystem::path& folder = ".");

}  // namespace afterspike::fetch
