#include "models/leaky_parameters.hpp"

namespace afterspike::spiking {

ModelEntry entry_lif() {
  return {"lif", "leaky integrate-and-fire, current-based", lif_model(),
          "C_m dV/dt = -C_m (V - E_L) / tau_m + I_syn + I_e + I\n\n"
          "iaf_psc_exp, iaf_psc_alpha or iaf_psc_delta with any number of receptors.",
          "NEST 3.10"};
}

}  // namespace afterspike::spiking
