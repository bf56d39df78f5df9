#include "exact/linear_rule.hpp"
#include "models/ode_model.hpp"

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "models/mat2_psc_exp.cpp"
#include "grid/each_target.hpp"
#include "models/linear-inl.hpp"

HWY_BEFORE_NAMESPACE();
namespace afterspike::spiking {
namespace HWY_NAMESPACE {

struct Mat2PscExp : OdeModel {
  enum : std::size_t {
    C_m,
    tau_m,
    E_L,
    omega,
    alpha_1,
    alpha_2,
    tau_1,
    tau_2,
    t_ref,
    tau_syn_ex,
    tau_syn_in,
    I_e,
    V_m,
    P_V,
    P_I,
    P_ex,
    P_in,
    keep_ex,
    keep_in,
    keep_1,
    keep_2,
    kCoefficients
  };
  enum : std::size_t { V_state, i_ex, i_in, th_1, th_2, kAllStates };
  static constexpr std::size_t kStates = kAllStates;
  static constexpr std::array kShapes = {SynapseShape::exponential, SynapseShape::exponential};
  static constexpr std::array<std::size_t, 2> kTimeConstants = {tau_syn_ex, tau_syn_in};
  static constexpr int kRefractory = t_ref, kCurrent = I_e;

  static void prepare(double* c, double dt) {
    prepare_linear<Mat2PscExp>(c, c[tau_m], dt);
    c[keep_1] = std::exp(-dt / c[tau_1]);
    c[keep_2] = std::exp(-dt / c[tau_2]);
  }
  static void initial(const double* c, double* x) { initial_linear<Mat2PscExp>(c, x); }
  static double variable(const double* x, const double* c, std::size_t index) {
    if (index == 1) return c[omega] + x[th_1] + x[th_2];
    return x[index == 0 ? V_state : index - 1];
  }

