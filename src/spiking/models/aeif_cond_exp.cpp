#include "models/aeif.hpp"

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "models/aeif_cond_exp.cpp"
#include "grid/each_target.hpp"
#include "models/aeif-inl.hpp"

HWY_BEFORE_NAMESPACE();
namespace afterspike::spiking {
namespace HWY_NAMESPACE {

using AeifCondExp = Aeif<SynapseShape::exponential, true>;

void aeif_cond_exp(OdeStep& step) {
  advance_ode<AeifCondExp>(step);
}

}  // namespace HWY_NAMESPACE
}  // namespace afterspike::spiking
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace afterspike::spiking {

HWY_EXPORT(aeif_cond_exp);

ModelEntry entry_aeif_cond_exp() {
  ModelEntry entry = aeif_entry(
      "aeif_cond_exp", "adaptive exponential integrate-and-fire with exponential conductances",
      AeifSynapses::conductances, SynapseShape::exponential);
  entry.model.make_grid = AFTERSPIKE_ODE_GRID(aeif_cond_exp, AeifCondExp);
  return entry;
}

}  // namespace afterspike::spiking
#endif
