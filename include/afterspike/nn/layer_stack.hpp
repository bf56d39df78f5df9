#pragma once

#include <cstdint>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <ATen/core/Tensor.h>

#include "afterspike/nn/neuron_layer.hpp"

namespace afterspike::nn {

struct StateLayout;

/// Options of a stack of layers.
struct StackOptions {
  std::string neuron;  ///< A name of entries(): "glifr".
  std::int64_t input_size = 0;
  std::int64_t hidden_size = 0;  ///< Neurons of each layer; of elm memory units.
  std::int64_t num_layers = 1;
  double dt_ms = 1;  ///< Duration of a step, ms.
  bool batch_first = false;
  /// Options of the neuron model, by name and as text: {"delay", "3 steps"}. docs/configuration.md
  /// has all of them.
  std::vector<std::pair<std::string, std::string>> neuron_options;
};

/// A pass through a stack.
struct StackPass {
  std::int64_t first = 0;  ///< The first step whose emissions are returned.
  /// For each layer [neurons] or [batch, neurons] of zeros and ones (LayerPass::mask); or empty.
  std::vector<at::Tensor> masks;
  std::optional<std::uint64_t> dropout_seed;  ///< While training: dropout draws from this seed.
  std::optional<double> sigma_mV;             ///< Softness of the threshold; else the layers' own.
  /// Neurons emit spikes, with a surrogate gradient (Pass::spikes).
  bool spikes = false;
  Engine engine = Engine::automatic;
  int threads = 1;  ///< That take shards of the batch; results do not depend on it.
};

/// Stacked recurrent layers with the interface of LibTorch's own: sequences from a state to a
/// state, on any device, differentiable in input, state and parameters. The modules of C++
/// (afterspike/modules) and of Python are made of it; its layers are those of the program.
///
/// A pass from rest on the CPU, in float32 or float64, runs the whole-sequence kernels, in shards
/// of the batch. Everything else is composed of LibTorch's operations, with equal results: a given
/// state, another device, and, when backward() arrives there, gradients by the returned state.
/// Gradients of gradients exist for composed operations only.
///
/// Parameters are called as in checkpoints: "layers.0.threshold". One pass at a time runs forward;
/// other threads wait.
class LayerStack {
 public:
  /// Builds the layers, with all parameters at the centre of their ranges until initialize().
  /// Throws Error(usage) for an unknown neuron model and Error(config) naming an option that does
  /// not exist or does not fit.
  explicit LayerStack(const StackOptions& options);

  /// Shares existing layers.
  explicit LayerStack(std::vector<std::shared_ptr<NeuronLayer>> layers, bool batch_first = false);

  /// Draws initial parameters. The layers of a network (Network::initialize) of that stream are
  /// the same.
  void initialize(const Rng& rng);

  /// A parameter with its full name.
  struct Parameter {
    std::string name;
    at::Tensor tensor;
    const ParameterSpec* spec;
    std::size_t layer;
  };

  /// Returns all parameters, layers from the first.
  std::vector<Parameter> parameters() const;

  /// Returns the physical value of a parameter by its full name, differentiable in the raw one.
  /// `tensors` are used in place of the stack's own parameters if they are not empty. Throws
  /// Error(config) if there is no such parameter.
  at::Tensor physical(std::string_view name, const NamedTensors& tensors = {});

  /// Sets a parameter by its physical values (NeuronLayer::set_physical).
  void set_physical(std::string_view name, const at::Tensor& values,
                    const NamedTensors& tensors = {});

  using States = std::vector<NamedTensors>;  ///< One state for each layer.

  /// Returns the state at rest (NeuronLayer::initial_state), like the parameters.
  States initial_state(std::int64_t batch, const NamedTensors& tensors = {});

  /// Emissions of the last layer and the states after the last step.
  struct Result {
    at::Tensor output;  ///< [steps - first, batch, neurons], or with batch_first [batch, ...].
    States states;
  };

  /// Runs `input` [steps, batch, input_size] (with batch_first [batch, steps, input_size]) from
  /// `states`, or from rest. `tensors` are used in place of the stack's own parameters if they are
  /// not empty.
  ///
  /// Throws Error(config) naming what does not fit: the shape, type or device of a tensor, an
  /// input that is not finite, or spikes of neurons that have none.
  Result run(const at::Tensor& input, const std::optional<States>& states, const StackPass& pass,
             const NamedTensors& tensors = {});

  const std::vector<std::shared_ptr<NeuronLayer>>& layers() const noexcept { return layers_; }
  std::int64_t input_size() const { return layers_.front()->shape().input_size; }
  std::int64_t hidden_size() const { return layers_.back()->shape().neurons; }

 private:
  /// Returns the parameters of a layer in the order of its specs: its own, or those of `tensors`.
  /// REQUIRES: the mutex is free.
  std::vector<at::Tensor> tensors_of(std::size_t layer, const NamedTensors& tensors) const;
  /// Returns layer and name in it of a parameter. Throws Error(config) if there is none.
  std::pair<std::size_t, std::string> place_of(std::string_view name) const;

  std::vector<std::shared_ptr<NeuronLayer>> layers_;
  std::vector<std::shared_ptr<const StateLayout>> state_layouts_;
  bool batch_first_ = false;
  std::shared_ptr<std::mutex> mutex_ = std::make_shared<std::mutex>();
};

}  // namespace afterspike::nn
