#pragma once

#include <chrono>
#include <filesystem>
#include <string>
#include <vector>

namespace afterspike::fetch {

/// Runs a program, found through PATH, in `folder`, without a shell and without input; its output
/// goes to the file `log`. Throws Error(data) with its last line of output if it cannot be started,
/// fails, or takes longer than `patience` (then it is killed).
void run_program(const std::vector<std::string>& arguments, const std::filesystem::path& log,
                 std::chrono::milliseconds patience, const std::filesystem::path& folder = ".");

}  // namespace afterspike::fetch
