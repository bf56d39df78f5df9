#pragma once

#include <cstdint>
#include <memory>
#include <vector>

#include "afterspike/base/parallel.hpp"
#include "afterspike/bench/bench.hpp"
#include "afterspike/nn/network.hpp"
#include "afterspike/tasks/task.hpp"
#include "afterspike/train/optimizer.hpp"
#include "afterspike/train/shard.hpp"

namespace afterspike::bench {

/// A network with a batch of synthetic data, ready for training.
class Subject {
 public:
  /// The batch is cut into shards of `rows`. Throws Error(config) or Error(usage) for settings that
  /// do not fit.
  Subject(const Settings& settings, std::int64_t rows);

  const nn::Network& network() const noexcept { return *network_; }
  const std::vector<nn::Network::Parameter>& parameters() const { return optimizer_->parameters(); }
  std::int64_t shards() const { return static_cast<std::int64_t>(batches_.size()); }

  /// Runs forward and backward through one shard, or through its first steps and sequences.
  train::Shard run_shard(std::int64_t index) const;
  train::Shard run_part(std::int64_t index, std::int64_t steps, std::int64_t rows) const;

  /// Runs a whole training step; sums forward and backward times over the shards.
  train::Shard step(ThreadPool& pool);

 private:
  train::Shard run(const tasks::Batch& batch) const;

  Settings settings_;
  std::shared_ptr<nn::Network> network_;
  std::unique_ptr<tasks::Task> task_;
  std::unique_ptr<train::Optimizer> optimizer_;
  nn::NetworkPass pass_;
  std::vector<tasks::Batch> batches_;
};

/// Returns the recurrent delay of the model in steps.
std::int64_t delay_steps(const Settings& settings);

/// Throws Error(config) naming --delay if the model has no such delay, --path if LibTorch has no
/// such layer.
void require_model(const Settings& settings);

/// Returns whether the path is one of our kernels.
bool has_kernel(const Settings& settings);

}  // namespace afterspike::bench
