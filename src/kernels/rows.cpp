#include "rows.hpp"

#include "product_log.hpp"

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "rows.cpp"
#include <hwy/foreach_target.h>  // compiles this file again for each instruction set
#include <hwy/highway.h>

#include "sigmoid-inl.hpp"

HWY_BEFORE_NAMESPACE();
namespace afterspike::kernels {
namespace HWY_NAMESPACE {

namespace hn = hwy::HWY_NAMESPACE;

template <typename T>
using Tag = hn::CappedTag<T, static_cast<std::size_t>(kRowElements<T>)>;

template <typename T>
HWY_INLINE std::int64_t lanes() {
  return static_cast<std::int64_t>(hn::Lanes(Tag<T>()));
}

/// Size of a tile. Its accumulators fill the registers of the instruction set, less those for their
/// operands.
constexpr int kTileRows = 4;
constexpr int kTileVectors = HWY_TARGET <= HWY_AVX3 ? 4 : 2;

template <int kRows, int kVectors, typename T>
HWY_INLINE void multiply_tile(std::int64_t inner, std::int64_t columns, const T* from,
                              std::int64_t stride, const T* right, bool add, T* to) {
  const Tag<T> d;
  using V = hn::Vec<Tag<T>>;
  const std::int64_t n = lanes<T>();
  V sums[kRows][kVectors];
  for (int r = 0; r < kRows; ++r) {
    for (int v = 0; v < kVectors; ++v) {
      sums[r][v] = add ? hn::Load(d, to + r * columns + v * n) : hn::Zero(d);
    }
  }
  for (std::int64_t k = 0; k < inner; ++k) {
    V b[kVectors];
    for (int v = 0; v < kVectors; ++v) b[v] = hn::Load(d, right + k * columns + v * n);
    for (int r = 0; r < kRows; ++r) {
      const V a = hn::Set(d, from[r * stride + k]);
      for (int v = 0; v < kVectors; ++v) sums[r][v] = hn::MulAdd(a, b[v], sums[r][v]);
    }
  }
  for (int r = 0; r < kRows; ++r) {
    for (int v = 0; v < kVectors; ++v) hn::Store(sums[r][v], d, to + r * columns + v * n);
  }
}

template <int kVectors, typename T>
HWY_INLINE void multiply_columns(std::int64_t rows, std::int64_t inner, std::int64_t columns,
                                 const T* from, std::int64_t stride, const T* right, bool add,
                                 T* to) {
  std::int64_t row = 0;
  for (; row + kTileRows <= rows; row += kTileRows) {
    multiply_tile<kTileRows, kVectors>(inner, columns, from + row * stride, stride, right, add,
                                       to + row * columns);
  }
  for (; row < rows; ++row) {
    multiply_tile<1, kVectors>(inner, columns, from + row * stride, stride, right, add,
                               to + row * columns);
  }
}

/// Calls run(column, vectors) for tiles of kTileVectors vectors and for what is left.
template <typename T, typename Run>
HWY_INLINE void for_tiles(std::int64_t columns, const Run& run) {
  const std::int64_t n = lanes<T>();
  std::int64_t column = 0;
  for (; column + kTileVectors * n <= columns; column += kTileVectors * n) {
    run(column, std::integral_constant<int, kTileVectors>());
  }
  switch ((columns - column) / n) {
    case 3:
      return run(column, std::integral_constant<int, 3>());
    case 2:
      return run(column, std::integral_constant<int, 2>());
    case 1:
      return run(column, std::integral_constant<int, 1>());
    default:
      return;
  }
}

template <typename T>
void multiply_rows(std::int64_t rows, std::int64_t inner, std::int64_t columns, const T* from,
                   std::int64_t stride, const T* right, Into into, T* to) {
  for_tiles<T>(columns, [&](std::int64_t column, auto vectors) {
    multiply_columns<vectors()>(rows, inner, columns, from, stride, right + column,
                                into == Into::added, to + column);
  });
}

/// A tile of multiply_each(): one vector of neurons.
template <int kRows, int kTo, typename T>
HWY_INLINE void multiply_each_tile(std::int64_t from, std::int64_t to, std::int64_t columns,
                                   const T* in, const T* weight, bool add, T* out) {
  const Tag<T> d;
  using V = hn::Vec<Tag<T>>;
  V sums[kRows][kTo];
  for (int r = 0; r < kRows; ++r) {
    for (int j = 0; j < kTo; ++j) {
      sums[r][j] = add ? hn::Load(d, out + (r * to + j) * columns) : hn::Zero(d);
    }
  }
  for (std::int64_t i = 0; i < from; ++i) {
    V w[kTo];
    for (int j = 0; j < kTo; ++j) w[j] = hn::Load(d, weight + (i * to + j) * columns);
    for (int r = 0; r < kRows; ++r) {
      const V x = hn::Load(d, in + (r * from + i) * columns);
      for (int j = 0; j < kTo; ++j) sums[r][j] = hn::MulAdd(x, w[j], sums[r][j]);
    }
  }
  for (int r = 0; r < kRows; ++r) {
    for (int j = 0; j < kTo; ++j) hn::Store(sums[r][j], d, out + (r * to + j) * columns);
  }
}

template <int kRows, typename T>
HWY_INLINE void multiply_each_rows(std::int64_t from, std::int64_t to, std::int64_t columns,
                                   const T* in, const T* weight, bool add, T* out) {
  for (std::int64_t lane = 0; lane < columns; lane += lanes<T>()) {
    std::int64_t j = 0;
    for (; j + kTileVectors <= to; j += kTileVectors) {
      multiply_each_tile<kRows, kTileVectors>(
          from, to, columns, in + lane, weight + j * columns + lane, add, out + j * columns + lane);
    }
    for (; j < to; ++j) {
      multiply_each_tile<kRows, 1>(from, to, columns, in + lane, weight + j * columns + lane, add,
                                   out + j * columns + lane);
    }
  }
}

template <typename T>
void multiply_each(std::int64_t rows, std::int64_t from, std::int64_t to, std::int64_t columns,
                   const T* in, const T* weight, Into into, T* out) {
  const bool add = into == Into::added;
  std::int64_t row = 0;
  for (; row + kTileRows <= rows; row += kTileRows) {
    multiply_each_rows<kTileRows>(from, to, columns, in + row * from * columns, weight, add,
                                  out + row * to * columns);
  }
  for (; row < rows; ++row) {
    multiply_each_rows<1>(from, to, columns, in + row * from * columns, weight, add,
                          out + row * to * columns);
  }
}

/// A tile of add_outer_each(): one vector of neurons.
template <int kFrom, int kTo, typename T>
HWY_INLINE void outer_each_tile(std::int64_t rows, std::int64_t from, std::int64_t to,
                                std::int64_t columns, const T* in, const T* gradient, T* sums) {
  const Tag<T> d;
  using V = hn::Vec<Tag<T>>;
  V total[kFrom][kTo];
  for (int i = 0; i < kFrom; ++i) {
    for (int j = 0; j < kTo; ++j) total[i][j] = hn::Load(d, sums + (i * to + j) * columns);
  }
  for (std::int64_t r = 0; r < rows; ++r) {
    V g[kTo];
    for (int j = 0; j < kTo; ++j) g[j] = hn::Load(d, gradient + (r * to + j) * columns);
    for (int i = 0; i < kFrom; ++i) {
      const V x = hn::Load(d, in + (r * from + i) * columns);
      for (int j = 0; j < kTo; ++j) total[i][j] = hn::MulAdd(x, g[j], total[i][j]);
    }
  }
  for (int i = 0; i < kFrom; ++i) {
    for (int j = 0; j < kTo; ++j) hn::Store(total[i][j], d, sums + (i * to + j) * columns);
  }
}

template <typename T>
void add_outer_each(std::int64_t rows, std::int64_t from, std::int64_t to, std::int64_t columns,
                    const T* in, const T* gradient, T* sums) {
  constexpr int kTo = kTileVectors;
  for (std::int64_t lane = 0; lane < columns; lane += lanes<T>()) {
    for (std::int64_t i = 0; i < from; ++i) {
      const T* x = in + i * columns + lane;
      T* own = sums + i * to * columns + lane;
      std::int64_t j = 0;
      for (; j + kTo <= to; j += kTo) {
        outer_each_tile<1, kTo>(rows, from, to, columns, x, gradient + j * columns + lane,
                                own + j * columns);
      }
      for (; j < to; ++j) {
        outer_each_tile<1, 1>(rows, from, to, columns, x, gradient + j * columns + lane,
                              own + j * columns);
      }
    }
  }
}

/// Writes the places of what is not zero of a vector, which is what `kept` selects; `first` is that
/// of its first element.
template <typename T, class Mask>
HWY_INLINE void store_places(const T* from, std::int64_t first, Mask kept, std::int32_t* to) {
  const auto place = static_cast<std::int32_t>(first);
  if constexpr (sizeof(T) == sizeof(std::int32_t)) {
    const hn::RebindToSigned<Tag<T>> places;
    hn::StoreU(hn::Compress(hn::Iota(places, place), hn::RebindMask(places, kept)), places, to);
  } else {  // Highway narrows no integers of 64 bits.
    for (std::int32_t i = 0; i < static_cast<std::int32_t>(lanes<T>()); ++i) {
      if (from[i] != T(0)) *to++ = place + i;
    }
  }
}

template <typename T>
std::int64_t compress(const T* from, std::int64_t size, std::int64_t most, std::int32_t* index,
                      T* value) {
  const Tag<T> d;
  const std::int64_t n = lanes<T>();
  std::int64_t found = 0, i = 0;
  for (; i + n <= size; i += n) {
    const auto own = hn::LoadU(d, from + i);
    const auto kept = hn::Not(hn::Eq(own, hn::Zero(d)));  // also what is not a number
    const auto count = static_cast<std::int64_t>(hn::CountTrue(d, kept));
    if (count == 0) continue;
    if (found + count > most) return -1;
    hn::StoreU(hn::Compress(own, kept), d, value + found);
    store_places(from + i, i, kept, index + found);
    found += count;
  }
  for (; i < size; ++i) {
    if (from[i] == T(0)) continue;
    if (found == most) return -1;
    index[found] = static_cast<std::int32_t>(i);
    value[found] = from[i];
    ++found;
  }
  return found;
}

template <typename T>
void gather(const Sparse<T>& sparse, const T* matrix, std::int64_t stride, std::int64_t columns,
            T* to) {
  for_tiles<T>(columns, [&](std::int64_t column, auto vectors) {
    const Tag<T> d;
    using V = hn::Vec<Tag<T>>;
    const std::int64_t n = lanes<T>();
    V sums[vectors()];
    for (int v = 0; v < vectors(); ++v) sums[v] = hn::Zero(d);
    for (std::int64_t i = 0; i < sparse.count; ++i) {
      const T* row = matrix + sparse.index[i] * stride + column;
      const V value = hn::Set(d, sparse.value[i]);
      for (int v = 0; v < vectors(); ++v) {
        sums[v] = hn::MulAdd(value, hn::Load(d, row + v * n), sums[v]);
      }
    }
    for (int v = 0; v < vectors(); ++v) hn::Store(sums[v], d, to + column + v * n);
  });
}

template <typename T>
void add_scaled(std::int64_t count, T factor, const T* from, T* to) {
  const Tag<T> d;
  const auto by = hn::Set(d, factor);
  for (std::int64_t i = 0; i < count; i += lanes<T>()) {
    hn::Store(hn::MulAdd(by, hn::Load(d, from + i), hn::Load(d, to + i)), d, to + i);
  }
}

template <typename T>
void scatter(const Sparse<T>& sparse, const T* from, std::int64_t columns, T* matrix,
             std::int64_t stride) {
  for (std::int64_t i = 0; i < sparse.count; ++i) {
    add_scaled(columns, sparse.value[i], from, matrix + sparse.index[i] * stride);
  }
}

template <typename T>
void add_to_each(std::int64_t rows, std::int64_t columns, const T* row, T* to) {
  const Tag<T> d;
  for (std::int64_t r = 0; r < rows; ++r) {
    T* own = to + r * columns;
    for (std::int64_t i = 0; i < columns; i += lanes<T>()) {
      hn::Store(hn::Add(hn::Load(d, row + i), hn::Load(d, own + i)), d, own + i);
    }
  }
}

template <typename T>
void add_up(std::int64_t rows, std::int64_t columns, const T* from, T* sums) {
  const Tag<T> d;
  for (std::int64_t i = 0; i < columns; i += lanes<T>()) {
    auto sum = hn::Load(d, sums + i);
    for (std::int64_t r = 0; r < rows; ++r) sum = hn::Add(sum, hn::Load(d, from + r * columns + i));
    hn::Store(sum, d, sums + i);
  }
}

/// Calls run with the activation as a constant.
template <typename Run>
HWY_INLINE void with_activation(ElmActivation activation, const Run& run) {
  using enum ElmActivation;
  switch (activation) {
    case relu:
      return run(std::integral_constant<ElmActivation, relu>());
    case silu:
      return run(std::integral_constant<ElmActivation, silu>());
    case relu_squared:
      return run(std::integral_constant<ElmActivation, relu_squared>());
  }
}

/// max(0, x); what is not a number stays so.
template <class D, class V>
HWY_INLINE V rectified(D d, V x) {
  return hn::IfThenZeroElse(hn::Lt(x, hn::Zero(d)), x);
}

template <typename T>
void activate(ElmActivation activation, std::int64_t count, const T* from, T* to) {
  const Tag<T> d;
  with_activation(activation, [&](auto kind) {
    for (std::int64_t i = 0; i < count; i += lanes<T>()) {
      const auto x = hn::Load(d, from + i);
      auto y = x;
      if constexpr (kind() == ElmActivation::silu) {
        y = hn::Mul(x, sigmoid(d, x));
      } else {
        y = rectified(d, x);
        if constexpr (kind() == ElmActivation::relu_squared) y = hn::Mul(y, y);
      }
      hn::Store(y, d, to + i);
    }
  });
}

template <typename T>
void activate_back(ElmActivation activation, std::int64_t count, const T* gradient, T* values) {
  const Tag<T> d;
  const auto zero = hn::Zero(d), one = hn::Set(d, T(1));
  with_activation(activation, [&](auto kind) {
    for (std::int64_t i = 0; i < count; i += lanes<T>()) {
      const auto x = hn::Load(d, values + i);
      const auto g = hn::Load(d, gradient + i);
      auto result = g;
      if constexpr (kind() == ElmActivation::silu) {
        const auto s = sigmoid(d, x);
        result = hn::Mul(g, hn::Mul(s, hn::MulAdd(x, hn::Sub(one, s), one)));
      } else if constexpr (kind() == ElmActivation::relu) {
        result = hn::IfThenElseZero(hn::Gt(x, zero), g);
      } else {
        const auto r = rectified(d, x);
        result = hn::Mul(g, hn::Add(r, r));
      }
      hn::Store(result, d, values + i);
    }
  });
}

template <typename T>
void memory_forward(const MemoryStep<T>& step) {
  const Tag<T> d;
  const auto scale = hn::Set(d, T(2.0 / 3.0)), amplitude = hn::Set(d, T(1.7159));
  for (std::int64_t i = 0; i < step.columns; i += lanes<T>()) {
    const auto keep = hn::Load(d, step.keep + i), gain = hn::Load(d, step.gain + i);
    for (std::int64_t at = i; at < step.rows * step.columns; at += step.columns) {
      const auto x = hn::Mul(scale, hn::Load(d, step.delta + at));
      const auto delta = hn::Mul(amplitude, hyperbolic_tangent(d, x));
      hn::Store(delta, d, step.delta + at);
      const auto kept = hn::Mul(keep, hn::Load(d, step.before + at));
      hn::Store(hn::MulAdd(gain, delta, kept), d, step.memory + at);
    }
  }
}

template <typename T>
void memory_backward(const MemoryStep<T>& step, const MemoryGradients<T>& gradients) {
  const Tag<T> d;
  // d/dx 1.7159 tanh(2x/3) = 2/3 (1.7159 - y^2 / 1.7159) for the value y.
  const auto slope = hn::Set(d, T(1.7159 * 2 / 3)), bend = hn::Set(d, T(2.0 / 3.0 / 1.7159));
  const auto zero = hn::Zero(d);
  for (std::int64_t i = 0; i < step.columns; i += lanes<T>()) {
    const auto keep = hn::Load(d, step.keep + i), gain = hn::Load(d, step.gain + i);
    auto keep_sum = hn::Load(d, gradients.keep + i), gain_sum = hn::Load(d, gradients.gain + i);
    for (std::int64_t at = i; at < step.rows * step.columns; at += step.columns) {
      const auto memory = hn::Load(d, step.memory + at);
      const auto after = hn::Load(d, gradients.after + at);
      const auto recalled = hn::Load(d, gradients.recalled + at);
      const auto outer = gradients.emitted != nullptr ? hn::Load(d, gradients.emitted + at) : zero;
      auto by_emitted = hn::MulAdd(keep, recalled, outer);
      auto emitted = memory;
      if (gradients.factor != nullptr) {
        const auto factor = hn::Load(d, gradients.factor + at);
        by_emitted = hn::Mul(by_emitted, factor);
        emitted = hn::Mul(memory, factor);
      }
      keep_sum = hn::MulAdd(after, memory, hn::MulAdd(recalled, emitted, keep_sum));
      const auto own = hn::MulAdd(keep, after, by_emitted);
      hn::Store(own, d, gradients.after + at);
      const auto delta = hn::Load(d, step.delta + at);
      gain_sum = hn::MulAdd(own, delta, gain_sum);
      const auto derivative = hn::NegMulAdd(hn::Mul(bend, delta), delta, slope);
      auto by_output = hn::Mul(hn::Mul(own, gain), derivative);
      if (gradients.magnitude != nullptr) {
        const auto by_size = hn::Load(d, gradients.magnitude + at);
        const auto signed_size = hn::CopySign(by_size, hn::Mul(by_size, delta));
        by_output = hn::Add(by_output, hn::IfThenZeroElse(hn::Eq(delta, zero), signed_size));
      }
      hn::Store(by_output, d, step.delta + at);
    }
    hn::Store(keep_sum, d, gradients.keep + i);
    hn::Store(gain_sum, d, gradients.gain + i);
  }
}

template <typename T>
constexpr Rows<T> kRows = {
    multiply_rows<T>, multiply_each<T>,  add_outer_each<T>, compress<T>, gather<T>,
    scatter<T>,       add_scaled<T>,     add_to_each<T>,    add_up<T>,   activate<T>,
    activate_back<T>, memory_forward<T>, memory_backward<T>};

// Highway's tables hold plain functions.
const Rows<float>* rows_float() {
  return &kRows<float>;
}
const Rows<double>* rows_double() {
  return &kRows<double>;
}

}  // namespace HWY_NAMESPACE
}  // namespace afterspike::kernels
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace afterspike::kernels {

HWY_EXPORT(rows_float);
HWY_EXPORT(rows_double);

namespace {

/// Notes the product, too.
void logged_multiply(std::int64_t rows, std::int64_t inner, std::int64_t columns, const float* from,
                     std::int64_t stride, const float* right, Into into, float* to) {
  log_product({Product::Kind::few_rows, Take::plain, Take::plain, rows, columns, inner, stride,
               columns, columns, into == Into::added});
  HWY_DYNAMIC_DISPATCH(rows_float)()->multiply(rows, inner, columns, from, stride, right, into, to);
}

const Rows<float>& logged_rows() {
  static const Rows<float> table = [] {
    Rows<float> own = *HWY_DYNAMIC_DISPATCH(rows_float)();
    own.multiply = logged_multiply;
    return own;
  }();
  return table;
}

}  // namespace

template <>
const Rows<float>& rows() {
  return products_are_logged() ? logged_rows() : *HWY_DYNAMIC_DISPATCH(rows_float)();
}
template <>
const Rows<double>& rows() {
  return *HWY_DYNAMIC_DISPATCH(rows_double)();
}

}  // namespace afterspike::kernels
#endif
