#include "models/hh.hpp"

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "models/hh_psc_alpha_gap.cpp"
#include "grid/each_target.hpp"
#include "models/hh-inl.hpp"

HWY_BEFORE_NAMESPACE();
namespace afterspike::spiking {
namespace HWY_NAMESPACE {

/// Gates are m, h, n, p.
struct HhPscAlphaGap : HodgkinHuxley<HhPscAlphaGap, 4> {
  enum : std::size_t {
    C_m,
    g_Na,
    g_Kv1,
    g_Kv3,
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
  static constexpr double kLongest = 0.025;  // Spikes rise by up to 1000 mV/ms.

  template <typename V, typename C>
  static HWY_INLINE GateRates<V, 4> rates(V v, const C& /*c*/) {
    return {{540 * linoid((v - 75.5) * (1 / 13.5)), 0.0035 * exp(v * (-1 / 24.186)),
             0.0322 * linoid((v + 44) * (1 / 2.3)), 11.8 * linoid((v - 95) * (1 / 11.8))},
            {1.2262 * exp(v * (-1 / 42.248)), 0.0884 * linoid((v + 51.25) * (1 / 5.2)),
             0.0043 * exp((v + 44) * (-1.0 / 34)), 0.025 * exp(v * (-1 / 22.222))}};
  }
  template <typename V>
  static HWY_INLINE V drive(const V* /*x*/, const Coefficients<V>& /*c*/, const V* s, V current) {
    return current + s[0] + s[1];
  }
  template <typename V>
  static HWY_INLINE V potassium(const V* x, const Coefficients<V>& c) {
    const V n = x[3] * x[3];
    return (c[g_Kv1] * n * n + c[g_Kv3] * x[4] * x[4]) * (x[0] - c[E_K]);
  }
  static HWY_INLINE Vec level(const Coefficients<Vec>& /*c*/) { return 0; }
};

void hh_psc_alpha_gap(OdeStep& step) {
  advance_ode<HhPscAlphaGap>(step);
}

}  // namespace HWY_NAMESPACE
}  // namespace afterspike::spiking
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace afterspike::spiking {

HWY_EXPORT(hh_psc_alpha_gap);

ModelEntry entry_hh_psc_alpha_gap() {
  Model model;
  model.parameters = {
      parameter("capacitance", "C_m", "pF", 40, Range::positive),
      parameter("sodium_conductance", "g_Na", "nS", 4500, Range::not_negative),
      parameter("slow_potassium_conductance", "g_Kv1", "nS", 9, Range::not_negative),
      parameter("fast_potassium_conductance", "g_Kv3", "nS", 9000, Range::not_negative),
      parameter("conductance", "g_L", "nS", 10, Range::not_negative),
      parameter("sodium_reversal", "E_Na", "mV", 74),
      parameter("potassium_reversal", "E_K", "mV", -90),
      parameter("resting_potential", "E_L", "mV", -70)};
  add_hh_parameters(model, 0.2, 2, -69.60401191631222);
  set_hh_variables(model, "pA", SynapseShape::alpha);
  model.variables.insert(model.variables.begin() + 4, {"Inact_p", "1"});
  model.make_grid = AFTERSPIKE_ODE_GRID(hh_psc_alpha_gap, HhPscAlphaGap);
  return {"hh_psc_alpha_gap", "Hodgkin and Huxley with two potassium currents, alpha currents",
          std::move(model),
          "C_m dV/dt = -g_Na m^3 h (V - E_Na) - (g_Kv1 n^4 + g_Kv3 p^2) (V - E_K) - g_L (V - E_L) "
          "+ I_syn_ex + I_syn_in + I_e + I\ndx/dt = alpha_x(V) (1 - x) - beta_x(V) x for x = m, h, "
          "n, p, with the rates of fast-spiking interneurons\n\n"
          "A step at whose end V is 0 mV or above and has fallen spikes, unless the last spike is "
          "less than t_ref ago. Nothing is reset. Gates begin at rest at the initial V. With "
          "iterated electrical synapses a network repeats NEST's use_wfr, else a network without "
          "it.",
          "Mancilla et al. 2007; Hahne et al. 2015; NEST 3.10, hh_psc_alpha_gap"};
}

}  // namespace afterspike::spiking
#endif
