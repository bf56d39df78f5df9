#include "task_options.hpp"

#include "afterspike/base/error.hpp"

namespace afterspike::tasks {
void describe_time_step(options::Section section, double& dt_ms) {
  section.quantity("dt", dt_ms, "ms", "Duration of one step.").above(0).at_least(1e-6).at_most(1e6);
}

std::int64_t steps_of(const units::Duration& duration, double dt_ms) {
  constexpr std::int64_t kMaxSteps = 1'000'000;
  const std::int64_t steps = duration.in_steps(dt_ms, "option 'task.duration'");
  require(steps >= 1 && steps <= kMaxSteps, ErrorKind::config,
          "option 'task.duration': found '{}', {} steps of {} ms; expected 1 to {} steps",
          duration.text(), steps, dt_ms, kMaxSteps);
  return steps;
}

void describe_reading(options::Section section, ReadSteps& read, Objective::Over& over) {
  section.add_text(
      "read",
      "Steps that the loss reads: last, all, or a number at the end; auto: last for classes, all "
      "for "
      "traces.",
      [&read] { return read.text(); },
      [&read](const std::string& text) { read = ReadSteps::parse(text); });
  section.choice(
      "loss_over", over,
      {{"mean_output", Objective::Over::mean_output}, {"each_step", Objective::Over::each_step}},
      "Cross entropy of the mean output, or mean cross entropy of the steps.");
}

void describe_sizes(options::Section section, std::int64_t& train, std::int64_t& test) {
  section.add("train_samples", train, "Number of training samples, the first ones; 0: all.")
      .at_least(0);
  section.add("test_samples", test, "Number of test samples, the first ones; 0: all.").at_least(0);
}

void describe_drawn(options::Section section, DrawnSizes& sizes) {
  constexpr double kMaxSamples = 10'000'000;
  section.add("train_samples", sizes.train, "Samples drawn for training.")
      .at_least(1)
      .at_most(kMaxSamples);
  section.add("validation_samples", sizes.validation, "Samples drawn for validation; 0: none.")
      .at_least(0)
      .at_most(kMaxSamples);
  section.add("test_samples", sizes.test, "Samples drawn for testing.")
      .at_least(1)
      .at_most(kMaxSamples);
  section.add("data_seed", sizes.seed, "Seed of all samples.").at_least(0);
}

void CommonTaskOptions::describe(options::Section section) {
  describe_time_step(section, dt_ms);
  section
      .add("validation", validation,
           "Training samples set apart for validation; 0: none; -1: a twelfth.")
      .at_least(-1);
  section.add("split_seed", split_seed, "Seed of the choice of validation samples.").at_least(0);
  describe_sizes(section, train_samples, test_samples);
  describe_reading(section, read, over);
}

Task::Parts make_parts(std::shared_ptr<const tasks::Dataset> train,
                       std::shared_ptr<const tasks::Dataset> test,
                       const CommonTaskOptions& options) {
  const std::int64_t validation = options.validation < 0 ? train->size() / 12 : options.validation;
  require(
      validation < train->size(), ErrorKind::config,
      "option 'task.validation': found {}, expected less than the {} training samples there are",
      validation, train->size());
  Task::Parts parts{train, nullptr, tasks::first_samples(std::move(test), options.test_samples)};
  if (validation > 0) {
    const Rng rng(static_cast<std::uint64_t>(options.split_seed));
    tasks::Parts split = tasks::split(std::move(train), validation, rng.stream("validation"));
    parts.train = split.rest;
    parts.validation = split.part;
  }
  parts.train = tasks::first_samples(parts.train, options.train_samples);
  return parts;
}

std::unique_ptr<Task> trace_task(const at::Tensor& inputs, const at::Tensor& targets,
                                 double dt_ms) {
  const auto data = std::make_shared<tasks::Sequences>(inputs, targets);
  Objective objective;
  objective.kind = Objective::Kind::trace;
  const TaskShape shape{inputs.size(2), targets.size(2), inputs.size(1), dt_ms};
  return std::make_unique<Task>(shape, objective, Task::Parts{data, nullptr, data});
}

}  // namespace afterspike::tasks
