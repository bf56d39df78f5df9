#pragma once

#include <cstdint>
#include <filesystem>
#include <string_view>

#include "afterspike/train/run.hpp"

/// Rules of resuming a run, and of removing one that never began.
namespace afterspike::train {

/// Returns the continuation that a user asked for, "restart" or "hold"; empty: not asked for.
///
/// Throws Error(usage) for another word, and if none was given although `epochs` extends a run
/// whose one_cycle schedule has ended: a stretched cycle would raise the learning rate again.
Continuation choose_continuation(const std::filesystem::path& run, std::int64_t epochs,
                                 std::string_view asked);

/// Returns whether a run, or one of several runs, has written its summary.
bool has_summary(const std::filesystem::path& run);

/// Returns whether anything was trained in a run or in one of several.
bool has_begun(const std::filesystem::path& run);

/// Removes a run in which nothing was trained, so that a corrected command can use its name.
/// Ignores errors of the file system.
void remove_unless_begun(const std::filesystem::path& run);

}  // namespace afterspike::train
