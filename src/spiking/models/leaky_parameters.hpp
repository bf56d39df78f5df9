#pragma once

#include <vector>

#include "afterspike/spiking/model.hpp"
#include "exact/exact_rule.hpp"
#include "grid/grid_group.hpp"
#include "models/leaky.hpp"

/// Parameters of which leaky models are composed. Defaults: glif_psc of NEST, which is cell
/// 490626718 of the Allen Cell Types Database.
namespace afterspike::spiking {

/// Every parameter of GLIF1; voltages are absolute, decays in 1/ms.
inline std::vector<Parameter> membrane_parameters() {
  return {{"capacitance", "C_m", "pF", Range::positive, Extent::neuron, {58.72}},
          {"conductance", "g", "nS", Range::positive, Extent::neuron, {9.43}},
          {"resting_potential", "E_L", "mV", Range::any, Extent::neuron, {-78.85}},
          {"threshold", "V_th", "mV", Range::any, Extent::neuron, {-51.68}},
          {"reset", "V_reset", "mV", Range::any, Extent::neuron, {-78.85}},
          {"refractory", "t_ref", "ms", Range::not_negative, Extent::neuron, {3.75}},
          {"constant_current", "I_e", "pA", Range::any, Extent::neuron, {0}},
          {"initial_potential", "V_m", "mV", Range::any, Extent::neuron, {-78.85}}};
}

inline std::vector<Parameter> spike_threshold_parameters() {
  return {
      {"threshold_spike_add", "th_spike_add", "mV", Range::any, Extent::neuron, {0.37}},
      {"threshold_spike_decay", "th_spike_decay", "1/ms", Range::positive, Extent::neuron, {0.009}},
      {"reset_fraction", "voltage_reset_fraction", "1", Range::any, Extent::neuron, {0.2}},
      {"reset_add", "voltage_reset_add", "mV", Range::any, Extent::neuron, {18.51}}};
}

inline std::vector<Parameter> after_spike_parameters() {
  return {
      {"after_spike_decay", "asc_decay", "1/ms", Range::positive, Extent::current, {0.003, 0.1}},
      {"after_spike_amplitude", "asc_amps", "pA", Range::any, Extent::current, {-9.18, -198.94}},
      {"after_spike_multiplier", "asc_r", "1", Range::any, Extent::current, {1, 1}}};
}

inline std::vector<Parameter> voltage_threshold_parameters() {
  return {
      {"threshold_voltage_index", "th_voltage_index", "1/ms", Range::any, Extent::neuron, {0.005}},
      {"threshold_voltage_decay",
       "th_voltage_decay",
       "1/ms",
       Range::positive,
       Extent::neuron,
       {0.09}}};
}

/// A leaky model with these mechanisms and their parameters; a population chooses the shape of its
/// synapses and up to 255 receptors.
inline Model leaky_model(const LeakyMechanisms& mechanisms) {
  Model model;
  model.parameters = membrane_parameters();
  const auto add = [&](const std::vector<Parameter>& parameters) {
    model.parameters.insert(model.parameters.end(), parameters.begin(), parameters.end());
  };
  if (mechanisms.spike_threshold) add(spike_threshold_parameters());
  if (mechanisms.after_spike_currents) add(after_spike_parameters());
  if (mechanisms.voltage_threshold) add(voltage_threshold_parameters());
  model.shapes = {SynapseShape::alpha, SynapseShape::exponential, SynapseShape::delta};
  model.max_receptors = 255;
  model.variables = leaky_variables();
  model.current_unit = "pA";
  model.leaky = mechanisms;
  model.make_grid = make_leaky_group;
  model.make_exact = make_leaky_rule;
  return model;
}

/// NEST's leaky neuron with its defaults: it spikes as soon as V reaches the threshold.
inline Model lif_model() {
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
  return model;
}

/// lif with the receptors of iaf_psc_exp or iaf_psc_alpha.
inline Model lif_model_with_currents(SynapseShape shape) {
  Model model = lif_model();
  model.parameters.push_back(
      {"excitatory_time_constant", "tau_syn_ex", "ms", Range::positive, Extent::neuron, {2}});
  model.parameters.push_back(
      {"inhibitory_time_constant", "tau_syn_in", "ms", Range::positive, Extent::neuron, {2}});
  model.receptors = {{"excitatory", "pA", shape}, {"inhibitory", "pA", shape}};
  model.shapes = {};
  model.max_receptors = 0;
  return model;
}

}  // namespace afterspike::spiking
