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

#include <hwy/contrib/math/math-inl.h>
#include <hwy/highway.h>

#include "grid/grid_steps.hpp"

HWY_BEFORE_NAMESPACE();
namespace afterspike::spiking {
namespace HWY_NAMESPACE {

namespace hn = hwy::HWY_NAMESPACE;

using Doubles = hn::CappedTag<double, static_cast<std::size_t>(kLanes)>;

/// A truth value for each lane.
struct Mask {
  hn::Mask<Doubles> m;

  HWY_INLINE friend Mask operator&(Mask a, Mask b) { return {hn::And(a.m, b.m)}; }
  HWY_INLINE friend Mask operator|(Mask a, Mask b) { return {hn::Or(a.m, b.m)}; }
  HWY_INLINE friend Mask operator!(Mask a) { return {hn::Not(a.m)}; }
};

/// A number for each lane.
struct Vec {
  hn::Vec<Doubles> v;

  Vec() = default;
  HWY_INLINE Vec(hn::Vec<Doubles> lanes) : v(lanes) {}
  HWY_INLINE Vec(double value) : v(hn::Set(Doubles(), value)) {}

  HWY_INLINE friend Vec operator+(Vec a, Vec b) { return hn::Add(a.v, b.v); }
  HWY_INLINE friend Vec operator-(Vec a, Vec b) { return hn::Sub(a.v, b.v); }
  HWY_INLINE friend Vec operator*(Vec a, Vec b) { return hn::Mul(a.v, b.v); }
  HWY_INLINE friend Vec operator/(Vec a, Vec b) { return hn::Div(a.v, b.v); }
  HWY_INLINE friend Vec operator-(Vec a) { return hn::Neg(a.v); }
  HWY_INLINE friend Mask operator<(Vec a, Vec b) { return {hn::Lt(a.v, b.v)}; }
  HWY_INLINE friend Mask operator>(Vec a, Vec b) { return {hn::Gt(a.v, b.v)}; }
  HWY_INLINE friend Mask operator<=(Vec a, Vec b) { return {hn::Le(a.v, b.v)}; }
  HWY_INLINE friend Mask operator>=(Vec a, Vec b) { return {hn::Ge(a.v, b.v)}; }
};

HWY_INLINE Vec select(Mask mask, Vec yes, Vec no) {
  return hn::IfThenElse(mask.m, yes.v, no.v);
}
HWY_INLINE bool any(Mask mask) {
  return !hn::AllFalse(Doubles(), mask.m);
}
HWY_INLINE Vec abs(Vec x) {
  return hn::Abs(x.v);
}
HWY_INLINE Vec min(Vec a, Vec b) {
  return hn::Min(a.v, b.v);
}
HWY_INLINE Vec max(Vec a, Vec b) {
  return hn::Max(a.v, b.v);
}
HWY_INLINE Vec cos(Vec x) {
  return hn::Cos(Doubles(), x.v);
}
HWY_INLINE Vec log(Vec x) {
  return hn::Log(Doubles(), x.v);
}
HWY_INLINE Vec load(const double* from, Vec* /*kind*/) {
  return hn::LoadU(Doubles(), from);
}

constexpr double one_over_factorial(int n) {
  return n < 2 ? 1.0 : one_over_factorial(n - 1) / n;
}

/// Two terms of exp(r) without their power of r: 1/k! + r/(k+1)!.
template <int k>
HWY_INLINE Vec two_terms(Vec r) {
  const Doubles d;
  return hn::MulAdd(r.v, hn::Set(d, one_over_factorial(k + 1)), hn::Set(d, one_over_factorial(k)));
}

/// exp(x) to one unit in the last place; constant beyond +-700. As 2^k exp(r) with |r| at most
/// ln(2) / 2 and Taylor's series to the 13th power.
HWY_INLINE Vec exp(Vec argument) {
  const Doubles d;
  const hn::RebindToSigned<Doubles> integers;
  const auto x = hn::Max(hn::Min(argument.v, hn::Set(d, 700.0)), hn::Set(d, -700.0));
  // Adding this number rounds to a whole one, which its last bits hold.
  const auto whole = hn::Set(d, 0x1.8p52);
  const auto shifted = hn::MulAdd(x, hn::Set(d, std::numbers::log2e), whole);
  const auto k = hn::Sub(shifted, whole);
  // ln(2) in two parts, the first with few digits: its product with k is exact.
  auto r = hn::NegMulAdd(k, hn::Set(d, 0x1.62e42feep-1), x);
  r = hn::NegMulAdd(k, hn::Set(d, 0x1.a39ef35793c76p-33), r);
  const auto r2 = hn::Mul(r, r), r4 = hn::Mul(r2, r2), r8 = hn::Mul(r4, r4);
  const auto low = hn::MulAdd(two_terms<4>(r).v, r2, two_terms<2>(r).v);
  const auto middle = hn::MulAdd(two_terms<8>(r).v, r2, two_terms<6>(r).v);
  const auto high = hn::MulAdd(two_terms<12>(r).v, r2, two_terms<10>(r).v);
  const auto rest = hn::MulAdd(high, r8, hn::MulAdd(middle, r4, low));
  const auto exp_r = hn::Add(hn::MulAdd(rest, r2, r), hn::Set(d, 1.0));
  const auto exponent = hn::ShiftLeft<52>(hn::BitCast(integers, shifted));
  return hn::BitCast(d, hn::Add(hn::BitCast(integers, exp_r), exponent));
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

/// Coefficients of one neuron, or of the neurons of a vector.
template <typename V>
struct Coefficients {
  const Coefficient* rows;
  std::int64_t column;

  HWY_INLINE V operator[](std::size_t index) const {
    const Coefficient& row = rows[index];
    return load(row.data + row.step * column, static_cast<V*>(nullptr));
  }
};

}  // namespace HWY_NAMESPACE
}  // namespace afterspike::spiking
HWY_AFTER_NAMESPACE();

#endif
