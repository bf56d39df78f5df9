#include "models/hh.hpp"

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "models/hh_psc_alpha.cpp"
#include "grid/each_target.hpp"
#include "models/hh-inl.hpp"

HWY_BEFORE_NAMESPACE();
namespace afterspike::spiking {
namespace HWY_NAMESPACE {

struct HhPscAlpha : HodgkinHuxley<HhPscAlpha> {
  enum : std::size_t {
    C_m,
    g_Na,
    g_K,
    g_L,
    E_Na,
    E_K,
    E_L,
    t_ref,
    tau_syn_ex,
    tau_syn_in,
    I_e,
    V_m,
    per_C,
    kCoefficients
  };
  static constexpr std::array kShapes = {SynapseShape::alpha, SynapseShape::alpha};
  static constexpr std::array<std::size_t, 2> kTimeConstants = {tau_syn_ex, tau_syn_in};
  static constexpr int kRefractory = t_ref, kCurrent = I_e;

  template <typename V, typename C>
  static HWY_INLINE GateRates<V> rates(V v, const C& /*c*/) {
    return {{linoid((v + 40) * 0.1), 0.07 * exp((v + 65) * -0.05), 0.1 * linoid((v + 55) * 0.1)},
            {4 * exp((v + 65) * (-1.0 / 18)), 1 / (1 + exp((v + 35) * -0.1)),
             0.125 * exp((v + 65) * (-1.0 / 80))}};
  }
  template <typename V>
  static HWY_INLINE V drive(const V* /*x*/, const Coefficients<V>& /*c*/, const V* s, V current) {
    return current + s[0] + s[1];
  }
  static HWY_INLINE Vec level(const Coefficients<Vec>& /*c*/) { return 0; }
};

void hh_psc_alpha(OdeStep& step) {
  advance_ode<HhPscAlpha>(step);
}

}  // namespace HWY_NAMESPACE
}  // namespace afterspike::spiking
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace afterspike::spiking {

HWY_EXPORT(hh_psc_alpha);

ModelEntry entry_hh_psc_alpha() {
  Model model;
  model.parameters = hh_channel_parameters({100, 12000, 3600, 30, 50, -77, -54.402});
  add_hh_parameters(model, 0.2, 2, -65);
  set_hh_variables(model, "pA", SynapseShape::alpha);
  model.presets = {{"squid", "Hodgkin and Huxley 1952", {}}};
  model.make_grid = AFTERSPIKE_ODE_GRID(hh_psc_alpha, HhPscAlpha);
  return {"hh_psc_alpha", "Hodgkin and Huxley with alpha currents", std::move(model),
          "C_m dV/dt = -g_Na m^3 h (V - E_Na) - g_K n^4 (V - E_K) - g_L (V - E_L) + I_syn_ex + "
          "I_syn_in + I_e + I\ndx/dt ="
          " alpha_x(V) (1 - x) - beta_x(V) x for x = m, h, n, with the rates of the squid axon at "
          "rest at -65 mV\n\n"
          "A step at whose end V is 0 mV or above and has fallen spikes, unless the last spike is "
          "less than t_ref ago."
          " Nothing is reset. Gates begin at rest at the initial V.",
          "Hodgkin and Huxley 1952; NEST 3.10, hh_psc_alpha"};
}

}  // namespace afterspike::spiking
#endif
