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
          V rate = sigmoid(d, hn::Mul(hn::Sub(voltage, own.threshold), own.slope));
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

template <class D, class V>
HWY_INLINE void add_to(D d, V value, hn::TFromD<D>* place) {
  hn::Store(hn::Add(hn::Load(d, place), value), d, place);
}

/// The adjoint of forward(), derived line by line in docs/numerics.md.
template <typename T, int kCurrents>
HWY_INLINE void backward(const StepCoefficients<T>& c, const BackwardSteps<T>& steps,
                         const StepGradients<T>& gradients) {
  const hn::CappedTag<T, static_cast<std::size_t>(kRowElements<T>)> d;
  using V = hn::Vec<decltype(d)>;
  constexpr int kSlots = Loaded<decltype(d), kCurrents>::kSlots;
  const auto currents = kCurrents < kMostCurrents ? kCurrents : static_cast<int>(c.currents);
  const std::int64_t plane = c.rows * c.columns;
  const V emission = hn::Set(d, c.emission), reset = hn::Set(d, c.reset), bias = hn::Set(d, c.bias);
  const V zero = hn::Zero(d), one = hn::Set(d, T(1));
  for (std::int64_t column = 0; column < c.width;
       column += static_cast<std::int64_t>(hn::Lanes(d))) {
    const Loaded<decltype(d), kCurrents> own(d, c, column, currents);
    const Soon<T> soon = once_a_line(steps.soon, column);
    V keep_sum[kSlots], multiplicative_sum[kSlots], additive_sum[kSlots];
    for (int j = 0; j < currents; ++j) {
      keep_sum[j] = multiplicative_sum[j] = additive_sum[j] = zero;
    }
    V threshold_sum = zero, slope_sum = zero, voltage_keep_sum = zero, gain_sum = zero;
    for_each_group(c, column, [&](std::int64_t begin, std::int64_t end) {
      const T* gradient_after = steps.voltage_gradient_after;
      for (std::int64_t t = steps.count - 1; t >= 0; --t) {
        T* const voltages = steps.voltage + t * plane;
        const T* const voltage_before = t > 0 ? voltages - plane : steps.voltage_before;
        const T* const sent = steps.emitted + t * plane;
        const T* const sent_before = t > 0 ? sent - plane : steps.emitted_before;
        const T* const sent_gradient = steps.emitted_gradient + t * plane;
        const T* const current_before = steps.current + t * currents * plane;
        const T* const current_now = current_before + currents * plane;
        for (std::int64_t at = begin; at < end; at += c.columns) {
          prefetch(soon, t * plane + at);
          const V emitted = hn::Load(d, sent + at);
          const V voltage = hn::Load(d, voltages + at);
          const V after = gradient_after != nullptr ? hn::Load(d, gradient_after + at) : zero;
          // S(t) drives the synapses and the readout, the reset of V(t+1) and the currents I(t+1).
          V by_emitted = hn::Load(d, sent_gradient + at);
          by_emitted = hn::NegMulAdd(hn::Mul(after, emission), hn::Sub(voltage, reset), by_emitted);
          V gradient[kSlots], current[kSlots];
          V total = bias;
          for (int j = 0; j < currents; ++j) {
            gradient[j] = hn::Load(d, steps.current_gradient + j * plane + at);
            current[j] = hn::Load(d, current_now + j * plane + at);
            total = hn::Add(total, current[j]);
            by_emitted = hn::MulAdd(gradient[j],
                                    hn::MulAdd(own.multiplicative[j], current[j], own.additive[j]),
                                    by_emitted);
          }
          V rate = emitted;
          if (steps.factor != nullptr) {
            // Where the factor is 0 the rate is not known, nor needed.
            const V factor = hn::Load(d, steps.factor + at);
            by_emitted = hn::Mul(by_emitted, factor);
            rate = hn::IfThenElseZero(hn::Ne(factor, zero), hn::Div(emitted, factor));
          }
          const V by_argument = hn::Mul(by_emitted, hn::Mul(rate, hn::Sub(one, rate)));
          const V by_threshold = hn::Mul(by_argument, own.slope);
          threshold_sum = hn::Sub(threshold_sum, by_threshold);
          slope_sum = hn::MulAdd(by_argument, hn::Sub(voltage, own.threshold), slope_sum);
          const V by_voltage =
              hn::MulAdd(after, hn::NegMulAdd(emission, emitted, own.keep), by_threshold);
          hn::Store(by_voltage, d, voltages + at);
          voltage_keep_sum =
              hn::MulAdd(by_voltage, hn::Load(d, voltage_before + at), voltage_keep_sum);
          gain_sum = hn::MulAdd(by_voltage, total, gain_sum);
          const V emitted_before = hn::Load(d, sent_before + at);
          for (int j = 0; j < currents; ++j) {
            const V by_current = hn::MulAdd(
                gradient[j], hn::MulAdd(own.multiplicative[j], emitted, own.current_keep[j]),
                hn::Mul(by_voltage, own.gain));
            hn::Store(by_current, d, steps.current_gradient + j * plane + at);
            const V before = hn::Load(d, current_before + j * plane + at);
            const V by_drive = hn::Mul(by_current, emitted_before);
            keep_sum[j] = hn::MulAdd(by_current, before, keep_sum[j]);
            multiplicative_sum[j] = hn::MulAdd(by_drive, before, multiplicative_sum[j]);
            additive_sum[j] = hn::Add(by_drive, additive_sum[j]);
          }
        }
        gradient_after = voltages;
      }
    });
    add_to(d, threshold_sum, gradients.threshold + column);
    add_to(d, slope_sum, gradients.slope + column);
    add_to(d, voltage_keep_sum, gradients.keep + column);
    add_to(d, gain_sum, gradients.gain + column);
    for (int j = 0; j < currents; ++j) {
      add_to(d, keep_sum[j], gradients.current_keep + j * c.columns + column);
      add_to(d, multiplicative_sum[j], gradients.multiplicative + j * c.columns + column);
      add_to(d, additive_sum[j], gradients.additive + j * c.columns + column);
    }
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
