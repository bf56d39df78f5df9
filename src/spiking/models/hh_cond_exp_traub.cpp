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

  /// Closer than this to 0, linoid(x) is 1 + x / 2.
  static constexpr double kNear = 1e-5;
  /// exp(13 / 4), exp(3), exp(8), exp(17 / 18), exp(1 / 4).
  static constexpr double kExp13_4 = 25.790339917193062, kExp3 = 20.085536923187668,
                          kExp8 = 2980.9579870417283, kExp17_18 = 2.5713844347880297,
                          kExp1_4 = 1.2840254166877414;

  /// One exponential and one division serve all rates: the exponents are multiples of v / 360, and
  /// the denominators have a common one. Beyond +-400 mV the rates are those there.
  template <typename V, typename C>
  static HWY_INLINE GateRates<V> rates(V voltage, const C& c) {
    const V v = min(max(voltage - c[V_T], V(-400)), V(400));
    const V u = exp(v * (-1.0 / 360)), u2 = u * u, u4 = u2 * u2, u8 = u4 * u4;
    const V u9 = u8 * u, u18 = u9 * u9, u20 = u18 * u2, u36 = u18 * u18;
    const V u72 = u36 * u36, u90 = u72 * u18;  // exp(-v / 5), exp(-v / 4)
    const V m_up = 0.25 * (v - 13), m_down = 0.2 * (40 - v), n_up = 0.2 * (v - 15);
    const V fall = kExp8 * u72;  // exp(m_down)
    const auto near_m_up = abs(m_up) < V(kNear), near_m_down = abs(m_down) < V(kNear);
    const auto near_n_up = abs(n_up) < V(kNear);
    const V below_m_up = select(near_m_up, V(1), 1 - kExp13_4 * u90);
    const V below_m_down = select(near_m_down, V(1), fall - 1);
    const V below_n_up = select(near_n_up, V(1), 1 - kExp3 * u72), below_h_down = 1 + fall;
    const V of_m = below_m_up * below_m_down, of_n = below_n_up * below_h_down;
    const V inverse = 1 / (of_m * of_n), per_m = inverse * of_n, per_n = inverse * of_m;
    const V m_opens = select(near_m_up, 1 + 0.5 * m_up, m_up * (per_m * below_m_down));
    const V m_closes = select(near_m_down, 1 + 0.5 * m_down, m_down * fall * (per_m * below_m_up));
    const V n_opens = select(near_n_up, 1 + 0.5 * n_up, n_up * (per_n * below_h_down));
    return {{1.28 * m_opens, (0.128 * kExp17_18) * u20, 0.16 * n_opens},
            {1.4 * m_closes, 4 * (per_n * below_n_up), (0.5 * kExp1_4) * u9}};
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
          " t_ref ago. Nothing is reset. Gates begin at rest at the initial V; NEST "
          "takes the rates at V = E_L without V_T there (m and n near 0, h near 1).",
          "Traub and Miles 1991; Brette et al. 2007, benchmark 3; NEST 3.10, hh_cond_exp_traub"};
}

}  // namespace afterspike::spiking
#endif
