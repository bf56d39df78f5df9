#include "afterspike/evaluation/evaluate.hpp"

#include <algorithm>
#include <functional>
#include <numeric>
#include <utility>
#include <vector>

#include <ATen/ATen.h>

#include "afterspike/base/denormals.hpp"

namespace afterspike::evaluation {
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

namespace {

/// Returns emissions from the first step that is read on, and that step.
std::pair<at::Tensor, std::int64_t> emissions_of(const nn::Network& network,
                                                 const data::Batch& batch,
                                                 const tasks::ReadSteps& read,
                                                 nn::NetworkPass pass) {
  pass.first = tasks::first_read_step(batch.input.size(0), batch.lengths, read);
  pass.lengths = batch.lengths;
  return {network.emissions(batch.input.to(network.device()), pass), pass.first};
}

/// Returns the outputs at the steps that are read, from such emissions.
tasks::ReadValues read_out(const nn::Network& network, const at::Tensor& emissions,
                           std::int64_t first, const data::Batch& batch,
                           const tasks::ReadSteps& read, const nn::NetworkPass& pass) {
  at::Tensor lengths = batch.lengths;
  if (lengths.defined()) lengths = (lengths - first).to(network.device());
  tasks::ReadValues read_values = tasks::read_steps(emissions, lengths, read);
  // Targets and losses stay on the CPU.
  read_values.values = network.readout(read_values.values, pass).to(at::kCPU);
  if (read_values.weight.defined()) read_values.weight = read_values.weight.to(at::kCPU);
  return read_values;
}

/// Masks that pass through a network together: the cost of a pass beside its arithmetic is shared.
constexpr std::size_t kMasksTogether = 8;

/// Returns whether two candidates differ in masks alone and can pass together.
bool differ_in_masks(const Candidate& a, const Candidate& b) {
  const auto plain = [](const Candidate& c) {
    return !c.change && !c.pass.masks.empty() && c.pass.trace == nullptr &&
           c.network->device().is_cpu();
  };
  return plain(a) && plain(b) && a.network == b.network && a.pass.sigma_mV == b.pass.sigma_mV &&
         a.pass.execution.engine == b.pass.execution.engine;
}

/// Returns the ends of the groups of consecutive candidates that pass together.
std::vector<std::size_t> group_ends(std::span<const Candidate> candidates) {
  std::vector<std::size_t> ends;
  for (std::size_t begin = 0; begin < candidates.size(); begin = ends.back()) {
    std::size_t end = begin + 1;
    while (end < candidates.size() && end - begin < kMasksTogether &&
           differ_in_masks(candidates[begin], candidates[end])) {
      ++end;
    }
    ends.push_back(end);
  }
  return ends;
}

/// Returns the pass of a group: the mask of a layer has a row for each candidate and sample.
nn::NetworkPass joint_pass(std::span<const Candidate> group, std::int64_t samples) {
  nn::NetworkPass joint = group.front().pass;
  for (std::size_t layer = 0; layer < joint.masks.size(); ++layer) {
    std::vector<at::Tensor> rows;
    const std::int64_t neurons = group.front().network->layer(layer)->shape().neurons;
    for (const Candidate& candidate : group) {
      const at::Tensor& mask = candidate.pass.masks[layer];
      rows.push_back(mask.defined() ? mask.to(at::kFloat) : at::ones({neurons}));
    }
    joint.masks[layer] = at::stack(rows).repeat_interleave(samples, 0);
  }
  return joint;
}

/// Returns the tallies of a group on a batch.
std::vector<tasks::Tally> tally_group(std::span<const Candidate> group, const tasks::Task& task,
                                      const data::Batch& batch) {
  const tasks::ReadSteps& read = task.objective().read;
  const nn::Network& network = *group.front().network;
  const auto count = static_cast<std::int64_t>(group.size());
  const std::int64_t samples = batch.input.size(1);
  data::Batch repeated;
  repeated.input = batch.input.repeat({1, count, 1});
  if (batch.lengths.defined()) repeated.lengths = batch.lengths.repeat({count});
  const auto [emissions, first] = emissions_of(network, repeated, read, joint_pass(group, samples));
  std::vector<tasks::Tally> tallies;
  for (std::int64_t i = 0; i < count; ++i) {
    const at::Tensor own = emissions.narrow(1, i * samples, samples).contiguous();
    tallies.push_back(
        task.tally(read_out(network, own, first, batch, read, group.front().pass), batch));
  }
  return tallies;
}

}  // namespace

tasks::ReadValues outputs(const nn::Network& network, const data::Batch& batch,
                          const tasks::ReadSteps& read, const nn::NetworkPass& pass) {
  const DenormalsFlushed flushed;
  const auto [emissions, first] = emissions_of(network, batch, read, pass);
  return read_out(network, emissions, first, batch, read, pass);
}

std::int64_t shard_count(const data::Dataset& dataset, at::Device device) noexcept {
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

at::Tensor classes(const data::Dataset& dataset, ThreadPool& pool) {
  std::vector<at::Tensor> parts(static_cast<std::size_t>(shard_count(dataset)));
  for_each_shard(dataset.size(), pool,
                 [&](std::size_t shard, std::span<const std::int64_t> numbers) {
                   parts[shard] = dataset.batch(numbers).target;
                 });
  return at::cat(parts);
}

std::vector<tasks::Tally> evaluate_shards(const nn::Network& network, const tasks::Task& task,
                                          const data::Dataset& dataset, const nn::NetworkPass& pass,
                                          ThreadPool& pool, std::int64_t first, std::int64_t last) {
  std::vector<tasks::Tally> tallies(static_cast<std::size_t>(last - first));
  for_each_shard(dataset.size(), network.device(), first, last, pool,
                 [&](std::size_t place, std::span<const std::int64_t> numbers) {
                   const data::Batch batch = dataset.batch(numbers);
                   tallies[place] =
                       task.full_tally(outputs(network, batch, task.objective().read, pass), batch);
                 });
  return tallies;
}

tasks::Tally evaluate(const nn::Network& network, const tasks::Task& task,
                      const data::Dataset& dataset, const nn::NetworkPass& pass, ThreadPool& pool) {
  tasks::Tally total;
  for (const tasks::Tally& tally : evaluate_shards(network, task, dataset, pass, pool, 0,
                                                   shard_count(dataset, network.device()))) {
    total += tally;
  }
  return total;
}

std::vector<tasks::Tally> evaluate_each(std::span<const Candidate> candidates,
                                        const tasks::Task& task, const data::Dataset& dataset,
                                        ThreadPool& pool) {
  const std::vector<std::int64_t> numbers = all_numbers(dataset.size());
  const std::int64_t rows = shard_rows(dataset.size());
  const std::int64_t shards = shard_count(dataset.size(), rows);
  const std::vector<std::size_t> ends = group_ends(candidates);
  std::vector<std::vector<tasks::Tally>> parts(ends.size() * static_cast<std::size_t>(shards));
  pool.run(std::ssize(parts), [&](std::int64_t unit) {
    const at::NoGradGuard no_grad;
    const DenormalsFlushed flushed;
    const auto index = static_cast<std::size_t>(unit / shards);
    const std::size_t begin = index == 0 ? 0 : ends[index - 1];
    const std::span<const Candidate> group = candidates.subspan(begin, ends[index] - begin);
    const std::span<const std::int64_t> own = shard(numbers, rows, unit % shards);
    data::Batch batch = dataset.batch(own);
    std::vector<tasks::Tally>& part = parts[static_cast<std::size_t>(unit)];
    if (group.size() > 1) {
      part = tally_group(group, task, batch);
      return;
    }
    const Candidate& candidate = group.front();
    if (candidate.change) candidate.change(batch, own);
    part = {task.tally(outputs(*candidate.network, batch, task.objective().read, candidate.pass),
                       batch)};
  });
  std::vector<tasks::Tally> totals(candidates.size());
  for (std::size_t unit = 0; unit < parts.size(); ++unit) {
    const std::size_t index = unit / static_cast<std::size_t>(shards);
    const std::size_t begin = index == 0 ? 0 : ends[index - 1];
    for (std::size_t i = 0; i < parts[unit].size(); ++i) totals[begin + i] += parts[unit][i];
  }
  return totals;
}

at::Tensor predict(const nn::Network& network, const tasks::Objective& objective,
                   const data::Dataset& dataset, const nn::NetworkPass& pass, ThreadPool& pool) {
  const bool classifies = objective.kind == tasks::Objective::Kind::classify;
  const tasks::ReadSteps all{tasks::ReadSteps::Kind::all, 0};
  const std::int64_t shards = shard_count(dataset, network.device());
  std::vector<at::Tensor> parts(static_cast<std::size_t>(shards));
  for_each_shard(dataset.size(), network.device(), 0, shards, pool,
                 [&](std::size_t shard, std::span<const std::int64_t> numbers) {
                   data::Batch batch = dataset.batch(numbers);
                   if (!classifies)
                     batch.lengths = at::Tensor();  // All steps; the caller knows the lengths.
                   const tasks::ReadValues values =
                       outputs(network, batch, classifies ? objective.read : all, pass);
                   parts[shard] = classifies ? tasks::mean_over_read(values)
                                             : values.values.transpose(0, 1).contiguous();
                 });
  return at::cat(parts, 0);
}

}  // namespace afterspike::evaluation
