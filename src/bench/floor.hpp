#pragma once

#include <cstdint>
#include <mutex>
#include <vector>

#include "afterspike/base/parallel.hpp"
#include "afterspike/bench/bench.hpp"
#include "afterspike/kernels/products.hpp"

namespace afterspike::bench {

/// The matrix products of a training step, for each of its shards.
struct StepProducts {
  std::int64_t shards = 0;
  std::vector<kernels::Product> full;  ///< Products of a full shard.
  std::vector<kernels::Product> last;
};

/// Records them from a running kernel.
StepProducts step_products(const Settings& settings);

/// Computes the products of a step alone, by the threads of a pool.
class Floor {
 public:
  /// Allocates the matrices, a set per thread.
  Floor(const StepProducts& products, int threads);

  void run(ThreadPool& pool);

 private:
  struct Replays {
    kernels::ProductReplay full, last;
  };

  std::int64_t shards_;
  std::vector<Replays> replays_;
  std::vector<std::size_t> free_;  ///< Sets that no thread uses.
  std::mutex mutex_;
};

}  // namespace afterspike::bench
