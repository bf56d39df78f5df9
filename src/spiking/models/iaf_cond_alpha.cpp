#include "models/ode_model.hpp"

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
  Model model;
  model.parameters = {
      parameter("capacitance", "C_m", "pF", 250, Range::positive),
      parameter("conductance", "g_L", "nS", 16.6667, Range::positive),
      parameter("resting_potential", "E_L", "mV", -70),
      parameter("threshold", "V_th", "mV", -55),
      parameter("reset", "V_reset", "mV", -60),
      parameter("refractory", "t_ref", "ms", 2, Range::not_negative),
      parameter("excitatory_reversal", "E_ex", "mV", 0),
      parameter("inhibitory_reversal", "E_in", "mV", -85),
      parameter("excitatory_time_constant", "tau_syn_ex", "ms", 0.2, Range::positive),
      parameter("inhibitory_time_constant", "tau_syn_in", "ms", 2, Range::positive),
      parameter("constant_current", "I_e", "pA", 0),
      parameter("initial_potential", "V_m", "mV", -70)};
  model.receptors = two_receptors("nS", SynapseShape::alpha);
  model.variables = {{"V", "mV"}, {"g_ex", "nS"}, {"g_in", "nS"}};
  model.current_unit = "pA";
  model.make_grid = AFTERSPIKE_ODE_GRID(iaf_cond_alpha, IafCondAlpha);
  model.no_exact = "whose conductances multiply the voltage";
  return {"iaf_cond_alpha", "leaky integrate-and-fire with alpha conductances", std::move(model),
          "C_m dV/dt = -g_L (V - E_L) - g_ex (V - E_ex) - g_in (V - E_in) + I_e + I\n\n"
          "A spike of weight w adds a conductance w (e t / tau) exp(-t / tau), whose peak is w. At "
          "the end of a step with"
          " V >= V_th the neuron spikes; V then stays at V_reset for t_ref.",
          "NEST 3.10, iaf_cond_alpha"};
}

}  // namespace afterspike::spiking
#endif
