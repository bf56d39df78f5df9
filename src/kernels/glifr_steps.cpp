#include "glifr_steps.hpp"

#include <algorithm>

#include "afterspike/kernels/glifr.hpp"

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "glifr_steps.cpp"
#include <hwy/foreach_target.h>  // compiles this file again for each instruction set
#include <hwy/highway.h>

#include "sigmoid-inl.hpp"

HWY_BEFORE_NAMESPACE();
namespace afterspike::kernels {
namespace HWY_NAMESPACE {

namespace hn = hwy::HWY_NAMESPACE;

/// Calls run(count) with the number of after-spike currents as a constant where it is usual, so
/// that their state stays in registers; kMostCurrents stands for any other number.
template <typename Run>
HWY_INLINE void with_currents(std::int64_t currents, const Run& run) {
  switch (currents) {
    case 0:
      return run(std::integral_constant<int, 0>());
    case 1:
      return run(std::integral_constant<int, 1>());
    case 2:
      return run(std::integral_constant<int, 2>());
    default:
      return run(std::integral_constant<int, static_cast<int>(kMostCurrents)>());
  }
}

/// Rows that a vector of neurons goes through time with before the next ones do: what passes from
/// step to step stays in the first-level cache, and one row's chain of operations hides another's.
constexpr std::int64_t kRowsTogether = 8;

/// Calls run(begin, end) with the first element of these neurons in each group of rows, and the end
/// of the group's rows.
template <typename T, typename Run>
HWY_INLINE void for_each_group(const StepCoefficients<T>& c, std::int64_t column, const Run& run) {
  for (std::int64_t row = 0; row < c.rows; row += kRowsTogether) {
    run(row * c.columns + column, std::min(c.rows, row + kRowsTogether) * c.columns);
  }
}

/// A cache line holds several of the shorter vectors.
template <typename T>
HWY_INLINE Soon<T> once_a_line(const Soon<T>& soon, std::int64_t column) {
  return column % kRowElements<T> == 0 ? soon : Soon<T>{};
}

template <typename T>
HWY_INLINE void prefetch(const Soon<T>& soon, std::int64_t at) {
  for (const T* planes : soon) {
    if (planes != nullptr) __builtin_prefetch(planes + at, 0, 2);
  }
}

/// The coefficients of a vector of neurons, for all rows.
template <class D, int kCurrents>
struct Loaded {
  using T = hn::TFromD<D>;
  using V = hn::Vec<D>;
  static constexpr int kSlots = kCurrents > 0 ? kCurrents : 1;

  HWY_INLINE Loaded(D d, const StepCoefficients<T>& c, std::int64_t column, int currents)
      : threshold(hn::Load(d, c.threshold + column)),
        slope(hn::Load(d, c.slope + column)),
        keep(hn::Load(d, c.keep + column)),
        gain(hn::Load(d, c.gain + column)) {
    for (int j = 0; j < currents; ++j) {
      current_keep[j] = hn::Load(d, c.current_keep + j * c.columns + column);
      multiplicative[j] = hn::Load(d, c.multiplicative + j * c.columns + column);
      additive[j] = hn::Load(d, c.additive + j * c.columns + column);
    }
  }

  /// I_j(t) from I_j(t-1) and S(t-1).
  HWY_INLINE V next_current(int j, V current, V emitted_before) const {
    const V driven = hn::MulAdd(multiplicative[j], current, additive[j]);
    return hn::MulAdd(driven, emitted_before, hn::Mul(current, current_keep[j]));
  }

