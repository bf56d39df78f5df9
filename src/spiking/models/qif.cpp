#include "models/ode_model.hpp"

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "models/qif.cpp"
#include "grid/each_target.hpp"
#include "grid/ode-inl.hpp"

HWY_BEFORE_NAMESPACE();
namespace afterspike::spiking {
namespace HWY_NAMESPACE {

struct Qif : OdeModel {
  enum : std::size_t {
    C_m,
    k,
    V_r,
    V_t,
    V_peak,
    V_reset,
    t_ref,
    tau_syn,
    I_e,
    V_m,
    per_C,
    kCoefficients
  };
  static constexpr std::array kShapes = {SynapseShape::exponential, SynapseShape::delta};
  static constexpr std::array<std::size_t, 2> kTimeConstants = {tau_syn, tau_syn};
  static constexpr int kRefractory = t_ref, kCurrent = I_e;
  static constexpr bool kPeak = true, kExactRefractory = true;

  static void prepare(double* c, double /*dt_ms*/) { c[per_C] = 1 / c[C_m]; }
  static void initial(const double* c, double* x) { x[0] = c[V_m]; }

  template <typename V>
  static HWY_INLINE void derivatives(const V* x, const Coefficients<V>& c, const V* s, V current,
                                     V* dx) {
    dx[0] = (c[k] * (x[0] - c[V_r]) * (x[0] - c[V_t]) + s[0] + current) * c[per_C];
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

void qif(OdeStep& step) {
  advance_ode<Qif>(step);
}

}  // namespace HWY_NAMESPACE
}  // namespace afterspike::spiking
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace afterspike::spiking {

HWY_EXPORT(qif);

ModelEntry entry_qif() {
  Model model;
  model.parameters = {parameter("capacitance", "C_m", "pF", 100, Range::positive),
                      parameter("gain", "k", "nS/mV", 0.7, Range::positive),
                      parameter("resting_potential", "V_r", "mV", -60),
                      parameter("threshold", "V_t", "mV", -40),
                      parameter("peak", "V_peak", "mV", 35),
                      parameter("reset", "V_reset", "mV", -50),
                      parameter("refractory", "t_ref", "ms", 0, Range::not_negative),
                      parameter("synaptic_time_constant", "tau_syn", "ms", 3, Range::positive),
                      parameter("constant_current", "I_e", "pA", 0),
                      parameter("initial_potential", "V_m", "mV", -60)};
  model.receptors = {{"current", "pA", SynapseShape::exponential},
                     {"voltage", "mV", SynapseShape::delta}};
  model.variables = {{"V", "mV"}, {"I_syn", "pA"}};
  model.presets = {{"canonical",
                    "Ermentrout and Kopell 1986: tau V' = V^2 + I, dimensionless",
                    {{"C_m", {10}},
                     {"k", {1}},
                     {"V_r", {0}},
                     {"V_t", {0}},
                     {"V_peak", {100}},
                     {"V_reset", {-100}},
                     {"I_e", {1}},
                     {"V_m", {0}}}}};
  model.current_unit = "pA";
  model.make_grid = AFTERSPIKE_ODE_GRID(qif, Qif);
  model.no_exact = "whose synaptic currents leave no closed form";
  return {"qif", "quadratic integrate-and-fire", std::move(model),
          "C_m dV/dt = k (V - V_r) (V - V_t) + I_syn + I_e + I\n\n"
          "Spikes of weight w add w to I_syn, which decays with tau_syn, at receptor current, and "
          "w to V at receptor"
          " voltage. Where V reaches V_peak the neuron spikes; V stays at V_reset for t_ref, which "
          "may end within a step.",
          "Ermentrout and Kopell 1986; Izhikevich 2007, chapter 3"};
}

}  // namespace afterspike::spiking
#endif
