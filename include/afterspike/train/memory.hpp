#pragma once

#include <cstddef>

#include "afterspike/distributed/ranks.hpp"
#include "afterspike/nn/network.hpp"
#include "afterspike/tasks/task.hpp"
#include "afterspike/train/options.hpp"

namespace afterspike::train {

/// What a training takes, computed before its first step.
struct MemoryPlan {
  /// Bytes by which what a process holds differs from one start to the next: a limit has room for
  /// them.
  static constexpr std::size_t kMargin = std::size_t{4} << 20;

  bool known = false;         ///< False where a layer cannot say (composed operations).
  std::size_t present = 0;    ///< Bytes that the process holds already: data, network, libraries.
  std::size_t workspace = 0;  ///< Of each thread, for the history of a shard.
  std::size_t rest = 0;       ///< Batches, gradients, the optimiser's state.
  std::size_t peak = 0;       ///< All together; with a limit at most, kMargin included.
  std::size_t workspace_limit = 0;  ///< These two for Trainer::plan_workspace(): they keep the peak
  nn::LargestPass largest;          ///< in the limit, and workspaces from being taken anew.
};

/// Plans for `threads` threads of one of the `ranks`; `limit` bytes for the whole process, 0: none.
/// Throws Error(config) that names what is needed at least when the limit cannot be kept, or when
/// the network's memory is not known and there is a limit.
MemoryPlan plan_memory(const nn::Network& network, const tasks::Task& task,
                       const TrainOptions& options, int threads, std::size_t limit,
                       const distributed::Ranks& ranks = distributed::alone());

/// Has the C library give tensors back that are freed, from now on in the whole process, instead of
/// keeping room for as large ones: without it a limit may be passed by what it keeps.
void return_freed_memory();

}  // namespace afterspike::train