  V threshold, slope, keep, gain;
  V current_keep[kSlots], multiplicative[kSlots], additive[kSlots];
};

/// 1 above the threshold, 0 else; NaN stays NaN.
template <class D, class V = hn::Vec<D>>
HWY_INLINE V spike(D d, V above) {
  const V spike = hn::IfThenElseZero(hn::Gt(above, hn::Zero(d)), hn::Set(d, 1));
  return hn::IfThenElse(hn::IsNaN(above), above, spike);
}

template <typename T, int kCurrents>
HWY_INLINE void forward(const StepCoefficients<T>& c, const ForwardSteps<T>& steps) {
  const hn::CappedTag<T, static_cast<std::size_t>(kRowElements<T>)> d;
  using V = hn::Vec<decltype(d)>;
  const auto currents = kCurrents < kMostCurrents ? kCurrents : static_cast<int>(c.currents);
  const std::int64_t plane = c.rows * c.columns;
  const V emission = hn::Set(d, c.emission), reset = hn::Set(d, c.reset), bias = hn::Set(d, c.bias);
  for (std::int64_t column = 0; column < c.width;
       column += static_cast<std::int64_t>(hn::Lanes(d))) {
    const Loaded<decltype(d), kCurrents> own(d, c, column, currents);
    const Soon<T> soon = once_a_line(steps.soon, column);
    for_each_group(c, column, [&](std::int64_t begin, std::int64_t end) {
      const T* voltage_before = steps.voltage_before;
      const T* emitted_before = steps.emitted_before;
      for (std::int64_t t = 0; t < steps.count; ++t) {
        T* const voltages = steps.voltage + t * plane;
        T* const emitted = steps.emitted + t * plane;
        for (std::int64_t at = begin; at < end; at += c.columns) {
          prefetch(soon, t * plane + at);
          const V before = hn::Load(d, emitted_before + at);
          const V fired = hn::Mul(before, emission);
          V total = bias;
          for (int j = 0; j < currents; ++j) {
            T* place = steps.current + j * plane + at;
            const V next = own.next_current(j, hn::Load(d, place), before);
            hn::Store(next, d, place);
            total = hn::Add(total, next);
          }
          V voltage = hn::MulAdd(hn::Load(d, voltage_before + at), hn::Sub(own.keep, fired),
                                 hn::Load(d, voltages + at));
          voltage = hn::MulAdd(fired, reset, voltage);
          voltage = hn::MulAdd(own.gain, total, voltage);
          hn::Store(voltage, d, voltages + at);
          const V above = hn::Sub(voltage, own.threshold);
          V rate = c.spikes ? spike(d, above) : sigmoid(d, hn::Mul(above, own.slope));
          if (steps.factor != nullptr) rate = hn::Mul(rate, hn::Load(d, steps.factor + at));
          hn::Store(rate, d, emitted + at);
        }
        voltage_before = voltages;
        emitted_before = emitted;
      }
    });
  }
}

template <typename T, int kCurrents>
HWY_INLINE void currents_alone(const StepCoefficients<T>& c, std::int64_t count,
                               const T* emitted_before, const T* emitted, T* current) {
  const hn::CappedTag<T, static_cast<std::size_t>(kRowElements<T>)> d;
  using V = hn::Vec<decltype(d)>;
  const auto lanes = static_cast<std::int64_t>(hn::Lanes(d));
  const auto currents = kCurrents < kMostCurrents ? kCurrents : static_cast<int>(c.currents);
  const std::int64_t plane = c.rows * c.columns;
  for (std::int64_t column = 0; column < c.width; column += lanes) {
    const Loaded<decltype(d), kCurrents> own(d, c, column, currents);
    for_each_group(c, column, [&](std::int64_t begin, std::int64_t end) {
      const T* sent = emitted_before;
      T* known = current;
      for (std::int64_t t = 0; t < count; ++t, known += currents * plane) {
        for (std::int64_t at = begin; at < end; at += c.columns) {
          const V before = hn::Load(d, sent + at);
          for (int j = 0; j < currents; ++j) {
            const V value = hn::Load(d, known + j * plane + at);
            hn::Store(own.next_current(j, value, before), d, known + (currents + j) * plane + at);
          }
        }
        sent = emitted + t * plane;
      }
    });
  }
}

/// Sums over rows and steps for a vector of neurons, in the order of StepGradients.
template <class D, int kCurrents>
struct Totals {
  using T = hn::TFromD<D>;
  using V = hn::Vec<D>;
  static constexpr int kSlots = Loaded<D, kCurrents>::kSlots;

  HWY_INLINE Totals(D d, int currents)
      : threshold(hn::Zero(d)), slope(hn::Zero(d)), keep(hn::Zero(d)), gain(hn::Zero(d)) {
    for (int j = 0; j < currents; ++j) {
      current_keep[j] = multiplicative[j] = additive[j] = hn::Zero(d);
    }
  }

