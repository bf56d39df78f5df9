#pragma once

#include <string_view>
#include <utility>
#include <vector>

#include <fmt/format.h>

#include "models/ode_model.hpp"

/// Entries of leaky neurons with conductances, whose equations are in models/iaf_cond-inl.hpp.
namespace afterspike::spiking {

/// The parameters in the order of the coefficients of models/iaf_cond-inl.hpp.
inline std::vector<Parameter> iaf_cond_parameters() {
  return {parameter("capacitance", "C_m", "pF", 250, Range::positive),
          parameter("conductance", "g_L", "nS", 16.6667, Range::positive),
          parameter("resting_potential", "E_L", "mV", -70),
          parameter("threshold", "V_th", "mV", -55),
          parameter("reset", "V_reset", "mV", -60),
          parameter("refractory", "t_ref", "ms", 2, Range::not_negative),
          parameter("excitatory_reversal", "E_ex", "mV", 0),
          parameter("inhibitory_reversal", "E_in", "mV", -85),
          parameter("excitatory_time_constant", "tau_syn_ex", "ms", 0.2, Range::positive),
          parameter("inhibitory_time_constant", "tau_syn_in", "ms", 2, Range::positive),
          parameter("constant_current", "I_e", "pA", 0),
          parameter("initial_potential", "V_m", "mV", -70)};
}

/// An entry without its make_grid. `arrival` is the effect of a spike, as a sentence.
inline ModelEntry iaf_cond_entry(std::string_view name, std::string_view summary,
                                 SynapseShape shape, std::string_view arrival) {
  Model model;
  model.parameters = iaf_cond_parameters();
  model.receptors = two_receptors("nS", shape);
  model.variables = {{"V", "mV"}};
  add_receptor_variables(model);
  model.current_unit = "pA";
  model.no_exact = "whose conductances multiply the voltage";
  return {name, summary, std::move(model),
          fmt::format("C_m dV/dt = -g_L (V - E_L) - g_ex (V - E_ex) - g_in (V - E_in) + I_e + I\n\n"
                      "{} At the end of a step with V >= V_th the neuron spikes; V then stays at "
                      "V_reset for t_ref.",
                      arrival),
          fmt::format("NEST 3.10, {}", name)};
}

}  // namespace afterspike::spiking
