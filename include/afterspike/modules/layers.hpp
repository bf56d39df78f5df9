#pragma once

#include <cstdint>
#include <filesystem>
#include <memory>
#include <string>
#include <tuple>
#include <utility>
#include <vector>

#include <torch/nn/module.h>
#include <torch/nn/modules/common.h>
#include <torch/nn/modules/container/any_value.h>
#include <torch/nn/pimpl.h>

#include "afterspike/nn/layer_stack.hpp"

/// Neuron layers as modules of LibTorch, in the style of torch::nn::LSTM: afterspike::GLIFR, ELM,
/// ELMNetwork, RNN, GRU and LSTM, one header each. docs/modules.md is a guide.
namespace afterspike {

/// States of the layers of a module, by name: nn::LayerStack::States.
using LayerStates = nn::LayerStack::States;

/// Options that all neuron modules share.
template <typename Derived>
class LayerOptions {
 public:
  /// Sets the number of stacked layers. Default: 1.
  Derived& num_layers(std::int64_t count) {
    return with([&] { stack_.num_layers = count; });
  }
  /// Sets the order of dimensions: true for [batch, steps, ...], false for [steps, batch, ...].
  /// Default: false.
  Derived& batch_first(bool first) {
    return with([&] { stack_.batch_first = first; });
  }
  /// Sets the duration of a step, ms. Default: 1.
  Derived& dt_ms(double duration) {
    return with([&] { stack_.dt_ms = duration; });
  }
  /// Sets the seed of the initial values. Default: 1.
  Derived& seed(std::uint64_t number) {
    return with([&] { seed_ = number; });
  }
  /// Sets the number of threads that share a batch. Default: 1; results do not depend on it.
  Derived& threads(int count) {
    return with([&] { threads_ = count; });
  }
  /// Sets any option of the neuron model as experiment files do: set("sigma", "2 mV").
  /// docs/configuration.md lists them. The module's constructor throws Error(config) for an option
  /// that does not exist or a value that does not fit.
  Derived& set(std::string name, std::string value) {
    return with([&] { stack_.neuron_options.emplace_back(std::move(name), std::move(value)); });
  }

  const nn::StackOptions& stack() const noexcept { return stack_; }
  std::uint64_t seed() const noexcept { return seed_; }
  int threads() const noexcept { return threads_; }

 protected:
  LayerOptions(const char* neuron, std::int64_t input_size, std::int64_t hidden_size) {
    stack_.neuron = neuron;
    stack_.input_size = input_size;
    stack_.hidden_size = hidden_size;
  }

 private:
  template <typename Change>
  Derived& with(const Change& change) {
    change();
    return static_cast<Derived&>(*this);
  }

  nn::StackOptions stack_;
  std::uint64_t seed_ = 1;
  int threads_ = 1;
};

/// The part of a neuron module that does not depend on its neurons.
///
/// Parameters are registered under the names of checkpoints, "layers.0.threshold", with their raw
/// values; physical() has values with units. They are those of the layers of the program, so a
/// module and a checkpoint agree by construction. A forward pass from rest on the CPU runs the
/// whole-sequence kernel; see nn::LayerStack. While the module trains, dropout draws from
/// LibTorch's default generator. Several threads may call forward(), one at a time.
class LayersImpl : public torch::nn::Module {
 public:
  /// Draws the initial values anew, from the seed of the options.
  void reset_parameters();

  /// Returns the physical value of a parameter, differentiable in the raw one. "threshold" is short
  /// for "layers.0.threshold". Throws Error(config) if there is no such parameter.
  at::Tensor physical(const std::string& name) const;

  /// Sets a parameter by its physical values. Throws Error(config) naming the value that is outside
  /// the parameter's range.
  void set_physical(const std::string& name, const at::Tensor& values);

  /// Returns the state at rest, like the parameters.
  LayerStates initial_state(std::int64_t batch) const;

  /// Writes the parameters to a safetensors file, float32, under their names.
  void save_safetensors(const std::filesystem::path& path) const;

  /// Reads the parameters from a safetensors file, such as model.safetensors of a checkpoint. Other
  /// tensors, such as "readout.weight", are ignored. Throws Error(checkpoint) naming the file and
  /// the first tensor that is missing or of another shape; then nothing was changed.
  void load_safetensors(const std::filesystem::path& path);

  void pretty_print(std::ostream& stream) const override;

 protected:
  LayersImpl(const char* name, const nn::StackOptions& options, std::uint64_t seed, int threads);

  nn::LayerStack::Result run(const at::Tensor& input,
                             const c10::optional<LayerStates>& states) const;

  /// The same for states as torch::nn has them: one tensor for all layers and each of `parts`,
  /// [num_layers, ...]. `given` has one for each part, or is empty for a start from rest.
  std::pair<at::Tensor, std::vector<at::Tensor>> run_joined(
      const at::Tensor& input, const std::vector<const char*>& parts,
      const std::vector<at::Tensor>& given) const;

  /// Copies values and requires_grad from a module of the same options.
  void copy_parameters(const torch::nn::Module& other, const c10::optional<at::Device>& device);

 private:
  std::string full_name(const std::string& name) const;
  void clone_(torch::nn::Module& other, const c10::optional<at::Device>& device) override;

  nn::StackOptions options_;
  std::uint64_t seed_;
  int threads_;
  std::shared_ptr<nn::LayerStack> stack_;
};

/// A neuron module of these options.
template <typename Derived, typename Options>
class LayerModule : public LayersImpl {
 public:
  LayerModule(const char* name, const Options& own)
      : LayersImpl(name, own.stack(), own.seed(), own.threads()), options(own) {}

  /// Returns an independent copy.
  std::shared_ptr<torch::nn::Module> clone(
      const c10::optional<at::Device>& device = c10::nullopt) const override {
    auto copy = std::make_shared<Derived>(options);
    copy->copy_parameters(*this, device);
    copy->train(this->is_training());
    return copy;
  }

  const Options options;
};

/// A neuron module of these options whose states have names.
template <typename Derived, typename Options>
class StatesModule : public LayerModule<Derived, Options> {
 public:
  using LayerModule<Derived, Options>::LayerModule;

  /// Runs `input` [steps, batch, input_size] from `states`, or from rest. Returns the emissions
  /// [steps, batch, hidden_size] and the states after the last step. With batch_first the first two
  /// dimensions of input and emissions are exchanged.
  std::tuple<at::Tensor, LayerStates> forward(const at::Tensor& input,
                                              c10::optional<LayerStates> states = c10::nullopt) {
    auto [output, after] = this->run(input, states);
    return {std::move(output), std::move(after)};
  }

 protected:
  FORWARD_HAS_DEFAULT_ARGS({1, torch::nn::AnyValue(c10::optional<LayerStates>())})
};

/// Returns the layers' output of the last step, [batch, neurons], from the result of a neuron
/// module; to stand between one and a torch::nn::Linear in a torch::nn::Sequential.
class LastStepImpl : public torch::nn::Module {
 public:
  explicit LastStepImpl(bool batch_first = false)
      : torch::nn::Module("afterspike::LastStep"), dimension_(batch_first ? 1 : 0) {}
  at::Tensor forward(const std::tuple<at::Tensor, LayerStates>& result) {
    return std::get<0>(result).select(dimension_, -1);
  }
  std::shared_ptr<torch::nn::Module> clone(
      const c10::optional<at::Device>& /*device*/ = c10::nullopt) const override {
    return std::make_shared<LastStepImpl>(*this);
  }

 private:
  std::int64_t dimension_;
};
TORCH_MODULE(LastStep);

}  // namespace afterspike
