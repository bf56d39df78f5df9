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
class ELMNetworkImpl : public StatesModule<ELMNetworkImpl, ELMNetworkOptions> {
 public:
  /// Throws Error(config) naming an option that does not fit.
  explicit ELMNetworkImpl(const ELMNetworkOptions& own)
      : StatesModule("afterspike::ELMNetwork", own) {}
  ELMNetworkImpl(std::int64_t input_size, std::int64_t hidden_size)
      : ELMNetworkImpl(ELMNetworkOptions(input_size, hidden_size)) {}
};
TORCH_MODULE(ELMNetwork);

}  // namespace afterspike
