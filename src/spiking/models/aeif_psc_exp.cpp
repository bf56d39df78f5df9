#include "models/aeif.hpp"

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "models/aeif_psc_exp.cpp"
#include "grid/each_target.hpp"
#include "models/aeif-inl.hpp"

HWY_BEFORE_NAMESPACE();
namespace afterspike::spiking {
namespace HWY_NAMESPACE {

using AeifPscExp = Aeif<SynapseShape::exponential, false>;

void aeif_psc_exp(OdeStep& step) {
  advance_ode<AeifPscExp>(step);
}

}  // namespace HWY_NAMESPACE
}  // namespace afterspike::spiking
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace afterspike::spiking {

HWY_EXPORT(aeif_psc_exp);

ModelEntry entry_aeif_psc_exp() {
  ModelEntry entry = aeif_entry("aeif_psc_exp",
                                "adaptive exponential integrate-and-fire with exponential currents",
                                AeifSynapses::currents, SynapseShape::exponential);
  entry.model.make_grid = AFTERSPIKE_ODE_GRID(aeif_psc_exp, AeifPscExp);
  return entry;
}

}  // namespace afterspike::spiking
#endif
