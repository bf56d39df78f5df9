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
  pool.run(static_cast<std::int64_t>(shard_count(numbers.size())), [&](std::int64_t number) {
    const at::NoGradGuard no_grad;
    const auto index = static_cast<std::size_t>(number);
    work(index, shard(numbers, index));
  });
}

}  // namespace

std::size_t shard_count(std::size_t samples) noexcept {
  return (samples + kShardRows - 1) / kShardRows;
}

std::span<const std::int64_t> shard(std::span<const std::int64_t> numbers,
                                    std::size_t index) noexcept {
  const std::size_t begin = index * kShardRows;
  return numbers.subspan(begin, std::min<std::size_t>(kShardRows, numbers.size() - begin));
}

tasks::ReadValues outputs(const nn::Network& network, const data::Batch& batch,
                          const tasks::ReadSteps& read, const nn::NetworkPass& pass) {
  const at::Tensor emissions = network.emissions(batch.input, pass);
  tasks::ReadValues values = tasks::read_steps(emissions, batch.lengths, read);
  values.values = network.readout(values.values, pass);
  return values;
}

tasks::Tally evaluate(const nn::Network& network, const tasks::Task& task,
                      const data::Dataset& dataset, const nn::NetworkPass& pass, ThreadPool& pool) {
  std::vector<tasks::Tally> tallies(shard_count(static_cast<std::size_t>(dataset.size())));
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
  std::vector<at::Tensor> parts(shard_count(static_cast<std::size_t>(dataset.size())));
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
