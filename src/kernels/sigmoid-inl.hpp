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

/// 1 / (1 + exp(-x)). The argument of the exponential is kept where that is finite (error of at
/// most 1 unit in the last place there; beyond, the result is 0 or 1 to the last bit but for
/// denormals); what is not a number stays so.
template <class D, class V = hwy::HWY_NAMESPACE::Vec<D>>
HWY_INLINE V sigmoid(D d, V x) {
  namespace hn = hwy::HWY_NAMESPACE;
  using T = hn::TFromD<D>;
  const V limit = hn::Set(d, sizeof(T) == 4 ? T(87) : T(705));
  const V bounded = hn::Min(hn::Max(x, hn::Neg(limit)), limit);
  const V one = hn::Set(d, T(1));
  const V value = hn::Div(one, hn::Add(one, hn::Exp(d, hn::Neg(bounded))));
  return hn::IfThenElse(hn::IsNaN(x), x, value);
}

}  // namespace HWY_NAMESPACE
}  // namespace afterspike::kernels
HWY_AFTER_NAMESPACE();

#endif
