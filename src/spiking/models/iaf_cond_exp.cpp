#include "models/iaf_cond.hpp"

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "models/iaf_cond_exp.cpp"
#include "grid/each_target.hpp"
#include "models/iaf_cond-inl.hpp"

HWY_BEFORE_NAMESPACE();
namespace afterspike::spiking {
namespace HWY_NAMESPACE {

using IafCondExp = IafCond<SynapseShape::exponential>;

void iaf_cond_exp(OdeStep& step) {
  advance_ode<IafCondExp>(step);
}

}  // namespace HWY_NAMESPACE
}  // namespace afterspike::spiking
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace afterspike::spiking {

HWY_EXPORT(iaf_cond_exp);

ModelEntry entry_iaf_cond_exp() {
  ModelEntry entry = iaf_cond_entry(
      "iaf_cond_exp", "leaky integrate-and-fire with exponential conductances",
      SynapseShape::exponential,
      "A spike of weight w adds w to g_ex or g_in, which decay with tau_syn_ex and tau_syn_in.");
  entry.model.presets = {{"coba",
                          "Brette et al. 2007, benchmark 1",
                          {{"C_m", {200}},
                           {"g_L", {10}},
                           {"E_L", {-60}},
                           {"V_th", {-50}},
                           {"V_reset", {-60}},
                           {"t_ref", {5}},
                           {"E_ex", {0}},
                           {"E_in", {-80}},
                           {"tau_syn_ex", {5}},
                           {"tau_syn_in", {10}},
                           {"V_m", {-60}}}}};
  entry.model.make_grid = AFTERSPIKE_ODE_GRID(iaf_cond_exp, IafCondExp);
  return entry;
}

}  // namespace afterspike::spiking
#endif
