#include "models/leaky_parameters.hpp"

namespace afterspike::spiking {

/// NEST's iaf_psc_alpha, iaf_psc_exp and iaf_psc_delta: GLIF1 by another parameter, and a spike
/// where the voltage reaches the threshold.
ModelEntry entry_lif() {
  Model model = glif_model(false, false, false);
  model.reached_is_crossed = true;
  model.columns[1] = {"membrane_time_constant", "tau_m", "ms", Range::positive};
  return {"lif", "leaky integrate-and-fire, current-based", std::move(model)};
}

}  // namespace afterspike::spiking
