#pragma once

#include "afterspike/base/units.hpp"
#include "afterspike/modules/layers.hpp"

namespace afterspike {

/// Options of GLIFR.
class GLIFROptions : public LayerOptions<GLIFROptions> {
 public:
  /// Inputs and neurons of a layer.
  GLIFROptions(std::int64_t input_size, std::int64_t hidden_size)
      : LayerOptions("glifr", input_size, hidden_size) {}

  /// Sets the delay of the recurrent synapses, in steps. Default: 1.
  GLIFROptions& delay(std::int64_t steps) { return set("delay", std::to_string(steps) + " steps"); }
  /// Sets the after-spike currents of each neuron, 0 to 64. Default: 2.
  GLIFROptions& currents(std::int64_t count) {
    return set("after_spike_currents", std::to_string(count));
  }
  /// Sets the softness of the threshold, mV. Default: 1.
  GLIFROptions& sigma_mV(double softness) { return set("sigma", units::format(softness, "mV")); }
};

/// Layers of generalized leaky integrate-and-fire rate neurons with after-spike currents
/// (nn::Glifr). The state of a layer: "emitted" [delay, batch, hidden_size], "voltage" [batch,
/// hidden_size] in mV, "after_spike_current" [currents, batch, hidden_size] in pA.
class GLIFRImpl : public StatesModule<GLIFRImpl, GLIFROptions> {
 public:
  /// Throws Error(config) naming an option that does not fit.
  explicit GLIFRImpl(const GLIFROptions& own) : StatesModule("afterspike::GLIFR", own) {}
  GLIFRImpl(std::int64_t input_size, std::int64_t hidden_size)
      : GLIFRImpl(GLIFROptions(input_size, hidden_size)) {}
};
TORCH_MODULE(GLIFR);

}  // namespace afterspike
