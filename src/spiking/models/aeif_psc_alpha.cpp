#include "models/aeif.hpp"

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "models/aeif_psc_alpha.cpp"
#include "grid/each_target.hpp"
#include "models/aeif-inl.hpp"

HWY_BEFORE_NAMESPACE();
namespace afterspike::spiking {
namespace HWY_NAMESPACE {

using AeifPscAlpha = Aeif<SynapseShape::alpha, false>;

void aeif_psc_alpha(OdeStep& step) {
  advance_ode<AeifPscAlpha>(step);
}

}  // namespace HWY_NAMESPACE
}  // namespace afterspike::spiking
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace afterspike::spiking {

HWY_EXPORT(aeif_psc_alpha);

ModelEntry entry_aeif_psc_alpha() {
  ModelEntry entry =
      aeif_entry("aeif_psc_alpha", "adaptive exponential integrate-and-fire with alpha currents",
                 AeifSynapses::currents, SynapseShape::alpha);
  entry.model.make_grid = AFTERSPIKE_ODE_GRID(aeif_psc_alpha, AeifPscAlpha);
  return entry;
}

}  // namespace afterspike::spiking
#endif
