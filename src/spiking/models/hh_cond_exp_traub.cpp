#include "models/ode_model.hpp"

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "models/hh_cond_exp_traub.cpp"
#include "grid/each_target.hpp"
#include "grid/ode-inl.hpp"

HWY_BEFORE_NAMESPACE();
namespace afterspike::spiking {
namespace HWY_NAMESPACE {

struct HhCondExpTraub : OdeModel {
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
  static constexpr std::size_t kStates = 4;  // V, m, h, n
  static constexpr std::array kShapes = {SynapseShape::exponential, SynapseShape::exponential};
  static constexpr std::array<std::size_t, 2> kTimeConstants = {tau_syn_ex, tau_syn_in};
  static constexpr int kRefractory = t_ref, kCurrent = I_e;
  static constexpr bool kHolds = false;

  template <typename V>
  struct Rates {
    V opening[3], closing[3];  // Rates of m, h, n; 1/ms.
  };
  template <typename V>
  static HWY_INLINE Rates<V> rates(V v) {
    return {
        {1.28 * linoid((v - 13) * 0.25), 0.128 * exp((17 - v) * (1.0 / 18)),
         0.16 * linoid((v - 15) * 0.2)},
        {1.4 * linoid((40 - v) * 0.2), 4 / (1 + exp((40 - v) * 0.2)), 0.5 * exp((10 - v) * 0.025)}};
  }

  static void prepare(double* c, double /*dt_ms*/) { c[per_C] = 1 / c[C_m]; }
  /// Gates at rest at the initial voltage.
  static void initial(const double* c, double* x) {
    x[0] = c[V_m];
    const Rates<double> rate = rates(c[V_m] - c[V_T]);
    for (std::size_t gate = 0; gate < 3; ++gate) {
      x[gate + 1] = rate.opening[gate] / (rate.opening[gate] + rate.closing[gate]);
    }
  }

  template <typename V>
  static HWY_INLINE void derivatives(const V* x, const Coefficients<V>& c, const V* s, V current,
                                     V* dx) {
    const Rates<V> rate = rates(x[0] - c[V_T]);
    const V sodium = c[g_Na] * x[1] * x[1] * x[1] * x[2] * (x[0] - c[E_Na]);
    const V potassium = c[g_K] * (x[3] * x[3]) * (x[3] * x[3]) * (x[0] - c[E_K]);
    const V leak = c[g_L] * (x[0] - c[E_L]);
    dx[0] =
        (current - s[0] * (x[0] - c[E_ex]) - s[1] * (x[0] - c[E_in]) - sodium - potassium - leak) *
        c[per_C];
    for (std::size_t gate = 0; gate < 3; ++gate) {
      const V open = x[gate + 1];
      dx[gate + 1] = rate.opening[gate] * (1 - open) - rate.closing[gate] * open;
    }
  }
  static HWY_INLINE Mask fires(const Vec* before, const Vec* x, const Coefficients<Vec>& c) {
    return (x[0] >= c[V_T] + 30) & (before[0] > x[0]);
  }
  static HWY_INLINE void reset(Mask, Vec*, const Coefficients<Vec>&) {}
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
  model.parameters = {
      parameter("capacitance", "C_m", "pF", 200, Range::positive),
      parameter("sodium_conductance", "g_Na", "nS", 20000, Range::not_negative),
      parameter("potassium_conductance", "g_K", "nS", 6000, Range::not_negative),
      parameter("conductance", "g_L", "nS", 10, Range::not_negative),
      parameter("sodium_reversal", "E_Na", "mV", 50),
      parameter("potassium_reversal", "E_K", "mV", -90),
      parameter("resting_potential", "E_L", "mV", -60),
      parameter("shift", "V_T", "mV", -63),
      parameter("excitatory_reversal", "E_ex", "mV", 0),
      parameter("inhibitory_reversal", "E_in", "mV", -80),
      parameter("refractory", "t_ref", "ms", 2, Range::not_negative),
      parameter("excitatory_time_constant", "tau_syn_ex", "ms", 5, Range::positive),
      parameter("inhibitory_time_constant", "tau_syn_in", "ms", 10, Range::positive),
      parameter("constant_current", "I_e", "pA", 0),
      parameter("initial_potential", "V_m", "mV", -60)};
  model.receptors = two_receptors("nS", SynapseShape::exponential);
  model.variables = {{"V", "mV"},    {"Act_m", "1"}, {"Inact_h", "1"},
                     {"Act_n", "1"}, {"g_ex", "nS"}, {"g_in", "nS"}};
  model.presets = {{"cobahh", "Brette et al. 2007, benchmark 3", {}}};
  model.current_unit = "pA";
  model.make_grid = AFTERSPIKE_ODE_GRID(hh_cond_exp_traub, HhCondExpTraub);
  model.no_exact = "whose conductances depend on the voltage";
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
