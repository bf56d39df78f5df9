// A vector of doubles that reads like one: models are written once, for vectors and for a single
// neuron. Included again for each instruction set.

#if defined(AFTERSPIKE_LANES_INL_HPP) == defined(HWY_TARGET_TOGGLE)
#ifdef AFTERSPIKE_LANES_INL_HPP
#undef AFTERSPIKE_LANES_INL_HPP
#else
#define AFTERSPIKE_LANES_INL_HPP
#endif

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <numbers>
#include <type_traits>

#include <hwy/contrib/math/math-inl.h>
#include <hwy/highway.h>

#include "grid/grid_steps.hpp"

HWY_BEFORE_NAMESPACE();
namespace afterspike::spiking {
namespace HWY_NAMESPACE {

namespace hn = hwy::HWY_NAMESPACE;

using Doubles = hn::CappedTag<double, static_cast<std::size_t>(kLanes / 2)>;

/// The second half of a vector that has one half.
struct Nothing {};

/// Whether two vectors of the processor make one of ours: while one waits for a result, the other
/// is computed. Other instruction sets than AVX-512 have too few registers for two.
constexpr bool kHasHalves = HWY_TARGET == HWY_AVX3;
using Half = hn::Vec<Doubles>;
using HalfMask = hn::Mask<Doubles>;
using Second = std::conditional_t<kHasHalves, Half, Nothing>;
using SecondMask = std::conditional_t<kHasHalves, HalfMask, Nothing>;

/// Operations on a half, or on nothing.
namespace half {

using hn::Abs;
using hn::Add;
using hn::And;
using hn::Div;
using hn::IfThenElse;
using hn::Le;
using hn::Lt;
using hn::Max;
using hn::Min;
using hn::Mul;
using hn::Neg;
using hn::Not;
using hn::Or;
using hn::Sub;

HWY_INLINE Nothing Add(Nothing, Nothing) {
  return {};
}
HWY_INLINE Nothing Sub(Nothing, Nothing) {
  return {};
}
HWY_INLINE Nothing Mul(Nothing, Nothing) {
  return {};
}
HWY_INLINE Nothing Div(Nothing, Nothing) {
  return {};
}
HWY_INLINE Nothing Min(Nothing, Nothing) {
  return {};
}
HWY_INLINE Nothing Max(Nothing, Nothing) {
  return {};
}
HWY_INLINE Nothing Lt(Nothing, Nothing) {
  return {};
}
HWY_INLINE Nothing Le(Nothing, Nothing) {
  return {};
}
HWY_INLINE Nothing And(Nothing, Nothing) {
  return {};
}
HWY_INLINE Nothing Or(Nothing, Nothing) {
  return {};
}
HWY_INLINE Nothing Neg(Nothing) {
  return {};
}
HWY_INLINE Nothing Abs(Nothing) {
  return {};
}
HWY_INLINE Nothing Not(Nothing) {
  return {};
}
HWY_INLINE Nothing IfThenElse(Nothing, Nothing, Nothing) {
  return {};
}
HWY_INLINE Half Cos(Half x) {
  return hn::Cos(Doubles(), x);
}
HWY_INLINE Nothing Cos(Nothing) {
  return {};
}
HWY_INLINE Half Log(Half x) {
  return hn::Log(Doubles(), x);
}
HWY_INLINE Nothing Log(Nothing) {
  return {};
}
HWY_INLINE void Set(double value, Half& x) {
  x = hn::Set(Doubles(), value);
}
HWY_INLINE void Set(double, Nothing&) {}
HWY_INLINE void Load(const double* from, Half& x) {
  x = hn::LoadU(Doubles(), from);
}
HWY_INLINE void Load(const double*, Nothing&) {}
HWY_INLINE void Store(Half x, double* to) {
  hn::StoreU(x, Doubles(), to);
}
HWY_INLINE void Store(Nothing, double*) {}
HWY_INLINE bool AnyOf(HalfMask low, HalfMask high) {
  return !hn::AllFalse(Doubles(), hn::Or(low, high));
}
HWY_INLINE bool AnyOf(HalfMask low, Nothing) {
  return !hn::AllFalse(Doubles(), low);
}

}  // namespace half

/// Neurons in a vector; at most kLanes.
HWY_INLINE std::size_t lanes() {
  return (kHasHalves ? 2 : 1) * hn::Lanes(Doubles());
}

/// A truth value for each lane.
struct Mask {
  HalfMask low;
  [[no_unique_address]] SecondMask high;

