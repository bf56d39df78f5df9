#pragma once

#include <filesystem>

#include "afterspike/io/atomic.hpp"

/// Where commands write. What is refused is Error(usage) that names --out.
namespace afterspike::cli {

/// Refuses no name, a device or a pipe, and what is there already unless `force`.
void require_free(const std::filesystem::path& out, bool force);

/// Refuses a place in the directory of a run (given by itself or by one of its checkpoints).
void require_outside(const std::filesystem::path& out, const std::filesystem::path& run);

/// Refuses that, and a place that the run lies in.
void require_apart(const std::filesystem::path& out, const std::filesystem::path& run);

/// Refuses a place that is `input`, lies in it, or in which it lies.
void require_not_input(const std::filesystem::path& out, const std::filesystem::path& input);

/// Calls write(), with what is at `path` out of its way, and back there should that fail.
template <typename Write>
void replace(const std::filesystem::path& path, const Write& write) {
  io::SetAside before(path);
  write();
  before.discard();
}

}  // namespace afterspike::cli
