#include "models/hh.hpp"

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "models/hh_cond_exp_traub.cpp"
#include "grid/each_target.hpp"
#include "models/hh-inl.hpp"

HWY_BEFORE_NAMESPACE();
namespace afterspike::spiking {
namespace HWY_NAMESPACE {

struct HhCondExpTraub : HodgkinHuxley<HhCondExpTraub> {
  enum : std::size_t {
    C_m,
    g_Na,
    g_K,
    g_L,
    E_Na,
    E_K,
    E_L,
    V_T,
    E_ex,
    E_in,
    t_ref,
    tau_syn_ex,
    tau_syn_in,
    I_e,
    V_m,
    per_C,
    kCoefficients
  };
  static constexpr std::array kShapes = {SynapseShape::exponential, SynapseShape::exponential};
  static constexpr std::array<std::size_t, 2> kTimeConstants = {tau_syn_ex, tau_syn_in};
  static constexpr int kRefractory = t_ref, kCurrent = I_e;

  template <typename V, typename C>
  static HWY_INLINE GateRates<V> rates(V voltage, const C& c) {
    const V v = voltage - c[V_T];
    return {
        {1.28 * linoid((v - 13) * 0.25), 0.128 * exp((17 - v) * (1.0 / 18)),
         0.16 * linoid((v - 15) * 0.2)},
        {1.4 * linoid((40 - v) * 0.2), 4 / (1 + exp((40 - v) * 0.2)), 0.5 * exp((10 - v) * 0.025)}};
  }
  template <typename V>
  static HWY_INLINE V drive(const V* x, const Coefficients<V>& c, const V* s, V current) {
    return current - s[0] * (x[0] - c[E_ex]) - s[1] * (x[0] - c[E_in]);
  }
  static HWY_INLINE Vec level(const Coefficients<Vec>& c) { return c[V_T] + 30; }
};

void hh_cond_exp_traub(OdeStep& step) {
  advance_ode<HhCondExpTraub>(step);
}

}  // namespace HWY_NAMESPACE
}  // namespace afterspike::spiking
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace afterspike::spiking {

HWY_EXPORT(hh_cond_exp_traub);

ModelEntry entry_hh_cond_exp_traub() {
  Model model;
  model.parameters = hh_channel_parameters({200, 20000, 6000, 10, 50, -90, -60});
  model.parameters.push_back(parameter("shift", "V_T", "mV", -63));
  model.parameters.push_back(parameter("excitatory_reversal", "E_ex", "mV", 0));
  model.parameters.push_back(parameter("inhibitory_reversal", "E_in", "mV", -80));
  add_hh_parameters(model, 5, 10, -60);
  set_hh_variables(model, "nS", SynapseShape::exponential);
  model.presets = {{"cobahh", "Brette et al. 2007, benchmark 3", {}}};
  model.make_grid = AFTERSPIKE_ODE_GRID(hh_cond_exp_traub, HhCondExpTraub);
  return {"hh_cond_exp_traub", "Hodgkin and Huxley with rates of Traub and Miles, conductances",
          std::move(model),
          "C_m dV/dt = -g_Na m^3 h (V - E_Na) - g_K n^4 (V - E_K) - g_L (V - E_L) - g_ex (V - "
          "E_ex) - g_in (V - E_in) +"
          " I_e + I\ndx/dt = alpha_x(V - V_T) (1 - x) - beta_x(V - V_T) x for x = m, h, n\n\n"
          "A step at whose end V is V_T + 30 mV or above and has fallen spikes, unless the last "
          "spike is less than"
          " t_ref ago. Nothing is reset. Gates begin at rest at the initial V.",
          "Traub and Miles 1991; Brette et al. 2007, benchmark 3; NEST 3.10, hh_cond_exp_traub"};
}

}  // namespace afterspike::spiking
#endif
