#include "afterspike/train/trainer.hpp"

#include <algorithm>
#include <cmath>
#include <numeric>

#include <ATen/ATen.h>
#include <ATen/CPUGeneratorImpl.h>

#include "afterspike/base/error.hpp"
#include "afterspike/experiment/checkpoint.hpp"
#include "afterspike/experiment/evaluate.hpp"
#include "class_weights.hpp"
#include "clock.hpp"
#include "collective.hpp"
#include "finite.hpp"
#include "silencing.hpp"

namespace afterspike::train {
namespace {

/// Scales all gradients so that their common norm is at most `largest`.
void clip(std::vector<at::Tensor>& gradients, double largest) {
  double square = 0;
  for (const at::Tensor& gradient : gradients) {
    if (gradient.defined()) square += gradient.to(at::kDouble).square().sum().item<double>();
  }
  const double norm = std::sqrt(square);
  if (!(norm > largest)) return;
  for (at::Tensor& gradient : gradients) {
    if (gradient.defined()) gradient = gradient.mul(largest / norm);
  }
}

/// The network has its averaged parameters while this exists.
class WithAverages {
 public:
  explicit WithAverages(Optimizer& optimizer) : optimizer_(optimizer) {
    optimizer_.swap_averages();
  }
  ~WithAverages() { optimizer_.swap_averages(); }
  WithAverages(const WithAverages&) = delete;
  WithAverages& operator=(const WithAverages&) = delete;

