#pragma once

#include <filesystem>
#include <memory>
#include <string>
#include <string_view>

#include "afterspike/base/options.hpp"
#include "afterspike/experiment/checkpoint.hpp"
#include "afterspike/nn/network.hpp"
#include "afterspike/tasks/task.hpp"

namespace afterspike::experiment {

/// A task, a neuron model and the shape of a network, each with its settings: everything needed to
/// build a network and to show it data. A run stores it, and the same network is rebuilt from it.
class Experiment {
 public:
  /// Throws Error(usage) that lists the names if there is no such task or neuron model.
  Experiment(std::string_view task, std::string_view neuron);

  /// Describes everything: sections "task", "neuron", "network".
  void describe(options::Description& description);

  std::unique_ptr<tasks::Task> make_task(const tasks::TaskContext& context) const;

  /// An uninitialised network for the task.
  std::shared_ptr<nn::Network> make_network(const tasks::Task& task) const;
  std::shared_ptr<nn::Network> make_network(const nn::NetworkShape& shape) const;

  /// Replaces settings that stand for others (match_params, a variant, "auto", 0 for a default) by
  /// their values, for the record; the same network follows from them.
  void resolve(const tasks::Task& task, const nn::Network& network);

  /// Returns whether initial values are resampled from a donor run.
  bool inherits() const { return neuron_->inherits(); }

  const std::string& task_name() const noexcept { return task_name_; }
  const std::string& neuron_name() const noexcept { return neuron_name_; }

 private:
  std::string task_name_, neuron_name_;
  std::unique_ptr<tasks::TaskModel> task_;
  std::unique_ptr<nn::NeuronModel> neuron_;
  nn::NetworkOptions network_;
};

/// Draws the initial values of a run from its seed, or from the raw values of a donor's network if
/// they are inherited (else `donor` is null).
void initialize(nn::Network& network, std::uint64_t seed, const nn::NamedTensors* donor);

/// Copies the raw values of the chosen groups of parameters (nn::ParameterChoice) from the network
/// that `run` selected. `neuron` is the neuron model of `network`. Throws Error(config) if the run
/// has another neuron model, lacks a chosen parameter, or has it in another shape or under another
/// transform; and the errors of load().
void start_from(nn::Network& network, std::string_view neuron, const std::string& run,
                std::string_view groups);

/// Returns all options of a description as path and text, for Checkpoint::configuration.
io::Json to_configuration(const options::Description& description);

/// Returns the key of a split's fingerprint in Checkpoint::configuration.
std::string fingerprint_key(tasks::Split split);

/// Sets the options of a description that the configuration contains: an older checkpoint may lack
/// new ones, and one description need not cover a whole configuration. Throws Error(checkpoint) for
/// an option that refuses its value.
void from_configuration(const io::Json& configuration, const options::Description& description);

/// A trained network with its task.
struct Trained {
  std::filesystem::path checkpoint;
  std::unique_ptr<Experiment> experiment;
  std::shared_ptr<nn::Network> network;
  /// For evaluation: the final softness if it was annealed, spikes if they were trained.
  nn::NetworkPass pass;
  tasks::Objective objective;  ///< Objective of its task.
  Checkpoint content;
};

/// Returns a copy of the network in float64: the same parameters, without the rounding of float32.
std::shared_ptr<nn::Network> in_double(const Trained& trained);

/// Returns the network before training, rebuilt from the run's seed. Throws as load() if initial
/// values came from a donor or another run.
std::shared_ptr<nn::Network> initial_network(const Trained& trained);

/// Loads a run (its selected checkpoint) or a checkpoint; Part::all if training is to go on from
/// it. A run may be in training: if it selects another checkpoint meanwhile, that one is loaded.
/// Throws Error(checkpoint) whose message begins with the path.
Trained load(const std::filesystem::path& run, Part part = Part::model);

}  // namespace afterspike::experiment
