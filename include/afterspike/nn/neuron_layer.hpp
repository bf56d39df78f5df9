#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include <ATen/core/Generator.h>
#include <ATen/core/Tensor.h>

#include "afterspike/base/options.hpp"
#include "afterspike/base/rng.hpp"
#include "afterspike/kernels/pass.hpp"
#include "afterspike/nn/parameter.hpp"

namespace afterspike::nn {

using NamedTensors = std::map<std::string, at::Tensor>;

/// How a layer is evaluated. `automatic` selects a whole-sequence kernel if the model has one for
/// the device and type of the data. `composed` runs the operations of LibTorch one by one: it
/// specifies the kernels, and runs on other devices.
enum class Engine { automatic, composed };

/// Type of the factors of recurrent products. bfloat16: on the CPU in single precision, by kernels
/// only.
using kernels::Precision;

/// The largest of the passes that a training makes. What keeps memory for the next pass takes it
/// for this one, so that sequences of other lengths find it large enough. 0: no other is known.
struct LargestPass {
  std::int64_t steps = 0, rows = 0;
  std::int64_t first = 0;  ///< The first step whose emissions are wanted.
};

/// How a pass is executed. Only `precision` changes results by more than rounding; only it and
/// `engine` change their bits.
struct Execution {
  Engine engine = Engine::automatic;
  Precision precision = Precision::float32;
  /// Bytes that emissions() may keep for the way back, if it has a choice; 0: all that saves time.
  std::size_t workspace_limit = 0;
  LargestPass largest;
};

/// The part of a pass that layers and networks have in common. A layer or network keeps nothing of
/// it.
struct Pass {
  std::optional<double> sigma_mV;  ///< Softness of the threshold instead of the layer's own.
  /// Neurons emit spikes, 1 above the threshold and else 0; their gradient is that of the soft
  /// threshold (surrogate gradient). Only where has_surrogate_gradient().
  bool spikes = false;
  at::Generator dropout;  ///< Defined while training: dropout acts and draws from it.
  /// Where to put trajectories, [steps, ..., batch, neurons] each; the engine is composed then.
  NamedTensors* trace = nullptr;
  /// Where to add what training adds to each sample's loss, [batch]; stays undefined if no layer
  /// adds anything.
  at::Tensor* penalty = nullptr;
  std::int64_t first = 0;  ///< The first step whose emissions or outputs are wanted.
  /// [batch] integers: the steps of each sequence, over which penalties are means. Undefined: all.
  at::Tensor lengths;
  Execution execution;
};

/// A pass through a layer.
struct LayerPass : Pass {
  /// [neurons] or [batch, neurons] of zeros and ones. A neuron with 0 is silenced: its output is 0
  /// towards everything. Undefined: none is.
  at::Tensor mask;
  /// Receives the state after the last step from emissions(); nullptr: not wanted. It is
  /// differentiable only if the engine is composed.
  NamedTensors* final_state = nullptr;
};

/// Sizes and time step of a layer.
struct LayerShape {
  std::int64_t input_size = 0;
  std::int64_t neurons = 0;
  double dt_ms = 1;
};

/// A recurrent layer of neurons: the interface that every neuron model fulfils.
///
/// A layer owns parameters only. State goes in and comes out, so one layer may run any number of
/// sequences at once, from several threads.
class NeuronLayer {
 public:
  /// Makes a tensor for each specification, at the centre of its transform's range. Throws
  /// Error(config) for a layer without neurons or inputs.
  NeuronLayer(LayerShape shape, std::vector<ParameterSpec> specs);
  virtual ~NeuronLayer() = default;
  NeuronLayer(const NeuronLayer&) = delete;
  NeuronLayer& operator=(const NeuronLayer&) = delete;

  /// Moves the parameters to a device, or changes their type, in place: tensors obtained from raw()
  /// remain the parameters. Only device and dtype of the options count. REQUIRES: no pass runs
  /// meanwhile.
  void to(const at::TensorOptions& options);

  const LayerShape& shape() const noexcept { return shape_; }
  const std::vector<ParameterSpec>& specs() const noexcept { return specs_; }

  /// Draws initial parameters, each from the stream of `rng` that bears its name. A model may begin
  /// some otherwise than specs() say (chrono of lstm and gru).
  virtual void initialize(const Rng& rng);

  /// Draws each parameter that `donor` has from the donor's raw values: with replacement,
  /// independently for each tensor (GLIFS_ASC's "heterogeneous initialisation").
  void resample(const NamedTensors& donor, const Rng& rng);

  /// Physical value of a parameter, differentiable in the raw one.
  at::Tensor physical(std::string_view name) const;

  /// Sets a parameter by its physical values. Throws Error(config) naming it when they are outside
  /// its range or of another shape.
  void set_physical(std::string_view name, const at::Tensor& values);

