#include "models/gif.hpp"

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "models/gif_cond_exp.cpp"
#include "grid/each_target.hpp"
#include "models/gif-inl.hpp"

HWY_BEFORE_NAMESPACE();
namespace afterspike::spiking {
namespace HWY_NAMESPACE {

struct GifCondExp : Gif<GifCondExp> {
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
    E_ex,
    E_in,
    stc_keep_1,
    stc_keep_2,
    sfa_keep_1,
    sfa_keep_2,
    per_slope,
    hazard,
    per_C,
    kCoefficients
  };
  enum : std::size_t { V_state, stc, sfa = stc + 2, I_stc = sfa + 2, E_sfa, kAllStates };
  static constexpr std::size_t kStates = kAllStates, kIntegrated = 1;
  static constexpr std::array kShapes = {SynapseShape::exponential, SynapseShape::exponential};
  static constexpr std::array<std::size_t, 2> kTimeConstants = {tau_syn_ex, tau_syn_in};
  static constexpr int kRefractory = t_ref, kCurrent = I_e;
  static constexpr bool kRandom = true;

  static void prepare(double* c, double dt) {
    prepare_spikes(c, dt);
    c[per_C] = 1 / c[C_m];
  }
  static double variable(const double* x, const double* /*c*/, std::size_t index) {
    constexpr std::size_t kRows[] = {V_state, I_stc, E_sfa};
    return index < 3 ? x[kRows[index]] : kReceptorVariable;
  }

  template <typename V>
  static HWY_INLINE void derivatives(const V* x, const Coefficients<V>& c, const V* g, V current,
                                     V* dx) {
    dx[0] = (current - x[stc] - x[stc + 1] - c[g_L] * (x[0] - c[E_L]) - g[0] * (x[0] - c[E_ex]) -
             g[1] * (x[0] - c[E_in])) *
            c[per_C];
  }
  static HWY_INLINE Mask finish(const Vec* /*before*/, Vec* x, const Coefficients<Vec>& c,
                                Ending e) {
    sum_up(x, c);
    return escape(x, x[0], c, e);
  }
};

void gif_cond_exp(OdeStep& step) {
  advance_ode<GifCondExp>(step);
}

}  // namespace HWY_NAMESPACE
}  // namespace afterspike::spiking
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace afterspike::spiking {

HWY_EXPORT(gif_cond_exp);

ModelEntry entry_gif_cond_exp() {
  Model model = gif_model("nS");
  model.parameters.push_back(parameter("excitatory_reversal", "E_ex", "mV", 0));
  model.parameters.push_back(parameter("inhibitory_reversal", "E_in", "mV", -85));
  model.make_grid = AFTERSPIKE_ODE_GRID(gif_cond_exp, GifCondExp);
  model.no_exact = "whose conductances multiply the voltage";
  return {"gif_cond_exp", "generalized integrate-and-fire with conductances", std::move(model),
          gif_equations("-g_L (V - E_L) - g_ex (V - E_ex) - g_in (V - E_in) - sum_j stc_j"),
          "Mensi et al. 2012; NEST 3.10, gif_cond_exp"};
}

}  // namespace afterspike::spiking
#endif
