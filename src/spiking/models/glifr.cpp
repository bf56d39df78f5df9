#include "grid/grid_group.hpp"

namespace afterspike::spiking {

/// The discrete map of docs/numerics.md#glifr with S in {0, 1}; voltages are relative to rest.
ModelEntry entry_glifr() {
  Model model;
  model.shapes = {SynapseShape::delta};
  model.max_receptors = 1;
  model.variables = {{"V", "mV"}, {"threshold", "mV"}, {"I_asc", "pA"}};
  model.has_own_grid = true;
  model.has_copies = true;
  model.make_grid = make_glifr_group;
  model.no_exact = "which is a map from step to step";
  model.parameters = {{"threshold", "V_th", "mV"},
                      {"reset", "V_r", "mV"},
                      {"membrane_decay", "k_m", "1/ms", Range::not_negative},
                      {"resistance", "R", "GOhm", Range::not_negative},
                      {"constant_current", "I_0", "pA"},
                      // The width of the escaping threshold; 0 is a hard one.
                      {"softness", "sigma", "mV", Range::not_negative},
                      // The part of a spike that falls into a step, dt / tau.
                      {"spike_fraction", "dt/tau", "1", Range::positive},
                      {"after_spike_decay", "k_j", "1/ms", Range::not_negative, Extent::current},
                      {"after_spike_multiplicative", "r_j", "1", Range::any, Extent::current},
                      {"after_spike_additive", "a_j", "pA", Range::any, Extent::current}};
  return {"glifr", "the discrete GLIFR neuron with a hard or an escaping threshold",
          std::move(model)};
}

}  // namespace afterspike::spiking
