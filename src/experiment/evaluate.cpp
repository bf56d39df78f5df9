#include "afterspike/experiment/evaluate.hpp"

#include <algorithm>
#include <functional>
#include <numeric>
#include <vector>

#include <ATen/ATen.h>

#include "afterspike/base/denormals.hpp"

namespace afterspike::experiment {
namespace {

std::vector<std::int64_t> all_numbers(std::int64_t size) {
  std::vector<std::int64_t> numbers(static_cast<std::size_t>(size));
  std::iota(numbers.begin(), numbers.end(), 0);
  return numbers;
}

}  // namespace

std::int64_t shard_rows(std::int64_t batch, at::Device device) noexcept {
  if (!device.is_cpu()) return std::clamp<std::int64_t>(batch, 1, 1024);
  return std::clamp<std::int64_t>((batch + 1) / 2, 1, 32);
}

std::int64_t shard_count(std::int64_t samples, std::int64_t rows) noexcept {
  return (samples + rows - 1) / rows;
}

std::span<const std::int64_t> shard(std::span<const std::int64_t> numbers, std::int64_t rows,
                                    std::int64_t index) noexcept {
  const auto begin = static_cast<std::size_t>(index * rows);
  return numbers.subspan(begin, std::min(static_cast<std::size_t>(rows), numbers.size() - begin));
}

tasks::ReadValues outputs(const nn::Network& network, const tasks::Batch& batch,
                          const tasks::ReadSteps& read, const nn::NetworkPass& pass) {
  const DenormalsFlushed flushed;
  nn::NetworkPass from_first = pass;
  from_first.first = tasks::first_read_step(batch.input.size(0), batch.lengths, read);
  from_first.lengths = batch.lengths;
  const at::Device device = network.device();
  const at::Tensor emissions = network.emissions(batch.input.to(device), from_first);
  at::Tensor lengths = batch.lengths;
  if (lengths.defined()) lengths = (lengths - from_first.first).to(device);
  tasks::ReadValues read_values = tasks::read_steps(emissions, lengths, read);
  // Targets and losses stay on the CPU.
  read_values.values = network.readout(read_values.values, pass).to(at::kCPU);
  if (read_values.weight.defined()) read_values.weight = read_values.weight.to(at::kCPU);
  return read_values;
}

std::int64_t shard_count(const tasks::Dataset& dataset, at::Device device) noexcept {
  return shard_count(dataset.size(), shard_rows(dataset.size(), device));
}

void for_each_shard(std::int64_t samples, at::Device device, std::int64_t first, std::int64_t last,
                    ThreadPool& pool, const ShardWork& work) {
  const std::vector<std::int64_t> numbers = all_numbers(samples);
  const std::int64_t rows = shard_rows(samples, device);
  pool.run(last - first, [&](std::int64_t place) {
    const at::NoGradGuard no_grad;
    work(static_cast<std::size_t>(place), shard(numbers, rows, first + place));
  });
}

void for_each_shard(std::int64_t samples, ThreadPool& pool, const ShardWork& work) {
  for_each_shard(samples, at::kCPU, 0, shard_count(samples, shard_rows(samples)), pool, work);
}

at::Tensor classes(const tasks::Dataset& dataset, ThreadPool& pool) {
  std::vector<at::Tensor> parts(static_cast<std::size_t>(shard_count(dataset)));
  for_each_shard(dataset.size(), pool,
                 [&](std::size_t shard, std::span<const std::int64_t> numbers) {
                   parts[shard] = dataset.batch(numbers).target;
                 });
  return at::cat(parts);
}

std::vector<tasks::Tally> evaluate_shards(const nn::Network& network, const tasks::Task& task,
                                          const tasks::Dataset& dataset,
                                          const nn::NetworkPass& pass, ThreadPool& pool,
                                          std::int64_t first, std::int64_t last) {
  std::vector<tasks::Tally> tallies(static_cast<std::size_t>(last - first));
  for_each_shard(dataset.size(), network.device(), first, last, pool,
                 [&](std::size_t place, std::span<const std::int64_t> numbers) {
                   const tasks::Batch batch = dataset.batch(numbers);
                   tallies[place] =
                       task.full_tally(outputs(network, batch, task.objective().read, pass), batch);
                 });
  return tallies;
}

tasks::Tally evaluate(const nn::Network& network, const tasks::Task& task,
                      const tasks::Dataset& dataset, const nn::NetworkPass& pass,
                      ThreadPool& pool) {
  tasks::Tally total;
  for (const tasks::Tally& tally : evaluate_shards(network, task, dataset, pass, pool, 0,
                                                   shard_count(dataset, network.device()))) {
    total += tally;
  }
  return total;
}

std::vector<tasks::Tally> evaluate_each(std::span<const Candidate> candidates,
                                        const tasks::Task& task, const tasks::Dataset& dataset,
                                        ThreadPool& pool) {
  const std::vector<std::int64_t> numbers = all_numbers(dataset.size());
  const std::int64_t rows = shard_rows(dataset.size());
  const std::int64_t shards = shard_count(dataset.size(), rows);
  std::vector<tasks::Tally> tallies(static_cast<std::size_t>(shards) * candidates.size());
  pool.run(static_cast<std::int64_t>(tallies.size()), [&](std::int64_t unit) {
    const at::NoGradGuard no_grad;
    const Candidate& candidate = candidates[static_cast<std::size_t>(unit / shards)];
    const std::span<const std::int64_t> samples = shard(numbers, rows, unit % shards);
    tasks::Batch batch = dataset.batch(samples);
    if (candidate.change) candidate.change(batch, samples);
    tallies[static_cast<std::size_t>(unit)] = task.tally(
        outputs(*candidate.network, batch, task.objective().read, candidate.pass), batch);
  });
  std::vector<tasks::Tally> totals(candidates.size());
  for (std::size_t unit = 0; unit < tallies.size(); ++unit) {
    totals[unit / static_cast<std::size_t>(shards)] += tallies[unit];
  }
  return totals;
}

at::Tensor predict(const nn::Network& network, const tasks::Objective& objective,
                   const tasks::Dataset& dataset, const nn::NetworkPass& pass, ThreadPool& pool) {
  const bool classifies = objective.kind == tasks::Objective::Kind::classify;
  const tasks::ReadSteps all{tasks::ReadSteps::Kind::all, 0};
  const std::int64_t shards = shard_count(dataset, network.device());
  std::vector<at::Tensor> parts(static_cast<std::size_t>(shards));
  for_each_shard(dataset.size(), network.device(), 0, shards, pool,
                 [&](std::size_t shard, std::span<const std::int64_t> numbers) {
                   tasks::Batch batch = dataset.batch(numbers);
                   if (!classifies)
                     batch.lengths = at::Tensor();  // All steps; the caller knows the lengths.
                   const tasks::ReadValues values =
                       outputs(network, batch, classifies ? objective.read : all, pass);
                   parts[shard] = classifies ? tasks::mean_over_read(values)
                                             : values.values.transpose(0, 1).contiguous();
                 });
  return at::cat(parts, 0);
}

}  // namespace afterspike::experiment
