#pragma once

#include "afterspike/modules/layers.hpp"

namespace afterspike {

/// Options of ELMNetwork.
class ELMNetworkOptions : public LayerOptions<ELMNetworkOptions> {
 public:
  /// Inputs and neurons of a layer.
  ELMNetworkOptions(std::int64_t input_size, std::int64_t hidden_size)
      : LayerOptions("elm_network", input_size, hidden_size) {}

  /// Sets the memory units of each neuron. Default: 5.
  ELMNetworkOptions& memory(std::int64_t units) { return set("memory", std::to_string(units)); }
};

/// Recurrent layers of expressive leaky memory neurons (nn::ElmNetwork). The state of a layer:
/// "memory" [batch, neurons, memory], "emitted" [batch, neurons]; "branch" [batch, neurons,
/// branches] and "low_pass" [batch, neurons] if their timescales are set.
class ELMNetworkImpl : public LayerModule<ELMNetworkImpl, ELMNetworkOptions> {
 public:
  /// Throws Error(config) naming an option that does not fit.
  explicit ELMNetworkImpl(const ELMNetworkOptions& own)
      : LayerModule("afterspike::ELMNetwork", own) {}
  ELMNetworkImpl(std::int64_t input_size, std::int64_t hidden_size)
      : ELMNetworkImpl(ELMNetworkOptions(input_size, hidden_size)) {}

  /// Runs `input` [steps, batch, input_size] from `states`, or from rest. Returns the emissions
  /// [steps, batch, hidden_size] and the states after the last step. With batch_first the first two
  /// dimensions of input and emissions are exchanged.
  std::tuple<at::Tensor, LayerStates> forward(const at::Tensor& input,
                                              c10::optional<LayerStates> states = c10::nullopt) {
    auto [output, after] = run(input, states);
    return {std::move(output), std::move(after)};
  }

 protected:
  FORWARD_HAS_DEFAULT_ARGS({1, torch::nn::AnyValue(c10::optional<LayerStates>())})
};
TORCH_MODULE(ELMNetwork);

}  // namespace afterspike
