#pragma once

#include <string_view>
#include <utility>
#include <vector>

#include <fmt/format.h>

#include "models/ode_model.hpp"

/// Entries of adaptive exponential neurons, whose equations are in models/aeif-inl.hpp.
namespace afterspike::spiking {

enum class AeifSynapses { currents, conductances };

/// The parameters in the order of the coefficients of models/aeif-inl.hpp.
inline std::vector<Parameter> aeif_parameters(AeifSynapses synapses) {
  std::vector<Parameter> parameters = {
      parameter("capacitance", "C_m", "pF", 281, Range::positive),
      parameter("conductance", "g_L", "nS", 30, Range::positive),
      parameter("resting_potential", "E_L", "mV", -70.6),
      parameter("threshold", "V_th", "mV", -50.4),
      parameter("slope", "Delta_T", "mV", 2, Range::not_negative),
      parameter("subthreshold_adaptation", "a", "nS", 4),
      parameter("spike_adaptation", "b", "pA", 80.5),
      parameter("adaptation_time_constant", "tau_w", "ms", 144, Range::positive),
      parameter("peak", "V_peak", "mV", 0),
      parameter("reset", "V_reset", "mV", -60),
      parameter("refractory", "t_ref", "ms", 0, Range::not_negative),
      parameter("excitatory_time_constant", "tau_syn_ex", "ms", 0.2, Range::positive),
      parameter("inhibitory_time_constant", "tau_syn_in", "ms", 2, Range::positive),
      parameter("constant_current", "I_e", "pA", 0),
      parameter("initial_potential", "V_m", "mV", -70.6),
      parameter("initial_adaptation", "w", "pA", 0)};
  if (synapses == AeifSynapses::conductances) {
    parameters.push_back(parameter("excitatory_reversal", "E_ex", "mV", 0));
    parameters.push_back(parameter("inhibitory_reversal", "E_in", "mV", -85));
  }
  return parameters;
}

/// Firing patterns under a constant current.
inline std::vector<Preset> aeif_presets() {
  struct Pattern {
    std::string_view name;
    double C_m, g_L, E_L, a, tau_w, b, V_reset;
  };
  constexpr Pattern kPatterns[] = {{"tonic", 200, 10, -70, 2, 30, 0, -58},
                                   {"adapting", 200, 12, -70, 2, 300, 60, -58},
                                   {"initial_burst", 130, 18, -58, 4, 150, 120, -50},
                                   {"regular_bursting", 200, 10, -58, 2, 120, 100, -46},
                                   {"delayed_accelerating", 200, 12, -70, -10, 300, 0, -58},
                                   {"delayed_regular_bursting", 100, 10, -65, -10, 90, 30, -47},
                                   {"transient", 100, 10, -65, 10, 90, 100, -47},
                                   {"irregular", 100, 12, -60, -11, 130, 30, -48}};
  std::vector<Preset> presets;
  for (const Pattern& p : kPatterns) {
    presets.push_back({p.name,
                       "Naud et al. 2008, table 1",
                       {{"C_m", {p.C_m}},
                        {"g_L", {p.g_L}},
                        {"E_L", {p.E_L}},
                        {"V_th", {-50}},
                        {"Delta_T", {2}},
                        {"a", {p.a}},
                        {"tau_w", {p.tau_w}},
                        {"b", {p.b}},
                        {"V_reset", {p.V_reset}},
                        {"V_peak", {0}},
                        {"t_ref", {0}},
                        {"V_m", {p.E_L}}}});
  }
  return presets;
}

/// An entry without its make_grid.
inline ModelEntry aeif_entry(std::string_view name, std::string_view summary, AeifSynapses synapses,
                             SynapseShape shape) {
  const bool conductances = synapses == AeifSynapses::conductances;
  Model model;
  model.parameters = aeif_parameters(synapses);
  model.receptors = two_receptors(conductances ? "nS" : "pA", shape);
  model.variables = {{"V", "mV"}, {"w", "pA"}};
  add_receptor_variables(model);
  model.presets = aeif_presets();
  model.current_unit = "pA";
  model.no_exact = "whose voltage grows exponentially";
  return {
      name, summary, std::move(model),
      fmt::format(
          "C_m dV/dt = -g_L (V - E_L) + g_L Delta_T exp((V - V_th) / Delta_T) {} - w + I_e + I\n"
          "tau_w dw/dt = a (V - E_L) - w\n\n"
          "Where V reaches V_peak the neuron spikes: V = V_reset, w = w + b. V stays there until "
          "the end of the step and for t_ref after it; with t_ref = 0 it continues at once. With "
          "Delta_T = 0 there is no exponential, and V_peak is V_th.",
          conductances ? "- g_ex (V - E_ex) - g_in (V - E_in)" : "+ I_syn_ex + I_syn_in"),
      fmt::format("Brette and Gerstner 2005; NEST 3.10, {}", name)};
}

}  // namespace afterspike::spiking
