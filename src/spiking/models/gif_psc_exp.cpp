#include "models/ode_model.hpp"
#include "models/propagators.hpp"

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "models/gif_psc_exp.cpp"
#include "grid/each_target.hpp"
#include "grid/ode-inl.hpp"

HWY_BEFORE_NAMESPACE();
namespace afterspike::spiking {
namespace HWY_NAMESPACE {

struct GifPscExp : OdeModel {
  enum : std::size_t {
    C_m,
    g_L,
    E_L,
    V_reset,
    V_T_star,
    Delta_V,
    lambda_0,
    t_ref,
    q_stc_1,
    q_stc_2,
    tau_stc_1,
    tau_stc_2,
    q_sfa_1,
    q_sfa_2,
    tau_sfa_1,
    tau_sfa_2,
    tau_syn_ex,
    tau_syn_in,
    I_e,
    V_m,
    stc_keep_1,
    stc_keep_2,
    sfa_keep_1,
    sfa_keep_2,
    per_slope,
    hazard,
    P_V,
    P_I,
    P_E,
    P_ex,
    P_in,
    keep_ex,
    keep_in,
    kCoefficients
  };
  enum : std::size_t {
    V_state,
    i_ex,
    i_in,
    stc,
    sfa = stc + 2,
    I_stc = sfa + 2,
    E_sfa,
    kAllStates
  };
  static constexpr std::size_t kStates = kAllStates;
  static constexpr std::array kShapes = {SynapseShape::exponential, SynapseShape::exponential};
  static constexpr std::array<std::size_t, 2> kTimeConstants = {tau_syn_ex, tau_syn_in};
  static constexpr int kRefractory = t_ref, kCurrent = I_e;
  static constexpr bool kRandom = true;

  static void prepare(double* c, double dt) {
    for (std::size_t j = 0; j < 2; ++j) {
      c[stc_keep_1 + j] = std::exp(-dt / c[tau_stc_1 + j]);
      c[sfa_keep_1 + j] = std::exp(-dt / c[tau_sfa_1 + j]);
    }
    c[per_slope] = 1 / c[Delta_V];
    c[hazard] = c[lambda_0] * 1e-3 * dt;
    const Propagators p(c[C_m] / c[g_L], c[C_m], c[tau_syn_ex], c[tau_syn_in], dt);
    c[P_V] = p.keep;
    c[P_I] = p.gain;
    c[P_E] = -std::expm1(-dt * c[g_L] / c[C_m]) * c[E_L];
    c[P_ex] = p.gain_ex;
    c[P_in] = p.gain_in;
    c[keep_ex] = p.keep_ex;
    c[keep_in] = p.keep_in;
  }
  static void initial(const double* c, double* x) {
    std::fill(x, x + kStates, 0.0);
    x[0] = c[V_m];
    x[E_sfa] = c[V_T_star];
  }
  static double variable(const double* x, const double* /*c*/, std::size_t index) {
    constexpr std::size_t kRows[] = {V_state, I_stc, E_sfa, i_ex, i_in};
    return x[kRows[index]];
  }

