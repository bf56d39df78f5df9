#include "models/ode_model.hpp"

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "models/hh_psc_alpha.cpp"
#include "grid/each_target.hpp"
#include "grid/ode-inl.hpp"

HWY_BEFORE_NAMESPACE();
namespace afterspike::spiking {
namespace HWY_NAMESPACE {

struct HhPscAlpha : OdeModel {
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
  static constexpr std::size_t kStates = 4;  // V, m, h, n
  static constexpr std::array kShapes = {SynapseShape::alpha, SynapseShape::alpha};
  static constexpr std::array<std::size_t, 2> kTimeConstants = {tau_syn_ex, tau_syn_in};
  static constexpr int kRefractory = t_ref, kCurrent = I_e;
  static constexpr bool kHolds = false;

  template <typename V>
  struct Rates {
    V opening[3], closing[3];  // Rates of m, h, n; 1/ms.
  };
  template <typename V>
  static HWY_INLINE Rates<V> rates(V v) {
    return {{linoid((v + 40) * 0.1), 0.07 * exp((v + 65) * -0.05), 0.1 * linoid((v + 55) * 0.1)},
            {4 * exp((v + 65) * (-1.0 / 18)), 1 / (1 + exp((v + 35) * -0.1)),
             0.125 * exp((v + 65) * (-1.0 / 80))}};
  }

  static void prepare(double* c, double /*dt_ms*/) { c[per_C] = 1 / c[C_m]; }
  /// Gates at rest at the initial voltage.
  static void initial(const double* c, double* x) {
    x[0] = c[V_m];
    const Rates<double> rate = rates(c[V_m]);
    for (std::size_t gate = 0; gate < 3; ++gate) {
      x[gate + 1] = rate.opening[gate] / (rate.opening[gate] + rate.closing[gate]);
    }
  }

  template <typename V>
  static HWY_INLINE void derivatives(const V* x, const Coefficients<V>& c, const V* s, V current,
                                     V* dx) {
    const Rates<V> rate = rates(x[0]);
    const V sodium = c[g_Na] * x[1] * x[1] * x[1] * x[2] * (x[0] - c[E_Na]);
    const V potassium = c[g_K] * (x[3] * x[3]) * (x[3] * x[3]) * (x[0] - c[E_K]);
    const V leak = c[g_L] * (x[0] - c[E_L]);
    dx[0] = (current + s[0] + s[1] - sodium - potassium - leak) * c[per_C];
    for (std::size_t gate = 0; gate < 3; ++gate) {
      const V open = x[gate + 1];
      dx[gate + 1] = rate.opening[gate] * (1 - open) - rate.closing[gate] * open;
    }
  }
  static HWY_INLINE Mask fires(const Vec* before, const Vec* x, const Coefficients<Vec>&) {
    return (x[0] >= Vec(0)) & (before[0] > x[0]);
  }
  static HWY_INLINE void reset(Mask, Vec*, const Coefficients<Vec>&) {}
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
  model.parameters = {
      parameter("capacitance", "C_m", "pF", 100, Range::positive),
      parameter("sodium_conductance", "g_Na", "nS", 12000, Range::not_negative),
      parameter("potassium_conductance", "g_K", "nS", 3600, Range::not_negative),
      parameter("conductance", "g_L", "nS", 30, Range::not_negative),
      parameter("sodium_reversal", "E_Na", "mV", 50),
      parameter("potassium_reversal", "E_K", "mV", -77),
      parameter("resting_potential", "E_L", "mV", -54.402),
      parameter("refractory", "t_ref", "ms", 2, Range::not_negative),
      parameter("excitatory_time_constant", "tau_syn_ex", "ms", 0.2, Range::positive),
      parameter("inhibitory_time_constant", "tau_syn_in", "ms", 2, Range::positive),
      parameter("constant_current", "I_e", "pA", 0),
      parameter("initial_potential", "V_m", "mV", -65)};
  model.receptors = two_receptors("pA", SynapseShape::alpha);
  model.variables = {{"V", "mV"},    {"Act_m", "1"},     {"Inact_h", "1"},
                     {"Act_n", "1"}, {"I_syn_ex", "pA"}, {"I_syn_in", "pA"}};
  model.presets = {{"squid", "Hodgkin and Huxley 1952", {}}};
  model.current_unit = "pA";
  model.make_grid = AFTERSPIKE_ODE_GRID(hh_psc_alpha, HhPscAlpha);
  model.no_exact = "whose conductances depend on the voltage";
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
