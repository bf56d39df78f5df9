#include "afterspike/train/memory.hpp"

#include <unistd.h>

#include <algorithm>
#include <fstream>

#include "afterspike/base/error.hpp"
#include "afterspike/evaluation/evaluate.hpp"

namespace afterspike::train {
namespace {

/// Pages that LibTorch, oneDNN and the allocator touch in the first steps, whatever the network
/// (measured: 10 to 15 MiB).
constexpr std::size_t kFirstUse = std::size_t{12} << 20;

/// Bytes that this process holds in memory.
std::size_t resident_bytes() {
  std::ifstream file("/proc/self/statm");
  std::size_t total = 0, resident = 0;
  file >> total >> resident;
  return resident * static_cast<std::size_t>(::sysconf(_SC_PAGESIZE));
}

double mib(std::size_t bytes) {
  return static_cast<double>(bytes) / (1 << 20);
}

}  // namespace

MemoryPlan plan_memory(const nn::Network& network, const tasks::Task& task,
                       const TrainOptions& options, int threads, std::size_t limit,
                       const distributed::Ranks& ranks) {
  const std::int64_t samples = task.split(tasks::Split::train)->size();
  const std::int64_t batch = std::min(options.batch_size, samples);
  const std::int64_t rows = std::min(batch, evaluation::shard_rows(options.batch_size));
  const auto [first, last] = distributed::part_of(ranks, evaluation::shard_count(batch, rows));
  const std::int64_t shards = last - first;
  // Evaluation has shards for everyone.
  const auto at_once =
      static_cast<std::size_t>(std::clamp<std::int64_t>(shards, 1, std::max(1, threads)));
  const std::int64_t steps = task.shape().steps;

  MemoryPlan plan;
  plan.present = resident_bytes();
  // An input is gathered, turned and, while it is, held twice.
  const auto input = static_cast<std::size_t>(steps * rows * task.shape().input_size * 4);
  const auto parameters = static_cast<std::size_t>(network.trainable_parameters() * 4);
  plan.rest = kFirstUse + at_once * 2 * input +
              (static_cast<std::size_t>(shards) + 3) * parameters;  // gradients; Adam: two moments
  const std::size_t fixed = plan.present + plan.rest;
  if (limit > 0) {
    plan.workspace_limit = std::max<std::size_t>(1, (limit - std::min(limit, fixed)) / at_once);
  }
  nn::NetworkPass pass;
  pass.first = tasks::first_read_step(steps, {}, task.objective().read);
  pass.workspace_limit = plan.workspace_limit;
  if (options.precision == Precision::bf16) pass.precision = nn::Precision::bfloat16;
  const auto workspace = network.workspace(steps, rows, pass);
  plan.known = workspace.has_value();
  require(
      plan.known || limit == 0, ErrorKind::config,
      "--memory-limit: the memory of this neuron model is not known before it is used; expected "
      "one with a kernel (glifr, elm, elm_network; elm with one synapse_tau that is not learned), "
      "or no limit");
  if (!plan.known) return plan;
  plan.workspace = workspace->bytes;
  plan.peak = fixed + at_once * plan.workspace;
  require(
      limit == 0 || plan.peak <= limit, ErrorKind::config,
      "--memory-limit: found {:.0f} MiB, expected at least {:.0f} MiB for {} thread{}, or fewer "
      "of them, or a smaller train.batch_size",
      mib(limit), mib(fixed + at_once * workspace->least) + 1, at_once, at_once == 1 ? "" : "s");
  return plan;
}

}  // namespace afterspike::train
