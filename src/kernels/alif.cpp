#include "afterspike/kernels/alif.hpp"

#include "alif_step.hpp"

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "alif.cpp"
#include <hwy/foreach_target.h>  // compiles this file again for each instruction set
#include <hwy/highway.h>

#include "arena.hpp"
#include "sigmoid-inl.hpp"

HWY_BEFORE_NAMESPACE();
namespace afterspike::kernels {
namespace HWY_NAMESPACE {

namespace hn = hwy::HWY_NAMESPACE;

/// Calls run(d, column) for each vector of neurons.
template <typename T, typename Run>
HWY_INLINE void for_columns(std::int64_t columns, const Run& run) {
  const hn::CappedTag<T, static_cast<std::size_t>(kRowElements<T>)> d;
  const auto lanes = static_cast<std::int64_t>(hn::Lanes(d));
  for (std::int64_t column = 0; column < columns; column += lanes) run(d, column);
}

template <typename T>
void alif_forward(const AlifStep<T>& s) {
  for_columns<T>(s.columns, [&](auto d, std::int64_t i) {
    const auto threshold = hn::Load(d, s.threshold + i), strength = hn::Load(d, s.strength + i);
    const auto keep = hn::Load(d, s.keep + i), kept = hn::Load(d, s.adaptation_keep + i);
    const auto slope = hn::Set(d, s.slope);
    for (std::int64_t at = i; at < s.rows * s.columns; at += s.columns) {
      const auto before = hn::Load(d, s.emitted_before + at);
      auto voltage =
          hn::MulAdd(keep, hn::Load(d, s.voltage_before + at), hn::Load(d, s.voltage + at));
      voltage = hn::NegMulAdd(threshold, before, voltage);
      const auto past = hn::Load(d, s.adaptation_before + at);
      const auto adaptation = hn::MulAdd(kept, hn::Sub(past, before), before);
      hn::Store(voltage, d, s.voltage + at);
      hn::Store(adaptation, d, s.adaptation + at);
      const auto above = hn::NegMulAdd(strength, adaptation, hn::Sub(voltage, threshold));
      auto rate = sigmoid(d, hn::Mul(above, slope));
      if (s.factor != nullptr) rate = hn::Mul(rate, hn::Load(d, s.factor + at));
      hn::Store(rate, d, s.emitted + at);
    }
  });
}

/// The adjoint of alif_forward(), from the last line to the first.
template <typename T>
void alif_backward(const AlifStep<T>& s, const AlifGradients<T>& g) {
  for_columns<T>(s.columns, [&](auto d, std::int64_t i) {
    const auto threshold = hn::Load(d, s.threshold + i), strength = hn::Load(d, s.strength + i);
    const auto keep = hn::Load(d, s.keep + i), kept = hn::Load(d, s.adaptation_keep + i);
    const auto slope = hn::Set(d, s.slope), one = hn::Set(d, T(1)), zero = hn::Zero(d);
    auto threshold_sum = hn::Load(d, g.threshold + i), strength_sum = hn::Load(d, g.strength + i);
    auto keep_sum = hn::Load(d, g.keep + i), kept_sum = hn::Load(d, g.adaptation_keep + i);
    for (std::int64_t at = i; at < s.rows * s.columns; at += s.columns) {
      const auto after = g.voltage_after != nullptr ? hn::Load(d, g.voltage_after + at) : zero;
      const auto adaptation_after = hn::Load(d, g.adaptation + at);
      auto by_emitted = hn::NegMulAdd(threshold, after, hn::Load(d, g.emitted + at));
      by_emitted = hn::MulAdd(hn::Sub(one, kept), adaptation_after, by_emitted);
      auto rate = hn::Load(d, s.emitted + at);
      if (s.factor != nullptr) {  // If it is 0 the rate is not known, nor needed.
        const auto factor = hn::Load(d, s.factor + at);
        by_emitted = hn::Mul(by_emitted, factor);
        rate = hn::IfThenElseZero(hn::Ne(factor, zero), hn::Div(rate, factor));
      }
      const auto by_above = hn::Mul(hn::Mul(by_emitted, hn::Mul(rate, hn::Sub(one, rate))), slope);
      const auto by_voltage = hn::MulAdd(keep, after, by_above);
      const auto by_adaptation = hn::NegMulAdd(strength, by_above, hn::Mul(kept, adaptation_after));
      hn::Store(by_voltage, d, s.voltage + at);
      hn::Store(by_adaptation, d, g.adaptation + at);
      const auto before = hn::Load(d, s.emitted_before + at);
      threshold_sum = hn::Sub(threshold_sum, hn::MulAdd(before, by_voltage, by_above));
      strength_sum = hn::NegMulAdd(by_above, hn::Load(d, s.adaptation + at), strength_sum);
      keep_sum = hn::MulAdd(by_voltage, hn::Load(d, s.voltage_before + at), keep_sum);
      const auto past = hn::Load(d, s.adaptation_before + at);
      kept_sum = hn::MulAdd(by_adaptation, hn::Sub(past, before), kept_sum);
    }
    hn::Store(threshold_sum, d, g.threshold + i);
    hn::Store(strength_sum, d, g.strength + i);
    hn::Store(keep_sum, d, g.keep + i);
    hn::Store(kept_sum, d, g.adaptation_keep + i);
  });
}

// Highway's tables hold plain functions.
void forward_float(const AlifStep<float>& s) {
  alif_forward(s);
}
void forward_double(const AlifStep<double>& s) {
  alif_forward(s);
}
void backward_float(const AlifStep<float>& s, const AlifGradients<float>& g) {
  alif_backward(s, g);
}
void backward_double(const AlifStep<double>& s, const AlifGradients<double>& g) {
  alif_backward(s, g);
}

}  // namespace HWY_NAMESPACE
}  // namespace afterspike::kernels
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
#include "recurrent_cells.hpp"

