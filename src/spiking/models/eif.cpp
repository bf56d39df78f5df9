#include "models/ode_model.hpp"

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "models/eif.cpp"
#include "grid/each_target.hpp"
#include "grid/ode-inl.hpp"

HWY_BEFORE_NAMESPACE();
namespace afterspike::spiking {
namespace HWY_NAMESPACE {

struct Eif : OdeModel {
  enum : std::size_t {
    C_m,
    g_L,
    E_L,
    V_th,
    Delta_T,
    V_peak,
    V_reset,
    t_ref,
    tau_syn_ex,
    tau_syn_in,
    I_e,
    V_m,
    per_C,
    per_slope,
    runaway,
    kCoefficients
  };
  static constexpr std::array kShapes = {SynapseShape::exponential, SynapseShape::exponential};
  static constexpr std::array<std::size_t, 2> kTimeConstants = {tau_syn_ex, tau_syn_in};
  static constexpr int kRefractory = t_ref, kCurrent = I_e;
  static constexpr bool kPeak = true, kExactRefractory = true;

  static void prepare(double* c, double /*dt_ms*/) {
    c[per_C] = 1 / c[C_m];
    c[per_slope] = 1 / c[Delta_T];
    c[runaway] = c[g_L] * c[Delta_T];
  }
  static void initial(const double* c, double* x) { x[0] = c[V_m]; }

  template <typename V>
  static HWY_INLINE void derivatives(const V* x, const Coefficients<V>& c, const V* s, V current,
                                     V* dx) {
    const V spike = c[runaway] * exp((x[0] - c[V_th]) * c[per_slope]);
    dx[0] = (spike - c[g_L] * (x[0] - c[E_L]) + s[0] + s[1] + current) * c[per_C];
  }
  template <typename V>
  static HWY_INLINE V peak(const Coefficients<V>& c) {
    return c[V_peak];
  }
  template <typename Fired, typename V>
  static HWY_INLINE void reset(Fired fired, V* x, const Coefficients<V>& c) {
    x[0] = select(fired, c[V_reset], x[0]);
  }
};

void eif(OdeStep& step) {
  advance_ode<Eif>(step);
}

}  // namespace HWY_NAMESPACE
}  // namespace afterspike::spiking
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace afterspike::spiking {

HWY_EXPORT(eif);

ModelEntry entry_eif() {
  Model model;
  model.parameters = {parameter("capacitance", "C_m", "pF", 100, Range::positive),
                      parameter("conductance", "g_L", "nS", 10, Range::positive),
                      parameter("resting_potential", "E_L", "mV", -65),
                      parameter("threshold", "V_th", "mV", -59.9),
                      parameter("slope", "Delta_T", "mV", 3.48, Range::positive),
                      parameter("peak", "V_peak", "mV", -30),
                      parameter("reset", "V_reset", "mV", -68),
                      parameter("refractory", "t_ref", "ms", 1.7, Range::not_negative),
                      parameter("excitatory_time_constant", "tau_syn_ex", "ms", 3, Range::positive),
                      parameter("inhibitory_time_constant", "tau_syn_in", "ms", 3, Range::positive),
                      parameter("constant_current", "I_e", "pA", 0),
                      parameter("initial_potential", "V_m", "mV", -65)};
  model.receptors = two_receptors("pA", SynapseShape::exponential);
  model.variables = {{"V", "mV"}, {"I_syn_ex", "pA"}, {"I_syn_in", "pA"}};
  model.presets = {{"sharp",
                    "a slope near that of a leaky neuron",
                    {{"C_m", {250}},
                     {"g_L", {25}},
                     {"E_L", {-65}},
                     {"V_th", {-52}},
                     {"Delta_T", {0.5}},
                     {"V_peak", {-42}},
                     {"V_reset", {-60}},
                     {"t_ref", {2}},
                     {"V_m", {-65}}}}};
  model.current_unit = "pA";
  model.make_grid = AFTERSPIKE_ODE_GRID(eif, Eif);
  model.no_exact = "whose voltage grows exponentially";
  return {"eif", "exponential integrate-and-fire", std::move(model),
          "C_m dV/dt = -g_L (V - E_L) + g_L Delta_T exp((V - V_th) / Delta_T) + I_syn_ex + "
          "I_syn_in + I_e + I\n\n"
          "Where V reaches V_peak the neuron spikes; V stays at V_reset for t_ref, which may end "
          "within a step.",
          "Fourcaud-Trocme et al. 2003"};
}

}  // namespace afterspike::spiking
#endif