  HWY_INLINE void add_to(D d, const StepCoefficients<T>& c, std::int64_t column, int currents,
                         const StepGradients<T>& sums) const {
    const auto add = [&](V value, T* place) {
      hn::Store(hn::Add(hn::Load(d, place), value), d, place);
    };
    add(threshold, sums.threshold + column);
    add(slope, sums.slope + column);
    add(keep, sums.keep + column);
    add(gain, sums.gain + column);
    for (int j = 0; j < currents; ++j) {
      add(current_keep[j], sums.current_keep + j * c.columns + column);
      add(multiplicative[j], sums.multiplicative + j * c.columns + column);
      add(additive[j], sums.additive + j * c.columns + column);
    }
  }

  V threshold, slope, keep, gain;
  V current_keep[kSlots], multiplicative[kSlots], additive[kSlots];
};

/// The planes of one step on the way back.
template <typename T>
struct StepPlanes {
  HWY_INLINE StepPlanes(const BackwardSteps<T>& steps, std::int64_t t, std::int64_t plane,
                        std::int64_t currents_size)
      : voltages(steps.voltage + t * plane),
        voltage_before(t > 0 ? voltages - plane : steps.voltage_before),
        emitted(steps.emitted + t * plane),
        emitted_before(t > 0 ? emitted - plane : steps.emitted_before),
        emitted_gradient(steps.emitted_gradient + t * plane),
        current_before(steps.current + t * currents_size),
        current_now(current_before + currents_size) {}

  T* voltages;
  const T* voltage_before;
  const T* emitted;
  const T* emitted_before;
  const T* emitted_gradient;
  const T *current_before, *current_now;
};

/// The adjoint of one step for a vector of neurons of all rows, derived line by line in
/// docs/numerics.md.
template <typename T, int kCurrents>
struct Adjoint {
  using D = hn::CappedTag<T, static_cast<std::size_t>(kRowElements<T>)>;
  using V = hn::Vec<D>;
  static constexpr int kSlots = Loaded<D, kCurrents>::kSlots;

  /// The gradient by S(t), which drives the synapses and the readout, the reset of V(t+1) and the
  /// currents I(t+1); and what I(t) and its gradient are.
  HWY_INLINE V by_emitted(const StepPlanes<T>& step, std::int64_t at, V after, V voltage,
                          V* gradient, V& total) const {
    V result = hn::Load(d, step.emitted_gradient + at);
    result = hn::NegMulAdd(hn::Mul(after, emission), hn::Sub(voltage, reset), result);
    for (int j = 0; j < currents; ++j) {
      gradient[j] = hn::Load(d, current_gradient + j * plane + at);
      const V current = hn::Load(d, step.current_now + j * plane + at);
      total = hn::Add(total, current);
      result = hn::MulAdd(gradient[j], hn::MulAdd(own.multiplicative[j], current, own.additive[j]),
                          result);
    }
    return result;
  }

  /// S(t) before its factor, or the rate whose derivative stands for that of a spike; the gradient
  /// by S(t) becomes that by it.
  HWY_INLINE V rate_of(std::int64_t at, V emitted, V voltage, V& gradient) const {
    if (factors == nullptr && !spikes) return emitted;
    const V factor = factors == nullptr ? one : hn::Load(d, factors + at);
    gradient = hn::Mul(gradient, factor);
    if (spikes) return sigmoid(d, hn::Mul(hn::Sub(voltage, own.threshold), own.slope));
    // The rate under a factor of 0 is not known, nor needed.
    return hn::IfThenElseZero(hn::Ne(factor, hn::Zero(d)), hn::Div(emitted, factor));
  }

