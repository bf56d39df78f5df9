#pragma once

#include <filesystem>
#include <string_view>

#include "afterspike/io/atomic.hpp"

/// Checks of output paths. Refusals are Error(usage) naming --out.
namespace afterspike::cli {

/// Rejects empty paths, devices and pipes, and existing files unless `force`.
void require_free(const std::filesystem::path& out, bool force);

/// Rejects a path in the directory of a run (given directly or by one of its checkpoints).
void require_outside(const std::filesystem::path& out, const std::filesystem::path& run);

/// Rejects such a path, and one that contains the run.
void require_apart(const std::filesystem::path& out, const std::filesystem::path& run);

/// Rejects a path that equals, contains or lies in `input`.
void require_not_input(const std::filesystem::path& out, const std::filesystem::path& input);

/// For --force: rejects existing content of `out` that the command does not write itself. `files`:
/// patterns (fnmatch) of the files of a directory, separated by spaces; empty for one HDF5 file.
void require_replaceable(const std::filesystem::path& out, std::string_view files);

/// Calls write() with an existing `path` moved aside, and restores it on failure.
template <typename Write>
void replace(const std::filesystem::path& path, const Write& write) {
  io::SetAside before(path);
  write();
  before.discard();
}

}  // namespace afterspike::cli
