#pragma once

#include <string>
#include <string_view>
#include <vector>

#include <fmt/format.h>

#include "models/ode_model.hpp"

/// Entries of generalized integrate-and-fire neurons, whose rule is in models/gif-inl.hpp.
namespace afterspike::spiking {

/// The parameters in the order of the coefficients of both models.
inline std::vector<Parameter> gif_parameters() {
  return {parameter("capacitance", "C_m", "pF", 80, Range::positive),
          parameter("conductance", "g_L", "nS", 4, Range::positive),
          parameter("resting_potential", "E_L", "mV", -70),
          parameter("reset", "V_reset", "mV", -55),
          parameter("threshold", "V_T_star", "mV", -35),
          parameter("softness", "Delta_V", "mV", 0.5, Range::positive),
          parameter("hazard", "lambda_0", "1/s", 1, Range::not_negative),
          parameter("refractory", "t_ref", "ms", 4, Range::not_negative),
          parameter("spike_current_1", "q_stc[0]", "pA", 0),
          parameter("spike_current_2", "q_stc[1]", "pA", 0),
          parameter("spike_current_time_constant_1", "tau_stc[0]", "ms", 10, Range::positive),
          parameter("spike_current_time_constant_2", "tau_stc[1]", "ms", 100, Range::positive),
          parameter("threshold_spike_add_1", "q_sfa[0]", "mV", 0),
          parameter("threshold_spike_add_2", "q_sfa[1]", "mV", 0),
          parameter("threshold_spike_time_constant_1", "tau_sfa[0]", "ms", 10, Range::positive),
          parameter("threshold_spike_time_constant_2", "tau_sfa[1]", "ms", 100, Range::positive),
          parameter("excitatory_time_constant", "tau_syn_ex", "ms", 2, Range::positive),
          parameter("inhibitory_time_constant", "tau_syn_in", "ms", 2, Range::positive),
          parameter("constant_current", "I_e", "pA", 0),
          parameter("initial_potential", "V_m", "mV", -70)};
}

inline std::vector<Preset> gif_presets() {
  return {{"mensi",
           "Mensi et al. 2012, GABAergic cell, in the example of the oscillating population",
           {{"C_m", {83.1}},
            {"g_L", {3.7}},
            {"E_L", {-67}},
            {"V_reset", {-36.7}},
            {"V_T_star", {-39.6}},
            {"Delta_V", {1.4}},
            {"lambda_0", {1}},
            {"t_ref", {4}},
            {"q_stc[0]", {56.7}},
            {"q_stc[1]", {-6.9}},
            {"tau_stc[0]", {57.8}},
            {"tau_stc[1]", {218.2}},
            {"q_sfa[0]", {11.7}},
            {"q_sfa[1]", {1.8}},
            {"tau_sfa[0]", {53.8}},
            {"tau_sfa[1]", {640}},
            {"V_m", {-67}}}}};
}

/// The equations; `membrane` is the right side of C_m dV/dt without stimuli.
inline std::string gif_equations(std::string_view membrane) {
  return fmt::format(
      "C_m dV/dt = {} + I_e + I\nd(stc_j)/dt = -stc_j / tau_stc[j], d(sfa_j)/dt = -sfa_j / "
      "tau_sfa[j]\n\n"
      "In a step the neuron spikes with probability 1 - exp(-lambda_0 exp((V - V_T_star - sum_j "
      "sfa_j) / Delta_V) dt). Then stc_j and sfa_j grow by q_stc[j] and q_sfa[j], and V is V_reset "
      "for t_ref.",
      membrane);
}

/// A model without its make_grid, with receptors of this unit: "pA" or "nS".
inline Model gif_model(std::string_view unit) {
  Model model;
  model.parameters = gif_parameters();
  model.receptors = two_receptors(unit, SynapseShape::exponential);
  model.variables = {{"V", "mV"}, {"I_stc", "pA"}, {"E_sfa", "mV"}};
  add_receptor_variables(model);
  model.presets = gif_presets();
  model.current_unit = "pA";
  return model;
}

}  // namespace afterspike::spiking
