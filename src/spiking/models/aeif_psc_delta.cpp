#include "models/aeif.hpp"

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "models/aeif_psc_delta.cpp"
#include "grid/each_target.hpp"
#include "models/aeif-inl.hpp"

HWY_BEFORE_NAMESPACE();
namespace afterspike::spiking {
namespace HWY_NAMESPACE {

struct AeifPscDelta : AeifSpike<AeifPscDelta> {
  enum : std::size_t {
    C_m,
    g_L,
    E_L,
    V_th,
    Delta_T,
    a,
    b,
    tau_w,
    V_peak,
    V_reset,
    t_ref,
    I_e,
    V_m,
    w,
    per_slope,
    top,
    kCoefficients
  };
  static constexpr std::array kShapes = {SynapseShape::delta};
  static constexpr int kRefractory = t_ref, kCurrent = I_e;

  /// Without a slope the neuron is a leaky one, whose peak is the threshold.
  static void prepare(double* c, double /*dt_ms*/) {
    c[per_slope] = c[Delta_T] > 0 ? 1 / c[Delta_T] : 0;
    c[top] = c[Delta_T] > 0 ? c[V_peak] : c[V_th];
  }
  template <typename V>
  static HWY_INLINE void derivatives(const V* x, const Coefficients<V>& c, const V* /*s*/,
                                     V current, V* dx) {
    const V above = x[0] - c[E_L];
    const V spike = c[g_L] * c[Delta_T] * exp((x[0] - c[V_th]) * c[per_slope]);
    dx[0] = (spike - c[g_L] * above - x[1] + current) / c[C_m];
    dx[1] = (c[a] * above - x[1]) / c[tau_w];
  }
};

void aeif_psc_delta(OdeStep& step) {
  advance_ode<AeifPscDelta>(step);
}

}  // namespace HWY_NAMESPACE
}  // namespace afterspike::spiking
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace afterspike::spiking {

HWY_EXPORT(aeif_psc_delta);

ModelEntry entry_aeif_psc_delta() {
  ModelEntry entry = aeif_entry("aeif_psc_delta",
                                "adaptive exponential integrate-and-fire with jumps of the voltage",
                                AeifSynapses::currents, SynapseShape::delta);
  std::erase_if(entry.model.parameters,
                [](const Parameter& each) { return each.symbol.starts_with("tau_syn"); });
  entry.model.receptors = {{"voltage", "mV", SynapseShape::delta}};
  entry.model.variables = {{"V", "mV"}, {"w", "pA"}};
  entry.model.make_grid = AFTERSPIKE_ODE_GRID(aeif_psc_delta, AeifPscDelta);
  entry.equations =
      "C_m dV/dt = -g_L (V - E_L) + g_L Delta_T exp((V - V_th) / Delta_T) - w + I_e + I\n"
      "tau_w dw/dt = a (V - E_L) - w\n\n"
      "A spike of weight w adds w to V at the end of a step, unless the neuron is refractory. "
      "Where "
      "V reaches V_peak the neuron spikes: V = V_reset, w = w + b. V stays there until the end of "
      "the step and for t_ref after it; with t_ref = 0 it continues at once. With Delta_T = 0 "
      "there "
      "is no exponential, and V_peak is V_th.";
  return entry;
}

}  // namespace afterspike::spiking
#endif
