// A leaky membrane with two exponential currents in closed form, for rules from step to step.
// Included again for each instruction set.

#if defined(AFTERSPIKE_LINEAR_INL_HPP) == defined(HWY_TARGET_TOGGLE)
#ifdef AFTERSPIKE_LINEAR_INL_HPP
#undef AFTERSPIKE_LINEAR_INL_HPP
#else
#define AFTERSPIKE_LINEAR_INL_HPP
#endif

#include "grid/ode-inl.hpp"
#include "models/propagators.hpp"

HWY_BEFORE_NAMESPACE();
namespace afterspike::spiking {
namespace HWY_NAMESPACE {

/// Sets the propagators of a model M over a step.
template <typename M>
void prepare_linear(double* c, double tau_m, double dt) {
  const Propagators p(tau_m, c[M::C_m], c[M::tau_syn_ex], c[M::tau_syn_in], dt);
  c[M::P_V] = p.keep;
  c[M::P_I] = p.gain;
  c[M::P_ex] = p.gain_ex;
  c[M::P_in] = p.gain_in;
  c[M::keep_ex] = p.keep_ex;
  c[M::keep_in] = p.keep_in;
}

/// Sets V to its initial value and all other states to 0.
template <typename M>
void initial_linear(const double* c, double* x) {
  std::fill(x, x + M::kStates, 0.0);
  x[0] = c[M::V_m];
}

/// V at the end of a step.
template <typename M>
HWY_INLINE Vec linear_voltage(const Vec* x, const Coefficients<Vec>& c, Vec current) {
  const Vec v = (x[0] - c[M::E_L]) * c[M::P_V] + x[M::i_ex] * c[M::P_ex] + x[M::i_in] * c[M::P_in] +
                current * c[M::P_I];
  return v + c[M::E_L];
}

/// Advances the currents over a step, at whose end spikes arrive.
template <typename M>
HWY_INLINE void receive(Vec* x, const Coefficients<Vec>& c, const Entering& e) {
  x[M::i_ex] = x[M::i_ex] * c[M::keep_ex] + e.arriving[0];
  x[M::i_in] = x[M::i_in] * c[M::keep_in] + e.arriving[1];
}

}  // namespace HWY_NAMESPACE
}  // namespace afterspike::spiking
HWY_AFTER_NAMESPACE();

#endif
