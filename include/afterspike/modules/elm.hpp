#pragma once

#include "afterspike/modules/layers.hpp"

namespace afterspike {

/// Options of ELM.
class ELMOptions : public LayerOptions<ELMOptions> {
 public:
  /// Inputs, and memory units of the neuron.
  ELMOptions(std::int64_t input_size, std::int64_t hidden_size)
      : LayerOptions("elm", input_size, hidden_size) {}
};

/// An expressive leaky memory neuron whose output is its memory (nn::Elm). The state of a layer:
/// "memory" and "emitted" [batch, hidden_size], "trace" [batch, synapses or branches].
class ELMImpl : public LayerModule<ELMImpl, ELMOptions> {
 public:
  /// Throws Error(config) naming an option that does not fit.
  explicit ELMImpl(const ELMOptions& own) : LayerModule("afterspike::ELM", own) {}
  ELMImpl(std::int64_t input_size, std::int64_t hidden_size)
      : ELMImpl(ELMOptions(input_size, hidden_size)) {}

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
TORCH_MODULE(ELM);

}  // namespace afterspike
