#include "rnn_cells.hpp"

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "rnn_cells.cpp"
#include <hwy/foreach_target.h>  // compiles this file again for each instruction set
#include <hwy/highway.h>

#include "arena.hpp"
#include "sigmoid-inl.hpp"

HWY_BEFORE_NAMESPACE();
namespace afterspike::kernels {
namespace HWY_NAMESPACE {

namespace hn = hwy::HWY_NAMESPACE;

template <typename T>
using Tag = hn::CappedTag<T, static_cast<std::size_t>(kRowElements<T>)>;

/// y (1 - y), the derivative of the logistic function where its value is y.
template <class V>
HWY_INLINE V logistic_slope(V y) {
  return hn::NegMulAdd(y, y, y);
}

/// gradient (1 - y^2), through the hyperbolic tangent where its value is y.
template <class V>
HWY_INLINE V through_tangent(V gradient, V y) {
  return hn::NegMulAdd(hn::Mul(gradient, y), y, gradient);
}

/// Calls run(column, at, block) for each vector of each row: `at` its place in a plane, `block`
/// that in the blocks.
template <typename T, typename Run>
HWY_INLINE void for_vectors(RnnCell cell, const CellStep<T>& step, const Run& run) {
  const auto lanes = static_cast<std::int64_t>(hn::Lanes(Tag<T>()));
  const std::int64_t width = rnn_blocks(cell) * step.columns;
  for (std::int64_t row = 0; row < step.rows; ++row) {
    for (std::int64_t i = 0; i < step.columns; i += lanes) {
      run(i, row * step.columns + i, row * width + i);
    }
  }
}

/// The products of block number b, and its bias.
template <class D, typename T>
HWY_INLINE hn::Vec<D> biased(D d, const CellStep<T>& step, std::int64_t column, std::int64_t block,
                             std::int64_t b) {
  return hn::Add(hn::Load(d, step.blocks + block + b * step.columns),
                 hn::Load(d, step.bias + column + b * step.columns));
}

template <class D, typename T, class V>
HWY_INLINE void emit(D d, const CellStep<T>& step, std::int64_t at, V value) {
  if (step.factor != nullptr) value = hn::Mul(value, hn::Load(d, step.factor + at));
  hn::Store(value, d, step.emitted + at);
}

/// The gradient by h(t), where `own` is what comes to e(t) from elsewhere.
template <class D, typename T, class V>
HWY_INLINE V by_emission(D d, const CellStep<T>& step, const CellGradients<T>& gradients,
                         std::int64_t at, V own) {
  if (gradients.emitted != nullptr) own = hn::Add(own, hn::Load(d, gradients.emitted + at));
  return step.factor != nullptr ? hn::Mul(own, hn::Load(d, step.factor + at)) : own;
}

template <typename T>
void vanilla_forward(const CellStep<T>& step) {
  const Tag<T> d;
  for_vectors(RnnCell::vanilla, step, [&](std::int64_t i, std::int64_t at, std::int64_t block) {
    const auto h = hyperbolic_tangent(d, biased(d, step, i, block, 0));
    hn::Store(h, d, step.blocks + block);
    emit(d, step, at, h);
  });
}

template <typename T>
void vanilla_backward(const CellStep<T>& step, const CellGradients<T>& gradients) {
  const Tag<T> d;
  for_vectors(RnnCell::vanilla, step, [&](std::int64_t, std::int64_t at, std::int64_t block) {
    const auto h = hn::Load(d, step.blocks + block);
    const auto by = by_emission(d, step, gradients, at, hn::Load(d, gradients.recalled + at));
    hn::Store(through_tangent(by, h), d, step.blocks + block);
  });
}

template <typename T>
void gru_forward(const CellStep<T>& step) {
  const Tag<T> d;
  const std::int64_t columns = step.columns;
  for_vectors(RnnCell::gru, step, [&](std::int64_t i, std::int64_t at, std::int64_t block) {
    T* own = step.blocks + block;
    const auto sum = [&](std::int64_t b) { return biased(d, step, i, block, b); };
    const auto reset = sigmoid(d, sum(1)), update = sigmoid(d, sum(2));
    const auto recalled = sum(3);
    const auto candidate = hyperbolic_tangent(d, hn::MulAdd(reset, recalled, sum(0)));
    const auto before = hn::Load(d, step.before + at);
    hn::Store(candidate, d, own);
    hn::Store(reset, d, own + columns);
    hn::Store(update, d, own + 2 * columns);
    hn::Store(recalled, d, own + 3 * columns);
    emit(d, step, at, hn::MulAdd(update, hn::Sub(before, candidate), candidate));
  });
}

template <typename T>
void gru_backward(const CellStep<T>& step, const CellGradients<T>& gradients) {
  const Tag<T> d;
  const std::int64_t columns = step.columns;
  for_vectors(RnnCell::gru, step, [&](std::int64_t, std::int64_t at, std::int64_t block) {
    T* own = step.blocks + block;
    const auto candidate = hn::Load(d, own), reset = hn::Load(d, own + columns);
    const auto update = hn::Load(d, own + 2 * columns);
    const auto recalled = hn::Load(d, own + 3 * columns), before = hn::Load(d, step.before + at);
    const auto later =
        hn::Add(hn::Load(d, gradients.recalled + at), hn::Load(d, gradients.state + at));
    const auto by = by_emission(d, step, gradients, at, later);
    const auto kept = hn::Mul(by, update);
    const auto by_candidate = through_tangent(hn::Sub(by, kept), candidate);
    const auto by_update = hn::Mul(by, hn::Sub(before, candidate));
    hn::Store(kept, d, gradients.state + at);
    hn::Store(by_candidate, d, own);
    hn::Store(hn::Mul(hn::Mul(by_candidate, recalled), logistic_slope(reset)), d, own + columns);
    hn::Store(hn::Mul(by_update, logistic_slope(update)), d, own + 2 * columns);
    hn::Store(hn::Mul(by_candidate, reset), d, own + 3 * columns);
  });
}

template <typename T>
void lstm_forward(const CellStep<T>& step) {
  const Tag<T> d;
  const std::int64_t columns = step.columns;
  for_vectors(RnnCell::lstm, step, [&](std::int64_t i, std::int64_t at, std::int64_t block) {
    T* own = step.blocks + block;
    const auto sum = [&](std::int64_t b) { return biased(d, step, i, block, b); };
    const auto input_gate = sigmoid(d, sum(0)), forget_gate = sigmoid(d, sum(1));
    const auto output_gate = sigmoid(d, sum(3));
    const auto candidate = hyperbolic_tangent(d, sum(2));
    const auto cell =
        hn::MulAdd(forget_gate, hn::Load(d, step.before + at), hn::Mul(input_gate, candidate));
    hn::Store(input_gate, d, own);
    hn::Store(forget_gate, d, own + columns);
    hn::Store(candidate, d, own + 2 * columns);
    hn::Store(output_gate, d, own + 3 * columns);
    hn::Store(cell, d, step.cell + at);
    emit(d, step, at, hn::Mul(output_gate, hyperbolic_tangent(d, cell)));
  });
}

template <typename T>
void lstm_backward(const CellStep<T>& step, const CellGradients<T>& gradients) {
  const Tag<T> d;
  const std::int64_t columns = step.columns;
  for_vectors(RnnCell::lstm, step, [&](std::int64_t, std::int64_t at, std::int64_t block) {
    T* own = step.blocks + block;
    const auto input_gate = hn::Load(d, own), forget_gate = hn::Load(d, own + columns);
    const auto candidate = hn::Load(d, own + 2 * columns);
    const auto output_gate = hn::Load(d, own + 3 * columns);
    const auto before = hn::Load(d, step.before + at);
    const auto cell_tanh = hyperbolic_tangent(d, hn::Load(d, step.cell + at));
    const auto by = by_emission(d, step, gradients, at, hn::Load(d, gradients.recalled + at));
    const auto by_cell = hn::Add(through_tangent(hn::Mul(by, output_gate), cell_tanh),
                                 hn::Load(d, gradients.state + at));
    hn::Store(hn::Mul(by_cell, forget_gate), d, gradients.state + at);
    hn::Store(hn::Mul(hn::Mul(by_cell, candidate), logistic_slope(input_gate)), d, own);
    hn::Store(hn::Mul(hn::Mul(by_cell, before), logistic_slope(forget_gate)), d, own + columns);
    hn::Store(through_tangent(hn::Mul(by_cell, input_gate), candidate), d, own + 2 * columns);
    hn::Store(hn::Mul(hn::Mul(by, cell_tanh), logistic_slope(output_gate)), d, own + 3 * columns);
  });
}

template <typename T>
void cell_forward(RnnCell cell, const CellStep<T>& step) {
  switch (cell) {
    case RnnCell::vanilla:
      return vanilla_forward(step);
    case RnnCell::gru:
      return gru_forward(step);
    case RnnCell::lstm:
      return lstm_forward(step);
  }
}

template <typename T>
void cell_backward(RnnCell cell, const CellStep<T>& step, const CellGradients<T>& gradients) {
  switch (cell) {
    case RnnCell::vanilla:
      return vanilla_backward(step, gradients);
    case RnnCell::gru:
      return gru_backward(step, gradients);
    case RnnCell::lstm:
      return lstm_backward(step, gradients);
  }
}

template <typename T>
constexpr CellFunctions<T> kFunctions = {cell_forward<T>, cell_backward<T>};

// Highway's tables hold plain functions.
const CellFunctions<float>* functions_float() {
  return &kFunctions<float>;
}
const CellFunctions<double>* functions_double() {
  return &kFunctions<double>;
}

}  // namespace HWY_NAMESPACE
}  // namespace afterspike::kernels
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace afterspike::kernels {

HWY_EXPORT(functions_float);
HWY_EXPORT(functions_double);

template <>
const CellFunctions<float>& cell_functions() {
  return *HWY_DYNAMIC_DISPATCH(functions_float)();
}
template <>
const CellFunctions<double>& cell_functions() {
  return *HWY_DYNAMIC_DISPATCH(functions_double)();
}

}  // namespace afterspike::kernels
#endif
