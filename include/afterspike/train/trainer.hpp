#pragma once

#include <cstdint>
#include <functional>
#include <limits>
#include <memory>
#include <string>
#include <vector>

#include "afterspike/base/parallel.hpp"
#include "afterspike/base/rng.hpp"
#include "afterspike/io/json.hpp"
#include "afterspike/nn/network.hpp"
#include "afterspike/tasks/task.hpp"
#include "afterspike/train/optimizer.hpp"
#include "afterspike/train/options.hpp"
#include "afterspike/train/ranks.hpp"
#include "afterspike/train/shard.hpp"

namespace afterspike::train {

/// Progress of a training. With the parameters and the optimiser's state it is enough to continue,
/// because every random number is derived from the seed and these counters.
struct Progress {
  std::int64_t epoch = 0;          ///< Completed epochs.
  std::int64_t step_in_epoch = 0;  ///< Completed steps of the current epoch.
  std::int64_t step = 0;           ///< Completed steps in all.
  tasks::Tally running;            ///< Sums over the current epoch, on training data.
  std::int64_t best_epoch = 0;     ///< 1 for the first; 0: none is selected yet.
  double best_accuracy = 0;        ///< Accuracy on validation.
  double best_loss = std::numeric_limits<double>::infinity();
  double wall_s = 0, cpu_s = 0;  ///< Time spent so far, in all sessions.

  io::Json to_json() const;
  static Progress from_json(const io::Json& json);
};

/// Result of an epoch.
struct EpochReport {
  std::int64_t epoch = 0;  ///< 1 for the first.
  std::int64_t step = 0;
  double learning_rate = 0;
  double sigma_mV = 0;             ///< At the end of the epoch; 0 without annealing.
  tasks::Tally train;              ///< During the epoch, with dropout.
  tasks::Tally validation;         ///< 0 samples without a validation split.
  bool selected = false;           ///< True if it is the best so far.
  double epoch_s = 0;              ///< Time spent on the epoch, in this session.
  std::int64_t timed_samples = 0;  ///< Training samples in that time; fewer in a resumed epoch.
};

/// Why a training ended.
enum class End { finished, patience, interrupted, time_limit, step_limit };

class Trainer;

/// Follows a training: prints, records, saves. Called on the training thread.
class Observer {
 public:
  virtual ~Observer() = default;
  virtual void on_step(const Trainer& /*trainer*/) {}
  virtual void on_epoch(const Trainer& /*trainer*/, const EpochReport& /*report*/) {}
  virtual void on_end(const Trainer& /*trainer*/, End /*end*/) {}
};

/// Limits that do not decide the result, only when it is reached.
struct Limits {
  double seconds = 0;                 ///< Seconds of this session; 0: no limit.
  std::int64_t steps = 0;             ///< Steps in all; 0: no limit.
  std::function<bool()> interrupted;  ///< Called after every step; may be empty.
};

/// Trains a network on a task.
///
/// A batch is cut into shards of a fixed number of rows (experiment::shard_rows). Threads take
/// shards from a list, and their gradients are added in a fixed order: the same bits for any number
/// of threads. With several ranks each computes some of the shards, and the sum keeps that order:
/// the same bits for any number of processes. All ranks must have the same network, task, options
/// and progress.
class Trainer {
 public:
  /// `network`, `task`, `pool` and `ranks` must outlive the trainer. Throws Error(config) if the
  /// options do not fit the task or the network.
  Trainer(nn::Network& network, const tasks::Task& task, const TrainOptions& options, Rng rng,
          ThreadPool& pool, train::Ranks& ranks = train::alone());

  /// Continues from a checkpoint; the network's parameters must have been assigned already.
  void restore(const Progress& progress, const nn::NamedTensors& optimizer_state);

  /// Sets the memory that layers may keep for the backward pass of one shard
  /// (nn::NetworkPass::workspace_limit; 0: everything that saves time), and the pass for which they
  /// allocate it. The result does not depend on it.
  void plan_workspace(std::size_t limit, const nn::LargestPass& largest) noexcept {
    workspace_limit_ = limit;
    largest_ = largest;
  }

  /// Trains until the epochs are done or a limit is reached; a limit of one rank stops all. Throws
  /// Error(numeric) naming the step and the first tensor that is not finite, and as
  /// train::Ranks.
  End run(const std::vector<Observer*>& observers, const Limits& limits);

  const nn::Network& network() const noexcept { return network_; }
  const tasks::Task& task() const noexcept { return task_; }
  const TrainOptions& options() const noexcept { return options_; }
  const Progress& progress() const noexcept { return progress_; }
  nn::NamedTensors optimizer_state() const { return optimizer_.state(); }
  /// Returns the parameters that are evaluated and kept: their average if they are averaged.
  nn::NamedTensors model() const;
  bool selects_best() const noexcept { return selects_best_; }
  std::int64_t steps_per_epoch() const noexcept { return steps_per_epoch_; }
  std::int64_t total_steps() const noexcept { return options_.epochs * steps_per_epoch_; }

  /// Returns the pass that evaluates: the final softness of a schedule, if there is one, and spikes
  /// if the training comes to them.
  nn::NetworkPass evaluation_pass() const;

 private:
  /// Trains on one batch, together with the other ranks; returns the tallies of this rank's shards.
  std::vector<tasks::Tally> train_step(std::span<const std::int64_t> numbers);
  /// Returns the pass of a shard of `rows` sequences, by its index, in the current step.
  nn::NetworkPass shard_pass(std::int64_t index, std::int64_t rows) const;
  /// `shards` start at index `first` of the batch `numbers`.
  void require_finite(const std::vector<Shard>& shards, std::span<const std::int64_t> numbers,
                      std::int64_t first) const;
  /// Names the first tensor of a forward pass that is not finite; empty if all are finite.
  std::string first_bad_tensor(const tasks::Dataset& dataset, std::span<const std::int64_t> numbers,
                               nn::NetworkPass pass) const;
  [[noreturn]] void fail_validation(const tasks::Dataset& validation,
                                    const nn::NetworkPass& pass) const;
  EpochReport finish_epoch(double epoch_s, std::int64_t timed_samples);
  bool select(const EpochReport& report);
  std::optional<double> training_sigma() const;
  End limit_reached(const Limits& limits, double session_s) const;
  bool out_of_patience() const;

  nn::Network& network_;
  const tasks::Task& task_;
  TrainOptions options_;
  Rng rng_;
  ThreadPool& pool_;
  train::Ranks& ranks_;
  Optimizer optimizer_;
  at::Tensor class_weights_;  ///< [classes]; undefined: all 1.
  std::int64_t steps_per_epoch_ = 0;
  bool selects_best_ = false;
  std::size_t workspace_limit_ = 0;
  nn::LargestPass largest_;
  std::shared_ptr<const tasks::Dataset> samples_;  ///< Samples of the current epoch.
  Progress progress_;
};

}  // namespace afterspike::train