  HWY_INLINE friend Mask operator&(Mask a, Mask b) {
    return {half::And(a.low, b.low), half::And(a.high, b.high)};
  }
  HWY_INLINE friend Mask operator|(Mask a, Mask b) {
    return {half::Or(a.low, b.low), half::Or(a.high, b.high)};
  }
  HWY_INLINE friend Mask operator!(Mask a) { return {half::Not(a.low), half::Not(a.high)}; }
};

/// A number for each lane.
struct Vec {
  Half low;
  [[no_unique_address]] Second high;

  Vec() = default;
  HWY_INLINE Vec(Half first, Second second) : low(first), high(second) {}
  HWY_INLINE Vec(double value) {
    half::Set(value, low);
    half::Set(value, high);
  }

  HWY_INLINE friend Vec operator+(Vec a, Vec b) {
    return {half::Add(a.low, b.low), half::Add(a.high, b.high)};
  }
  HWY_INLINE friend Vec operator-(Vec a, Vec b) {
    return {half::Sub(a.low, b.low), half::Sub(a.high, b.high)};
  }
  HWY_INLINE friend Vec operator*(Vec a, Vec b) {
    return {half::Mul(a.low, b.low), half::Mul(a.high, b.high)};
  }
  HWY_INLINE friend Vec operator/(Vec a, Vec b) {
    return {half::Div(a.low, b.low), half::Div(a.high, b.high)};
  }
  HWY_INLINE friend Vec operator-(Vec a) { return {half::Neg(a.low), half::Neg(a.high)}; }
  HWY_INLINE friend Mask operator<(Vec a, Vec b) {
    return {half::Lt(a.low, b.low), half::Lt(a.high, b.high)};
  }
  HWY_INLINE friend Mask operator<=(Vec a, Vec b) {
    return {half::Le(a.low, b.low), half::Le(a.high, b.high)};
  }
  HWY_INLINE friend Mask operator>(Vec a, Vec b) { return b < a; }
  HWY_INLINE friend Mask operator>=(Vec a, Vec b) { return b <= a; }
};

HWY_INLINE Vec select(Mask mask, Vec yes, Vec no) {
  return {half::IfThenElse(mask.low, yes.low, no.low),
          half::IfThenElse(mask.high, yes.high, no.high)};
}
HWY_INLINE bool any(Mask mask) {
  return half::AnyOf(mask.low, mask.high);
}
HWY_INLINE Vec abs(Vec x) {
  return {half::Abs(x.low), half::Abs(x.high)};
}
HWY_INLINE Vec cos(Vec x) {
  return {half::Cos(x.low), half::Cos(x.high)};
}
HWY_INLINE Vec log(Vec x) {
  return {half::Log(x.low), half::Log(x.high)};
}
HWY_INLINE Vec min(Vec a, Vec b) {
  return {half::Min(a.low, b.low), half::Min(a.high, b.high)};
}
HWY_INLINE Vec max(Vec a, Vec b) {
  return {half::Max(a.low, b.low), half::Max(a.high, b.high)};
}
HWY_INLINE Vec load(const double* from, Vec* /*kind*/) {
  Vec x;
  half::Load(from, x.low);
  half::Load(from + hn::Lanes(Doubles()), x.high);
  return x;
}
HWY_INLINE void store(Vec x, double* to) {
  half::Store(x.low, to);
  half::Store(x.high, to + hn::Lanes(Doubles()));
}

constexpr double one_over_factorial(int n) {
  return n < 2 ? 1.0 : one_over_factorial(n - 1) / n;
}

/// Two terms of exp(r) without their power of r: 1/k! + r/(k+1)!.
template <int k>
HWY_INLINE Half two_terms(Half r) {
  const Doubles d;
  return hn::MulAdd(r, hn::Set(d, one_over_factorial(k + 1)), hn::Set(d, one_over_factorial(k)));
}

/// exp(x) to one unit in the last place; constant beyond +-700. As 2^k exp(r) with |r| at most
/// ln(2) / 2 and Taylor's series to the 13th power.
HWY_INLINE Half exp(Half argument) {
  const Doubles d;
  const hn::RebindToSigned<Doubles> integers;
  const auto x = hn::Max(hn::Min(argument, hn::Set(d, 700.0)), hn::Set(d, -700.0));
  // Adding this number rounds to a whole one, which its last bits hold.
  const auto whole = hn::Set(d, 0x1.8p52);
  const auto shifted = hn::MulAdd(x, hn::Set(d, std::numbers::log2e), whole);
  const auto k = hn::Sub(shifted, whole);
  // ln(2) in two parts, the first with few digits: its product with k is exact.
  auto r = hn::NegMulAdd(k, hn::Set(d, 0x1.62e42feep-1), x);
  r = hn::NegMulAdd(k, hn::Set(d, 0x1.a39ef35793c76p-33), r);
  const auto r2 = hn::Mul(r, r), r4 = hn::Mul(r2, r2), r8 = hn::Mul(r4, r4);
  const auto low = hn::MulAdd(two_terms<4>(r), r2, two_terms<2>(r));
  const auto middle = hn::MulAdd(two_terms<8>(r), r2, two_terms<6>(r));
  const auto high = hn::MulAdd(two_terms<12>(r), r2, two_terms<10>(r));
  const auto rest = hn::MulAdd(high, r8, hn::MulAdd(middle, r4, low));
  const auto exp_r = hn::Add(hn::MulAdd(rest, r2, r), hn::Set(d, 1.0));
  const auto exponent = hn::ShiftLeft<52>(hn::BitCast(integers, shifted));
  return hn::BitCast(d, hn::Add(hn::BitCast(integers, exp_r), exponent));
}
HWY_INLINE Nothing exp(Nothing) {
  return {};
}
HWY_INLINE Vec exp(Vec x) {
  return {exp(x.low), exp(x.high)};
}

// The same for one neuron.
inline double select(bool condition, double yes, double no) {
  return condition ? yes : no;
}
inline bool any(bool condition) {
  return condition;
}
inline double abs(double x) {
  return std::abs(x);
}
inline double min(double a, double b) {
  return std::min(a, b);
}
inline double max(double a, double b) {
  return std::max(a, b);
}
inline double cos(double x) {
  return std::cos(x);
}
inline double log(double x) {
  return std::log(x);
}
inline double exp(double x) {
  return std::exp(std::clamp(x, -700.0, 700.0));
}
inline double load(const double* from, double* /*kind*/) {
  return *from;
}

/// x / (1 - exp(-x)), 1 at 0: the rates of Hodgkin and Huxley without their singularity.
template <typename V>
HWY_INLINE V linoid(V x) {
  const auto near = abs(x) < V(1e-5);
  const V away = select(near, V(1), x);
  return select(near, 1 + 0.5 * x, away / (1 - exp(-away)));
}

template <typename V>
HWY_INLINE V tanh(V x) {
  return 1 - 2 / (exp(2 * x) + 1);
}

/// 1 - exp(-x) for x >= 0, to full precision also where x is small.
template <typename V>
HWY_INLINE V one_minus_exp(V x) {
  const V series = x * (1 - x * (0.5 - x * (1.0 / 6 - x * (1.0 / 24 - x * (1.0 / 120)))));
  return select(x < V(1e-3), series, 1 - exp(-x));
}

/// Coefficients of the neurons of a vector, or of one neuron.
template <typename V>
struct Coefficients {
  const V* values;

  HWY_INLINE V operator[](std::size_t index) const { return values[index]; }
};
template <>
struct Coefficients<double> {
  const Coefficient* rows;
  std::int64_t column;

  HWY_INLINE double operator[](std::size_t index) const {
    return rows[index].data[rows[index].step * column];
  }
};

}  // namespace HWY_NAMESPACE
}  // namespace afterspike::spiking
HWY_AFTER_NAMESPACE();

#endif
