// Hodgkin-Huxley neurons: voltage, gates and a spike where V falls from above a level. Included
// again for each instruction set.

#if defined(AFTERSPIKE_HH_INL_HPP) == defined(HWY_TARGET_TOGGLE)
#ifdef AFTERSPIKE_HH_INL_HPP
#undef AFTERSPIKE_HH_INL_HPP
#else
#define AFTERSPIKE_HH_INL_HPP
#endif

#include "grid/ode-inl.hpp"

HWY_BEFORE_NAMESPACE();
namespace afterspike::spiking {
namespace HWY_NAMESPACE {

/// Rates at which gates open and close, 1/ms.
template <typename V, std::size_t kGates = 3>
struct GateRates {
  V opening[kGates], closing[kGates];
};

/// The common part of a model M, which has
/// - rates(v, c), of the gates m, h and n, or more;
/// - drive(x, c, s, current), the current of synapses and stimuli, pA;
/// - potassium(x, c), the potassium current, pA;
/// - level(c), above which V falls at a spike.
template <typename M, std::size_t kGates = 3>
struct HodgkinHuxley : OdeModel {
  static constexpr std::size_t kStates = 1 + kGates;  // V, m, h, ...
  static constexpr bool kHolds = false;

  static void prepare(double* c, double /*dt_ms*/) { c[M::per_C] = 1 / c[M::C_m]; }

  /// Gates at rest at the initial voltage.
  static void initial(const double* c, double* x) {
    x[0] = c[M::V_m];
    const GateRates<double, kGates> rate = M::rates(c[M::V_m], c);
    for (std::size_t gate = 0; gate < kGates; ++gate) {
      x[gate + 1] = rate.opening[gate] / (rate.opening[gate] + rate.closing[gate]);
    }
  }

  template <typename V>
  static HWY_INLINE void derivatives(const V* x, const Coefficients<V>& c, const V* s, V current,
                                     V* dx) {
    const GateRates<V, kGates> rate = M::rates(x[0], c);
    const V sodium = c[M::g_Na] * x[1] * x[1] * x[1] * x[2] * (x[0] - c[M::E_Na]);
    const V potassium = M::potassium(x, c);
    const V leak = c[M::g_L] * (x[0] - c[M::E_L]);
    dx[0] = (M::drive(x, c, s, current) - sodium - potassium - leak) * c[M::per_C];
    for (std::size_t gate = 0; gate < kGates; ++gate) {
      dx[gate + 1] = rate.opening[gate] - (rate.opening[gate] + rate.closing[gate]) * x[gate + 1];
    }
  }

  /// g_K n^4 (V - E_K)
  template <typename V>
  static HWY_INLINE V potassium(const V* x, const Coefficients<V>& c) {
    return c[M::g_K] * (x[3] * x[3]) * (x[3] * x[3]) * (x[0] - c[M::E_K]);
  }

  static HWY_INLINE Mask fires(const Vec* before, const Vec* x, const Coefficients<Vec>& c) {
    return (x[0] >= M::level(c)) & (before[0] > x[0]);
  }
  static HWY_INLINE void reset(Mask, Vec*, const Coefficients<Vec>&) {}
};

}  // namespace HWY_NAMESPACE
}  // namespace afterspike::spiking
HWY_AFTER_NAMESPACE();

#endif
