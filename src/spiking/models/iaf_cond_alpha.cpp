#include "models/iaf_cond.hpp"

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "models/iaf_cond_alpha.cpp"
#include "grid/each_target.hpp"
#include "models/iaf_cond-inl.hpp"

HWY_BEFORE_NAMESPACE();
namespace afterspike::spiking {
namespace HWY_NAMESPACE {

using IafCondAlpha = IafCond<SynapseShape::alpha>;

void iaf_cond_alpha(OdeStep& step) {
  advance_ode<IafCondAlpha>(step);
}

}  // namespace HWY_NAMESPACE
}  // namespace afterspike::spiking
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace afterspike::spiking {

HWY_EXPORT(iaf_cond_alpha);

ModelEntry entry_iaf_cond_alpha() {
  ModelEntry entry = iaf_cond_entry(
      "iaf_cond_alpha", "leaky integrate-and-fire with alpha conductances", SynapseShape::alpha,
      "A spike of weight w adds a conductance w (e t / tau) exp(-t / tau), whose peak is w.");
  entry.model.make_grid = AFTERSPIKE_ODE_GRID(iaf_cond_alpha, IafCondAlpha);
  return entry;
}

}  // namespace afterspike::spiking
#endif
