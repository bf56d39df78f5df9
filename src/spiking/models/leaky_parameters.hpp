#pragma once

#include <vector>

#include "afterspike/spiking/model.hpp"

/// The columns that leaky models are put together from.
namespace afterspike::spiking {

/// Every column of GLIF1; voltages are absolute, decays in 1/ms.
inline std::vector<Column> membrane_columns() {
  return {{"capacitance", "C_m", "pF", Range::positive},
          {"conductance", "g", "nS", Range::positive},
          {"resting_potential", "E_L", "mV"},
          {"threshold", "V_th", "mV"},
          {"reset", "V_reset", "mV"},
          {"refractory", "t_ref", "ms", Range::not_negative},
          {"constant_current", "I_e", "pA"},
          {"initial_potential", "V_m", "mV"}};
}

inline std::vector<Column> spike_threshold_columns() {
  return {{"threshold_spike_add", "th_spike_add", "mV"},
          {"threshold_spike_decay", "th_spike_decay", "1/ms", Range::positive},
          {"reset_fraction", "voltage_reset_fraction", "1"},
          {"reset_add", "voltage_reset_add", "mV"}};
}

inline std::vector<Column> after_spike_columns() {
  return {{"after_spike_decay", "asc_decay", "1/ms", Range::positive, true},
          {"after_spike_amplitude", "asc_amps", "pA", Range::any, true},
          {"after_spike_multiplier", "asc_r", "1", Range::any, true}};
}

inline std::vector<Column> voltage_threshold_columns() {
  return {{"threshold_voltage_index", "th_voltage_index", "1/ms"},
          {"threshold_voltage_decay", "th_voltage_decay", "1/ms", Range::positive}};
}

/// A GLIF model with these mechanisms and their columns.
inline Model glif_model(bool spike_threshold, bool after_spike_currents, bool voltage_threshold) {
  Model model{Dynamics::leaky,   spike_threshold, after_spike_currents,
              voltage_threshold, false,           membrane_columns()};
  const auto add = [&](const std::vector<Column>& columns) {
    model.columns.insert(model.columns.end(), columns.begin(), columns.end());
  };
  if (spike_threshold) add(spike_threshold_columns());
  if (after_spike_currents) add(after_spike_columns());
  if (voltage_threshold) add(voltage_threshold_columns());
  return model;
}

}  // namespace afterspike::spiking
