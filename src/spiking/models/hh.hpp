#pragma once

#include <string_view>
#include <vector>

#include "models/ode_model.hpp"

/// Entries of Hodgkin-Huxley neurons, whose equations are in models/hh-inl.hpp.
namespace afterspike::spiking {

/// Defaults of the channels: conductances in nS, reversal potentials in mV.
struct HhChannels {
  double C_m, g_Na, g_K, g_L, E_Na, E_K, E_L;
};

inline std::vector<Parameter> hh_channel_parameters(const HhChannels& channels) {
  return {parameter("capacitance", "C_m", "pF", channels.C_m, Range::positive),
          parameter("sodium_conductance", "g_Na", "nS", channels.g_Na, Range::not_negative),
          parameter("potassium_conductance", "g_K", "nS", channels.g_K, Range::not_negative),
          parameter("conductance", "g_L", "nS", channels.g_L, Range::not_negative),
          parameter("sodium_reversal", "E_Na", "mV", channels.E_Na),
          parameter("potassium_reversal", "E_K", "mV", channels.E_K),
          parameter("resting_potential", "E_L", "mV", channels.E_L)};
}

/// Appends refractoriness, synaptic time constants, constant current and initial voltage.
inline void add_hh_parameters(Model& model, double tau_ex, double tau_in, double initial) {
  for (const Parameter& each :
       {parameter("refractory", "t_ref", "ms", 2, Range::not_negative),
        parameter("excitatory_time_constant", "tau_syn_ex", "ms", tau_ex, Range::positive),
        parameter("inhibitory_time_constant", "tau_syn_in", "ms", tau_in, Range::positive),
        parameter("constant_current", "I_e", "pA", 0),
        parameter("initial_potential", "V_m", "mV", initial)}) {
    model.parameters.push_back(each);
  }
}

/// Sets receptors and variables of a model with gates m, h and n.
inline void set_hh_variables(Model& model, std::string_view unit, SynapseShape shape) {
  model.receptors = two_receptors(unit, shape);
  model.variables = {{"V", "mV"}, {"Act_m", "1"}, {"Inact_h", "1"}, {"Act_n", "1"}};
  add_receptor_variables(model);
  model.current_unit = "pA";
  model.no_exact = "whose conductances depend on the voltage";
}

}  // namespace afterspike::spiking
