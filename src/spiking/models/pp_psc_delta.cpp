#include "exact/linear_rule.hpp"
#include "models/ode_model.hpp"

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "models/pp_psc_delta.cpp"
#include "grid/each_target.hpp"
#include "grid/ode-inl.hpp"

HWY_BEFORE_NAMESPACE();
namespace afterspike::spiking {
namespace HWY_NAMESPACE {

struct PpPscDelta : OdeModel {
  enum : std::size_t {
    C_m,
    tau_m,
    c_1,
    c_2,
    c_3,
    dead_time,
    with_reset,
    q_sfa_1,
    q_sfa_2,
    tau_sfa_1,
    tau_sfa_2,
    I_e,
    V_m,
    P_V,
    P_I,
    keep_1,
    keep_2,
    step_s,
    kCoefficients
  };
  enum : std::size_t { V_state, sfa, kAllStates = sfa + 2 };
  static constexpr std::size_t kStates = kAllStates;
  static constexpr std::array kShapes = {SynapseShape::delta};
  static constexpr int kRefractory = dead_time, kCurrent = I_e;
  static constexpr bool kRandom = true;

  static void prepare(double* c, double dt) {
    c[P_V] = std::exp(-dt / c[tau_m]);
    c[P_I] = -std::expm1(-dt / c[tau_m]) * c[tau_m] / c[C_m];
    c[keep_1] = std::exp(-dt / c[tau_sfa_1]);
    c[keep_2] = std::exp(-dt / c[tau_sfa_2]);
    c[step_s] = dt * 1e-3;
  }
  static void initial(const double* c, double* x) {
    std::fill(x, x + kStates, 0.0);
    x[0] = c[V_m];
  }
  static double variable(const double* x, const double* /*c*/, std::size_t index) {
    return index == 0 ? x[0] : x[sfa] + x[sfa + 1];
  }

  /// V moves during the dead time, too.
  static HWY_INLINE Mask step(Vec* x, const Coefficients<Vec>& c, Entering e) {
    x[0] = c[P_I] * e.current + c[P_V] * x[0] + e.arriving[0];
    x[sfa] = x[sfa] * c[keep_1];
    x[sfa + 1] = x[sfa + 1] * c[keep_2];
    const Vec v = x[0] - x[sfa] - x[sfa + 1];
    const Vec rate = max(c[c_1] * v + c[c_2] * exp(c[c_3] * v), Vec(0));
    const Mask fired = (e.waiting <= Vec(0)) & (e.random < one_minus_exp(rate * c[step_s]));
    x[sfa] = select(fired, x[sfa] + c[q_sfa_1], x[sfa]);
    x[sfa + 1] = select(fired, x[sfa + 1] + c[q_sfa_2], x[sfa + 1]);
    x[0] = select(fired & (c[with_reset] > Vec(0)), Vec(0), x[0]);
    e.waiting = select(fired, e.refractory, max(e.waiting - 1, Vec(0)));
    return fired;
  }
};

void pp_psc_delta(OdeStep& step) {
  advance_steps<PpPscDelta>(step);
}

}  // namespace HWY_NAMESPACE
}  // namespace afterspike::spiking
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace afterspike::spiking {

HWY_EXPORT(pp_psc_delta);

namespace {

/// The injected current, V and both parts of the adaptation.
LinearNeuron exact_pp(const double* p) {
  using M = HWY_NAMESPACE::PpPscDelta;
  enum : std::size_t { current, V, sfa };
  LinearNeuron n;
  n.rates = {0, 1 / p[M::tau_m], 1 / p[M::tau_sfa_1], 1 / p[M::tau_sfa_2]};
  n.couplings[V][current] = 1 / p[M::C_m];
  n.initial[V] = p[M::V_m];
  n.drive = {0, {0, 1, -1, -1}};
  n.variables = {{0, {0, 1}}, {0, {0, 0, 1, 1}}};
  n.jumps[sfa] = p[M::q_sfa_1];
  n.jumps[sfa + 1] = p[M::q_sfa_2];
  if (p[M::with_reset] > 0) n.factors[V] = 0;
  n.constant_current = p[M::I_e];
  n.refractory = p[M::dead_time];
  n.search = 0.25 * p[M::tau_m];
  n.hazard = {p[M::c_1] * 1e-3, p[M::c_2] * 1e-3, p[M::c_3]};
  return n;
}

/// Convex, since c_2 is not negative, and so is its maximum with 0.
double pp_hazard(const std::array<double, 3>& p, double drive) {
  const double exponential = p[1] == 0 ? 0 : p[1] * std::exp(p[2] * drive);
  return std::max(p[0] * drive + exponential, 0.0);
}

}  // namespace

ModelEntry entry_pp_psc_delta() {
  Model model;
  model.parameters = {
      parameter("capacitance", "C_m", "pF", 250, Range::positive),
      parameter("membrane_time_constant", "tau_m", "ms", 10, Range::positive),
      parameter("hazard_slope", "c_1", "1/(mV*s)", 0),
      parameter("hazard", "c_2", "1/s", 1.238, Range::not_negative),
      parameter("hazard_exponent", "c_3", "1/mV", 0.25),
      parameter("refractory", "dead_time", "ms", 1, Range::positive),
      parameter("with_reset", "with_reset", "1", 1, Range::fraction),
      parameter("threshold_spike_add_1", "q_sfa[0]", "mV", 0),
      parameter("threshold_spike_add_2", "q_sfa[1]", "mV", 0),
      parameter("threshold_spike_time_constant_1", "tau_sfa[0]", "ms", 34, Range::positive),
      parameter("threshold_spike_time_constant_2", "tau_sfa[1]", "ms", 340, Range::positive),
      parameter("constant_current", "I_e", "pA", 0),
      parameter("initial_potential", "V_m", "mV", 0)};
  model.receptors = {{"voltage", "mV", SynapseShape::delta}};
  model.variables = {{"V", "mV"}, {"E_sfa", "mV"}};
  model.current_unit = "pA";
  model.make_grid = AFTERSPIKE_ODE_GRID(pp_psc_delta, PpPscDelta);
  model.make_exact = [](const Layout& layout, const Piece& piece) {
    return make_linear_rule(layout, piece,
                            {.neuron = exact_pp, .receptors = {1}, .hazard = pp_hazard});
  };
  return {"pp_psc_delta", "leaky membrane, spikes of a point process", std::move(model),
          "dV/dt = -V / tau_m + (I_e + I) / C_m, V measured from rest\n\n"
          "In a step the neuron spikes with probability 1 - exp(-rate dt), rate = max(0, c_1 V' + "
          "c_2 exp(c_3 V')), V' = V -"
          " sum_j sfa_j. Then V = 0 if with_reset is 1, sfa_j grows by q_sfa[j] and decays with "
          "tau_sfa[j], and no spike"
          " follows for dead_time, in which V moves. A spike of weight w adds w to V.",
          "Cardanobile and Rotter 2010; Jolivet et al. 2006; NEST 3.10, pp_psc_delta"};
}

}  // namespace afterspike::spiking
#endif
