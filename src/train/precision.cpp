#include "afterspike/train/precision.hpp"

#include <algorithm>
#include <limits>
#include <numeric>
#include <vector>

#include "afterspike/base/log.hpp"
#include "afterspike/experiment/evaluate.hpp"
#include "afterspike/tasks/dataset.hpp"
#include "afterspike/train/optimizer.hpp"
#include "afterspike/train/shard.hpp"
#include "clock.hpp"

namespace afterspike::train {
namespace {

/// bfloat16 costs digits; it has to save at least this fraction of the time.
constexpr double kMinGain = 0.05;
constexpr int kRounds = 3;

}  // namespace

nn::Precision measured_precision(const nn::Network& network, const tasks::Task& task,
                                 const TrainOptions& options) {
  const auto samples = task.split(tasks::Split::train);
  if (!network.layer(0)->has_bfloat16() || samples->size() == 0) return Precision::float32;
  const std::int64_t rows = std::min(samples->size(), experiment::shard_rows(options.batch_size));
  std::vector<std::int64_t> numbers(static_cast<std::size_t>(rows));
  std::iota(numbers.begin(), numbers.end(), 0);
  const tasks::Batch batch = samples->batch(numbers);
  const Optimizer optimizer(options, network);
  double least_s[2] = {std::numeric_limits<double>::infinity(),
                       std::numeric_limits<double>::infinity()};
  for (int round = 0; round <= kRounds; ++round) {  // The first of them warms up.
    for (const Precision precision : {Precision::float32, Precision::bfloat16}) {
      nn::NetworkPass pass;
      pass.execution.precision = precision;
      const double start_s = now_s();
      run_shard(network, task, optimizer.parameters(), batch, rows, options.label_smoothing, pass);
      double& least = least_s[precision == Precision::bfloat16 ? 1 : 0];
      if (round > 0) least = std::min(least, now_s() - start_s);
    }
  }
  const bool faster = least_s[1] < (1 - kMinGain) * least_s[0];
  const Precision chosen = faster ? Precision::bfloat16 : Precision::float32;
  log::info("precision: {} (a shard takes {:.2g} s in float32, {:.2g} s in bfloat16)",
            kernels::name_of(chosen), least_s[0], least_s[1]);
  return chosen;
}

}  // namespace afterspike::train
