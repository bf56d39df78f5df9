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
#include "afterspike/data/dataset.hpp"

namespace afterspike::tasks {

enum class Split { train, validation, test };
inline constexpr Split kSplits[] = {Split::train, Split::validation, Split::test};

/// "train", "validation", "test"; throws Error(usage) for another name.
Split parse_split(std::string_view name);
std::string_view split_name(Split split) noexcept;

/// Which steps of a sequence a loss reads, counted from the end of each sample.
struct ReadSteps {
  /// automatic: the last step where a task classifies, all of them where it generates a trace.
  enum class Kind { automatic, last, all, window };
  Kind kind = Kind::automatic;
  std::int64_t count = 1;  ///< Of a window.

  /// "auto", "last", "all", or a number of steps, "14". Throws Error(config).
  static ReadSteps parse(std::string_view text);
  std::string text() const;
};

/// What a network must be like for a task.
struct TaskShape {
  std::int64_t input_size = 0;
  std::int64_t output_size = 0;
  std::int64_t steps = 0;  ///< Of the longest sample.
  double dt_ms = 1;        ///< What one step stands for.
};

/// What is asked of the outputs.
struct Objective {
  /// classify: cross entropy, accuracy. trace: mean squared error over steps and outputs.
  /// spikes_and_voltage: the outputs of a step are the logit of a spike and a voltage, the targets
  /// 0 or 1 and a voltage; half the binary cross entropy of the first and half the squared error of
  /// the second, over steps (Spieler et al. 2023).
  enum class Kind { classify, trace, spikes_and_voltage };
  /// Of several read steps: cross entropy of the mean of the outputs, or the mean of the cross
  /// entropies of the steps. The decision is the largest of the mean of the outputs in both.
  enum class Over { mean_output, each_step };

  Kind kind = Kind::classify;
  ReadSteps read;
  Over over = Over::mean_output;
  double voltage_unit_mV = 1;  ///< What a voltage of 1 stands for.
};

/// "classify", "trace", "spikes_and_voltage": as checkpoints say it. Throws Error(checkpoint) for
/// another name.
Objective::Kind parse_objective_kind(std::string_view name);
std::string_view objective_kind_name(Objective::Kind kind) noexcept;

/// Values of a sequence at the steps that are read.
struct ReadValues {
  at::Tensor values;  ///< [read, batch, ...]
  at::Tensor weight;  ///< [read, batch] of 0 and 1: which are there; undefined: all are.
};

/// Takes the read steps from `sequence` [steps, batch, ...]. With `lengths` [batch] they are
/// counted from the end of each sample, and steps before its beginning have weight 0. REQUIRES:
/// `read` is not automatic.
ReadValues read_steps(const at::Tensor& sequence, const at::Tensor& lengths, const ReadSteps& read);

/// The first step of a sequence that read_steps() takes of any sample; what was before need not be
/// there.
std::int64_t first_read_step(std::int64_t steps, const at::Tensor& lengths, const ReadSteps& read);

/// The mean over the read steps that are there, [batch, ...]. Differentiable.
at::Tensor mean_over_read(const ReadValues& read);

/// What was predicted for a step, and what was true, where both spikes and voltage are.
struct StepReading {
  float spike_logit = 0, spike = 0, voltage = 0, true_voltage = 0;
};

/// What samples came to: sums, so that parts of a split add up.
struct Tally {
  std::int64_t samples = 0;
  std::int64_t correct = 0;  ///< Stays 0 where nothing is classified.
  double loss = 0;           ///< Sum of the samples' losses.
  /// Every step that is asked for, for measures that sums are not enough for; one part after the
  /// other. Only in evaluation, and empty for most objectives.
  std::vector<StepReading> steps = {};

  Tally& operator+=(const Tally& other);
};

/// A figure of merit beside the loss, as it is shown and recorded.
struct Measure {
  enum class Form { number, fraction };  ///< A fraction is shown in per cent.
  std::string_view name;                 ///< "accuracy", "auc", "rmse_mV"
  double value = 0;
  Form form = Form::number;
};

/// A task: data in splits and what is asked. Immutable; const calls may come from many threads.
class Task {
 public:
  struct Parts {
    std::shared_ptr<const data::Dataset> train, validation, test;  ///< validation may be null.
    std::vector<std::string> remarks = {};                         ///< Task::remarks()
  };

  /// Throws Error(config) when the objective reads more steps than there are.
  Task(TaskShape shape, Objective objective, Parts parts);

  const TaskShape& shape() const noexcept { return shape_; }
  /// With automatic reading resolved.
  const Objective& objective() const noexcept { return objective_; }
  bool classifies() const noexcept { return objective_.kind == Objective::Kind::classify; }

  /// The samples of a split; null where the task has no validation split.
  std::shared_ptr<const data::Dataset> split(Split split) const;

  /// What users should know of these data: sentences, such as that many of their spikes are not
  /// used.
  const std::vector<std::string>& remarks() const noexcept { return parts_.remarks; }

  /// Sum over samples of the loss of `outputs` ([read, batch, outputs] from read_steps of the
  /// network's outputs). Differentiable. `label_smoothing` spreads that part of the target over all
  /// classes.
  at::Tensor loss(const ReadValues& outputs, const data::Batch& batch,
                  double label_smoothing = 0) const;

  /// Loss (without smoothing) and correct decisions: what a training keeps.
  Tally tally(const ReadValues& outputs, const data::Batch& batch) const;

  /// The same with the readings of every step, where the measures need them.
  Tally full_tally(const ReadValues& outputs, const data::Batch& batch) const;

  /// The measures of what `tally` covers, beside its loss: accuracy for classes; for spikes and
  /// voltages the area under the ROC curve of the spikes over all steps (auc), the root mean
  /// squared error of the voltage (rmse_mV), and that error after the predictions were given the
  /// mean and the standard deviation of the truth (rmse_rescaled_mV, the published one). What
  /// `tally` does not determine (no samples, no steps, no spike) is left out.
  std::vector<Measure> measures(const Tally& tally) const;

 private:
  TaskShape shape_;
  Objective objective_;
  Parts parts_;
};

/// Where tasks find their data.
struct TaskContext {
  std::filesystem::path data_directory;
};

/// The settings of a task, and its maker.
class TaskModel {
 public:
  virtual ~TaskModel() = default;
  virtual void describe(options::Section section) = 0;
  /// Reads the data. Throws Error(data) or Error(config).
  virtual std::unique_ptr<Task> make(const TaskContext& context) const = 0;
};

/// A task as it is listed.
struct TaskEntry {
  std::string_view name;
  std::string_view summary;
  std::unique_ptr<TaskModel> (*make)();
};

/// All tasks, one file of the folder tasks each.
std::span<const TaskEntry> entries();

}  // namespace afterspike::tasks
