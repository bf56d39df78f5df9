#include "afterspike/evaluation/evaluate.hpp"

#include <numeric>
#include <vector>

#include <ATen/ATen.h>

namespace afterspike::evaluation {
namespace {

/// Calls work(shard, numbers) for each shard of a data set of `size` samples.
void for_each_shard(std::int64_t size, ThreadPool& pool,
                    const std::function<void(std::size_t, std::span<const std::int64_t>)>& work) {
  std::vector<std::int64_t> numbers(static_cast<std::size_t>(size));
  std::iota(numbers.begin(), numbers.end(), 0);
  const std::int64_t shards = (size + kShardRows - 1) / kShardRows;
  pool.run(shards, [&](std::int64_t shard) {
    const at::NoGradGuard no_grad;
    const std::int64_t begin = shard * kShardRows;
    const std::int64_t count = std::min(kShardRows, size - begin);
    work(static_cast<std::size_t>(shard),
         std::span(numbers).subspan(static_cast<std::size_t>(begin),
                                    static_cast<std::size_t>(count)));
  });
}

}  // namespace

tasks::ReadValues outputs(const nn::Network& network, const data::Batch& batch,
                          const tasks::ReadSteps& read, const nn::NetworkPass& pass) {
  const at::Tensor emissions = network.emissions(batch.input, pass);
  tasks::ReadValues values = tasks::read_steps(emissions, batch.lengths, read);
  values.values = network.readout(values.values, pass);
  return values;
}

tasks::Tally evaluate(const nn::Network& network, const tasks::Task& task,
                      const data::Dataset& dataset, const nn::NetworkPass& pass, ThreadPool& pool) {
  std::vector<tasks::Tally> tallies(
      static_cast<std::size_t>((dataset.size() + kShardRows - 1) / kShardRows));
  for_each_shard(
      dataset.size(), pool, [&](std::size_t shard, std::span<const std::int64_t> numbers) {
        const data::Batch batch = dataset.batch(numbers);
        tallies[shard] = task.tally(outputs(network, batch, task.objective().read, pass), batch);
      });
  tasks::Tally total;
  for (const tasks::Tally& tally : tallies) total += tally;
  return total;
}

at::Tensor predict(const nn::Network& network, const tasks::Objective& objective,
                   const data::Dataset& dataset, const nn::NetworkPass& pass, ThreadPool& pool) {
  const bool classifies = objective.kind == tasks::Objective::Kind::classify;
  const tasks::ReadSteps all{tasks::ReadSteps::Kind::all, 0};
  std::vector<at::Tensor> parts(
      static_cast<std::size_t>((dataset.size() + kShardRows - 1) / kShardRows));
  for_each_shard(
      dataset.size(), pool, [&](std::size_t shard, std::span<const std::int64_t> numbers) {
        data::Batch batch = dataset.batch(numbers);
        if (!classifies) batch.lengths = at::Tensor();  // All steps; the caller knows the lengths.
        const tasks::ReadValues values =
            outputs(network, batch, classifies ? objective.read : all, pass);
        parts[shard] =
            classifies ? tasks::mean_over_read(values) : values.values.transpose(0, 1).contiguous();
      });
  return at::cat(parts, 0);
}

}  // namespace afterspike::evaluation
