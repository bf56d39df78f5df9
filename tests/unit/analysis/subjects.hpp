#pragma once

#include <functional>
#include <string>

#include <ATen/ATen.h>
#include <ATen/Parallel.h>

#include "afterspike/analysis/runs.hpp"
#include "support/temp_dir.hpp"
#include "support/tensors.hpp"

namespace afterspike::testing {

using Options = std::vector<std::pair<std::string, std::string>>;

/// Writes a checkpoint of an untrained network, on sines of 20 steps, like a run; `change` may
/// alter the network before.
inline void write_run(const std::filesystem::path& path, const std::string& neuron = "glifr",
                      const Options& settings = {}, std::uint64_t seed = 1,
                      const std::function<void(nn::Network&)>& change = {}) {
  at::set_num_threads(1);
  experiment::Experiment experiment("sine_generation", neuron);
  options::Description description;
  experiment.describe(description);
  description.find("task.duration").set_text("1 ms");
  description.find("network.hidden").set_text("10");
  for (const auto& [option, text] : settings) description.find(option).set_text(text);
  const auto task = experiment.make_task({});
  const auto network = experiment.make_network(*task);
  network->initialize(Rng(seed));
  if (change) change(*network);
  experiment::Checkpoint content;
  content.configuration = experiment::to_configuration(description);
  content.configuration["shape.input_size"] = task->shape().input_size;
  content.configuration["shape.output_size"] = task->shape().output_size;
  content.configuration["shape.dt_ms"] = task->shape().dt_ms;
  content.configuration["objective.kind"] = "trace";
  content.configuration["objective.read"] = "all";
  content.progress = {{"step", 1}};
  content.parameters = experiment::describe_parameters(*network);
  content.model = experiment::model_tensors(*network);
  experiment::write_checkpoint(path, content);
}

/// Gives every intrinsic parameter different values for each neuron.
inline void vary(nn::Network& network) {
  const at::NoGradGuard no_grad;
  for (const nn::Network::Parameter& parameter : network.named()) {
    if (parameter.spec->group != nn::ParameterGroup::intrinsic) continue;
    at::Tensor values = parameter.tensor;
    values.add_(uniform_tensor(parameter.spec->shape, Rng(5).stream(parameter.name), -0.5, 0.5)
                    .to(values.scalar_type()));
  }
}

/// Returns such a run with its data.
inline analysis::Subject subject_of(const std::filesystem::path& path) {
  return analysis::load_subject(path, {}, tasks::Split::test, 0);
}

/// Returns a subject on the test's own data: `classes` > 0 classifies by the last step.
inline analysis::Subject subject_on(const std::filesystem::path& path, const at::Tensor& inputs,
                                    const at::Tensor& targets, std::int64_t outputs,
                                    bool classifies) {
  analysis::Subject subject = subject_of(path);
  tasks::Objective objective;
  objective.kind = classifies ? tasks::Objective::Kind::classify : tasks::Objective::Kind::trace;
  subject.data = std::make_shared<tasks::Sequences>(inputs, targets);
  subject.task = std::make_shared<tasks::Task>(
      tasks::TaskShape{inputs.size(2), outputs, inputs.size(1), 0.05}, objective,
      tasks::Task::Parts{subject.data, nullptr, subject.data});
  return subject;
}

}  // namespace afterspike::testing
