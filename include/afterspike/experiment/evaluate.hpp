#pragma once

#include <cstdint>
#include <functional>
#include <span>
#include <vector>

#include "afterspike/base/parallel.hpp"
#include "afterspike/nn/network.hpp"
#include "afterspike/tasks/task.hpp"

namespace afterspike::experiment {

/// Returns the rows of a shard, the part of a batch that one thread computes at a time. They depend
/// on the size of the batch alone, so that results do not depend on the number of threads. On the
/// CPU 32: products run at full speed and the states of a layer stay in the second-level cache;
/// fewer if the batch would not make two shards. On other devices, which are slow to start each
/// operation, up to 1024.
std::int64_t shard_rows(std::int64_t batch, at::Device device = at::kCPU) noexcept;

/// Returns the number of shards of `samples` samples; and the samples of a shard.
std::int64_t shard_count(std::int64_t samples, std::int64_t rows) noexcept;
std::span<const std::int64_t> shard(std::span<const std::int64_t> numbers, std::int64_t rows,
                                    std::int64_t index) noexcept;

/// Returns the outputs of a network at the read steps, [read, batch, outputs]. The network may be
/// on any device; batch and result are on the CPU.
tasks::ReadValues outputs(const nn::Network& network, const tasks::Batch& batch,
                          const tasks::ReadSteps& read, const nn::NetworkPass& pass);

/// Returns the number of shards of a data set in evaluation.
std::int64_t shard_count(const tasks::Dataset& dataset, at::Device device = at::kCPU) noexcept;

/// Calls work(place, numbers) for every shard of a data set of `samples` samples, with `place` from
/// 0 to shard_count(samples, shard_rows(samples)) - 1, from the threads of the pool and without
/// gradients. Work that writes only to its own place gives the same result for any number of
/// threads.
using ShardWork = std::function<void(std::size_t place, std::span<const std::int64_t> numbers)>;
void for_each_shard(std::int64_t samples, ThreadPool& pool, const ShardWork& work);

/// Processes the shards `first` to `last`, exclusive, in the size for `device`; `first` has place
/// 0.
void for_each_shard(std::int64_t samples, at::Device device, std::int64_t first, std::int64_t last,
                    ThreadPool& pool, const ShardWork& work);

/// Returns the classes of all samples, [samples]. REQUIRES: the data set has classes.
at::Tensor classes(const tasks::Dataset& dataset, ThreadPool& pool);

/// Evaluates the shards `first` to `last`, exclusive, of a data set: evaluate() in parts.
std::vector<tasks::Tally> evaluate_shards(const nn::Network& network, const tasks::Task& task,
                                          const tasks::Dataset& dataset,
                                          const nn::NetworkPass& pass, ThreadPool& pool,
                                          std::int64_t first, std::int64_t last);

/// Evaluates a network on a data set of a task (tasks::Task::full_tally()), with the masks and the
/// softness of `pass`. The same bits for any number of threads. REQUIRES: pass.dropout is
/// undefined.
tasks::Tally evaluate(const nn::Network& network, const tasks::Task& task,
                      const tasks::Dataset& dataset, const nn::NetworkPass& pass, ThreadPool& pool);

/// One of several networks, or passes through one, for evaluation on the same data.
struct Candidate {
  const nn::Network* network = nullptr;
  nn::NetworkPass pass;
  /// Changes a batch of the samples with these numbers before the network sees it; may be empty.
  /// Called from several threads; must depend on the samples' numbers alone.
  std::function<void(tasks::Batch& batch, std::span<const std::int64_t> numbers)> change;
};

/// Returns loss and correct decisions of each candidate, to the bits of evaluate(), without the
/// readings of every step (tasks::Task::tally()). Threads take shards of all candidates from one
/// list, so that small data sets use all threads too.
std::vector<tasks::Tally> evaluate_each(std::span<const Candidate> candidates,
                                        const tasks::Task& task, const tasks::Dataset& dataset,
                                        ThreadPool& pool);

/// Returns the outputs for every sample of a data set: [samples, outputs], the mean over the read
/// steps, if the task classifies; else [samples, steps, outputs].
at::Tensor predict(const nn::Network& network, const tasks::Objective& objective,
                   const tasks::Dataset& dataset, const nn::NetworkPass& pass, ThreadPool& pool);

}  // namespace afterspike::experiment
