#pragma once

#include <filesystem>

namespace afterspike::testing {

/// A fault at a file operation: opening for writing, write, fsync, rename, removal, mkdir.
enum class Fault {
  none,
  killed,     ///< SIGKILL before the operation.
  torn,       ///< Half of a write, or the whole of another operation, then SIGKILL.
  disk_full,  ///< From the operation on, nothing can be written or created (ENOSPC).
};

/// Plans a fault for this process at operation `at`, counted from 0 over paths below `root`. Until
/// then operations are noted in `log`, a line "KIND PATH [PATH]" each, if it is not empty. Works in
/// programs that link file_faults.cpp, whose functions replace those of the C library. From then on
/// fsync() does not wait for the disk.
void plan_fault(Fault fault, long at, const std::filesystem::path& root,
                const std::filesystem::path& log = {});

}  // namespace afterspike::testing
