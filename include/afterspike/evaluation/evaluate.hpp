#pragma once

#include <cstdint>
#include <functional>
#include <span>
#include <vector>

#include "afterspike/base/parallel.hpp"
#include "afterspike/nn/network.hpp"
#include "afterspike/tasks/task.hpp"

namespace afterspike::evaluation {

/// Rows of a shard, the part of a batch that one thread works on at a time: chosen from the size of
/// the batch alone, so that results do not depend on the number of threads. On the CPU 32, with
/// which products run at full speed and the states of a layer stay in the second-level cache, and
/// fewer where the batch would not make two shards; on other devices, which are slow to start each
/// operation, up to 1024.
std::int64_t shard_rows(std::int64_t batch, at::Device device = at::kCPU) noexcept;

/// How many shards that many samples are, and which of them make the shard of a number.
std::int64_t shard_count(std::int64_t samples, std::int64_t rows) noexcept;
std::span<const std::int64_t> shard(std::span<const std::int64_t> numbers, std::int64_t rows,
                                    std::int64_t index) noexcept;

/// The outputs of a network at the steps that are read, [read, batch, outputs]. The network may be
/// on any device; the batch and what comes back are on the CPU.
tasks::ReadValues outputs(const nn::Network& network, const data::Batch& batch,
                          const tasks::ReadSteps& read, const nn::NetworkPass& pass);

/// How many shards a data set is cut into for evaluation.
std::int64_t shard_count(const data::Dataset& dataset, at::Device device = at::kCPU) noexcept;

/// Calls work(place, numbers) for every shard of a data set of that many samples, `place` counted
/// from 0 to shard_count(samples, shard_rows(samples)) - 1, from the threads of the pool and
/// without gradients. Work that writes to its own place only gives the same for any number of
/// threads.
using ShardWork = std::function<void(std::size_t place, std::span<const std::int64_t> numbers)>;
void for_each_shard(std::int64_t samples, ThreadPool& pool, const ShardWork& work);

/// The same for the shards `first` to `last`, exclusive, as `device` takes them; `first` has place
/// 0.
void for_each_shard(std::int64_t samples, at::Device device, std::int64_t first, std::int64_t last,
                    ThreadPool& pool, const ShardWork& work);

/// The classes of all samples, [samples]. REQUIRES: the data set has classes.
at::Tensor classes(const data::Dataset& dataset, ThreadPool& pool);

/// What each of the shards `first` to `last`, exclusive, of a data set gives: evaluate() in parts.
std::vector<tasks::Tally> evaluate_shards(const nn::Network& network, const tasks::Task& task,
                                          const data::Dataset& dataset, const nn::NetworkPass& pass,
                                          ThreadPool& pool, std::int64_t first, std::int64_t last);

/// A network on a data set of a task: what tasks::Task::full_tally() says of it, under the masks
/// and the softness of `pass`. The same bits for any number of threads. REQUIRES: pass.dropout is
/// undefined.
tasks::Tally evaluate(const nn::Network& network, const tasks::Task& task,
                      const data::Dataset& dataset, const nn::NetworkPass& pass, ThreadPool& pool);

/// One of several networks, or passes through one, to be evaluated on the same data.
struct Candidate {
  const nn::Network* network = nullptr;
  nn::NetworkPass pass;
  /// What is done to a batch of the samples with these numbers before the network sees it; may be
  /// empty. Called from several threads, and must depend on the samples' numbers alone.
  std::function<void(data::Batch& batch, std::span<const std::int64_t> numbers)> change;
};

/// Loss and correct decisions of each candidate, to the bits of evaluate(), but not the readings of
/// every step (tasks::Task::tally()). Threads take shards of all of them from one list, so that
/// small data sets use all threads too.
std::vector<tasks::Tally> evaluate_each(std::span<const Candidate> candidates,
                                        const tasks::Task& task, const data::Dataset& dataset,
                                        ThreadPool& pool);

/// The outputs for every sample of a data set: [samples, outputs] of the mean over the read steps
/// for a task that classifies, else [samples, steps, outputs].
at::Tensor predict(const nn::Network& network, const tasks::Objective& objective,
                   const data::Dataset& dataset, const nn::NetworkPass& pass, ThreadPool& pool);

}  // namespace afterspike::evaluation
