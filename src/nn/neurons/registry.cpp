#include <vector>

#include "afterspike/nn/neuron_layer.hpp"

namespace afterspike::nn {

#define AFTERSPIKE_REGISTER(name) NeuronEntry entry_##name();
#include "neurons.inc"
#undef AFTERSPIKE_REGISTER

std::span<const NeuronEntry> entries() {
  static const std::vector<NeuronEntry> table = {
#define AFTERSPIKE_REGISTER(name) entry_##name(),
#include "neurons.inc"
#undef AFTERSPIKE_REGISTER
  };
  return table;
}

}  // namespace afterspike::nn
