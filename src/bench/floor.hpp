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
  std::vector<kernels::Product> full;  ///< Of a shard of as many rows as all but the last have.
  std::vector<kernels::Product> last;
};

/// Takes them down from a kernel at work.
StepProducts step_products(const Settings& settings);

/// Computes the products of a step alone, by the threads of a pool.
class Floor {
 public:
  /// Makes the matrices, a set for each thread.
  Floor(const StepProducts& products, int threads);

  void run(ThreadPool& pool);

 private:
  struct Replays {
    kernels::ProductReplay full, last;
  };

  std::int64_t shards_;
  std::vector<Replays> replays_;
  std::vector<std::size_t> free_;  ///< Those that no thread works with.
  std::mutex mutex_;
};

}  // namespace afterspike::bench