  /// V is never reset; refractoriness blocks spikes only.
  static HWY_INLINE Mask step(Vec* x, const Coefficients<Vec>& c, Entering e) {
    x[0] = linear_voltage<Mat2PscExp>(x, c, e.current);
    x[th_1] = x[th_1] * c[keep_1];
    x[th_2] = x[th_2] * c[keep_2];
    receive<Mat2PscExp>(x, c, e);
    const Mask fired = (e.waiting <= Vec(0)) & (x[0] >= c[omega] + x[th_1] + x[th_2]);
    x[th_1] = select(fired, x[th_1] + c[alpha_1], x[th_1]);
    x[th_2] = select(fired, x[th_2] + c[alpha_2], x[th_2]);
    e.waiting = select(fired, e.refractory, max(e.waiting - 1, Vec(0)));
    return fired;
  }
};

void mat2_psc_exp(OdeStep& step) {
  advance_steps<Mat2PscExp>(step);
}

}  // namespace HWY_NAMESPACE
}  // namespace afterspike::spiking
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace afterspike::spiking {

HWY_EXPORT(mat2_psc_exp);

namespace {

/// The injected current, both synaptic currents, V - E_L and both parts of the threshold.
LinearNeuron exact_mat2(const double* p) {
  using M = HWY_NAMESPACE::Mat2PscExp;
  enum : std::size_t { current, i_ex, i_in, V, th_1, th_2 };
  LinearNeuron n;
  n.rates = {0,
             1 / p[M::tau_syn_ex],
             1 / p[M::tau_syn_in],
             1 / p[M::tau_m],
             1 / p[M::tau_1],
             1 / p[M::tau_2]};
  const double per_C = 1 / p[M::C_m];
  n.couplings[V] = {per_C, per_C, per_C};
  n.initial[V] = p[M::V_m] - p[M::E_L];
  n.drive = {p[M::E_L] - p[M::omega], {0, 0, 0, 1, -1, -1}};
  n.variables = {
      {p[M::E_L], {0, 0, 0, 1}}, {p[M::omega], {0, 0, 0, 0, 1, 1}}, {0, {0, 1}}, {0, {0, 0, 1}}};
  n.jumps[th_1] = p[M::alpha_1];
  n.jumps[th_2] = p[M::alpha_2];
  n.constant_current = p[M::I_e];
  n.refractory = p[M::t_ref];
  n.search = 0.25 * p[M::tau_m];
  return n;
}

}  // namespace

ModelEntry entry_mat2_psc_exp() {
  Model model;
  model.parameters = {parameter("capacitance", "C_m", "pF", 100, Range::positive),
                      parameter("membrane_time_constant", "tau_m", "ms", 5, Range::positive),
                      parameter("resting_potential", "E_L", "mV", -70),
                      parameter("resting_threshold", "omega", "mV", -51),
                      parameter("threshold_spike_add_1", "alpha_1", "mV", 37),
                      parameter("threshold_spike_add_2", "alpha_2", "mV", 2),
                      parameter("threshold_time_constant_1", "tau_1", "ms", 10, Range::positive),
                      parameter("threshold_time_constant_2", "tau_2", "ms", 200, Range::positive),
                      parameter("refractory", "t_ref", "ms", 2, Range::not_negative),
                      parameter("excitatory_time_constant", "tau_syn_ex", "ms", 1, Range::positive),
                      parameter("inhibitory_time_constant", "tau_syn_in", "ms", 3, Range::positive),
                      parameter("constant_current", "I_e", "pA", 0),
                      parameter("initial_potential", "V_m", "mV", -70)};
  model.receptors = two_receptors("pA", SynapseShape::exponential);
  model.variables = {{"V", "mV"}, {"V_th", "mV"}, {"I_syn_ex", "pA"}, {"I_syn_in", "pA"}};
  model.presets = {{"rs",
                    "Kobayashi et al. 2009, table 1",
                    {{"E_L", {-65}},
                     {"tau_m", {5}},
                     {"C_m", {100}},
                     {"alpha_1", {30}},
                     {"alpha_2", {2}},
                     {"omega", {-45}},
                     {"V_m", {-65}}}},
                   {"ib",
                    "Kobayashi et al. 2009, table 1",
                    {{"E_L", {-65}},
                     {"tau_m", {5}},
                     {"C_m", {100}},
                     {"alpha_1", {7.5}},
                     {"alpha_2", {1.5}},
                     {"omega", {-46}},
                     {"V_m", {-65}}}},
                   {"fs",
                    "Kobayashi et al. 2009, table 1",
                    {{"E_L", {-65}},
                     {"tau_m", {5}},
                     {"C_m", {100}},
                     {"alpha_1", {10}},
                     {"alpha_2", {0.2}},
                     {"omega", {-55}},
                     {"V_m", {-65}}}},
                   {"ch",
                    "Kobayashi et al. 2009, table 1",
                    {{"E_L", {-65}},
                     {"tau_m", {5}},
                     {"C_m", {100}},
                     {"alpha_1", {-0.5}},
                     {"alpha_2", {0.4}},
                     {"omega", {-39}},
                     {"V_m", {-65}}}}};
  model.current_unit = "pA";
  model.make_grid = AFTERSPIKE_ODE_GRID(mat2_psc_exp, Mat2PscExp);
  model.make_exact = [](const Layout& layout, const Piece& piece) {
    return make_linear_rule(layout, piece, {.neuron = exact_mat2, .receptors = {1, 2}});
  };
  return {"mat2_psc_exp", "multi-timescale adaptive threshold, voltage never reset",
          std::move(model),
          "C_m dV/dt = -C_m (V - E_L) / tau_m + I_syn_ex + I_syn_in + I_e + I\nV_th = omega + "
          "theta_1 + theta_2, dtheta_j/dt ="
          " -theta_j / tau_j\n\n"
          "A step with V >= V_th at its end spikes, unless the last spike is less than t_ref ago; "
          "theta_j grows by"
          " alpha_j. V is not reset.",
          "Kobayashi et al. 2009; NEST 3.10, mat2_psc_exp"};
}

}  // namespace afterspike::spiking
#endif
