#include "models/leaky_parameters.hpp"

namespace afterspike::spiking {

ModelEntry entry_iaf_psc_exp() {
  return {"iaf_psc_exp", "leaky integrate-and-fire with exponential currents",
          lif_model_with_currents(SynapseShape::exponential),
          "C_m dV/dt = -C_m (V - E_L) / tau_m + I_syn_ex + I_syn_in + I_e + I\n\n"
          "A spike of weight w adds w to I_syn_ex or I_syn_in, which decay with tau_syn_ex and "
          "tau_syn_in. At the end of a step with V >= V_th the neuron spikes; V then stays at "
          "V_reset for t_ref.",
          "NEST 3.10, iaf_psc_exp"};
}

}  // namespace afterspike::spiking
