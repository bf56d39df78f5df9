#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "afterspike/nn/neuron_layer.hpp"

namespace afterspike::nn {

/// The shape of a network, whatever its neurons.
struct NetworkOptions {
  std::int64_t hidden = 128;      ///< Neurons in each layer.
  std::int64_t layers = 1;        ///< Recurrent layers, one upon the other.
  std::int64_t match_params = 0;  ///< If > 0: the largest `hidden` with at most so many parameters.
  double readout_dropout = 0;     ///< Dropout of what the readout sees.
  bool readout = true;            ///< false: what the neurons emit is the output.

  void describe(options::Section section);
};

/// Sizes and time step of a network; a task states them.
struct NetworkShape {
  std::int64_t input_size = 0;
  std::int64_t output_size = 0;
  double dt_ms = 1;
};

/// A pass through a network. Keys of the trace are "layers.0.voltage", ...; the penalty is that of
/// all layers together, as the workspace limit is.
struct NetworkPass : Pass {
  std::vector<at::Tensor> masks;  ///< One for each layer (LayerPass::mask), or empty.
};

/// Input, recurrent layers of one neuron model, linear readout; between the last two a layer of one
/// neuron for each output, where the model reads out by neurons (NeuronModel::readout_model()).
///
/// Parameters are called "layers.0.threshold", ..., "readout.weight" [outputs, hidden] and
/// "readout.bias" [outputs], where "hidden" is the size of the last layer. Like its layers, a
/// network remembers nothing between passes and may be used from several threads at once. It is not
/// copied: both would have the same layers.
class Network {
 public:
  /// Throws Error(config) when a setting does not fit, also when `match_params` leaves no room for
  /// a single neuron, or there are more than 2^31 parameters. All parameters are at the centre of
  /// their ranges until initialize().
  Network(const NeuronModel& model, const NetworkOptions& options, const NetworkShape& shape);
  Network(const Network&) = delete;
  Network& operator=(const Network&) = delete;

  /// Draws every parameter from its named stream of `rng`.
  void initialize(const Rng& rng);

  /// Draws the neurons' parameters from those of a donor with as many layers (raw values under this
  /// network's names); the readout is left alone.
  void resample(const NamedTensors& donor, const Rng& rng);

  /// Returns the emissions of the last layer from step pass.first on, [steps - first, batch,
  /// neurons]. `input` is [steps, batch, input_size]. All layers start from rest.
  at::Tensor emissions(const at::Tensor& input, const NetworkPass& pass) const;

  /// The linear readout of emissions, [..., hidden] to [..., outputs]; emissions themselves without
  /// one.
  at::Tensor readout(const at::Tensor& emissions, const NetworkPass& pass) const;

  /// emissions() and readout() of every step from pass.first on.
  at::Tensor forward(const at::Tensor& input, const NetworkPass& pass = {}) const;

  const NetworkOptions& options() const noexcept { return options_; }  ///< `hidden` resolved.
  const NetworkShape& shape() const noexcept { return shape_; }
  /// The hidden layers (NetworkOptions::layers), then the layer that reads out.
  const std::vector<std::shared_ptr<NeuronLayer>>& layers() const noexcept { return layers_; }
  std::size_t hidden_layers() const noexcept { return static_cast<std::size_t>(options_.layers); }
  std::shared_ptr<NeuronLayer> layer(std::size_t index) const { return layers_.at(index); }
  bool has_threshold_softness() const;
  bool has_surrogate_gradient() const;
  bool has_penalty() const;

  /// Moves all parameters, or changes their type, in place (NeuronLayer::to).
  void to(const at::TensorOptions& options);

  /// Where the parameters are: the CPU, until to(device). What goes in must be there, too.
  at::Device device() const { return named().front().tensor.device(); }

  /// Returns each layer's remark for users (NeuronLayer::remark), a line each.
  std::vector<std::string> remarks() const;

  /// Bytes that a pass of `rows` sequences keeps for the way back; nothing where a layer does not
  /// know (NeuronLayer::workspace).
  std::optional<NeuronLayer::Workspace> workspace(std::int64_t steps, std::int64_t rows,
                                                  const NetworkPass& pass) const;

  /// A parameter with its full name.
  struct Parameter {
    std::string name;
    at::Tensor tensor;
    const ParameterSpec* spec;
  };

  /// All parameters in a fixed order: layers from the first, then the readout.
  std::vector<Parameter> named() const;

  /// Physical values of a parameter by its full name.
  at::Tensor physical(std::string_view name) const;

  /// How many numbers are trained.
  std::int64_t trainable_parameters() const;

 private:
  /// Bytes of emissions, and of their gradients, that layers hand on outside of their workspaces.
  std::size_t handed_on(std::int64_t steps, std::int64_t rows, std::int64_t first) const;
  /// Returns the memory limit of each layer within the limit of the pass, in bytes; 0: no limit. It
  /// is the same for all passes of which the largest is known.
  std::size_t layer_limit(std::int64_t steps, std::int64_t rows, const NetworkPass& pass) const;

  NetworkOptions options_;
  NetworkShape shape_;
  std::vector<std::shared_ptr<NeuronLayer>> layers_;
  std::vector<ParameterSpec> readout_specs_;  ///< Empty without a readout.
  at::Tensor readout_weight_;
  at::Tensor readout_bias_;
};

}  // namespace afterspike::nn
