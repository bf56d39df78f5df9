#include "glifr_steps.hpp"

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

  V threshold, slope, keep, gain;
  V current_keep[kSlots], multiplicative[kSlots], additive[kSlots];
};

template <typename T, int kCurrents>
HWY_INLINE void forward(const StepCoefficients<T>& c, const ForwardStep<T>& step) {
  const hn::CappedTag<T, static_cast<std::size_t>(kRowElements<T>)> d;
  using V = hn::Vec<decltype(d)>;
  const auto currents = kCurrents < kMostCurrents ? kCurrents : static_cast<int>(c.currents);
  const std::int64_t plane = c.rows * c.columns;
  const V emission = hn::Set(d, c.emission), reset = hn::Set(d, c.reset), bias = hn::Set(d, c.bias);
  for (std::int64_t column = 0; column < c.width;
       column += static_cast<std::int64_t>(hn::Lanes(d))) {
    const Loaded<decltype(d), kCurrents> own(d, c, column, currents);
    for (std::int64_t row = 0; row < c.rows; ++row) {
      const std::int64_t at = row * c.columns + column;
      const V before = hn::Load(d, step.emitted_before + at);
      const V fired = hn::Mul(before, emission);
      V total = bias;
      for (int j = 0; j < currents; ++j) {
        T* place = step.current + j * plane + at;
        const V current = hn::Load(d, place);
        const V driven = hn::MulAdd(own.multiplicative[j], current, own.additive[j]);
        const V next = hn::MulAdd(driven, before, hn::Mul(current, own.current_keep[j]));
        hn::Store(next, d, place);
        total = hn::Add(total, next);
      }
      V voltage = hn::MulAdd(hn::Load(d, step.voltage_before + at), hn::Sub(own.keep, fired),
                             hn::Load(d, step.voltage + at));
      voltage = hn::MulAdd(fired, reset, voltage);
      voltage = hn::MulAdd(own.gain, total, voltage);
      hn::Store(voltage, d, step.voltage + at);
      V rate = sigmoid(d, hn::Mul(hn::Sub(voltage, own.threshold), own.slope));
      if (step.factor != nullptr) rate = hn::Mul(rate, hn::Load(d, step.factor + at));
      hn::Store(rate, d, step.emitted + at);
    }
  }
}

template <typename T, int kCurrents>
HWY_INLINE void currents_alone(const StepCoefficients<T>& c, const T* emitted_before,
                               const T* current_before, T* current) {
  const hn::CappedTag<T, static_cast<std::size_t>(kRowElements<T>)> d;
  using V = hn::Vec<decltype(d)>;
  const auto lanes = static_cast<std::int64_t>(hn::Lanes(d));
  const auto currents = kCurrents < kMostCurrents ? kCurrents : static_cast<int>(c.currents);
  const std::int64_t plane = c.rows * c.columns;
  for (int j = 0; j < currents; ++j) {
    for (std::int64_t column = 0; column < c.width; column += lanes) {
      const V keep = hn::Load(d, c.current_keep + j * c.columns + column);
      const V multiplicative = hn::Load(d, c.multiplicative + j * c.columns + column);
      const V additive = hn::Load(d, c.additive + j * c.columns + column);
      for (std::int64_t row = 0; row < c.rows; ++row) {
        const std::int64_t at = row * c.columns + column;
        const V before = hn::Load(d, emitted_before + at);
        const V value = hn::Load(d, current_before + j * plane + at);
        const V driven = hn::MulAdd(multiplicative, value, additive);
        hn::Store(hn::MulAdd(driven, before, hn::Mul(value, keep)), d, current + j * plane + at);
      }
    }
  }
}

template <class D, class V>
HWY_INLINE void add_to(D d, V value, hn::TFromD<D>* place) {
  hn::Store(hn::Add(hn::Load(d, place), value), d, place);
}

