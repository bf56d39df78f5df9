#include "connect/add_scaled.hpp"

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "connect/add_scaled.cpp"
#include <hwy/foreach_target.h>  // compiles this file again for each instruction set
#include <hwy/highway.h>

HWY_BEFORE_NAMESPACE();
namespace afterspike::spiking {
namespace HWY_NAMESPACE {

namespace hn = hwy::HWY_NAMESPACE;

using D = hn::ScalableTag<double>;
using V = hn::Vec<D>;

HWY_INLINE V load(const double* weights) {
  return hn::LoadU(D(), weights);
}
HWY_INLINE V load(const float* weights) {
  return hn::PromoteTo(D(), hn::LoadU(hn::Rebind<float, D>(), weights));
}

template <typename Weight>
HWY_INLINE void add(double* sums, const Weight* weights, double size, std::uint32_t count) {
  const D d;
  const V factor = hn::Set(d, size);
  std::uint32_t at = 0;
  for (; at + hn::Lanes(d) <= count; at += static_cast<std::uint32_t>(hn::Lanes(d))) {
    const V product = hn::Mul(factor, load(weights + at));
    hn::StoreU(hn::Add(hn::LoadU(d, sums + at), product), d, sums + at);
  }
  for (; at < count; ++at) sums[at] += size * static_cast<double>(weights[at]);
}

void add_narrow(double* sums, const float* weights, double size, std::uint32_t count) {
  add(sums, weights, size, count);
}
void add_wide(double* sums, const double* weights, double size, std::uint32_t count) {
  add(sums, weights, size, count);
}

}  // namespace HWY_NAMESPACE
}  // namespace afterspike::spiking
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace afterspike::spiking {

HWY_EXPORT(add_narrow);
HWY_EXPORT(add_wide);

void add_scaled(double* sums, const float* weights, double size, std::uint32_t count) {
  HWY_DYNAMIC_DISPATCH(add_narrow)(sums, weights, size, count);
}
void add_scaled(double* sums, const double* weights, double size, std::uint32_t count) {
  HWY_DYNAMIC_DISPATCH(add_wide)(sums, weights, size, count);
}

}  // namespace afterspike::spiking
#endif
