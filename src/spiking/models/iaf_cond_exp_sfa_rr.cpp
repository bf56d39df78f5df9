#include "models/ode_model.hpp"

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "models/iaf_cond_exp_sfa_rr.cpp"
#include "grid/each_target.hpp"
#include "grid/ode-inl.hpp"

HWY_BEFORE_NAMESPACE();
namespace afterspike::spiking {
namespace HWY_NAMESPACE {

struct IafCondExpSfaRr : OdeModel {
  enum : std::size_t {
    C_m,
    g_L,
    E_L,
    V_th,
    V_reset,
    t_ref,
    E_ex,
    E_in,
    tau_syn_ex,
    tau_syn_in,
    E_sfa,
    E_rr,
    tau_sfa,
    tau_rr,
    q_sfa,
    q_rr,
    I_e,
    V_m,
    kCoefficients
  };
  enum : std::size_t { V_state, sfa, rr, kAllStates };
  static constexpr std::size_t kStates = kAllStates;
  static constexpr std::array kShapes = {SynapseShape::exponential, SynapseShape::exponential};
  static constexpr std::array<std::size_t, 2> kTimeConstants = {tau_syn_ex, tau_syn_in};
  static constexpr int kRefractory = t_ref, kCurrent = I_e;

  static void initial(const double* c, double* x) {
    x[0] = c[V_m];
    x[sfa] = x[rr] = 0;
  }
  template <typename V>
  static HWY_INLINE void derivatives(const V* x, const Coefficients<V>& c, const V* g, V current,
                                     V* dx) {
    const V synaptic = g[0] * (x[0] - c[E_ex]) + g[1] * (x[0] - c[E_in]);
    const V spikes = x[sfa] * (x[0] - c[E_sfa]) + x[rr] * (x[0] - c[E_rr]);
    dx[0] = (current - c[g_L] * (x[0] - c[E_L]) - synaptic - spikes) / c[C_m];
    dx[sfa] = -x[sfa] / c[tau_sfa];
    dx[rr] = -x[rr] / c[tau_rr];
  }
  static HWY_INLINE Mask fires(const Vec* /*before*/, const Vec* x, const Coefficients<Vec>& c) {
    return x[0] >= c[V_th];
  }
  static HWY_INLINE void reset(Mask fired, Vec* x, const Coefficients<Vec>& c) {
    x[0] = select(fired, c[V_reset], x[0]);
    x[sfa] = select(fired, x[sfa] + c[q_sfa], x[sfa]);
    x[rr] = select(fired, x[rr] + c[q_rr], x[rr]);
  }
};

void iaf_cond_exp_sfa_rr(OdeStep& step) {
  advance_ode<IafCondExpSfaRr>(step);
}

}  // namespace HWY_NAMESPACE
}  // namespace afterspike::spiking
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace afterspike::spiking {

HWY_EXPORT(iaf_cond_exp_sfa_rr);

ModelEntry entry_iaf_cond_exp_sfa_rr() {
  Model model;
  model.parameters = {
      parameter("capacitance", "C_m", "pF", 289.5, Range::positive),
      parameter("conductance", "g_L", "nS", 28.95, Range::positive),
      parameter("resting_potential", "E_L", "mV", -70),
      parameter("threshold", "V_th", "mV", -57),
      parameter("reset", "V_reset", "mV", -70),
      parameter("refractory", "t_ref", "ms", 0.5, Range::not_negative),
      parameter("excitatory_reversal", "E_ex", "mV", 0),
      parameter("inhibitory_reversal", "E_in", "mV", -75),
      parameter("excitatory_time_constant", "tau_syn_ex", "ms", 1.5, Range::positive),
      parameter("inhibitory_time_constant", "tau_syn_in", "ms", 10, Range::positive),
      parameter("adaptation_reversal", "E_sfa", "mV", -70),
      parameter("relative_refractory_reversal", "E_rr", "mV", -70),
      parameter("adaptation_time_constant", "tau_sfa", "ms", 110, Range::positive),
      parameter("relative_refractory_time_constant", "tau_rr", "ms", 1.97, Range::positive),
      parameter("adaptation_jump", "q_sfa", "nS", 14.48, Range::not_negative),
      parameter("relative_refractory_jump", "q_rr", "nS", 3214, Range::not_negative),
      parameter("constant_current", "I_e", "pA", 0),
      parameter("initial_potential", "V_m", "mV", -70)};
  model.receptors = two_receptors("nS", SynapseShape::exponential);
  model.variables = {{"V", "mV"}, {"g_sfa", "nS"}, {"g_rr", "nS"}};
  add_receptor_variables(model);
  model.current_unit = "pA";
  model.make_grid = AFTERSPIKE_ODE_GRID(iaf_cond_exp_sfa_rr, IafCondExpSfaRr);
  model.no_exact = "whose conductances multiply the voltage";
  return {"iaf_cond_exp_sfa_rr",
          "iaf_cond_exp with spike-frequency adaptation and relative refractoriness",
          std::move(model),
          "C_m dV/dt = -g_L (V - E_L) - g_ex (V - E_ex) - g_in (V - E_in) - g_sfa (V - E_sfa) - "
          "g_rr (V - E_rr) + I_e + I\ndg_sfa/dt = -g_sfa / tau_sfa, dg_rr/dt = -g_rr / tau_rr\n\n"
          "At the end of a step with V >= V_th the neuron spikes: g_sfa and g_rr grow by q_sfa and "
          "q_rr, and V stays at V_reset for t_ref.",
          "Muller et al. 2007; NEST 3.10, iaf_cond_exp_sfa_rr"};
}

}  // namespace afterspike::spiking
#endif
