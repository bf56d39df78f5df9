#include "afterspike/train/memory.hpp"

#include <malloc.h>
#include <unistd.h>

#include <algorithm>
#include <charconv>
#include <cmath>
#include <fstream>
#include <utility>

#include <ATen/ATen.h>
#include <fmt/format.h>

#include "afterspike/base/error.hpp"
#include "afterspike/experiment/evaluate.hpp"
#include "afterspike/tasks/dataset.hpp"

namespace afterspike::train {
namespace {

/// Pages that LibTorch, oneDNN and the allocator touch in the first steps, whatever the network
/// (measured: 10 to 15 MiB).
constexpr std::size_t kFirstUse = std::size_t{12} << 20;

/// Returns the resident memory of this process in bytes.
std::size_t resident_bytes() {
  std::ifstream file("/proc/self/statm");
  std::size_t total = 0, resident = 0;
  file >> total >> resident;
  return resident * static_cast<std::size_t>(::sysconf(_SC_PAGESIZE));
}

/// Returns the extra memory of reading single steps of sequences of several lengths: a copy of
/// them, and its gradient.
std::size_t gathered_bytes(const tasks::Task& task, const nn::Network& network, std::int64_t rows) {
  const std::int64_t steps = task.shape().steps;
  const std::int64_t count = steps - tasks::first_read_step(steps, {}, task.objective().read);
  const std::int64_t neurons = network.layers().back()->shape().neurons;
  return static_cast<std::size_t>(2 * count * rows * neurons) * sizeof(float);
}

double mib(std::size_t bytes) {
  return static_cast<double>(bytes) / (1 << 20);
}

/// Division of a batch.
struct Sharing {
  std::int64_t rows;    ///< Rows of a shard.
  std::int64_t shards;  ///< Shards of this rank.
  std::size_t at_once;
};

Sharing share(std::int64_t samples, const TrainOptions& options, int threads,
              const train::Ranks& ranks) {
  const std::int64_t batch = std::min(options.batch_size, samples);
  const std::int64_t rows = std::min(batch, experiment::shard_rows(options.batch_size));
  const auto [first, last] = train::part_of(ranks, experiment::shard_count(batch, rows));
  // Every thread has a shard in evaluation.
  const auto at_once = std::clamp<std::int64_t>(last - first, 1, std::max(1, threads));
  return {rows, last - first, static_cast<std::size_t>(at_once)};
}

/// Plans everything but the memory that layers keep for the backward pass.
MemoryPlan plan_rest(const nn::Network& network, const tasks::Task& task, const Sharing& sharing) {
  const auto samples = task.split(tasks::Split::train);
  const std::int64_t steps = task.shape().steps;
  constexpr std::int64_t kFirst[] = {0};
  const bool differ = samples->size() > 0 && samples->batch(kFirst).lengths.defined();
  MemoryPlan plan;
  plan.present = resident_bytes();
  // If lengths differ, a shard may have a sequence that is read from its first step on.
  plan.largest = {steps, sharing.rows,
                  differ ? 0 : tasks::first_read_step(steps, {}, task.objective().read)};
  // An input is gathered and transposed, and held twice meanwhile.
  auto of_thread = static_cast<std::size_t>(2 * steps * sharing.rows * task.shape().input_size * 4);
  if (differ) of_thread += gathered_bytes(task, network, sharing.rows);
  const auto parameters = static_cast<std::size_t>(network.trainable_parameters() * 4);
  plan.rest = kFirstUse + sharing.at_once * of_thread +
              (static_cast<std::size_t>(sharing.shards) + 3) * parameters;  // gradients; moments
  return plan;
}

}  // namespace

std::size_t parse_bytes(std::string_view text, std::string_view what) {
  constexpr std::pair<std::string_view, double> kUnits[] = {
      {"GiB", 1 << 30}, {"MiB", 1 << 20}, {"KiB", 1 << 10}, {"GB", 1e9},
      {"MB", 1e6},      {"kB", 1e3},      {"B", 1}};
  double number = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  std::string_view unit = text.substr(static_cast<std::size_t>(end - text.data()));
  while (unit.starts_with(' ')) unit.remove_prefix(1);
  for (const auto& [name, factor] : kUnits) {
    const double bytes = number * factor;
    if (error == std::errc() && unit == name && bytes >= 1 && bytes < 1e18) {
      return static_cast<std::size_t>(bytes);
    }
  }
  fail(ErrorKind::config, "{}: found '{}', expected a size such as 2GiB or 500MiB", what, text);
}

void return_freed_memory() {
  constexpr int kBytes = 128 << 10;
  mallopt(M_MMAP_THRESHOLD, kBytes);
  mallopt(M_TRIM_THRESHOLD, kBytes);
}

MemoryPlan plan_memory(const nn::Network& network, const tasks::Task& task,
                       const TrainOptions& options, int threads, std::size_t limit,
                       const train::Ranks& ranks) {
  const Sharing sharing = share(task.split(tasks::Split::train)->size(), options, threads, ranks);
  MemoryPlan plan = plan_rest(network, task, sharing);
  const std::size_t fixed = plan.present + plan.rest + (limit > 0 ? MemoryPlan::kMargin : 0);
  const std::size_t at_once = sharing.at_once;
  if (limit > 0) {
    plan.workspace_limit = std::max<std::size_t>(1, (limit - std::min(limit, fixed)) / at_once);
  }
  nn::NetworkPass pass;
  pass.first = plan.largest.first;
  pass.execution.workspace_limit = plan.workspace_limit;
  pass.execution.precision = options.precision.value_or(Precision::float32);
  const auto workspace = network.workspace(plan.largest.steps, plan.largest.rows, pass);
  plan.known = workspace.has_value();
  require(plan.known || limit == 0, ErrorKind::config,
          "--memory-limit: found a limit, expected none: the memory of elm with several "
          "synapse_tau, or "
          "with learned ones, is not known before it is used");
  if (!plan.known) return plan;
  plan.workspace = workspace->bytes;
  plan.peak = fixed + at_once * plan.workspace;
  // Suggest a limit with the headroom added, so that the next run also fits.
  require(limit == 0 || plan.peak <= limit, ErrorKind::config,
          "--memory-limit: found {} MiB, expected at least {:.0f} MiB for {}, or a smaller "
          "train.batch_size",
          limit < (1 << 20) ? fmt::format("{:.3g}", mib(limit)) : fmt::format("{:.0f}", mib(limit)),
          std::ceil(mib(fixed + at_once * workspace->least + MemoryPlan::kMargin)),
          at_once == 1 ? "one thread" : fmt::format("{} threads, or fewer of them", at_once));
  return plan;
}

}  // namespace afterspike::train
