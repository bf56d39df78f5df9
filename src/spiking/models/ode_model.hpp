#pragma once

#include <string_view>
#include <utility>
#include <vector>

#include "afterspike/spiking/model.hpp"

/// Tables of models in grid/ode_group.hpp.
namespace afterspike::spiking {

/// A parameter with one value for each neuron.
inline Parameter parameter(std::string_view name, std::string_view symbol, std::string_view unit,
                           double initial, Range range = Range::any) {
  return {name, symbol, unit, range, Extent::neuron, {initial}};
}

/// Receptors "excitatory" and "inhibitory" of one unit and shape.
inline std::vector<Receptor> two_receptors(std::string_view unit, SynapseShape shape) {
  return {{"excitatory", unit, shape}, {"inhibitory", unit, shape}};
}

/// Appends the variables of these receptors: conductances g_ex and g_in, or currents I_syn_ex and
/// I_syn_in.
inline void add_receptor_variables(Model& model) {
  const std::string_view unit = model.receptors[0].unit;
  model.variables.push_back({unit == "nS" ? "g_ex" : "I_syn_ex", unit});
  model.variables.push_back({unit == "nS" ? "g_in" : "I_syn_in", unit});
}

}  // namespace afterspike::spiking

/// Defines make_grid of a model: FUNCTION is compiled for each instruction set and advances MODEL.
#define AFTERSPIKE_ODE_GRID(FUNCTION, MODEL)                                                \
  [](const Layout& layout, const Piece& piece) -> std::unique_ptr<GridGroup> {              \
    return make_ode_group(layout, piece,                                                    \
                          HWY_NAMESPACE::ode_rule<HWY_NAMESPACE::MODEL>([](OdeStep& step) { \
                            HWY_DYNAMIC_DISPATCH(FUNCTION)(step);                           \
                          }));                                                              \
  }
