// Included for each instruction set anew, inside foreach_target.
#if defined(AFTERSPIKE_GLIF_LANES_INL) == defined(HWY_TARGET_TOGGLE)
#ifdef AFTERSPIKE_GLIF_LANES_INL
#undef AFTERSPIKE_GLIF_LANES_INL
#else
#define AFTERSPIKE_GLIF_LANES_INL
#endif

#include <hwy/highway.h>

#include "glif_step.hpp"
#include "sigmoid-inl.hpp"

HWY_BEFORE_NAMESPACE();
namespace afterspike::kernels {
namespace HWY_NAMESPACE {

namespace hn = hwy::HWY_NAMESPACE;

/// A vector of neurons of one row in one step: the values between its states, by the names in
/// glif.hpp.
template <class D, class V = hn::Vec<D>, typename T = hn::TFromD<D>>
struct GlifLanes {
  GlifLanes(const GlifStep<T>& s, std::int64_t row, std::int64_t i)
      : step(s), column(i), at(row * s.sizes.columns + i), row_of_targets(row) {
    integrate();
    cross();
  }

  V load(const T* data) const { return hn::Load(d, data); }
  /// Coefficient `number` of currents, receptors or steps.
  V of(const T* coefficient, std::int64_t number = 0) const {
    return load(coefficient + number * step.sizes.columns + column);
  }
  V state(std::int64_t plane) const { return load(step.before + plane + at); }
  V current(std::int64_t j) const { return state(step.sizes.current(j)); }
  V synaptic(std::int64_t p) const { return state(step.sizes.synaptic(p)); }
  V rise(std::int64_t p) const { return state(step.sizes.rise(p)); }
  /// The place of target `number` of these neurons; 0 is the current.
  T* target(std::int64_t number) const {
    const std::int64_t targets = 1 + step.sizes.receptors;
    return step.arriving + (row_of_targets * targets + number) * step.sizes.columns + column;
  }

  void integrate() {
    const GlifSizes& sizes = step.sizes;
    const auto& c = step.c;
    active = hn::Set(d, T(1));
    for (std::int64_t r = 0; r < sizes.refractory; ++r) {
      active = hn::NegMulAdd(of(c.waiting, r), load(step.spiked_before[r] + at), active);
    }
    drive = load(target(0));
    for (std::int64_t j = 0; j < sizes.currents; ++j) {
      drive = hn::MulAdd(of(c.current_mean, j), current(j), drive);
    }
    V synapses = hn::Zero(d);
    for (std::int64_t p = 0; p < sizes.receptors; ++p) {
      synapses = hn::MulAdd(of(c.synapse_gain, p), synaptic(p), synapses);
      if (sizes.alpha) synapses = hn::MulAdd(of(c.rise_gain, p), rise(p), synapses);
    }
    before = state(0);
    voltage = hn::MulAdd(of(c.keep), before, hn::MulAdd(of(c.gain), drive, synapses));
  }

  void cross() {
    const GlifSizes& sizes = step.sizes;
    const auto& c = step.c;
    const V base = of(c.threshold);
    V threshold = base;
    reset = of(c.reset);
    if (sizes.spike_threshold) {
      spike_part = hn::Mul(of(c.spike_keep), state(sizes.spike_part()));
      threshold = hn::Add(threshold, spike_part);
      reset = hn::MulAdd(of(c.fraction), hn::Sub(before, base), reset);
    }
    if (sizes.voltage_threshold) {
      voltage_part = hn::Mul(of(c.part_keep), state(sizes.voltage_part()));
      voltage_part = hn::MulAdd(of(c.part_gain), before, voltage_part);
      voltage_part = hn::MulAdd(of(c.part_drive), drive, voltage_part);
      threshold = hn::Add(threshold, voltage_part);
    }
    above = hn::Sub(voltage, threshold);
    crossed = step.hard ? hard_crossing() : sigmoid(d, hn::Mul(above, hn::Set(d, step.slope)));
    spiked = hn::Mul(active, crossed);
  }

  V hard_crossing() const {
    const V one = hn::IfThenElseZero(hn::Gt(above, hn::Zero(d)), hn::Set(d, T(1)));
    return hn::IfThenElse(hn::IsNaN(above), above, one);
  }

  /// The derivative of `crossed` by `above`, or its surrogate.
  V steepness() const {
    const V one = hn::Set(d, T(1));
    if (!step.hard) {
      return hn::Mul(hn::Mul(crossed, hn::Sub(one, crossed)), hn::Set(d, step.slope));
    }
    const V away = hn::Add(hn::Div(hn::Abs(above), hn::Set(d, step.width)), one);
    return hn::Div(hn::Set(d, T(0.5) / step.width), hn::Mul(away, away));
  }

  /// (1 - A) old + (A - s) passed + s after_spike
  V mixed(V old, V passed, V after_spike) const {
    const V waits = hn::Sub(hn::Set(d, T(1)), active);
    const V quiet = hn::MulAdd(waits, old, hn::Mul(hn::Sub(active, spiked), passed));
    return hn::MulAdd(spiked, after_spike, quiet);
  }

  const D d{};
  const GlifStep<T>& step;
  const std::int64_t column, at, row_of_targets;
  V active, drive, before, voltage, reset, above, crossed, spiked;
  V spike_part = hn::Zero(d), voltage_part = hn::Zero(d);
};

}  // namespace HWY_NAMESPACE
}  // namespace afterspike::kernels
HWY_AFTER_NAMESPACE();

#endif
