#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "afterspike/spiking/network.hpp"

/// Studies of one neuron under injected currents.
namespace afterspike::single_neuron {

/// A value of a parameter as text: "200", "200 pF", or "-9.18,-198.94" for after-spike currents.
struct Setting {
  std::string parameter;  ///< Symbol ("C_m") or name ("capacitance").
  std::string value;      ///< In the parameter's unit unless it has one.
};

/// A neuron with a value for every parameter.
struct Neuron {
  spiking::Population population;  ///< One neuron.
  std::string preset;              ///< Empty: none.
  double dt_ms = 0.1;              ///< Step of the grid.
  bool is_random = false;          ///< Spikes are drawn at random.

  const spiking::Model& model() const;
  /// Unit of injected currents: "pA", "mV/ms", "uA/cm2", "1".
  std::string_view current_unit() const { return model().current_unit; }
  /// Value of a parameter, by its name. REQUIRES: the model has it, one for each neuron.
  double parameter(std::string_view name) const { return population.column(name)[0]; }
};

/// Makes a neuron with the model's defaults, then those of the preset, then the settings. It starts
/// at the resting potential if this is set and the initial potential is not. A step of 0 is 0.1 ms,
/// or 1 ms for models in discrete time. Throws Error(usage) for an unknown model, preset or
/// parameter, with "did you mean", and for a model that takes no injected current; Error(config)
/// for a value out of range.
Neuron make_neuron(std::string_view model, std::string_view preset = {},
                   const std::vector<Setting>& settings = {}, double dt_ms = 0);

/// Reads a current: a number in the model's unit, or with a unit ("0.5 nA"). Throws Error(config)
/// that names `what`.
double parse_current(const Neuron& neuron, std::string_view text, std::string_view what);

/// Reads currents separated by commas, or LOW:HIGH:COUNT for equidistant ones. Throws Error(config)
/// that names `what`.
std::vector<double> parse_currents(const Neuron& neuron, std::string_view text,
                                   std::string_view what);

}  // namespace afterspike::single_neuron