  HWY_INLINE void element(const StepPlanes<T>& step, std::int64_t at, V after,
                          Totals<D, kCurrents>& totals) const {
    const V emitted = hn::Load(d, step.emitted + at), voltage = hn::Load(d, step.voltages + at);
    V gradient[kSlots], total = bias;
    gradient[0] = hn::Zero(d);  // Not read without currents, but GCC warns.
    V by_rate = by_emitted(step, at, after, voltage, gradient, total);
    const V rate = rate_of(at, emitted, voltage, by_rate);
    const V by_argument = hn::Mul(by_rate, hn::Mul(rate, hn::Sub(one, rate)));
    const V by_threshold = hn::Mul(by_argument, own.slope);
    totals.threshold = hn::Sub(totals.threshold, by_threshold);
    totals.slope = hn::MulAdd(by_argument, hn::Sub(voltage, own.threshold), totals.slope);
    const V by_voltage =
        hn::MulAdd(after, hn::NegMulAdd(emission, emitted, own.keep), by_threshold);
    hn::Store(by_voltage, d, step.voltages + at);
    totals.keep = hn::MulAdd(by_voltage, hn::Load(d, step.voltage_before + at), totals.keep);
    totals.gain = hn::MulAdd(by_voltage, total, totals.gain);
    const V emitted_before = hn::Load(d, step.emitted_before + at);
    for (int j = 0; j < currents; ++j) {
      const V by_current =
          hn::MulAdd(gradient[j], hn::MulAdd(own.multiplicative[j], emitted, own.current_keep[j]),
                     hn::Mul(by_voltage, own.gain));
      hn::Store(by_current, d, current_gradient + j * plane + at);
      const V before = hn::Load(d, step.current_before + j * plane + at);
      const V by_drive = hn::Mul(by_current, emitted_before);
      totals.current_keep[j] = hn::MulAdd(by_current, before, totals.current_keep[j]);
      totals.multiplicative[j] = hn::MulAdd(by_drive, before, totals.multiplicative[j]);
      totals.additive[j] = hn::Add(by_drive, totals.additive[j]);
    }
  }

