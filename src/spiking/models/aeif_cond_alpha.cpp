#include "models/aeif_presets.hpp"
#include "models/ode_model.hpp"

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
  Model model;
  model.parameters = {
      parameter("capacitance", "C_m", "pF", 281, Range::positive),
      parameter("conductance", "g_L", "nS", 30, Range::positive),
      parameter("resting_potential", "E_L", "mV", -70.6),
      parameter("threshold", "V_th", "mV", -50.4),
      parameter("slope", "Delta_T", "mV", 2, Range::not_negative),
      parameter("subthreshold_adaptation", "a", "nS", 4),
      parameter("spike_adaptation", "b", "pA", 80.5),
      parameter("adaptation_time_constant", "tau_w", "ms", 144, Range::positive),
      parameter("peak", "V_peak", "mV", 0),
      parameter("reset", "V_reset", "mV", -60),
      parameter("refractory", "t_ref", "ms", 0, Range::not_negative),
      parameter("excitatory_time_constant", "tau_syn_ex", "ms", 0.2, Range::positive),
      parameter("inhibitory_time_constant", "tau_syn_in", "ms", 2, Range::positive),
      parameter("constant_current", "I_e", "pA", 0),
      parameter("initial_potential", "V_m", "mV", -70.6),
      parameter("initial_adaptation", "w", "pA", 0),
      parameter("excitatory_reversal", "E_ex", "mV", 0),
      parameter("inhibitory_reversal", "E_in", "mV", -85)};
  model.receptors = two_receptors("nS", SynapseShape::alpha);
  model.variables = {{"V", "mV"}, {"w", "pA"}, {"g_ex", "nS"}, {"g_in", "nS"}};
  model.presets = aeif_presets();
  model.current_unit = "pA";
  model.make_grid = AFTERSPIKE_ODE_GRID(aeif_cond_alpha, AeifCondAlpha);
  model.no_exact = "whose voltage grows exponentially";
  return {"aeif_cond_alpha", "adaptive exponential integrate-and-fire with alpha conductances",
          std::move(model),
          "C_m dV/dt = -g_L (V - E_L) + g_L Delta_T exp((V - V_th) / Delta_T) - g_ex (V - E_ex) - "
          "g_in (V - E_in) - w + I_e"
          " + I\ntau_w dw/dt = a (V - E_L) - w\n\n"
          "Where V reaches V_peak the neuron spikes: V = V_reset, w = w + b. V stays there until "
          "the end of the step"
          " and for t_ref after it; with t_ref = 0 it continues at once. With Delta_T = 0 there is "
          "no exponential, and"
          " V_peak is V_th.",
          "Brette and Gerstner 2005; NEST 3.10, aeif_cond_alpha"};
}

}  // namespace afterspike::spiking
#endif
