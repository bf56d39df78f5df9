// Included for each instruction set anew, inside foreach_target.
#if defined(AFTERSPIKE_SIGMOID_INL) == defined(HWY_TARGET_TOGGLE)
#ifdef AFTERSPIKE_SIGMOID_INL
#undef AFTERSPIKE_SIGMOID_INL
#else
#define AFTERSPIKE_SIGMOID_INL
#endif

#include <hwy/highway.h>

#include <hwy/contrib/math/math-inl.h>

HWY_BEFORE_NAMESPACE();
namespace afterspike::kernels {
namespace HWY_NAMESPACE {

/// exp(x) for |x| <= 87 in single precision: 2^n exp(r) with |r| <= ln(2) / 2, where ln(2) is taken
/// off in two parts and exp(r) is a polynomial (coefficients of Cephes' expf).
template <class D, class V = hwy::HWY_NAMESPACE::Vec<D>>
HWY_INLINE V exp_within_87(D d, V x) {
  namespace hn = hwy::HWY_NAMESPACE;
  const hn::RebindToSigned<D> whole;
  const auto n = hn::NearestInt(hn::Mul(x, hn::Set(d, 1.44269504F)));
  const V times = hn::ConvertTo(d, n);
  V r = hn::NegMulAdd(times, hn::Set(d, 0.693359375F), x);
  r = hn::NegMulAdd(times, hn::Set(d, -2.12194440e-4F), r);
  const V square = hn::Mul(r, r);
  const V high = hn::MulAdd(hn::Set(d, 1.9875691500e-4F), r, hn::Set(d, 1.3981999507e-3F));
  const V middle = hn::MulAdd(hn::Set(d, 8.3334519073e-3F), r, hn::Set(d, 4.1665795894e-2F));
  const V low = hn::MulAdd(hn::Set(d, 1.6666665459e-1F), r, hn::Set(d, 5.0000001201e-1F));
  const V p = hn::MulAdd(hn::MulAdd(high, square, middle), square, low);
  const V fraction = hn::MulAdd(p, square, hn::Add(r, hn::Set(d, 1.0F)));
  const auto exponent = hn::ShiftLeft<23>(n);
  return hn::BitCast(d, hn::Add(hn::BitCast(whole, fraction), exponent));
}

/// 1 / (1 + exp(-x)), within 4 units in the last place. The argument of the exponential is kept
/// where that is finite; beyond, the result is 0 or 1 to the last bit but for numbers below 2e-38
/// (1e-306 in double precision). What is not a number stays so.
template <class D, class V = hwy::HWY_NAMESPACE::Vec<D>>
HWY_INLINE V sigmoid(D d, V x) {
  namespace hn = hwy::HWY_NAMESPACE;
  using T = hn::TFromD<D>;
  const V limit = hn::Set(d, sizeof(T) == 4 ? T(87) : T(705));
  const V one = hn::Set(d, T(1));
  const V bounded = hn::Min(hn::Max(hn::Neg(x), hn::Neg(limit)), limit);
  V value;
  if constexpr (sizeof(T) == 4 && HWY_TARGET <= HWY_AVX3 && hn::MaxLanes(D()) == 16) {
    const V sum = hn::Add(one, exp_within_87(d, bounded));
    // Vectors of AVX-512 have an estimate of 14 bits. Newton's step makes 28 of them and, but
    // for rounding, never exceeds 1 / sum; the second, from within a unit in the last place, gives
    // the nearest value but for one mantissa (Markstein 1990), so that processors agree whose
    // estimates do not.
    value = hn::ApproximateReciprocal(sum);
    value = hn::MulAdd(value, hn::NegMulAdd(sum, value, one), value);
    value = hn::MulAdd(value, hn::NegMulAdd(sum, value, one), value);
  } else {
    value = hn::Div(one, hn::Add(one, hn::Exp(d, bounded)));
  }
  return hn::IfThenElse(hn::IsNaN(x), x, value);
}

/// Highway's; what is not a number stays so.
template <class D, class V = hwy::HWY_NAMESPACE::Vec<D>>
HWY_INLINE V hyperbolic_tangent(D d, V x) {
  namespace hn = hwy::HWY_NAMESPACE;
  return hn::IfThenElse(hn::IsNaN(x), x, hn::Tanh(d, x));
}

}  // namespace HWY_NAMESPACE
}  // namespace afterspike::kernels
HWY_AFTER_NAMESPACE();

#endif
