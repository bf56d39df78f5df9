// Leaky integrate-and-fire with conductances of any shape. Included again for each instruction set.

#if defined(AFTERSPIKE_IAF_COND_INL_HPP) == defined(HWY_TARGET_TOGGLE)
#ifdef AFTERSPIKE_IAF_COND_INL_HPP
#undef AFTERSPIKE_IAF_COND_INL_HPP
#else
#define AFTERSPIKE_IAF_COND_INL_HPP
#endif

#include "grid/ode-inl.hpp"

HWY_BEFORE_NAMESPACE();
namespace afterspike::spiking {
namespace HWY_NAMESPACE {

template <SynapseShape kShape>
struct IafCond : OdeModel {
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
    I_e,
    V_m,
    per_C,
    leak,
    kCoefficients
  };
  static constexpr std::array kShapes = {kShape, kShape};
  static constexpr std::array<std::size_t, 2> kTimeConstants = {tau_syn_ex, tau_syn_in};
  static constexpr int kRefractory = t_ref, kCurrent = I_e;

  static void prepare(double* c, double /*dt_ms*/) {
    c[per_C] = 1 / c[C_m];
    c[leak] = c[g_L] * c[E_L];
  }
  static void initial(const double* c, double* x) { x[0] = c[V_m]; }

  template <typename V>
  static HWY_INLINE void derivatives(const V* x, const Coefficients<V>& c, const V* g, V current,
                                     V* dx) {
    // Sums of the conductances, and of the conductances times their reversal potentials, are the
    // same in both middle slopes of a step.
    const V total = c[g_L] + g[0] + g[1];
    const V drive = c[leak] + current + g[0] * c[E_ex] + g[1] * c[E_in];
    dx[0] = (drive - total * x[0]) * c[per_C];
  }
  static HWY_INLINE Mask fires(const Vec* /*before*/, const Vec* x, const Coefficients<Vec>& c) {
    return x[0] >= c[V_th];
  }
  static HWY_INLINE void reset(Mask fired, Vec* x, const Coefficients<Vec>& c) {
    x[0] = select(fired, c[V_reset], x[0]);
  }
};

}  // namespace HWY_NAMESPACE
}  // namespace afterspike::spiking
HWY_AFTER_NAMESPACE();

#endif