/// The adjoint of forward(), derived line by line in docs/numerics.md.
template <typename T, int kCurrents>
HWY_INLINE void backward(const StepCoefficients<T>& c, const BackwardStep<T>& step,
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
    V keep_sum[kSlots], multiplicative_sum[kSlots], additive_sum[kSlots];
    for (int j = 0; j < currents; ++j) {
      keep_sum[j] = multiplicative_sum[j] = additive_sum[j] = zero;
    }
    V threshold_sum = zero, slope_sum = zero, voltage_keep_sum = zero, gain_sum = zero;
    for (std::int64_t row = 0; row < c.rows; ++row) {
      const std::int64_t at = row * c.columns + column;
      const V emitted = hn::Load(d, step.emitted + at);
      const V voltage = hn::Load(d, step.voltage + at);
      const V after = step.voltage_after != nullptr ? hn::Load(d, step.voltage_after + at) : zero;
      // S(t) drives the synapses and the readout, the reset of V(t+1) and the currents I(t+1).
      V by_emitted = hn::Load(d, step.emitted_gradient + at);
      by_emitted = hn::NegMulAdd(hn::Mul(after, emission), hn::Sub(voltage, reset), by_emitted);
      V gradient[kSlots], current[kSlots];
      V total = bias;
      for (int j = 0; j < currents; ++j) {
        gradient[j] = hn::Load(d, step.current_gradient + j * plane + at);
        current[j] = hn::Load(d, step.current + j * plane + at);
        total = hn::Add(total, current[j]);
        by_emitted =
            hn::MulAdd(gradient[j], hn::MulAdd(own.multiplicative[j], current[j], own.additive[j]),
                       by_emitted);
      }
      V rate = emitted;
      if (step.factor != nullptr) {
        // Where the factor is 0 the rate is not known, nor needed.
        const V factor = hn::Load(d, step.factor + at);
        by_emitted = hn::Mul(by_emitted, factor);
        rate = hn::IfThenElseZero(hn::Ne(factor, zero), hn::Div(emitted, factor));
      }
      const V by_argument = hn::Mul(by_emitted, hn::Mul(rate, hn::Sub(one, rate)));
      const V by_threshold = hn::Mul(by_argument, own.slope);
      threshold_sum = hn::Sub(threshold_sum, by_threshold);
      slope_sum = hn::MulAdd(by_argument, hn::Sub(voltage, own.threshold), slope_sum);
      const V by_voltage =
          hn::MulAdd(after, hn::NegMulAdd(emission, emitted, own.keep), by_threshold);
      hn::Store(by_voltage, d, step.voltage + at);
      voltage_keep_sum =
          hn::MulAdd(by_voltage, hn::Load(d, step.voltage_before + at), voltage_keep_sum);
      gain_sum = hn::MulAdd(by_voltage, total, gain_sum);
      const V emitted_before = hn::Load(d, step.emitted_before + at);
      for (int j = 0; j < currents; ++j) {
        const V by_current =
            hn::MulAdd(gradient[j], hn::MulAdd(own.multiplicative[j], emitted, own.current_keep[j]),
                       hn::Mul(by_voltage, own.gain));
        hn::Store(by_current, d, step.current_gradient + j * plane + at);
        const V before = hn::Load(d, step.current_before + j * plane + at);
        const V by_drive = hn::Mul(by_current, emitted_before);
        keep_sum[j] = hn::MulAdd(by_current, before, keep_sum[j]);
        multiplicative_sum[j] = hn::MulAdd(by_drive, before, multiplicative_sum[j]);
        additive_sum[j] = hn::Add(by_drive, additive_sum[j]);
      }
    }
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
void forward_of(const StepCoefficients<T>& c, const ForwardStep<T>& step) {
  with_currents(c.currents, [&](auto count) { forward<T, count()>(c, step); });
}

template <typename T>
void currents_of(const StepCoefficients<T>& c, const T* emitted_before, const T* current_before,
                 T* current) {
  with_currents(c.currents, [&](auto count) {
    currents_alone<T, count()>(c, emitted_before, current_before, current);
  });
}

template <typename T>
void backward_of(const StepCoefficients<T>& c, const BackwardStep<T>& step,
                 const StepGradients<T>& gradients) {
  with_currents(c.currents, [&](auto count) { backward<T, count()>(c, step, gradients); });
}

// Highway's tables hold plain functions.
void forward_float(const StepCoefficients<float>& c, const ForwardStep<float>& step) {
  forward_of(c, step);
}
void forward_double(const StepCoefficients<double>& c, const ForwardStep<double>& step) {
  forward_of(c, step);
}
void currents_float(const StepCoefficients<float>& c, const float* emitted_before,
                    const float* current_before, float* current) {
  currents_of(c, emitted_before, current_before, current);
}
void currents_double(const StepCoefficients<double>& c, const double* emitted_before,
                     const double* current_before, double* current) {
  currents_of(c, emitted_before, current_before, current);
}
void backward_float(const StepCoefficients<float>& c, const BackwardStep<float>& step,
                    const StepGradients<float>& gradients) {
  backward_of(c, step, gradients);
}
void backward_double(const StepCoefficients<double>& c, const BackwardStep<double>& step,
                     const StepGradients<double>& gradients) {
  backward_of(c, step, gradients);
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
void forward_step(const StepCoefficients<float>& coefficients, const ForwardStep<float>& step) {
  HWY_DYNAMIC_DISPATCH(forward_float)(coefficients, step);
}
template <>
void forward_step(const StepCoefficients<double>& coefficients, const ForwardStep<double>& step) {
  HWY_DYNAMIC_DISPATCH(forward_double)(coefficients, step);
}
template <>
void current_step(const StepCoefficients<float>& coefficients, const float* emitted_before,
                  const float* current_before, float* current) {
  HWY_DYNAMIC_DISPATCH(currents_float)(coefficients, emitted_before, current_before, current);
}
template <>
void current_step(const StepCoefficients<double>& coefficients, const double* emitted_before,
                  const double* current_before, double* current) {
  HWY_DYNAMIC_DISPATCH(currents_double)(coefficients, emitted_before, current_before, current);
}
template <>
void backward_step(const StepCoefficients<float>& coefficients, const BackwardStep<float>& step,
                   const StepGradients<float>& gradients) {
  HWY_DYNAMIC_DISPATCH(backward_float)(coefficients, step, gradients);
}
template <>
void backward_step(const StepCoefficients<double>& coefficients, const BackwardStep<double>& step,
                   const StepGradients<double>& gradients) {
  HWY_DYNAMIC_DISPATCH(backward_double)(coefficients, step, gradients);
}

}  // namespace afterspike::kernels
#endif
