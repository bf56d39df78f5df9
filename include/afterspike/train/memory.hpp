#pragma once

#include <cstddef>
#include <string_view>

#include "afterspike/nn/network.hpp"
#include "afterspike/tasks/task.hpp"
#include "afterspike/train/options.hpp"
#include "afterspike/train/ranks.hpp"

namespace afterspike::train {

/// Memory that a training needs, computed before its first step.
struct MemoryPlan {
  /// Headroom for run-to-run variation in the memory of a process, in bytes.
  static constexpr std::size_t kMargin = std::size_t{4} << 20;

  bool known = false;         ///< False if a layer cannot predict its memory (composed operations).
  std::size_t present = 0;    ///< Bytes in use already: data, network, libraries.
  std::size_t workspace = 0;  ///< Bytes per thread for the history of a shard.
  std::size_t rest = 0;       ///< Bytes of batches, gradients, the optimiser's state.
  std::size_t peak = 0;       ///< Total; at most the limit, kMargin included.
  std::size_t workspace_limit = 0;  ///< Argument of Trainer::plan_workspace(); keeps the peak below
                                    ///< the limit.
  nn::LargestPass largest;          ///< Likewise; prevents reallocation of workspaces.
};

/// Plans for `threads` threads of one of the `ranks`; `limit` is in bytes for the whole process, 0:
/// none. Throws Error(config) that names the min memory if the limit is too small, or if there is a
/// limit and the network's memory is not known.
MemoryPlan plan_memory(const nn::Network& network, const tasks::Task& task,
                       const TrainOptions& options, int threads, std::size_t limit,
                       const train::Ranks& ranks = train::alone());

/// Returns the bytes of a size: "2GiB", "500 MiB", "1500000000 B". Units: B kB MB GB KiB MiB GiB.
/// Throws Error(config) that names `what` for another text, or less than a byte.
std::size_t parse_bytes(std::string_view text, std::string_view what);

/// Makes malloc return freed tensors to the operating system (process-wide) instead of keeping room
/// for equally large ones, which may exceed a limit.
void return_freed_memory();

}  // namespace afterspike::train