  /// The trained tensor itself.
  const at::Tensor& raw(std::string_view name) const;

  /// Exchanges the tensors of all parameters with `tensors`, by name: for who keeps the parameters
  /// elsewhere. REQUIRES: `tensors` has each parameter in its shape, all of one type and on one
  /// device; no other pass runs meanwhile.
  void swap_parameters(NamedTensors& tensors);

  /// True where LayerPass::sigma_mV means something.
  virtual bool has_threshold_softness() const { return false; }

  /// True where Pass::spikes means something.
  virtual bool has_surrogate_gradient() const { return false; }

  /// True where LayerPass::penalty is added to.
  virtual bool has_penalty() const { return false; }

  /// After how many steps what the neurons emit reaches them again.
  virtual std::int64_t delay_steps() const { return 1; }

  /// Returns a remark for users on the layer as built, such as inputs without connections; empty:
  /// none.
  virtual std::string remark() const { return {}; }

  /// The state before the first step, on the parameters' device and in their dtype.
  virtual NamedTensors initial_state(std::int64_t batch) const = 0;

  /// Runs a sequence: [steps, batch, input_size] in, what the neurons emit [steps, batch, neurons]
  /// out. Advances `state` to the end of the sequence; its tensors are replaced, never written
  /// into. Differentiable in input, state and parameters.
  virtual at::Tensor forward(const at::Tensor& input, NamedTensors& state,
                             const LayerPass& pass) const = 0;

  /// Returns the emissions from step `pass.first` on, [steps - first, batch, neurons]. The layer is
  /// at rest before the sequence. Differentiable in input and parameters. A kernel's pass can be
  /// differentiated once, and its gradients not again.
  virtual at::Tensor emissions(const at::Tensor& input, const LayerPass& pass) const;

  /// Bytes that emissions() keeps for the way back, for `rows` sequences, and what the least limit
  /// could make of it; nothing where it is not known.
  struct Workspace {
    std::size_t bytes, least;
  };
  virtual std::optional<Workspace> workspace(std::int64_t /*steps*/, std::int64_t /*rows*/,
                                             Precision /*precision*/, std::size_t /*limit*/) const {
    return std::nullopt;
  }

  /// True where emissions() can compute in Precision::bfloat16, on this processor too.
  virtual bool has_bfloat16() const { return false; }

 protected:
  at::TensorOptions tensor_options() const;

  /// Allocates pass.final_state for a kernel to write into, zeros like initial_state(); returns it.
  NamedTensors* allocate_final_state(const LayerPass& pass, std::int64_t batch) const;

 private:
  const ParameterSpec& spec(std::string_view name) const;

  LayerShape shape_;
  std::vector<ParameterSpec> specs_;
  std::map<std::string, at::Tensor, std::less<>> raw_;
};

/// Zeros with probability p and else ones, drawn on the CPU from pass.dropout, so that every device
/// sees the same; in the type and on the device of `like`. REQUIRES: pass.dropout is defined.
at::Tensor dropout_mask(at::IntArrayRef shape, double p, const LayerPass& pass,
                        const at::TensorOptions& like);

/// Drops elements of `values` with probability p and scales the others by 1 / (1 - p), while
/// training (pass.dropout defined) and where p > 0; else gives `values` back.
at::Tensor dropout(const at::Tensor& values, double p, const LayerPass& pass);

/// Silences what the mask of the pass says.
at::Tensor silence(const at::Tensor& emitted, const LayerPass& pass);

/// The settings of a neuron model, and the maker of its layers.
class NeuronModel {
 public:
  virtual ~NeuronModel() = default;

  /// Describes the settings as options, with their defaults.
  virtual void describe(options::Section section) = 0;

  /// Returns the parameters of a layer of this shape without building it: any size costs nothing.
  /// Throws Error(config) naming a setting that does not fit.
  virtual std::vector<ParameterSpec> specs(const LayerShape& shape) const = 0;

  /// Builds a layer of these parameters. Throws Error(config) naming a setting that does not fit.
  virtual std::shared_ptr<NeuronLayer> make(const LayerShape& shape) const = 0;

  /// The model of a further layer, of one neuron for each output, before the linear readout; null:
  /// there is none.
  virtual std::unique_ptr<NeuronModel> readout_model() const { return nullptr; }

  /// Replaces settings that stand for others by what they come to in a layer of this shape.
  virtual void resolve(const LayerShape& /*shape*/) {}

  /// True where initial values are to be resampled from a donor run (NeuronLayer::resample).
  virtual bool inherits() const { return false; }
};

/// A neuron model as it is listed.
struct NeuronEntry {
  std::string_view name;
  std::string_view summary;
  std::unique_ptr<NeuronModel> (*make)();
};

/// All neuron models, one file of src/nn/neurons each.
std::span<const NeuronEntry> entries();

}  // namespace afterspike::nn
