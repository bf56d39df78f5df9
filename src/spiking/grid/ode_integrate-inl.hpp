// Defaults of models on grid/ode-inl.hpp and one step of their integration. Included again for each
// instruction set.

#if defined(AFTERSPIKE_ODE_INTEGRATE_INL_HPP) == defined(HWY_TARGET_TOGGLE)
#ifdef AFTERSPIKE_ODE_INTEGRATE_INL_HPP
#undef AFTERSPIKE_ODE_INTEGRATE_INL_HPP
#else
#define AFTERSPIKE_ODE_INTEGRATE_INL_HPP
#endif

#include <array>

#include "grid/lanes-inl.hpp"
#include "grid/ode_group.hpp"

HWY_BEFORE_NAMESPACE();
namespace afterspike::spiking {
namespace HWY_NAMESPACE {

/// A step is accepted if the slopes of V at its middle differ by at most kTolerance (mV, over the
/// step) plus kRelative times its change of V; for steps of the grid below kLongest_ms by as much
/// less, so that errors vanish with the step also on upstrokes. The error of order 4 is smaller by
/// three orders.
constexpr double kTolerance = 1e-3;
constexpr double kRelative = 0.05;

inline double strictness(const OdeStep& s) {
  return s.dt_ms / (static_cast<double>(s.sub_steps) * kLongest_ms);
}

/// Defaults that models may override.
struct OdeModel {
  static constexpr std::size_t kStates = 1;      ///< State 0 is V, or what takes its place.
  static constexpr std::size_t kIntegrated = 0;  ///< The first states; 0: all.
  static constexpr std::array<SynapseShape, 0> kShapes = {};
  static constexpr std::array<std::size_t, 0> kTimeConstants = {};
  static constexpr bool kPeak = false;             ///< Reset inside the step, at peak().
  static constexpr bool kHolds = true;             ///< V stays while refractory.
  static constexpr bool kExactRefractory = false;  ///< It ends within a step; else NEST's rule.
  static constexpr bool kRandom = false;
  static constexpr bool kVoltage = true;
  static constexpr double kScale = 1;              ///< Scale of V in kTolerance.
  static constexpr double kLongest = kLongest_ms;  ///< Longest coarse sub-step, ms.
  static constexpr int kRefractory = -1, kCurrent = -1;

  static void prepare(double* /*coefficients*/, double /*dt_ms*/) {}
};

template <typename M>
constexpr std::size_t integrated() {
  return M::kIntegrated == 0 ? M::kStates : M::kIntegrated;
}

template <typename M>
constexpr std::size_t receptors() {
  return M::kShapes.size();
}

/// Length of arrays over receptors; at least 1, because arrays cannot be empty.
template <typename M>
constexpr std::size_t room() {
  return receptors<M>() == 0 ? 1 : receptors<M>();
}

/// Currents or conductances of the receptors.
template <typename M, typename V>
struct Receptors {
  V value[room<M>()];
  V rise[room<M>()];  ///< Rise of alpha receptors.

  /// After `time`, in which they decay by `keep`.
  HWY_INLINE Receptors after(const V* keep, V time) const {
    Receptors later = *this;
    for (std::size_t r = 0; r < receptors<M>(); ++r) {
      if (M::kShapes[r] == SynapseShape::alpha) {
        later.value[r] = (value[r] + rise[r] * time) * keep[r];
        later.rise[r] = rise[r] * keep[r];
      } else {
        later.value[r] = value[r] * keep[r];
      }
    }
    return later;
  }
};

template <typename M, typename V>
struct Neuron {
  V x[M::kStates];
  Receptors<M, V> receptor;
};

template <typename V>
struct Accuracy {
  V error, allowed;
};

/// Electrical synapses of one neuron or of a vector (Gap).
template <typename V>
struct GapInput {
  Gap gap;
  std::int64_t columns, column;

  HWY_INLINE GapInput(const OdeStep& s, std::int64_t at)
      : gap(s.gap), columns(s.columns), column(at) {}

  /// The current at the fraction `s` of the step.
  HWY_INLINE V current(V s, V voltage) const {
    V* const kind = nullptr;
    V sum = load(gap.current + 3 * columns + column, kind);
    for (std::int64_t power = 2; power >= 0; --power) {
      sum = sum * s + load(gap.current + power * columns + column, kind);
    }
    return sum - load(gap.conductance + column, kind) * voltage;
  }
};

/// Input of a neuron in a part of a step. Without electrical synapses (kGap) it is a constant.
template <typename V, bool kGap>
struct Drive {
  V current;  ///< pA
  GapInput<V> gap;
  double begin, length;  ///< Begin and length of the part, as fractions of the step.

  HWY_INLINE V at(double part, V voltage) const {
    if constexpr (!kGap) return current;
    return current + gap.current(V(begin + part * length), voltage);
  }
};

/// One step of length h. `keep` is the decay of receptors over half of it; V of neurons that are
/// not free stays.
template <typename M, typename V, bool kGap, typename Free>
HWY_INLINE Accuracy<V> runge_kutta(Neuron<M, V>& n, const Coefficients<V>& c,
                                   const Drive<V, kGap>& drive, const V* keep, V h, Free free) {
  constexpr std::size_t kCount = integrated<M>();
  const V half = 0.5 * h;
  const Receptors<M, V> middle = n.receptor.after(keep, half);
  const Receptors<M, V> end = middle.after(keep, half);
  V k1[M::kStates], k2[M::kStates], k3[M::kStates], k4[M::kStates], y[M::kStates];
  for (std::size_t i = 0; i < M::kStates; ++i) y[i] = n.x[i];
  const auto slope = [&](double part, const Receptors<M, V>& receptor, V* k)
      __attribute__((always_inline)) {
    M::derivatives(y, c, receptor.value, drive.at(part, y[0]), k);
    if constexpr (M::kHolds) k[0] = select(free, k[0], V(0));
  };
  slope(0, n.receptor, k1);
  for (std::size_t i = 0; i < kCount; ++i) y[i] = n.x[i] + half * k1[i];
  slope(0.5, middle, k2);
  for (std::size_t i = 0; i < kCount; ++i) y[i] = n.x[i] + half * k2[i];
  slope(0.5, middle, k3);
  for (std::size_t i = 0; i < kCount; ++i) y[i] = n.x[i] + h * k3[i];
  slope(1, end, k4);
  const V sixth = h * (1.0 / 6);
  for (std::size_t i = 0; i < kCount; ++i) {
    n.x[i] = n.x[i] + sixth * (k1[i] + 2 * (k2[i] + k3[i]) + k4[i]);
  }
  n.receptor = end;
  return {abs(h * (k3[0] - k2[0])), kTolerance * M::kScale + kRelative * abs(h * k1[0])};
}

template <typename M, typename V>
HWY_INLINE auto at_peak(const Neuron<M, V>& n, const Coefficients<V>& c) {
  return n.x[0] >= M::peak(c);
}

}  // namespace HWY_NAMESPACE
}  // namespace afterspike::spiking
HWY_AFTER_NAMESPACE();

#endif