 private:
  Optimizer& optimizer_;
};

}  // namespace

io::Json Progress::to_json() const {
  return {{"epoch", epoch},
          {"step_in_epoch", step_in_epoch},
          {"step", step},
          {"running",
           {{"samples", running.samples}, {"correct", running.correct}, {"loss", running.loss}}},
          {"best_epoch", best_epoch},
          {"best_accuracy", best_accuracy},
          {"best_loss", best_epoch > 0 ? io::Json(best_loss) : io::Json()},
          {"wall_s", wall_s},
          {"cpu_s", cpu_s}};
}

Progress Progress::from_json(const io::Json& json) {
  const auto number = [](const io::Json& object, std::string_view key) {
    return io::member<double>(object, key, "progress", ErrorKind::checkpoint);
  };
  const auto count = [&](const io::Json& object, std::string_view key) {
    const auto value = io::member<std::int64_t>(object, key, "progress", ErrorKind::checkpoint);
    require(value >= 0, ErrorKind::checkpoint, "progress: member '{}' is {}, expected 0 or more",
            key, value);
    return value;
  };
  const auto running = io::member<io::Json>(json, "running", "progress", ErrorKind::checkpoint);
  Progress progress;
  progress.epoch = count(json, "epoch");
  progress.step_in_epoch = count(json, "step_in_epoch");
  progress.step = count(json, "step");
  progress.running = {count(running, "samples"), count(running, "correct"),
                      number(running, "loss")};
  progress.best_epoch = count(json, "best_epoch");
  progress.best_accuracy = number(json, "best_accuracy");
  if (progress.best_epoch > 0) progress.best_loss = number(json, "best_loss");
  progress.wall_s = number(json, "wall_s");
  progress.cpu_s = number(json, "cpu_s");
  return progress;
}

Trainer::Trainer(nn::Network& network, const tasks::Task& task, const TrainOptions& options,
                 Rng rng, ThreadPool& pool, train::Ranks& ranks)
    : network_(network),
      task_(task),
      options_(options),
      rng_(rng),
      pool_(pool),
      ranks_(ranks),
      optimizer_(options, network) {
  options_.validate();
  const std::int64_t samples = task.split(tasks::Split::train)->size();
  require(samples > 0, ErrorKind::config, "there are no training samples");
  class_weights_ = class_weights(options_.class_weights, task);
  steps_per_epoch_ = (samples + options_.batch_size - 1) / options_.batch_size;
  require(!optimizer_.parameters().empty(), ErrorKind::config,
          "nothing is trained: all weights and parameters are fixed and there is no readout");
  const bool validates = task.split(tasks::Split::validation) != nullptr;
  require(
      options_.select != Select::best || validates, ErrorKind::config,
      "option 'train.select': found 'best', but the task has no validation split; expected 'last', "
      "or options of the task that keep samples for validation");
  selects_best_ = options_.select != Select::last && validates;
  require(options_.patience == 0 || selects_best_, ErrorKind::config,
          "option 'train.patience': found {}, expected 0 where there is no validation split",
          options_.patience);
  require(options_.label_smoothing == 0 || task.classifies(), ErrorKind::config,
          "option 'train.label_smoothing': found {}, expected 0 where traces are learned, not "
          "classes",
          options_.label_smoothing);
  require(
      options_.silence == 0 || network.options().readout ||
          network.layers().size() > network.hidden_layers(),
      ErrorKind::config,
      "option 'train.silence': found {}, expected 0 where the neurons' emissions are the output",
      options_.silence);
  require(options_.precision.has_value(), ErrorKind::internal,
          "option 'train.precision': auto was not resolved");
  require(*options_.precision == Precision::float32 || network.layer(0)->has_bfloat16(),
          ErrorKind::config,
          "option 'train.precision': bfloat16 is not available for this neuron model, processor or "
          "device. Use float32.");
  require(options_.sigma_schedule == SigmaSchedule::constant || network.has_threshold_softness(),
          ErrorKind::config,
          "option 'train.sigma_schedule': this neuron model has no threshold softness to anneal; "
          "expected 'constant'");
  require(options_.spikes_from == 1 || network.has_surrogate_gradient(), ErrorKind::config,
          "option 'train.spikes_from': found {}, but this neuron model has no spikes with a "
          "surrogate gradient. Use 1, or the neuron 'glifr' or 'glif'.",
          options_.spikes_from);
}

void Trainer::restore(const Progress& progress, const nn::NamedTensors& optimizer_state) {
  optimizer_.restore(optimizer_state);
  require(
      optimizer_.steps() == progress.step && progress.step_in_epoch <= steps_per_epoch_ &&
          progress.step == progress.epoch * steps_per_epoch_ + progress.step_in_epoch,
      ErrorKind::checkpoint,
      "progress: step {} (epoch {}, {} of {} steps) and the optimiser's {} steps do not fit: the "
      "training data or the batch size are not those of the run",
      progress.step, progress.epoch, progress.step_in_epoch, steps_per_epoch_, optimizer_.steps());
  progress_ = progress;
  // With more epochs the annealing may restart: the former selection was measured at a threshold
  // that this training has not reached.
  if (!threshold_final(options_, progress_.step, total_steps(), steps_per_epoch_)) {
    progress_.best_epoch = 0;
  }
}

std::optional<double> Trainer::training_sigma() const {
  if (spikes_at(options_, progress_.step, total_steps())) return options_.surrogate_sigma_mV;
  if (options_.sigma_schedule == SigmaSchedule::constant) return std::nullopt;
  return annealed_sigma(options_, progress_.step, total_steps(), steps_per_epoch_);
}

nn::NetworkPass Trainer::evaluation_pass() const {
  nn::NetworkPass pass;
  pass.spikes = options_.spikes_from < 1;
  if (pass.spikes) {
    pass.sigma_mV = options_.surrogate_sigma_mV;
  } else if (options_.sigma_schedule != SigmaSchedule::constant) {
    pass.sigma_mV = options_.sigma_final_mV;
  }
  return pass;
}

nn::NetworkPass Trainer::shard_pass(std::int64_t index, std::int64_t rows) const {
  nn::NetworkPass pass;
  pass.sigma_mV = training_sigma();
  pass.spikes = spikes_at(options_, progress_.step, total_steps());
  pass.execution.workspace_limit = workspace_limit_;
  pass.execution.largest = largest_;
  pass.execution.precision = *options_.precision;
  const auto step = static_cast<std::uint64_t>(progress_.step);
  const auto shard = static_cast<std::uint64_t>(index);
  pass.dropout = at::make_generator<at::CPUGeneratorImpl>(
      rng_.stream("dropout", step).stream("shard", shard).next());
  pass.masks =
      draw_silencing(network_, options_, rows, rng_.stream("silence", step).stream("shard", shard));
  return pass;
}

std::vector<tasks::Tally> Trainer::train_step(std::span<const std::int64_t> numbers) {
  const auto batch = static_cast<std::int64_t>(numbers.size());
  const std::int64_t rows = experiment::shard_rows(options_.batch_size, network_.device());
  const auto [first, last] = train::part_of(ranks_, experiment::shard_count(batch, rows));
  std::vector<Shard> shards(static_cast<std::size_t>(last - first));
  pool_.run(last - first, [&, begin = first](std::int64_t place) {
    const auto own = experiment::shard(numbers, rows, begin + place);
    shards[static_cast<std::size_t>(place)] = run_shard(
        network_, task_, optimizer_.parameters(), samples_->batch(own), batch,
        options_.label_smoothing, shard_pass(begin + place, std::ssize(own)), class_weights_);
  });
  require_finite(shards, numbers, first);
  std::vector<at::Tensor> gradients =
      by_parameter(sum_gradients(shards, optimizer_.numbers(), ranks_), optimizer_.parameters());
  if (options_.clip_norm > 0) clip(gradients, options_.clip_norm);
  optimizer_.step(gradients,
                  learning_rate_factor(options_, progress_.step, total_steps(), steps_per_epoch_));
  for (const nn::Network::Parameter& parameter : optimizer_.parameters()) {
    require(is_finite(parameter.tensor), ErrorKind::numeric,
            "step {}: the update made parameter '{}' not finite", progress_.step + 1,
            parameter.name);
  }
  ++progress_.step;
  ++progress_.step_in_epoch;
  std::vector<tasks::Tally> tallies;
  for (const Shard& shard : shards) tallies.push_back(shard.tally);
  return tallies;
}

void Trainer::require_finite(const std::vector<Shard>& shards,
                             std::span<const std::int64_t> numbers, std::int64_t first) const {
  if (all_finite(shards)) return;
  tasks::Tally sum;
  for (const Shard& shard : shards) sum += shard.tally;
  double loss = sum.loss / static_cast<double>(sum.samples);
  if (std::isnan(loss)) loss = std::abs(loss);  // The sign of NaN has no meaning.
  const std::vector<nn::Network::Parameter>& parameters = optimizer_.parameters();
  std::string bad;
  const std::int64_t rows = experiment::shard_rows(options_.batch_size, network_.device());
  for (std::int64_t index = 0; bad.empty() && index < std::ssize(shards); ++index) {
    const auto own = experiment::shard(numbers, rows, first + index);
    bad = first_bad_tensor(*samples_, own, shard_pass(first + index, std::ssize(own)));
  }
  for (std::size_t i = 0; bad.empty() && std::isfinite(loss) && i < parameters.size(); ++i) {
    const bool good = std::all_of(shards.begin(), shards.end(), [&](const Shard& shard) {
      return is_finite(by_parameter(shard.gradient, parameters)[i]);
    });
    if (!good) bad = "the gradient of parameter '" + parameters[i].name + "'";
  }
  if (bad.empty()) bad = "the loss itself";
  fail(ErrorKind::numeric, "step {}: the loss is {}; the first tensor that is not finite is {}",
       progress_.step + 1, loss, bad);
}

std::string Trainer::first_bad_tensor(const tasks::Dataset& dataset,
                                      std::span<const std::int64_t> numbers,
                                      nn::NetworkPass pass) const {
  const at::NoGradGuard no_grad;
  for (const nn::Network::Parameter& parameter : network_.named()) {
    if (!is_finite(parameter.tensor)) return "parameter '" + parameter.name + "'";
  }
  const tasks::Batch data = dataset.batch(numbers);
  if (!is_finite(data.input)) return "the input";
  // NaN is an unknown target.
  if (data.target.is_floating_point() && data.target.isinf().any().item<bool>()) {
    return "the target";
  }
  nn::NamedTensors trace;
  pass.trace = &trace;
  const at::Tensor output = network_.forward(data.input.to(network_.device()), pass);
  std::string first;
  std::int64_t first_step = std::numeric_limits<std::int64_t>::max();
  for (const auto& [name, tensor] : trace) {
    const at::Tensor bad = (~at::isfinite(tensor)).nonzero();
    if (bad.size(0) == 0) continue;
    const auto step = bad.select(1, 0).min().item<std::int64_t>();
    if (step < first_step) {
      first_step = step;
      first = "'" + name + "', at step " + std::to_string(step) + " of the sequence";
    }
  }
  if (!first.empty()) return first;
  return is_finite(output) ? "" : "the output";
}

void Trainer::fail_validation(const tasks::Dataset& validation, const nn::NetworkPass& pass) const {
  std::vector<std::int64_t> numbers(static_cast<std::size_t>(validation.size()));
  std::iota(numbers.begin(), numbers.end(), 0);
  std::string bad;
  const std::int64_t rows = experiment::shard_rows(validation.size(), network_.device());
  const std::int64_t shards = experiment::shard_count(validation.size(), rows);
  for (std::int64_t index = 0; bad.empty() && index < shards; ++index) {
    bad = first_bad_tensor(validation, experiment::shard(numbers, rows, index), pass);
  }
  fail(ErrorKind::numeric,
       "step {}: the loss on validation data is not finite; the first tensor that is not finite is "
       "{}",
       progress_.step, bad.empty() ? "the loss itself" : bad);
}

bool Trainer::select(const EpochReport& report) {
  if (!selects_best_) return true;
  if (!threshold_final(options_, progress_.step, total_steps(), steps_per_epoch_)) return false;
  const auto samples = static_cast<double>(report.validation.samples);
  const double accuracy = static_cast<double>(report.validation.correct) / samples;
  const double loss = report.validation.loss / samples;
  const bool better = progress_.best_epoch == 0 || accuracy > progress_.best_accuracy ||
                      (accuracy == progress_.best_accuracy && loss < progress_.best_loss);
  if (!better) return false;
  progress_.best_epoch = report.epoch;
  progress_.best_accuracy = accuracy;
  progress_.best_loss = loss;
  return true;
}

nn::NamedTensors Trainer::model() const {
  nn::NamedTensors tensors = experiment::model_tensors(network_);
  optimizer_.put_averages(tensors);
  return tensors;
}

EpochReport Trainer::finish_epoch(double epoch_s, std::int64_t timed_samples) {
  ++progress_.epoch;
  progress_.step_in_epoch = 0;
  EpochReport report;
  report.epoch = progress_.epoch;
  report.step = progress_.step;
  report.learning_rate =
      options_.learning_rate *
      learning_rate_factor(options_, progress_.step - 1, total_steps(), steps_per_epoch_);
  report.sigma_mV = training_sigma().value_or(0);
  report.train = std::exchange(progress_.running, {});
  report.epoch_s = epoch_s;
  report.timed_samples = timed_samples;
  if (const auto validation = task_.split(tasks::Split::validation)) {
    const nn::NetworkPass pass = evaluation_pass();
    const WithAverages averaged(optimizer_);
    report.validation = evaluate_collectively(ranks_, network_, task_, *validation, pass, pool_);
    if (!std::isfinite(report.validation.loss)) fail_validation(*validation, pass);
  }
  require_same_parameters(ranks_, network_, report.epoch);
  report.selected = select(report);
  return report;
}

bool Trainer::out_of_patience() const {
  return options_.patience > 0 && progress_.best_epoch > 0 &&
         progress_.epoch - progress_.best_epoch >= options_.patience;
}

End Trainer::limit_reached(const Limits& limits, double session_s) const {
  if (limits.interrupted && limits.interrupted()) return End::interrupted;
  if (limits.seconds > 0 && session_s >= limits.seconds) return End::time_limit;
  if (limits.steps > 0 && progress_.step >= limits.steps) return End::step_limit;
  return End::finished;
}

End Trainer::run(const std::vector<Observer*>& observers, const Limits& limits) {
  const double start_s = now_s() - progress_.wall_s;
  const double start_cpu_s = cpu_s() - progress_.cpu_s;
  const double session_start_s = now_s();
  const std::int64_t samples = task_.split(tasks::Split::train)->size();
  End end = limits.steps > 0 && progress_.step >= limits.steps ? End::step_limit : End::finished;
  const auto clock = [&] {
    progress_.wall_s = now_s() - start_s;
    progress_.cpu_s = cpu_s() - start_cpu_s;
  };
  while (end == End::finished && progress_.epoch < options_.epochs && !out_of_patience()) {
    const double epoch_start_s = now_s();
    const std::int64_t done_before = progress_.running.samples;
    const auto epoch = static_cast<std::uint64_t>(progress_.epoch);
    const std::vector<std::int64_t> order = rng_.stream("shuffle", epoch).permutation(samples);
    samples_ = task_.split(tasks::Split::train)->for_epoch(rng_.stream("samples", epoch));
    while (end == End::finished && progress_.step_in_epoch < steps_per_epoch_) {
      const std::int64_t begin = progress_.step_in_epoch * options_.batch_size;
      const std::int64_t size = std::min(options_.batch_size, samples - begin);
      const std::vector<tasks::Tally> tallies = train_step(std::span(order).subspan(
          static_cast<std::size_t>(begin), static_cast<std::size_t>(size)));
      const End wanted = limit_reached(limits, now_s() - session_start_s);
      const Total total =
          add_in_order(ranks_, progress_.running, tallies, static_cast<int>(wanted));
      progress_.running = total.tally;
      end = static_cast<End>(total.stop);
      clock();
      for (Observer* observer : observers) observer->on_step(*this);
    }
    if (progress_.step_in_epoch < steps_per_epoch_) break;
    const EpochReport report =
        finish_epoch(now_s() - epoch_start_s, progress_.running.samples - done_before);
    clock();
    for (Observer* observer : observers) observer->on_epoch(*this, report);
  }
  // A limit reached with the last step has no effect.
  if (out_of_patience()) end = End::patience;
  if (progress_.epoch >= options_.epochs) end = End::finished;
  for (Observer* observer : observers) observer->on_end(*this, end);
  return end;
}

}  // namespace afterspike::train