namespace afterspike::kernels {

HWY_EXPORT(forward_float);
HWY_EXPORT(forward_double);
HWY_EXPORT(backward_float);
HWY_EXPORT(backward_double);

namespace {

void step_forward(const AlifStep<float>& s) {
  HWY_DYNAMIC_DISPATCH(forward_float)(s);
}
void step_forward(const AlifStep<double>& s) {
  HWY_DYNAMIC_DISPATCH(forward_double)(s);
}
void step_back(const AlifStep<float>& s, const AlifGradients<float>& g) {
  HWY_DYNAMIC_DISPATCH(backward_float)(s, g);
}
void step_back(const AlifStep<double>& s, const AlifGradients<double>& g) {
  HWY_DYNAMIC_DISPATCH(backward_double)(s, g);
}

}  // namespace

template <typename T>
struct Cells<Alif, T> : VoltageCells<T> {
  using Base = VoltageCells<T>;
  using Base::columns, Base::emitted, Base::l, Base::masks, Base::neurons, Base::plane,
      Base::voltage;

  Cells(const AlifShape& given, const AlifSettings& settings, Layout<T>& own)
      : Base({given.rows, given.inputs, given.neurons, given.delay, 4}, own),
        slope(static_cast<T>(settings.slope)) {}

  AlifStep<T> step_of(std::int64_t t) const {
    return {Base::sizes.rows,      columns,           slope,
            threshold.value,       strength.value,    keep.value,
            adaptation_keep.value, masks.factor(t),   voltage.at(t - 1),
            adaptation.at(t - 1),  emitted.at(t - 1), voltage.at(t),
            adaptation.at(t),      emitted.at(t)};
  }

  void forward_steps(std::int64_t begin, std::int64_t end) {
    Base::recurrence.arrive(emitted, masks, begin, end, voltage.at(begin));
    for (std::int64_t t = begin; t < end; ++t) step_forward(step_of(t));
    emitted.repeat(begin, end);
  }

  void copy_state(std::string_view name, T* to) const {
    Base::copy_state(name, to);
    if (name == "adaptation") {
      unpad(adaptation.at(l.steps - 1), Base::sizes.rows, columns, to, neurons);
    }
  }

  void backward_steps(std::int64_t begin, std::int64_t end) {
    Base::gather_emitted_gradient(begin, end);
    for (std::int64_t t = end - 1; t >= begin; --t) {
      step_back(step_of(t), {Base::emitted_gradient + (t - begin) * plane,
                             t + 1 < l.steps ? voltage.at(t + 1) : nullptr, adaptation_gradient,
                             threshold.sum, strength.sum, keep.sum, adaptation_keep.sum});
    }
    voltage.repeat(begin, end);
  }

  const T slope;
  const Parameter<T>& threshold = l.parameter("threshold", {neurons}, columns);
  const Parameter<T>& strength = l.parameter("strength", {neurons}, columns);
  const Parameter<T>& keep = l.parameter("keep", {neurons}, columns);
  const Parameter<T>& adaptation_keep = l.parameter("adaptation_keep", {neurons}, columns);
  const Track<T> adaptation = l.track(plane, {.lead = 1, .rest = 1});
  T* const adaptation_gradient = l.sum(plane);
};

template class SequenceKernel<Alif, float>;
template class SequenceKernel<Alif, double>;

}  // namespace afterspike::kernels
#endif
