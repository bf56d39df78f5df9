#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "afterspike/spiking/network.hpp"

namespace afterspike::spiking {

/// The parameters of a population of leaky neurons as both engines take them: voltages relative to
/// the resting potential, one value for each neuron, mechanisms that the model lacks as zeros.
struct Leaky {
  std::int64_t size = 0, receptors = 0, currents = 0;
  SynapseShape synapse = SynapseShape::delta;
  bool spike_threshold = false, voltage_threshold = false, reached_is_crossed = false;

  std::vector<double> capacitance, conductance, rest;        // pF, nS, mV
  std::vector<double> threshold, reset, initial;             // mV above rest
  std::vector<double> refractory, constant_current;          // ms, pA
  std::vector<double> spike_add, spike_decay;                // mV, 1/ms
  std::vector<double> reset_fraction, reset_add;             // 1, mV
  std::vector<double> voltage_index, voltage_decay;          // 1/ms
  std::vector<double> current_decay, amplitude, multiplier;  // [currents, size]; 1/ms, pA, 1
  std::vector<double> synapse_time_constant;                 // [receptors, size]; ms

  double of_current(const std::vector<double>& values, std::int64_t current,
                    std::int64_t neuron) const {
    return values[static_cast<std::size_t>(current * size + neuron)];
  }
};

/// Variables of leaky models, in the order of leaky_variables().
enum class LeakyVariable {
  voltage,
  threshold,            ///< All parts.
  threshold_spike,      ///< The part that spikes raise.
  threshold_voltage,    ///< The part that follows the voltage.
  after_spike_current,  ///< The sum.
  synaptic_current,     ///< The sum.
};

inline std::vector<Variable> leaky_variables() {
  return {
      {"V", "mV"},     {"threshold", "mV"}, {"threshold_spike", "mV"}, {"threshold_voltage", "mV"},
      {"I_asc", "pA"}, {"I_syn", "pA"}};
}

/// The parameters of a valid population of a model with LeakyMechanisms.
Leaky lower_leaky(const Population& population);

}  // namespace afterspike::spiking
