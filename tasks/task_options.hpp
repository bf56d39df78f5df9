#pragma once

#include <cstdint>

#include "afterspike/tasks/task.hpp"

/// Common options of tasks.
namespace afterspike::tasks {

/// Options of every task on recorded data.
struct CommonTaskOptions {
  double dt_ms = 1;
  std::int64_t validation = 0;
  std::int64_t split_seed = 1;
  std::int64_t train_samples = 0;
  std::int64_t test_samples = 0;
  ReadSteps read;
  Objective::Over over = Objective::Over::mean_output;

  void describe(options::Section section);
};

/// Describes only the "train_samples" and "test_samples" options.
void describe_sizes(options::Section section, std::int64_t& train, std::int64_t& test);

/// Split sizes, and seed, of a task whose samples are drawn from a generator.
struct DrawnSizes {
  std::int64_t train = 0, validation = 0, test = 0;
  std::int64_t seed = 1;
};

/// Describes the "train_samples", "validation_samples", "test_samples" and "data_seed" options.
void describe_drawn(options::Section section, DrawnSizes& sizes);

/// Describes the "dt" option, the duration of one step.
void describe_time_step(options::Section section, double& dt_ms);

/// Returns an option "duration" in steps. Throws Error(config) unless it is a whole number of
/// steps, 1 to 1,000,000.
std::int64_t steps_of(const units::Duration& duration, double dt_ms);

/// Describes only the "read" and "loss_over" options.
void describe_reading(options::Section section, ReadSteps& read, Objective::Over& over);

/// Combines training data without and with the validation samples, both limited to the requested
/// sizes. Throws Error(config) if there are not that many samples.
Task::Parts make_parts(std::shared_ptr<const tasks::Dataset> train,
                       std::shared_ptr<const tasks::Dataset> test,
                       const CommonTaskOptions& options);

/// Returns a task to generate traces [samples, steps, outputs] from inputs [samples, steps,
/// features], with a loss on all steps. There is nothing to generalise to: training and test data
/// are the same, and there is no validation split.
std::unique_ptr<Task> trace_task(const at::Tensor& inputs, const at::Tensor& targets, double dt_ms);

}  // namespace afterspike::tasks
