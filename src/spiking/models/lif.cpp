#include "models/leaky_parameters.hpp"

namespace afterspike::spiking {

/// iaf_psc_alpha, iaf_psc_exp and iaf_psc_delta of NEST, whose defaults it has, with any number of
/// receptors: GLIF1 that spikes as soon as the voltage reaches the threshold.
ModelEntry entry_lif() {
  Model model = leaky_model({.reached_is_crossed = true});
  model.parameters = {
      {"capacitance", "C_m", "pF", Range::positive, Extent::neuron, {250}},
      {"membrane_time_constant", "tau_m", "ms", Range::positive, Extent::neuron, {10}},
      {"resting_potential", "E_L", "mV", Range::any, Extent::neuron, {-70}},
      {"threshold", "V_th", "mV", Range::any, Extent::neuron, {-55}},
      {"reset", "V_reset", "mV", Range::any, Extent::neuron, {-70}},
      {"refractory", "t_ref", "ms", Range::not_negative, Extent::neuron, {2}},
      {"constant_current", "I_e", "pA", Range::any, Extent::neuron, {0}},
      {"initial_potential", "V_m", "mV", Range::any, Extent::neuron, {-70}}};
  return {"lif", "leaky integrate-and-fire, current-based", std::move(model)};
}

}  // namespace afterspike::spiking
