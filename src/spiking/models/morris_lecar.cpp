#include "models/ode_model.hpp"

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "models/morris_lecar.cpp"
#include "grid/each_target.hpp"
#include "grid/ode-inl.hpp"

HWY_BEFORE_NAMESPACE();
namespace afterspike::spiking {
namespace HWY_NAMESPACE {

struct MorrisLecar : OdeModel {
  enum : std::size_t {
    C,
    g_L,
    g_K,
    g_Ca,
    E_L,
    E_K,
    E_Ca,
    V1,
    V2,
    V3,
    V4,
    phi,
    V_th,
    tau_syn,
    I_e,
    V_m,
    n,
    per_C,
    per_V2,
    per_V4,
    kCoefficients
  };
  static constexpr std::size_t kStates = 2;
  static constexpr std::array kShapes = {SynapseShape::exponential};
  static constexpr std::array<std::size_t, 1> kTimeConstants = {tau_syn};
  static constexpr int kCurrent = I_e;
  static constexpr bool kHolds = false;

  static void prepare(double* c, double /*dt_ms*/) {
    c[per_C] = 1 / c[C];
    c[per_V2] = 1 / c[V2];
    c[per_V4] = 1 / c[V4];
  }
  static void initial(const double* c, double* x) {
    x[0] = c[V_m];
    x[1] = c[n];
  }

  template <typename V>
  static HWY_INLINE void derivatives(const V* x, const Coefficients<V>& c, const V* s, V current,
                                     V* dx) {
    const V calcium = 0.5 * (1 + tanh((x[0] - c[V1]) * c[per_V2]));
    const V slope = (x[0] - c[V3]) * c[per_V4];
    const V open = 0.5 * (1 + tanh(slope));
    const V half = exp(0.5 * slope);
    dx[0] = (current + s[0] - c[g_L] * (x[0] - c[E_L]) - c[g_K] * x[1] * (x[0] - c[E_K]) -
             c[g_Ca] * calcium * (x[0] - c[E_Ca])) *
            c[per_C];
    dx[1] = c[phi] * 0.5 * (half + 1 / half) * (open - x[1]);
  }
  static HWY_INLINE Mask fires(const Vec* before, const Vec* x, const Coefficients<Vec>& c) {
    return (before[0] < c[V_th]) & (x[0] >= c[V_th]);
  }
  static HWY_INLINE void reset(Mask, Vec*, const Coefficients<Vec>&) {}
};

void morris_lecar(OdeStep& step) {
  advance_ode<MorrisLecar>(step);
}

}  // namespace HWY_NAMESPACE
}  // namespace afterspike::spiking
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace afterspike::spiking {

HWY_EXPORT(morris_lecar);

ModelEntry entry_morris_lecar() {
  Model model;
  model.parameters = {parameter("capacitance", "C", "uF/cm2", 20, Range::positive),
                      parameter("conductance", "g_L", "mS/cm2", 2, Range::not_negative),
                      parameter("potassium_conductance", "g_K", "mS/cm2", 8, Range::not_negative),
                      parameter("calcium_conductance", "g_Ca", "mS/cm2", 4, Range::not_negative),
                      parameter("resting_potential", "E_L", "mV", -60),
                      parameter("potassium_reversal", "E_K", "mV", -84),
                      parameter("calcium_reversal", "E_Ca", "mV", 120),
                      parameter("calcium_half", "V1", "mV", -1.2),
                      parameter("calcium_slope", "V2", "mV", 18, Range::positive),
                      parameter("potassium_half", "V3", "mV", 12),
                      parameter("potassium_slope", "V4", "mV", 17.4, Range::positive),
                      parameter("potassium_rate", "phi", "1/ms", 0.0667, Range::not_negative),
                      parameter("threshold", "V_th", "mV", 0),
                      parameter("synaptic_time_constant", "tau_syn", "ms", 3, Range::positive),
                      parameter("constant_current", "I_e", "uA/cm2", 0),
                      parameter("initial_potential", "V_m", "mV", -60),
                      parameter("initial_activation", "n", "1", 0.01, Range::fraction)};
  model.receptors = {{"current", "uA/cm2", SynapseShape::exponential}};
  model.variables = {{"V", "mV"}, {"n", "1"}, {"I_syn", "uA/cm2"}};
  model.presets = {{"class1", "Rinzel and Ermentrout 1998, saddle-node on a cycle", {}},
                   {"class2",
                    "Rinzel and Ermentrout 1998, Hopf bifurcation",
                    {{"g_Ca", {4.4}}, {"V3", {2}}, {"V4", {30}}, {"phi", {0.04}}}}};
  model.current_unit = "uA/cm2";
  model.make_grid = AFTERSPIKE_ODE_GRID(morris_lecar, MorrisLecar);
  model.no_exact = "whose conductances depend on the voltage";
  return {"morris_lecar", "Morris and Lecar: calcium and potassium conductances", std::move(model),
          "C dV/dt = -g_L (V - E_L) - g_K n (V - E_K) - g_Ca m_inf(V) (V - E_Ca) + I_syn + I_e + "
          "I\ndn/dt = phi"
          " cosh((V - V3) / (2 V4)) (n_inf(V) - n)\nm_inf = (1 + tanh((V - V1) / V2)) / 2, n_inf = "
          "(1 + tanh((V - V3) /"
          " V4)) / 2\n\n"
          "A step in which V crosses V_th upwards spikes; nothing is reset.",
          "Morris and Lecar 1981; Rinzel and Ermentrout 1998"};
}

}  // namespace afterspike::spiking
#endif
