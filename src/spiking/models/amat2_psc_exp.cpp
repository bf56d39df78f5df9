#include "exact/linear_rule.hpp"
#include "models/ode_model.hpp"
#include "models/propagators.hpp"

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "models/amat2_psc_exp.cpp"
#include "grid/each_target.hpp"
#include "grid/ode-inl.hpp"

HWY_BEFORE_NAMESPACE();
namespace afterspike::spiking {
namespace HWY_NAMESPACE {

struct Amat2PscExp : OdeModel {
  enum : std::size_t {
    C_m,
    tau_m,
    E_L,
    omega,
    alpha_1,
    alpha_2,
    tau_1,
    tau_2,
    beta,
    tau_v,
    t_ref,
    tau_syn_ex,
    tau_syn_in,
    I_e,
    V_m,
    keep_1,
    keep_2,
    rows,
    kCoefficients = rows + 30
  };
  /// The first five are linear: their propagator has a column for each, and one for I.
  enum : std::size_t { i_ex, i_in, V_rel, slope_part, th_v, th_1, th_2, V_state, kAllStates };
  static constexpr std::size_t kLinear = 5;
  static constexpr std::size_t kStates = kAllStates;
  static constexpr std::array kShapes = {SynapseShape::exponential, SynapseShape::exponential};
  static constexpr std::array<std::size_t, 2> kTimeConstants = {tau_syn_ex, tau_syn_in};
  static constexpr int kRefractory = t_ref, kCurrent = I_e;
  static constexpr bool kVoltage = false;  // Not the first state.

  static void prepare(double* c, double dt) {
    SquareMatrix<kLinear + 1> a{};
    a[i_ex][i_ex] = -1 / c[tau_syn_ex];
    a[i_in][i_in] = -1 / c[tau_syn_in];
    a[V_rel] = {1 / c[C_m], 1 / c[C_m], -1 / c[tau_m], 0, 0, 1 / c[C_m]};
    for (std::size_t j = 0; j <= kLinear; ++j) a[slope_part][j] = c[beta] * a[V_rel][j];
    a[slope_part][slope_part] -= 1 / c[tau_v];
    a[th_v][slope_part] = 1;
    a[th_v][th_v] = -1 / c[tau_v];
    for (auto& row : a) {
      for (double& value : row) value *= dt;
    }
    const auto p = matrix_exponential(a);
    for (std::size_t i = 0; i < kLinear; ++i) {
      for (std::size_t j = 0; j <= kLinear; ++j) c[rows + i * (kLinear + 1) + j] = p[i][j];
    }
    c[keep_1] = std::exp(-dt / c[tau_1]);
    c[keep_2] = std::exp(-dt / c[tau_2]);
  }
  static void initial(const double* c, double* x) {
    std::fill(x, x + kStates, 0.0);
    x[V_rel] = c[V_m] - c[E_L];
    x[V_state] = c[V_m];
  }
  static double variable(const double* x, const double* c, std::size_t index) {
    if (index == 0) return x[V_state];
    if (index == 1) return c[omega] + x[th_1] + x[th_2] + x[th_v];
    return index == 2 ? x[th_v] : x[index - 3];
  }

