#include "models/leaky_parameters.hpp"

namespace afterspike::spiking {

ModelEntry entry_iaf_psc_delta() {
  Model model = lif_model();
  model.receptors = {{"voltage", "mV", SynapseShape::delta}};
  model.shapes = {};
  model.max_receptors = 0;
  return {"iaf_psc_delta", "leaky integrate-and-fire, spikes move the voltage", std::move(model),
          "C_m dV/dt = -C_m (V - E_L) / tau_m + I_e + I\n\n"
          "A spike of weight w adds w to V, unless it is refractory. At the end of a step with V "
          ">= V_th the neuron"
          " spikes; V then stays at V_reset for t_ref.",
          "NEST 3.10, iaf_psc_delta"};
}

}  // namespace afterspike::spiking
