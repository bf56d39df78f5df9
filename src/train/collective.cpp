#include "collective.hpp"

#include <algorithm>
#include <cstring>

#include <ATen/ATen.h>
#include <fmt/format.h>

#include "afterspike/experiment/evaluate.hpp"
#include "afterspike/io/bytes.hpp"

namespace afterspike::train {
namespace {

constexpr std::int64_t kFloatsPerStep = sizeof(tasks::StepReading) / sizeof(float);

/// Concatenates the readings of all ranks, in the order of ranks.
std::vector<tasks::StepReading> join_steps(train::Ranks& ranks,
                                           const std::vector<tasks::StepReading>& local) {
  if (ranks.size() == 1) return local;
  const at::Tensor counts = at::zeros({ranks.size()}, at::kLong);
  ranks.fold(counts, [&](const at::Tensor& part, std::int64_t offset) {
    if (offset == 0) part[ranks.rank()] = std::ssize(local);
  });
  const std::int64_t before = counts.narrow(0, 0, ranks.rank()).sum().item<std::int64_t>();
  const at::Tensor values = at::zeros({counts.sum().item<std::int64_t>() * kFloatsPerStep});
  if (values.numel() == 0) return {};
  const at::Tensor mine = at::empty({std::ssize(local) * kFloatsPerStep});
  if (!local.empty()) std::memcpy(mine.data_ptr<float>(), local.data(), mine.nbytes());
  const std::int64_t begin = before * kFloatsPerStep, end = begin + mine.numel();
  ranks.fold(values, [&](const at::Tensor& part, std::int64_t offset) {
    const std::int64_t from = std::max(begin, offset), to = std::min(end, offset + part.numel());
    if (from >= to) return;
    part.narrow(0, from - offset, to - from).copy_(mine.narrow(0, from - begin, to - from));
  });
  std::vector<tasks::StepReading> all(static_cast<std::size_t>(values.numel() / kFloatsPerStep));
  std::memcpy(static_cast<void*>(all.data()), values.data_ptr<float>(), values.nbytes());
  return all;
}

}  // namespace

Total add_in_order(train::Ranks& ranks, const tasks::Tally& begin,
                   const std::vector<tasks::Tally>& tallies, int stop) {
  // Counts are exact in doubles.
  const at::Tensor values = at::tensor(
      {static_cast<double>(begin.samples), static_cast<double>(begin.correct), begin.loss, 0.0},
      at::kDouble);
  const auto total = [](const at::Tensor& from) {
    const auto* v = from.data_ptr<double>();
    return Total{{static_cast<std::int64_t>(v[0]), static_cast<std::int64_t>(v[1]), v[2]},
                 static_cast<int>(v[3])};
  };
  ranks.fold(values, [&](const at::Tensor& part, std::int64_t) {
    Total sum = total(part);
    for (const tasks::Tally& tally : tallies) sum.tally += tally;
    auto* v = part.data_ptr<double>();
    v[0] = static_cast<double>(sum.tally.samples);
    v[1] = static_cast<double>(sum.tally.correct);
    v[2] = sum.tally.loss;
    v[3] = sum.stop != 0 ? sum.stop : stop;
  });
  return total(values);
}

tasks::Tally evaluate_collectively(train::Ranks& ranks, const nn::Network& network,
                                   const tasks::Task& task, const tasks::Dataset& dataset,
                                   const nn::NetworkPass& pass, ThreadPool& pool) {
  const auto [first, last] =
      train::part_of(ranks, experiment::shard_count(dataset, network.device()));
  std::vector<tasks::Tally> shards =
      experiment::evaluate_shards(network, task, dataset, pass, pool, first, last);
  std::vector<tasks::StepReading> steps;
  for (tasks::Tally& tally : shards) {
    steps.insert(steps.end(), tally.steps.begin(), tally.steps.end());
    tally.steps.clear();
  }
  tasks::Tally total = add_in_order(ranks, {}, shards).tally;
  total.steps = join_steps(ranks, steps);
  return total;
}

void share_parameters(train::Ranks& ranks, const nn::Network& network) {
  const at::NoGradGuard no_grad;
  for (const nn::Network::Parameter& parameter : network.named()) {
    const at::Tensor values = parameter.tensor.detach().to(at::kCPU).contiguous();
    train::share(ranks, values);
    at::Tensor(parameter.tensor).copy_(values);
  }
}

void require_same_parameters(train::Ranks& ranks, const nn::Network& network, std::int64_t epoch) {
  if (ranks.size() == 1) return;
  std::vector<std::uint8_t> bytes;
  for (const nn::Network::Parameter& parameter : network.named()) {
    const at::Tensor values = parameter.tensor.detach().to(at::kCPU).contiguous();
    const auto* begin = static_cast<const std::uint8_t*>(values.data_ptr());
    bytes.insert(bytes.end(), begin, begin + values.nbytes());
  }
  train::require_same(
      ranks, {{fmt::format("SHA-256 of the parameters after epoch {} (processors that differ may "
                           "round differently: --instructions, ATEN_CPU_CAPABILITY)",
                           epoch),
               io::sha256(bytes)}});
}

}  // namespace afterspike::train
