#include "exact/linear_rule.hpp"
#include "models/gif.hpp"

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "models/gif_psc_exp.cpp"
#include "grid/each_target.hpp"
#include "models/gif-inl.hpp"
#include "models/linear-inl.hpp"

HWY_BEFORE_NAMESPACE();
namespace afterspike::spiking {
namespace HWY_NAMESPACE {

struct GifPscExp : Gif<GifPscExp> {
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
    prepare_spikes(c, dt);
    prepare_linear<GifPscExp>(c, c[C_m] / c[g_L], dt);
    c[P_E] = -std::expm1(-dt * c[g_L] / c[C_m]) * c[E_L];
  }
  static double variable(const double* x, const double* /*c*/, std::size_t index) {
    constexpr std::size_t kRows[] = {V_state, I_stc, E_sfa, i_ex, i_in};
    return x[kRows[index]];
  }

  /// Spikes of this step reach the currents before V moves.
  static HWY_INLINE Mask step(Vec* x, const Coefficients<Vec>& c, Entering e) {
    sum_up(x, c);
    receive<GifPscExp>(x, c, e);
    const Vec v = c[P_I] * (e.current - x[I_stc]) + c[P_V] * x[0] + c[P_E] + x[i_ex] * c[P_ex] +
                  x[i_in] * c[P_in];
    return escape(x, v, c, e);
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

namespace {

/// The injected current, both spike-triggered and both synaptic currents, both parts of the
/// threshold, and V - E_L.
LinearNeuron exact_gif(const double* p) {
  using M = HWY_NAMESPACE::GifPscExp;
  enum : std::size_t { current, stc, i_ex = stc + 2, i_in, sfa, V = sfa + 2 };
  LinearNeuron n;
  const double per_C = 1 / p[M::C_m];
  n.rates = {0,
             1 / p[M::tau_stc_1],
             1 / p[M::tau_stc_2],
             1 / p[M::tau_syn_ex],
             1 / p[M::tau_syn_in],
             1 / p[M::tau_sfa_1],
             1 / p[M::tau_sfa_2],
             p[M::g_L] * per_C};
  n.couplings[V] = {per_C, -per_C, -per_C, per_C, per_C};
  n.initial[V] = p[M::V_m] - p[M::E_L];
  n.drive = {p[M::E_L] - p[M::V_T_star], {0, 0, 0, 0, 0, -1, -1, 1}};
  n.variables = {{p[M::E_L], {0, 0, 0, 0, 0, 0, 0, 1}},
                 {0, {0, 1, 1}},
                 {p[M::V_T_star], {0, 0, 0, 0, 0, 1, 1}},
                 {0, {0, 0, 0, 1}},
                 {0, {0, 0, 0, 0, 1}}};
  for (std::size_t j = 0; j < 2; ++j) {
    n.jumps[stc + j] = p[M::q_stc_1 + j];
    n.jumps[sfa + j] = p[M::q_sfa_1 + j];
  }
  n.factors[V] = 0;
  n.jumps[V] = p[M::V_reset] - p[M::E_L];
  n.constant_current = p[M::I_e];
  n.refractory = p[M::t_ref];
  n.search = 0.25 * p[M::C_m] / p[M::g_L];
  n.hazard = {p[M::lambda_0] * 1e-3, 1 / p[M::Delta_V]};
  return n;
}

/// Grows with the drive.
double gif_hazard(const std::array<double, 3>& p, double drive) {
  return p[0] == 0 ? 0 : p[0] * std::exp(drive * p[1]);
}

}  // namespace

ModelEntry entry_gif_psc_exp() {
  Model model = gif_model("pA");
  model.make_grid = AFTERSPIKE_ODE_GRID(gif_psc_exp, GifPscExp);
  model.make_exact = [](const Layout& layout, const Piece& piece) {
    return make_linear_rule(
        layout, piece,
        {.neuron = exact_gif, .receptors = {3, 4}, .held = {7}, .hazard = gif_hazard});
  };
  return {
      "gif_psc_exp",
      "generalized integrate-and-fire: spike-triggered currents, moving threshold, escape noise",
      std::move(model), gif_equations("-g_L (V - E_L) - sum_j stc_j + I_syn_ex + I_syn_in"),
      "Mensi et al. 2012; Pozzorini et al. 2015; NEST 3.10, gif_psc_exp"};
}

}  // namespace afterspike::spiking
#endif
