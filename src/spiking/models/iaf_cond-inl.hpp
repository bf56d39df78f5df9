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
    kCoefficients
  };
  static constexpr std::array kShapes = {kShape, kShape};
  static constexpr std::array<std::size_t, 2> kTimeConstants = {tau_syn_ex, tau_syn_in};
  static constexpr int kRefractory = t_ref, kCurrent = I_e;

  static void prepare(double* c, double /*dt_ms*/) { c[per_C] = 1 / c[C_m]; }
  static void initial(const double* c, double* x) { x[0] = c[V_m]; }

  template <typename V>
  static HWY_INLINE void derivatives(const V* x, const Coefficients<V>& c, const V* g, V current,
                                     V* dx) {
    const V leak = c[g_L] * (x[0] - c[E_L]);
    dx[0] = (current - leak - g[0] * (x[0] - c[E_ex]) - g[1] * (x[0] - c[E_in])) * c[per_C];
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
