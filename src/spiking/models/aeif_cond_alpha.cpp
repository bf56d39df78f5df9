#include "models/aeif.hpp"

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "models/aeif_cond_alpha.cpp"
#include "grid/each_target.hpp"
#include "models/aeif-inl.hpp"

HWY_BEFORE_NAMESPACE();
namespace afterspike::spiking {
namespace HWY_NAMESPACE {

using AeifCondAlpha = Aeif<SynapseShape::alpha, true>;

void aeif_cond_alpha(OdeStep& step) {
  advance_ode<AeifCondAlpha>(step);
}

}  // namespace HWY_NAMESPACE
}  // namespace afterspike::spiking
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace afterspike::spiking {

HWY_EXPORT(aeif_cond_alpha);

ModelEntry entry_aeif_cond_alpha() {
  ModelEntry entry = aeif_entry("aeif_cond_alpha",
                                "adaptive exponential integrate-and-fire with alpha conductances",
                                AeifSynapses::conductances, SynapseShape::alpha);
  entry.model.make_grid = AFTERSPIKE_ODE_GRID(aeif_cond_alpha, AeifCondAlpha);
  return entry;
}

}  // namespace afterspike::spiking
#endif