  /// Spikes of this step reach the currents before V moves.
  static HWY_INLINE Mask step(Vec* x, const Coefficients<Vec>& c, Entering e) {
    x[I_stc] = x[stc] + x[stc + 1];
    x[E_sfa] = c[V_T_star] + x[sfa] + x[sfa + 1];
    x[i_ex] = x[i_ex] * c[keep_ex] + e.arriving[0];
    x[i_in] = x[i_in] * c[keep_in] + e.arriving[1];
    const Mask ready = e.waiting <= Vec(0);
    const Vec v = c[P_I] * (e.current - x[I_stc]) + c[P_V] * x[0] + c[P_E] + x[i_ex] * c[P_ex] +
                  x[i_in] * c[P_in];
    x[0] = select(ready, v, c[V_reset]);
    const Vec expected = c[hazard] * exp((x[0] - x[E_sfa]) * c[per_slope]);
    const Mask fired = ready & (e.random < one_minus_exp(expected));
    for (std::size_t j = 0; j < 2; ++j) {
      x[stc + j] = x[stc + j] * c[stc_keep_1 + j];
      x[sfa + j] = x[sfa + j] * c[sfa_keep_1 + j];
      x[stc + j] = select(fired, x[stc + j] + c[q_stc_1 + j], x[stc + j]);
      x[sfa + j] = select(fired, x[sfa + j] + c[q_sfa_1 + j], x[sfa + j]);
    }
    e.waiting = select(fired, e.refractory, max(e.waiting - 1, Vec(0)));
    return fired;
  }
};

void gif_psc_exp(OdeStep& step) {
  advance_steps<GifPscExp>(step);
}

}  // namespace HWY_NAMESPACE
}  // namespace afterspike::spiking
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace afterspike::spiking {

HWY_EXPORT(gif_psc_exp);

ModelEntry entry_gif_psc_exp() {
  Model model;
  model.parameters = {
      parameter("capacitance", "C_m", "pF", 80, Range::positive),
      parameter("conductance", "g_L", "nS", 4, Range::positive),
      parameter("resting_potential", "E_L", "mV", -70),
      parameter("reset", "V_reset", "mV", -55),
      parameter("threshold", "V_T_star", "mV", -35),
      parameter("softness", "Delta_V", "mV", 0.5, Range::positive),
      parameter("hazard", "lambda_0", "1/s", 1, Range::not_negative),
      parameter("refractory", "t_ref", "ms", 4, Range::not_negative),
      parameter("spike_current_1", "q_stc[0]", "pA", 0),
      parameter("spike_current_2", "q_stc[1]", "pA", 0),
      parameter("spike_current_time_constant_1", "tau_stc[0]", "ms", 10, Range::positive),
      parameter("spike_current_time_constant_2", "tau_stc[1]", "ms", 100, Range::positive),
      parameter("threshold_spike_add_1", "q_sfa[0]", "mV", 0),
      parameter("threshold_spike_add_2", "q_sfa[1]", "mV", 0),
      parameter("threshold_spike_time_constant_1", "tau_sfa[0]", "ms", 10, Range::positive),
      parameter("threshold_spike_time_constant_2", "tau_sfa[1]", "ms", 100, Range::positive),
      parameter("excitatory_time_constant", "tau_syn_ex", "ms", 2, Range::positive),
      parameter("inhibitory_time_constant", "tau_syn_in", "ms", 2, Range::positive),
      parameter("constant_current", "I_e", "pA", 0),
      parameter("initial_potential", "V_m", "mV", -70)};
  model.receptors = two_receptors("pA", SynapseShape::exponential);
  model.variables = {
      {"V", "mV"}, {"I_stc", "pA"}, {"E_sfa", "mV"}, {"I_syn_ex", "pA"}, {"I_syn_in", "pA"}};
  model.presets = {
      {"mensi",
       "Mensi et al. 2012, GABAergic cell, in the example of the oscillating population",
       {{"C_m", {83.1}},
        {"g_L", {3.7}},
        {"E_L", {-67}},
        {"V_reset", {-36.7}},
        {"V_T_star", {-39.6}},
        {"Delta_V", {1.4}},
        {"lambda_0", {1}},
        {"t_ref", {4}},
        {"q_stc[0]", {56.7}},
        {"q_stc[1]", {-6.9}},
        {"tau_stc[0]", {57.8}},
        {"tau_stc[1]", {218.2}},
        {"q_sfa[0]", {11.7}},
        {"q_sfa[1]", {1.8}},
        {"tau_sfa[0]", {53.8}},
        {"tau_sfa[1]", {640}},
        {"V_m", {-67}}}}};
  model.current_unit = "pA";
  model.make_grid = AFTERSPIKE_ODE_GRID(gif_psc_exp, GifPscExp);
  model.no_exact = "whose spikes are drawn from step to step";
  return {
      "gif_psc_exp",
      "generalized integrate-and-fire: spike-triggered currents, moving threshold, escape noise",
      std::move(model),
      "C_m dV/dt = -g_L (V - E_L) - sum_j stc_j + I_syn_ex + I_syn_in + I_e + I\nd(stc_j)/dt = "
      "-stc_j / tau_stc[j], d(sfa_j)/dt = -sfa_j / tau_sfa[j]\n\n"
      "In a step the neuron spikes with probability 1 - exp(-lambda_0 exp((V - V_T_star - sum_j "
      "sfa_j) / Delta_V)"
      " dt). Then stc_j and sfa_j grow by q_stc[j] and q_sfa[j], and V is V_reset for t_ref.",
      "Mensi et al. 2012; Pozzorini et al. 2015; NEST 3.10, gif_psc_exp"};
}

}  // namespace afterspike::spiking
#endif
