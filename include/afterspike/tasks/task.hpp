#pragma once

#include <cstdint>
#include <filesystem>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include <ATen/core/Tensor.h>

#include "afterspike/base/options.hpp"
#include "afterspike/tasks/dataset.hpp"

namespace afterspike::tasks {

enum class Split { train, validation, test };
inline constexpr Split kSplits[] = {Split::train, Split::validation, Split::test};

/// Parses "train", "validation", "test"; throws Error(usage) for another name.
Split parse_split(std::string_view name);
std::string_view split_name(Split split) noexcept;

/// The steps of a sequence that a loss reads, counted from the end of each sample.
struct ReadSteps {
  /// automatic: the last step if a task classifies, all steps if it generates a trace.
  enum class Kind { automatic, last, all, window };
  Kind kind = Kind::automatic;
  std::int64_t count = 1;  ///< Steps of a window.

  /// Parses "auto", "last", "all", or a number of steps, "14". Throws Error(config).
  static ReadSteps parse(std::string_view text);
  std::string text() const;
};

/// Requirements of a task on a network.
struct TaskShape {
  std::int64_t input_size = 0;
  std::int64_t output_size = 0;
  std::int64_t steps = 0;  ///< Steps of the longest sample.
  double dt_ms = 1;        ///< Duration of one step.
};

/// Objective of a task: targets, loss and steps that are read.
struct Objective {
  /// classify: cross entropy, accuracy. trace: mean squared error over steps and outputs.
  /// spikes_and_voltage: the outputs of a step are the logit of a spike and a voltage, the targets
  /// 0 or 1 and a voltage; half the binary cross entropy of the first and half the squared error of
  /// the second, over steps (Spieler et al. 2023).
  enum class Kind { classify, trace, spikes_and_voltage };
  /// Loss of several read steps: cross entropy of the mean output, or mean of the cross entropies
  /// of the steps. The decision is the largest element of the mean output in both.
  enum class Over { mean_output, each_step };

  Kind kind = Kind::classify;
  ReadSteps read;
  Over over = Over::mean_output;
  /// Names of the classes in the order of their labels; empty: they are numbers.
  std::vector<std::string> class_names = {};
  double voltage_unit_mV = 1;  ///< Voltage of a target of 1.
};

/// Parses "classify", "trace", "spikes_and_voltage", the names in checkpoints. Throws
/// Error(checkpoint) for another name.
Objective::Kind parse_objective_kind(std::string_view name);
std::string_view objective_kind_name(Objective::Kind kind) noexcept;

/// Values of a sequence at the steps that are read.
struct ReadValues {
  at::Tensor values;  ///< [read, batch, ...]
  at::Tensor weight;  ///< [read, batch] of 0 and 1, 0 for missing steps; undefined: none is
                      ///< missing.
};

/// Selects the read steps of `sequence` [steps, batch, ...]. With `lengths` [batch] they are
/// counted from the end of each sample, and steps before its start have weight 0. REQUIRES: `read`
/// is not automatic.
ReadValues read_steps(const at::Tensor& sequence, const at::Tensor& lengths, const ReadSteps& read);

/// Returns the first step of a sequence that read_steps() selects in any sample; earlier steps are
/// not needed.
std::int64_t first_read_step(std::int64_t steps, const at::Tensor& lengths, const ReadSteps& read);

/// Returns the mean over the existing read steps, [batch, ...]. Differentiable.
at::Tensor mean_over_read(const ReadValues& read);

/// Prediction and truth of a step, for tasks of spikes and voltage.
struct StepReading {
  float spike_logit = 0, spike = 0, voltage = 0, true_voltage = 0;
};

/// Sums over samples, so that parts of a split add up.
struct Tally {
  std::int64_t samples = 0;
  std::int64_t correct = 0;  ///< Stays 0 if nothing is classified.
  double loss = 0;           ///< Sum of the samples' losses.
  /// Every scored step, part after part, for measures that need more than sums. Only in evaluation,
  /// and empty for most objectives.
  std::vector<StepReading> steps = {};

  Tally& operator+=(const Tally& other);
};

/// A figure of merit besides the loss, as shown and recorded.
struct Measure {
  enum class Form { number, fraction };  ///< A fraction is printed in per cent.
  std::string_view name;                 ///< "accuracy", "auc", "rmse_mV"
  double value = 0;
  Form form = Form::number;
};

/// A task: data in splits and an objective. Immutable; const calls may come from many threads.
class Task {
 public:
  struct Parts {
    std::shared_ptr<const tasks::Dataset> train, validation, test;  ///< validation may be null.
    std::vector<std::string> remarks = {};                          ///< Task::remarks()
  };

  /// Throws Error(config) if the objective reads more steps than there are.
  Task(TaskShape shape, Objective objective, Parts parts);

  const TaskShape& shape() const noexcept { return shape_; }
  /// Returns the objective with automatic reading resolved.
  const Objective& objective() const noexcept { return objective_; }
  bool classifies() const noexcept { return objective_.kind == Objective::Kind::classify; }

  /// Returns the samples of a split; null if the task has no validation split.
  std::shared_ptr<const tasks::Dataset> split(Split split) const;

  /// Returns sentences that users should know about these data, such as the fraction of unused
  /// spikes.
  const std::vector<std::string>& remarks() const noexcept { return parts_.remarks; }

  /// Returns the sum over samples of the loss of `outputs` ([read, batch, outputs] from
  /// read_steps() of the network's outputs). Differentiable. `label_smoothing` spreads that part of
  /// the target over all classes. `class_weights` [classes] multiplies the loss of a sample by the
  /// weight of its class; undefined: 1.
  at::Tensor loss(const ReadValues& outputs, const tasks::Batch& batch, double label_smoothing = 0,
                  const at::Tensor& class_weights = {}) const;

  /// Returns loss (without smoothing) and correct decisions, for training.
  Tally tally(const ReadValues& outputs, const tasks::Batch& batch) const;

  /// As tally(), with the readings of every step if the measures need them.
  Tally full_tally(const ReadValues& outputs, const tasks::Batch& batch) const;

  /// Returns the measures of `tally`, besides its loss: accuracy for classes; for spikes and
  /// voltages the area under the ROC curve of the spikes over all steps (auc), the root mean
  /// squared error of the voltage (rmse_mV), and that error after scaling the predictions to the
  /// mean and standard deviation of the truth (rmse_rescaled_mV, the published one). Undefined
  /// measures (no samples, no steps, no spike) are omitted.
  std::vector<Measure> measures(const Tally& tally) const;

 private:
  TaskShape shape_;
  Objective objective_;
  Parts parts_;
};

/// Location of the data of tasks.
struct TaskContext {
  std::filesystem::path data_directory;
  /// The run that the task belongs to: a file that was moved together with it is found. Empty for a
  /// new run.
  std::filesystem::path run = {};
};

/// The settings and the maker of a task.
class TaskModel {
 public:
  virtual ~TaskModel() = default;
  virtual void describe(options::Section section) = 0;
  /// Reads the data. Throws Error(data) or Error(config).
  virtual std::unique_ptr<Task> make(const TaskContext& context) const = 0;
};

/// A task in the list of tasks.
struct TaskEntry {
  std::string_view name;
  std::string_view summary;
  std::unique_ptr<TaskModel> (*make)();
};

/// Returns all tasks; each has a file in the folder tasks.
std::span<const TaskEntry> entries();

}  // namespace afterspike::tasks
