// The adaptive exponential integrate-and-fire neuron (Brette and Gerstner 2005) with receptors of
// any shape. Included again for each instruction set.

#if defined(AFTERSPIKE_AEIF_INL_HPP) == defined(HWY_TARGET_TOGGLE)
#ifdef AFTERSPIKE_AEIF_INL_HPP
#undef AFTERSPIKE_AEIF_INL_HPP
#else
#define AFTERSPIKE_AEIF_INL_HPP
#endif

#include "grid/ode-inl.hpp"

HWY_BEFORE_NAMESPACE();
namespace afterspike::spiking {
namespace HWY_NAMESPACE {

/// The states V and w, and the spike at V_peak, of a model M with coefficients of these names;
/// `top` is the peak.
template <typename M>
struct AeifSpike : OdeModel {
  static constexpr std::size_t kStates = 2;
  static constexpr bool kPeak = true;

  static void initial(const double* c, double* x) {
    x[0] = c[M::V_m];
    x[1] = c[M::w];
  }
  template <typename V>
  static HWY_INLINE V peak(const Coefficients<V>& c) {
    return c[M::top];
  }
  template <typename Fired, typename V>
  static HWY_INLINE void reset(Fired fired, V* x, const Coefficients<V>& c) {
    x[0] = select(fired, c[M::V_reset], x[0]);
    x[1] = select(fired, x[1] + c[M::b], x[1]);
  }
};

template <SynapseShape kShape, bool kConductances>
struct Aeif : AeifSpike<Aeif<kShape, kConductances>> {
  enum : std::size_t {
    C_m,
    g_L,
    E_L,
    V_th,
    Delta_T,
    a,
    b,
    tau_w,
    V_peak,
    V_reset,
    t_ref,
    tau_syn_ex,
    tau_syn_in,
    I_e,
    V_m,
    w,
    E_ex,
    E_in
  };
  static constexpr std::size_t kDerived = kConductances ? E_in + 1 : E_ex;
  static constexpr std::size_t per_C = kDerived, per_slope = kDerived + 1, runaway = kDerived + 2,
                               per_tau_w = kDerived + 3, top = kDerived + 4;
  static constexpr std::size_t kCoefficients = kDerived + 5;
  static constexpr std::array kShapes = {kShape, kShape};
  static constexpr std::array<std::size_t, 2> kTimeConstants = {tau_syn_ex, tau_syn_in};
  static constexpr int kRefractory = t_ref, kCurrent = I_e;

  /// Without a slope the neuron is a leaky one, whose peak is the threshold.
  static void prepare(double* c, double /*dt_ms*/) {
    const bool sloped = c[Delta_T] > 0;
    c[per_C] = 1 / c[C_m];
    c[per_slope] = sloped ? 1 / c[Delta_T] : 0;
    c[runaway] = c[g_L] * c[Delta_T];
    c[per_tau_w] = 1 / c[tau_w];
    c[top] = sloped ? c[V_peak] : c[V_th];
  }

  template <typename V>
  static HWY_INLINE void derivatives(const V* x, const Coefficients<V>& c, const V* s, V current,
                                     V* dx) {
    const V above = x[0] - c[E_L];
    V synaptic = s[0] + s[1];
    if constexpr (kConductances) synaptic = s[0] * (c[E_ex] - x[0]) + s[1] * (c[E_in] - x[0]);
    const V spike = c[runaway] * exp((x[0] - c[V_th]) * c[per_slope]);
    dx[0] = (spike - c[g_L] * above + synaptic - x[1] + current) * c[per_C];
    dx[1] = (c[a] * above - x[1]) * c[per_tau_w];
  }
};

}  // namespace HWY_NAMESPACE
}  // namespace afterspike::spiking
HWY_AFTER_NAMESPACE();

#endif