  static HWY_INLINE Mask step(Vec* x, const Coefficients<Vec>& c, Entering e) {
    Vec next[kLinear];
    for (std::size_t i = i_ex; i < kLinear; ++i) {
      // Zeros of the propagator: receptors depend on themselves alone, V not on its threshold.
      const std::size_t first = i == i_in ? i_in : i_ex;
      const std::size_t last = i < V_rel ? i : (i == V_rel ? V_rel : i);
      const std::size_t row = rows + i * (kLinear + 1);
      Vec sum = i < V_rel ? Vec(0) : e.current * c[row + kLinear];
      for (std::size_t j = first; j <= last; ++j) sum = sum + x[j] * c[row + j];
      next[i] = sum;
    }
    for (std::size_t i = 0; i < kLinear; ++i) x[i] = next[i];
    x[i_ex] = x[i_ex] + e.arriving[0];
    x[i_in] = x[i_in] + e.arriving[1];
    x[V_state] = x[V_rel] + c[E_L];
    x[th_1] = x[th_1] * c[keep_1];
    x[th_2] = x[th_2] * c[keep_2];
    const Mask fired =
        (e.waiting <= Vec(0)) & (x[V_state] >= c[omega] + x[th_1] + x[th_2] + x[th_v]);
    x[th_1] = select(fired, x[th_1] + c[alpha_1], x[th_1]);
    x[th_2] = select(fired, x[th_2] + c[alpha_2], x[th_2]);
    e.waiting = select(fired, e.refractory, max(e.waiting - 1, Vec(0)));
    return fired;
  }
};

void amat2_psc_exp(OdeStep& step) {
  advance_steps<Amat2PscExp>(step);
}

}  // namespace HWY_NAMESPACE
}  // namespace afterspike::spiking
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace afterspike::spiking {

HWY_EXPORT(amat2_psc_exp);

namespace {

/// The injected current, both synaptic currents, V - E_L, and the parts of the threshold: two that
/// spikes raise, and theta_v, which lags behind beta dV/dt twice:
///   slope' = beta V' - slope / tau_v, theta_v' = slope - theta_v / tau_v.
LinearNeuron exact_amat2(const double* p) {
  using M = HWY_NAMESPACE::Amat2PscExp;
  enum : std::size_t { current, i_ex, i_in, V, slope, th_v, th_1, th_2 };
  LinearNeuron n;
  const double rate_v = 1 / p[M::tau_v], per_C = 1 / p[M::C_m], beta = p[M::beta];
  n.rates = {0,      1 / p[M::tau_syn_ex], 1 / p[M::tau_syn_in], 1 / p[M::tau_m], rate_v,
             rate_v, 1 / p[M::tau_1],      1 / p[M::tau_2]};
  n.couplings[V] = {per_C, per_C, per_C};
  n.couplings[slope] = {beta * per_C, beta * per_C, beta * per_C, -beta / p[M::tau_m]};
  n.couplings[th_v][slope] = 1;
  n.initial[V] = p[M::V_m] - p[M::E_L];
  n.drive = {p[M::E_L] - p[M::omega], {0, 0, 0, 1, 0, -1, -1, -1}};
  n.variables = {{p[M::E_L], {0, 0, 0, 1}},
                 {p[M::omega], {0, 0, 0, 0, 0, 1, 1, 1}},
                 {0, {0, 0, 0, 0, 0, 1}},
                 {0, {0, 1}},
                 {0, {0, 0, 1}}};
  n.jumps[th_1] = p[M::alpha_1];
  n.jumps[th_2] = p[M::alpha_2];
  n.constant_current = p[M::I_e];
  n.refractory = p[M::t_ref];
  n.search = 0.25 * p[M::tau_m];
  return n;
}

}  // namespace

ModelEntry entry_amat2_psc_exp() {
  Model model;
  model.parameters = {
      parameter("capacitance", "C_m", "pF", 200, Range::positive),
      parameter("membrane_time_constant", "tau_m", "ms", 10, Range::positive),
      parameter("resting_potential", "E_L", "mV", -70),
      parameter("resting_threshold", "omega", "mV", -65),
      parameter("threshold_spike_add_1", "alpha_1", "mV", 10),
      parameter("threshold_spike_add_2", "alpha_2", "mV", 0),
      parameter("threshold_time_constant_1", "tau_1", "ms", 10, Range::positive),
      parameter("threshold_time_constant_2", "tau_2", "ms", 200, Range::positive),
      parameter("threshold_voltage_gain", "beta", "1/ms", 0),
      parameter("threshold_voltage_time_constant", "tau_v", "ms", 5, Range::positive),
      parameter("refractory", "t_ref", "ms", 2, Range::not_negative),
      parameter("excitatory_time_constant", "tau_syn_ex", "ms", 1, Range::positive),
      parameter("inhibitory_time_constant", "tau_syn_in", "ms", 3, Range::positive),
      parameter("constant_current", "I_e", "pA", 0),
      parameter("initial_potential", "V_m", "mV", -70)};
  model.receptors = two_receptors("pA", SynapseShape::exponential);
  model.variables = {
      {"V", "mV"}, {"V_th", "mV"}, {"V_th_v", "mV"}, {"I_syn_ex", "pA"}, {"I_syn_in", "pA"}};
  model.current_unit = "pA";
  model.make_grid = AFTERSPIKE_ODE_GRID(amat2_psc_exp, Amat2PscExp);
  model.make_exact = [](const Layout& layout, const Piece& piece) {
    return make_linear_rule(layout, piece, {.neuron = exact_amat2, .receptors = {1, 2}});
  };
  return {"amat2_psc_exp", "mat2_psc_exp with a threshold that follows the slope of the voltage",
          std::move(model),
          "mat2_psc_exp with V_th = omega + theta_1 + theta_2 + theta_v, where theta_v(t) = beta "
          "integral of s exp(-s /"
          " tau_v) dV/dt(t - s) ds",
          "Yamauchi et al. 2011; NEST 3.10, amat2_psc_exp"};
}

}  // namespace afterspike::spiking
#endif
