#pragma once

#include <string>
#include <utility>
#include <vector>

#include <ATen/ATen.h>
#include <ATen/Parallel.h>

#include "afterspike/experiment/experiment.hpp"
#include "support/temp_dir.hpp"
#include "support/tensors.hpp"

namespace afterspike::testing {

inline constexpr std::int64_t kFeatures = 5, kNeurons = 13, kClasses = 3, kSampleSteps = 40;

using Settings = std::vector<std::pair<std::string, std::string>>;

/// A checkpoint, as a run would make it, of a network that was initialised only, with weights that
/// make it spike now and then; `read` is what its task reads.
inline experiment::Trained spiking_run(const std::filesystem::path& path,
                                       const Settings& settings = {}, const std::string& read = "6",
                                       const std::string& neuron = "glifr") {
  at::set_num_threads(1);
  experiment::Experiment experiment("line_mnist", neuron);
  options::Description description;
  experiment.describe(description);
  Settings all = {{"network.hidden", std::to_string(kNeurons)}};
  if (neuron == "glifr") {
    all.insert(all.end(), {{"neuron.delay", "3 steps"},
                           {"neuron.threshold", "uniform(0.2, 1.5)"},
                           {"neuron.membrane_decay", "log_uniform(0.5, 8)"},
                           {"neuron.after_spike_additive", "uniform(-1500, 1500)"},
                           {"neuron.after_spike_multiplicative", "uniform(-0.3, 0.009)"},
                           {"neuron.after_spike_decay", "log_uniform(0.2, 15)"},
                           {"neuron.input_weight", "uniform(-0.5, 0.5)"},
                           {"neuron.recurrent_weight", "uniform(-0.5, 0.5)"},
                           {"neuron.reset", "0.05 mV"},
                           {"neuron.bias_current", "300 pA"},
                           {"neuron.sigma", "0.4 mV"}});
  }
  all.insert(all.end(), settings.begin(), settings.end());
  for (const auto& [option, text] : all) description.find(option).set_text(text);
  const auto network = experiment.make_network(nn::NetworkShape{kFeatures, kClasses, 0.05});
  network->initialize(Rng(3));
  experiment::Checkpoint content;
  content.configuration = experiment::to_configuration(description);
  content.configuration["shape.input_size"] = kFeatures;
  content.configuration["shape.output_size"] = kClasses;
  content.configuration["shape.dt_ms"] = 0.05;
  content.configuration["objective.kind"] = read == "all" ? "trace" : "classify";
  content.configuration["objective.read"] = read;
  content.progress = {{"step", 1}};
  content.parameters = experiment::describe_parameters(*network);
  content.model = experiment::model_tensors(*network);
  experiment::write_checkpoint(path, content);
  return experiment::load(path);
}

/// Random sequences with classes, of different lengths where `lengths` says so.
inline std::shared_ptr<tasks::Sequences> random_samples(std::int64_t count, bool lengths = false) {
  Rng rng(11);
  const at::Tensor inputs =
      uniform_tensor({count, kSampleSteps, kFeatures}, rng.stream("inputs"), -1, 1).to(at::kFloat);
  at::Tensor classes = at::empty({count}, at::kLong), own = at::empty({count}, at::kLong);
  for (std::int64_t sample = 0; sample < count; ++sample) {
    classes[sample] = static_cast<std::int64_t>(rng.below(kClasses));
    own[sample] = static_cast<std::int64_t>(3 + rng.below(kSampleSteps - 2));
  }
  return std::make_shared<tasks::Sequences>(inputs, classes, lengths ? own : at::Tensor());
}

/// Samples whose batches end with their longest, as those of text do.
class Trimmed final : public tasks::Dataset {
 public:
  explicit Trimmed(std::shared_ptr<const tasks::Dataset> whole) : whole_(std::move(whole)) {}

  std::int64_t size() const override { return whole_->size(); }
  tasks::Batch batch(std::span<const std::int64_t> numbers) const override {
    tasks::Batch batch = whole_->batch(numbers);
    batch.input = batch.input.slice(0, 0, batch.lengths.max().item<std::int64_t>());
    return batch;
  }

 private:
  std::shared_ptr<const tasks::Dataset> whole_;
};

}  // namespace afterspike::testing
