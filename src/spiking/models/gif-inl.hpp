// Spike-triggered currents, moving threshold and escape noise of generalized integrate-and-fire
// neurons (Mensi et al. 2012). Included again for each instruction set.

#if defined(AFTERSPIKE_GIF_INL_HPP) == defined(HWY_TARGET_TOGGLE)
#ifdef AFTERSPIKE_GIF_INL_HPP
#undef AFTERSPIKE_GIF_INL_HPP
#else
#define AFTERSPIKE_GIF_INL_HPP
#endif

#include "grid/ode-inl.hpp"

HWY_BEFORE_NAMESPACE();
namespace afterspike::spiking {
namespace HWY_NAMESPACE {

/// The rule of a model M, whose enumerators name coefficients and states.
template <typename M>
struct Gif : OdeModel {
  static void prepare_spikes(double* c, double dt) {
    for (std::size_t j = 0; j < 2; ++j) {
      c[M::stc_keep_1 + j] = std::exp(-dt / c[M::tau_stc_1 + j]);
      c[M::sfa_keep_1 + j] = std::exp(-dt / c[M::tau_sfa_1 + j]);
    }
    c[M::per_slope] = 1 / c[M::Delta_V];
    c[M::hazard] = c[M::lambda_0] * 1e-3 * dt;
  }

  static void initial(const double* c, double* x) {
    std::fill(x, x + M::kStates, 0.0);
    x[0] = c[M::V_m];
    x[M::E_sfa] = c[M::V_T_star];
  }

  /// Sets the variables that are recorded, which a step uses before they decay.
  static HWY_INLINE void sum_up(Vec* x, const Coefficients<Vec>& c) {
    x[M::I_stc] = x[M::stc] + x[M::stc + 1];
    x[M::E_sfa] = c[M::V_T_star] + x[M::sfa] + x[M::sfa + 1];
  }

  /// Moves V to `v` and draws spikes at the end of a step.
  template <typename End>
  static HWY_INLINE Mask escape(Vec* x, Vec v, const Coefficients<Vec>& c, End& e) {
    const Mask ready = e.waiting <= Vec(0);
    x[0] = select(ready, v, c[M::V_reset]);
    const Vec expected = c[M::hazard] * exp((x[0] - x[M::E_sfa]) * c[M::per_slope]);
    const Mask fired = ready & (e.random < one_minus_exp(expected));
    for (std::size_t j = 0; j < 2; ++j) {
      Vec& current = x[M::stc + j];
      Vec& threshold = x[M::sfa + j];
      current = current * c[M::stc_keep_1 + j];
      threshold = threshold * c[M::sfa_keep_1 + j];
      current = select(fired, current + c[M::q_stc_1 + j], current);
      threshold = select(fired, threshold + c[M::q_sfa_1 + j], threshold);
    }
    e.waiting = select(fired, e.refractory, max(e.waiting - 1, Vec(0)));
    return fired;
  }
};

}  // namespace HWY_NAMESPACE
}  // namespace afterspike::spiking
HWY_AFTER_NAMESPACE();

#endif