  D d;
  Loaded<D, kCurrents> own;
  V emission, reset, bias, one;
  bool spikes;
  const T* factors;
  T* current_gradient;
  std::int64_t plane;
  int currents;
};

/// The adjoint of forward().
template <typename T, int kCurrents>
HWY_INLINE void backward(const StepCoefficients<T>& c, const BackwardSteps<T>& steps,
                         const StepGradients<T>& gradients) {
  const hn::CappedTag<T, static_cast<std::size_t>(kRowElements<T>)> d;
  using D = hn::CappedTag<T, static_cast<std::size_t>(kRowElements<T>)>;
  const auto currents = kCurrents < kMostCurrents ? kCurrents : static_cast<int>(c.currents);
  const std::int64_t plane = c.rows * c.columns;
  for (std::int64_t column = 0; column < c.width;
       column += static_cast<std::int64_t>(hn::Lanes(d))) {
    const Adjoint<T, kCurrents> adjoint{d,
                                        Loaded<D, kCurrents>(d, c, column, currents),
                                        hn::Set(d, c.emission),
                                        hn::Set(d, c.reset),
                                        hn::Set(d, c.bias),
                                        hn::Set(d, T(1)),
                                        c.spikes,
                                        steps.factor,
                                        steps.current_gradient,
                                        plane,
                                        currents};
    const Soon<T> soon = once_a_line(steps.soon, column);
    Totals<D, kCurrents> totals(d, currents);
    for_each_group(c, column, [&](std::int64_t begin, std::int64_t end) {
      const T* gradient_after = steps.voltage_gradient_after;
      for (std::int64_t t = steps.count - 1; t >= 0; --t) {
        const StepPlanes<T> step(steps, t, plane, currents * plane);
        for (std::int64_t at = begin; at < end; at += c.columns) {
          prefetch(soon, t * plane + at);
          adjoint.element(
              step, at, gradient_after != nullptr ? hn::Load(d, gradient_after + at) : hn::Zero(d),
              totals);
        }
        gradient_after = step.voltages;
      }
    });
    totals.add_to(d, c, column, currents, gradients);
  }
}

void half_of(const float* from, std::int64_t count, std::uint16_t* to) {
  const hn::CappedTag<float, static_cast<std::size_t>(kRowElements<float>)> d;
  const hn::RebindToUnsigned<decltype(d)> bits;
  const hn::RebindToSigned<decltype(d)> whole;
  const hn::Rebind<std::uint16_t, decltype(d)> half;
  const auto lanes = static_cast<std::int64_t>(hn::Lanes(d));
  for (std::int64_t i = 0; i < count; i += lanes) {
    const auto value = hn::Load(d, from + i);
    const auto given = hn::BitCast(bits, value);
    // Half a unit of the last place that stays, less one bit where that place is even already.
    const auto odd = hn::And(hn::ShiftRight<16>(given), hn::Set(bits, 1));
    const auto rounded = hn::Add(given, hn::Add(odd, hn::Set(bits, 0x7FFF)));
    const auto not_a_number = hn::Set(bits, 0x7FC00000);
    const auto chosen =
        hn::IfThenElse(hn::RebindMask(bits, hn::IsNaN(value)), not_a_number, rounded);
    const auto upper = hn::BitCast(whole, hn::ShiftRight<16>(chosen));
    hn::StoreU(hn::DemoteTo(half, upper), half, to + i);
  }
}

template <typename T>
void forward_of(const StepCoefficients<T>& c, const ForwardSteps<T>& steps) {
  with_currents(c.currents, [&](auto count) { forward<T, count()>(c, steps); });
}

template <typename T>
void currents_of(const StepCoefficients<T>& c, std::int64_t steps, const T* emitted_before,
                 const T* emitted, T* current) {
  with_currents(c.currents, [&](auto count) {
    currents_alone<T, count()>(c, steps, emitted_before, emitted, current);
  });
}

template <typename T>
void backward_of(const StepCoefficients<T>& c, const BackwardSteps<T>& steps,
                 const StepGradients<T>& gradients) {
  with_currents(c.currents, [&](auto count) { backward<T, count()>(c, steps, gradients); });
}

// Highway's tables hold plain functions.
void forward_float(const StepCoefficients<float>& c, const ForwardSteps<float>& steps) {
  forward_of(c, steps);
}
void forward_double(const StepCoefficients<double>& c, const ForwardSteps<double>& steps) {
  forward_of(c, steps);
}
void currents_float(const StepCoefficients<float>& c, std::int64_t count,
                    const float* emitted_before, const float* emitted, float* current) {
  currents_of(c, count, emitted_before, emitted, current);
}
void currents_double(const StepCoefficients<double>& c, std::int64_t count,
                     const double* emitted_before, const double* emitted, double* current) {
  currents_of(c, count, emitted_before, emitted, current);
}
void backward_float(const StepCoefficients<float>& c, const BackwardSteps<float>& steps,
                    const StepGradients<float>& gradients) {
  backward_of(c, steps, gradients);
}
void backward_double(const StepCoefficients<double>& c, const BackwardSteps<double>& steps,
                     const StepGradients<double>& gradients) {
  backward_of(c, steps, gradients);
}

}  // namespace HWY_NAMESPACE
}  // namespace afterspike::kernels
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace afterspike::kernels {

HWY_EXPORT(half_of);
HWY_EXPORT(forward_float);
HWY_EXPORT(forward_double);
HWY_EXPORT(currents_float);
HWY_EXPORT(currents_double);
HWY_EXPORT(backward_float);
HWY_EXPORT(backward_double);

void to_bfloat16(const float* from, std::int64_t count, std::uint16_t* to) {
  HWY_DYNAMIC_DISPATCH(half_of)(from, count, to);
}

template <>
void forward_steps(const StepCoefficients<float>& coefficients, const ForwardSteps<float>& steps) {
  HWY_DYNAMIC_DISPATCH(forward_float)(coefficients, steps);
}
template <>
void forward_steps(const StepCoefficients<double>& coefficients,
                   const ForwardSteps<double>& steps) {
  HWY_DYNAMIC_DISPATCH(forward_double)(coefficients, steps);
}
template <>
void current_steps(const StepCoefficients<float>& coefficients, std::int64_t count,
                   const float* emitted_before, const float* emitted, float* current) {
  HWY_DYNAMIC_DISPATCH(currents_float)(coefficients, count, emitted_before, emitted, current);
}
template <>
void current_steps(const StepCoefficients<double>& coefficients, std::int64_t count,
                   const double* emitted_before, const double* emitted, double* current) {
  HWY_DYNAMIC_DISPATCH(currents_double)(coefficients, count, emitted_before, emitted, current);
}
template <>
void backward_steps(const StepCoefficients<float>& coefficients, const BackwardSteps<float>& steps,
                    const StepGradients<float>& gradients) {
  HWY_DYNAMIC_DISPATCH(backward_float)(coefficients, steps, gradients);
}
template <>
void backward_steps(const StepCoefficients<double>& coefficients,
                    const BackwardSteps<double>& steps, const StepGradients<double>& gradients) {
  HWY_DYNAMIC_DISPATCH(backward_double)(coefficients, steps, gradients);
}

}  // namespace afterspike::kernels
#endif
