#include <cmath>

#include "afterspike/nn/glif.hpp"
#include "neuron_options.hpp"

namespace afterspike::nn {
namespace {

void describe_initial_values(options::Section& section, GlifOptions& o) {
  const auto add = [&](std::string_view name, Initial& member, std::string_view help) {
    describe_initial(section, name, member, help);
  };
  add("capacitance", o.capacitance, "Initial capacitance, pF.");
  add("conductance", o.conductance, "Initial leak conductance, nS.");
  add("threshold", o.threshold, "Initial threshold above rest, mV.");
  add("reset", o.reset, "Initial voltage after a spike, relative to rest, mV.");
  add("refractory", o.refractory, "Initial refractory period, ms.");
  add("threshold_spike_add", o.threshold_spike_add,
      "Initial rise of the threshold by a spike, mV; levels 2, 4, 5.");
  add("threshold_spike_decay", o.threshold_spike_decay,
      "Initial decay of that rise, 1/ms; levels 2, 4, 5.");
  add("reset_fraction", o.reset_fraction,
      "Initial fraction of the voltage above threshold that a reset keeps; levels 2, 4, 5.");
  add("threshold_voltage_index", o.threshold_voltage_index,
      "Initial coupling of the threshold to the voltage, 1/ms; level 5.");
  add("threshold_voltage_decay", o.threshold_voltage_decay,
      "Initial decay of that part of the threshold, 1/ms; level 5.");
  add("after_spike_decay", o.after_spike_decay,
      "Initial decay of after-spike currents, 1/ms; levels 3 to 5.");
  add("after_spike_multiplier", o.after_spike_multiplier,
      "Initial part of an after-spike current that a spike keeps; levels 3 to 5.");
  add("after_spike_amplitude", o.after_spike_amplitude,
      "Initial after-spike current that a spike adds, pA; levels 3 to 5.");
  add("synapse_tau", o.synapse_tau, "Initial time constant of the synapses, ms.");
  add("input_weight", o.input_weight,
      "Initial input weights, pA; 0: uniform within current_scale / sqrt(inputs).");
  add("recurrent_weight", o.recurrent_weight,
      "Initial recurrent weights, pA; 0: uniform within current_scale / sqrt(neurons).");
}

}  // namespace

void GlifOptions::describe(options::Section section) {
  section.add("level", level, "GLIF model of the Allen Institute, 1 to 5.").at_least(1).at_most(5);
  section.add("after_spike_currents", after_spike_currents, "After-spike currents of a neuron.")
      .at_least(0)
      .at_most(64);
  section.add("receptors", receptors, "Receptors, each with its time constant and weights.")
      .at_least(1)
      .at_most(64);
  section.choice("synapse", alpha, {{"exponential", false}, {"alpha", true}},
                 "Time course of the synaptic currents.");
  section.choice("input", input,
                 {{"current", kernels::GlifInput::current},
                  {"synapses", kernels::GlifInput::synapses},
                  {"both", kernels::GlifInput::both}},
                 "What the input drives: the current of a step, the receptors, or both.");
  describe_initial_values(section, *this);
  section.quantity("refractory_max", refractory_max_ms, "ms", "Longest refractory period.")
      .above(0)
      .bounded();
  section
      .quantity("current_scale", current_scale_pA, "pA",
                "Unit of weights and after-spike currents in training.")
      .above(0)
      .at_least(options::kSmallest)
      .bounded();
  section.add("learn", learn, "Trained intrinsic parameters: all, none, or names with commas.");
  section.duration("delay", delay, "Delay of the recurrent synapses, such as 2ms or 3steps.");
  section
      .quantity("sigma", sigma_mV, "mV", "Softness of the threshold; towards 0 the neuron spikes.")
      .above(0)
      .at_least(options::kSmallest)
      .bounded();
  describe_dropout(section, "input_dropout", input_dropout, "Dropout of the input.");
  describe_dropout(section, "dropout", dropout, "Dropout of activity.");
  describe_dropout(section, "recurrent_dropout", recurrent_dropout,
                   "Dropout of activity towards the recurrent synapses only.");
}

}  // namespace afterspike::nn
