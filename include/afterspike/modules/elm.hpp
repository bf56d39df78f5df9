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
class ELMImpl : public StatesModule<ELMImpl, ELMOptions> {
 public:
  /// Throws Error(config) naming an option that does not fit.
  explicit ELMImpl(const ELMOptions& own) : StatesModule("afterspike::ELM", own) {}
  ELMImpl(std::int64_t input_size, std::int64_t hidden_size)
      : ELMImpl(ELMOptions(input_size, hidden_size)) {}
};
TORCH_MODULE(ELM);

}  // namespace afterspike
