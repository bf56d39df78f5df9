#include "models/leaky_parameters.hpp"

namespace afterspike::spiking {

ModelEntry entry_iaf_psc_alpha() {
  return {"iaf_psc_alpha", "leaky integrate-and-fire with alpha currents",
          lif_model_with_currents(SynapseShape::alpha),
          "C_m dV/dt = -C_m (V - E_L) / tau_m + I_syn_ex + I_syn_in + I_e + I\n\n"
          "A spike of weight w adds a current w (e t / tau) exp(-t / tau), whose peak is w. At the "
          "end of a step with V >= V_th the neuron spikes; V then stays at V_reset for t_ref.",
          "NEST 3.10, iaf_psc_alpha"};
}

}  // namespace afterspike::spiking
