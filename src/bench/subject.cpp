#include "subject.hpp"

#include <algorithm>

#include <ATen/ATen.h>

#include "afterspike/base/error.hpp"
#include "afterspike/base/registry.hpp"
#include "afterspike/experiment/evaluate.hpp"
#include "library_layer.hpp"

namespace afterspike::bench {
namespace {

/// Returns the duration of a step in ms, as in each model's paper.
double time_step_ms(const Settings& settings) {
  return settings.neuron == "elm" ? 1 : 0.05;
}

void set_delay(nn::NeuronModel& model, const Settings& settings) {
  if (!settings.delay) return;
  options::Description description;
  model.describe(options::Section(description, ""));
  if (const options::Field* delay = description.find_if("delay")) {
    delay->set_text(settings.delay->text());
    return;
  }
  require(delay_steps(settings) <= 1, ErrorKind::config,
          "--delay: found {}, expected 1 step or nothing: {} cannot be measured with another",
          settings.delay->text(), settings.neuron);
}

std::unique_ptr<nn::NeuronModel> make_model(const Settings& settings) {
  const auto& entry = find_entry<nn::NeuronEntry>(nn::entries(), settings.neuron, "neuron model");
  std::unique_ptr<nn::NeuronModel> model;
  if (settings.path == Path::library) {
    model = library_model(entry.name);
    require(
        model != nullptr, ErrorKind::config,
        "--path: found library, expected fused or composed: LibTorch has no layer of neurons '{}'",
        entry.name);
  } else {
    model = entry.make();
  }
  set_delay(*model, settings);
  return model;
}

std::shared_ptr<nn::Network> make_network(const Settings& settings) {
  const std::unique_ptr<nn::NeuronModel> model = make_model(settings);
  nn::NetworkOptions options;
  options.hidden = settings.hidden;
  auto network = std::make_shared<nn::Network>(
      *model, options, nn::NetworkShape{settings.input, settings.classes, time_step_ms(settings)});
  network->initialize(Rng(1));
  return network;
}

/// [steps, rows, input]
at::Tensor make_input(const Settings& settings, std::int64_t rows, Rng rng) {
  const std::optional<double> density = settings.density();
  at::Tensor input = at::empty({settings.steps, rows, settings.input});
  float* values = input.data_ptr<float>();
  for (std::int64_t i = 0; i < input.numel(); ++i) {
    values[i] =
        density ? (rng.uniform() < *density ? 1.0F : 0.0F) : static_cast<float>(rng.normal());
  }
  return input;
}

at::Tensor make_target(const Settings& settings, std::int64_t rows, Rng rng) {
  at::Tensor target = at::empty({rows}, at::kLong);
  auto* values = target.data_ptr<std::int64_t>();
  for (std::int64_t i = 0; i < rows; ++i) {
    values[i] = static_cast<std::int64_t>(rng.below(static_cast<std::uint64_t>(settings.classes)));
  }
  return target;
}

/// Returns a task that classifies by the last step; its samples are not used.
std::unique_ptr<tasks::Task> make_task(const Settings& settings) {
  const auto none = std::make_shared<tasks::Sequences>(
      at::empty({0, settings.steps, settings.input}), at::empty({0}, at::kLong));
  return std::make_unique<tasks::Task>(
      tasks::TaskShape{settings.input, settings.classes, settings.steps, time_step_ms(settings)},
      tasks::Objective{tasks::Objective::Kind::classify, {tasks::ReadSteps::Kind::last, 1}},
      tasks::Task::Parts{none, nullptr, none});
}

nn::NetworkPass make_pass(const Settings& settings, const nn::Network& network) {
  nn::NetworkPass pass;
  if (settings.path == Path::composed) pass.execution.engine = nn::Engine::composed;
  if (settings.precision == nn::Precision::float32) return pass;
  require(settings.path == Path::fused && network.layer(0)->has_bfloat16(), ErrorKind::config,
          "--precision: bfloat16 is not available for {} by this path or on this processor. Use "
          "float32.",
          settings.neuron);
  pass.execution.precision = settings.precision;
  return pass;
}

}  // namespace

Subject::Subject(const Settings& settings, std::int64_t rows)
    : settings_(settings),
      network_(make_network(settings)),
      task_(make_task(settings)),
      optimizer_(std::make_unique<train::Optimizer>(train::TrainOptions{}, *network_)),
      pass_(make_pass(settings, *network_)) {
  const Rng rng(2);
  for (std::int64_t begin = 0; begin < settings.batch; begin += rows) {
    const std::int64_t count = std::min(rows, settings.batch - begin);
    const auto index = static_cast<std::uint64_t>(begin);
    batches_.push_back({make_input(settings, count, rng.stream("input", index)),
                        make_target(settings, count, rng.stream("target", index)),
                        {},
                        {}});
  }
}

train::Shard Subject::run(const tasks::Batch& batch) const {
  return train::run_shard(*network_, *task_, parameters(), batch, settings_.batch,
                          /*label_smoothing=*/0, pass_);
}

train::Shard Subject::run_shard(std::int64_t index) const {
  return run(batches_[static_cast<std::size_t>(index)]);
}

train::Shard Subject::run_part(std::int64_t index, std::int64_t steps, std::int64_t rows) const {
  const tasks::Batch& whole = batches_[static_cast<std::size_t>(index)];
  steps = std::min(steps, whole.input.size(0));
  rows = std::min(rows, whole.input.size(1));
  return run({whole.input.narrow(0, 0, steps).narrow(1, 0, rows).contiguous(),
              whole.target.narrow(0, 0, rows),
              {},
              {}});
}

train::Shard Subject::step(ThreadPool& pool) {
  std::vector<train::Shard> results(batches_.size());
  pool.run(shards(), [&](std::int64_t index) {
    results[static_cast<std::size_t>(index)] = run_shard(index);
  });
  require(train::all_finite(results), ErrorKind::numeric,
          "bench: the loss or a gradient is not finite");
  train::Shard whole;
  whole.gradient = train::sum_gradients(results, optimizer_->numbers());
  std::vector<at::Tensor> gradients = train::by_parameter(whole.gradient, parameters());
  optimizer_->step(gradients, 1);
  for (const train::Shard& result : results) {
    whole.tally += result.tally;
    whole.forward_s += result.forward_s;
    whole.backward_s += result.backward_s;
  }
  return whole;
}

std::int64_t delay_steps(const Settings& settings) {
  return settings.delay ? settings.delay->in_steps(time_step_ms(settings), "--delay") : 1;
}

void require_model(const Settings& settings) {
  make_model(settings);
}

bool has_kernel(const Settings& settings) {
  if (settings.path != Path::fused) return false;
  const auto workspace = make_network(settings)->workspace(settings.steps, 1, {});
  require(workspace.has_value(), ErrorKind::config,
          "there is no whole-sequence kernel for neurons '{}'; expected --path composed",
          settings.neuron);
  return true;
}

}  // namespace afterspike::bench
