#include "exact/exponentials.hpp"

#include <algorithm>
#include <array>
#include <cmath>
#include <cstddef>
#include <numbers>

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "exact/exponentials.cpp"
#include <hwy/foreach_target.h>  // compiles this file again for each instruction set
#include <hwy/highway.h>

HWY_BEFORE_NAMESPACE();
namespace afterspike::spiking {
namespace HWY_NAMESPACE {

namespace hn = hwy::HWY_NAMESPACE;

using D = hn::CappedTag<double, 8>;
using V = hn::Vec<D>;

constexpr double inverse_factorial(int n) {
  return n < 2 ? 1.0 : inverse_factorial(n - 1) / n;
}

/// Two terms of exp(r) without their power of r: 1/k! + r/(k+1)!.
template <int k>
HWY_INLINE V terms(V r) {
  const D d;
  return hn::MulAdd(r, hn::Set(d, inverse_factorial(k + 1)), hn::Set(d, inverse_factorial(k)));
}

/// exp(x) for x <= 0, to one unit in the last place; 0 below exp(-700). As 2^k exp(r) with |r| at
/// most ln(2) / 2, where Taylor's series to the 13th power leaves a twentieth of a unit. Highway's
/// own takes a fifth longer, for arguments that there are none of here.
HWY_INLINE V exp_of_negative(V x) {
  const D d;
  const hn::RebindToSigned<D> integers;
  // Beside this number only whole ones are left: the nearest is k, and the last bits are its.
  const V whole = hn::Set(d, 0x1.8p52);
  const V shifted = hn::MulAdd(x, hn::Set(d, std::numbers::log2e), whole);
  const V k = hn::Sub(shifted, whole);
  // ln(2) in two parts, the first with so few digits that its product with k is exact.
  V r = hn::NegMulAdd(k, hn::Set(d, 0x1.62e42feep-1), x);
  r = hn::NegMulAdd(k, hn::Set(d, 0x1.a39ef35793c76p-33), r);
  const V r2 = hn::Mul(r, r), r4 = hn::Mul(r2, r2), r8 = hn::Mul(r4, r4);
  const V low = hn::MulAdd(terms<4>(r), r2, terms<2>(r));
  const V middle = hn::MulAdd(terms<8>(r), r2, terms<6>(r));
  const V high = hn::MulAdd(terms<12>(r), r2, terms<10>(r));
  const V rest = hn::MulAdd(high, r8, hn::MulAdd(middle, r4, low));
  const V exp_r = hn::Add(hn::MulAdd(rest, r2, r), hn::Set(d, 1.0));
  const auto exponent = hn::ShiftLeft<52>(hn::BitCast(integers, shifted));
  const V exp_x = hn::BitCast(d, hn::Add(hn::BitCast(integers, exp_r), exponent));
  return hn::IfThenElseZero(hn::Gt(x, hn::Set(d, -700.0)), exp_x);
}

void all_decay_factors(const double* rates, std::int64_t count, double time, double* factors) {
  const D d;
  const V negative = hn::Set(d, -time);
  for (std::int64_t index = 0; index < count; index += static_cast<std::int64_t>(hn::Lanes(d))) {
    hn::StoreU(exp_of_negative(hn::Mul(hn::LoadU(d, rates + index), negative)), d, factors + index);
  }
}

/// Later code waits for to[0] only, so the others are stored before it. Sums that need no
/// exponential are formed before the exponentials are ready.
void step_decaying(const double* rates, const double* gains, std::int64_t count, const double* from,
                   double time, double* to) {
  const D d;
  const V negative = hn::Set(d, -time);
  V driven = hn::Zero(d), kept = hn::Zero(d);
  const double first = from[0];
  double first_decay = 0;
  for (std::int64_t index = 0; index < count; index += static_cast<std::int64_t>(hn::Lanes(d))) {
    const V amounts = hn::LoadU(d, from + index);
    const V decay = exp_of_negative(hn::Mul(hn::LoadU(d, rates + index), negative));
    if (index == 0) first_decay = hn::GetLane(decay);
    const V gained = hn::Mul(amounts, hn::LoadU(d, gains + index));
    driven = hn::Add(driven, gained);
    kept = hn::MulAdd(gained, decay, kept);
    hn::StoreU(hn::Mul(amounts, decay), d, to + index);
  }
  to[0] = (first - hn::GetLane(hn::SumOfLanes(d, driven))) * first_decay +
          hn::GetLane(hn::SumOfLanes(d, kept));
}

DecayingStep* own_decaying_step() {
  return step_decaying;
}

}  // namespace HWY_NAMESPACE
}  // namespace afterspike::spiking
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace afterspike::spiking {

HWY_EXPORT(all_decay_factors);
HWY_EXPORT(own_decaying_step);

void decay_factors(const double* rates, std::int64_t count, double time, double* factors) {
  HWY_DYNAMIC_DISPATCH(all_decay_factors)(rates, count, time, factors);
}

DecayingStep* decaying_step() {
  return HWY_DYNAMIC_DISPATCH(own_decaying_step)();
}

namespace {

/// Rates that lie within 1 / time of each other: Taylor's series about their mean, with the
/// complete homogeneous symmetric polynomials of the deviations. 18 terms leave 1 / 18!.
double clustered(std::span<const double> rates, double time) {
  constexpr std::size_t kTerms = 18;
  double mean = 0;
  for (const double rate : rates) mean += rate;
  mean /= static_cast<double>(rates.size());
  std::array<double, kTerms> polynomials{1.0};
  for (const double rate : rates) {
    for (std::size_t order = 1; order < kTerms; ++order) {
      polynomials[order] += (mean - rate) * time * polynomials[order - 1];
    }
  }
  double power = std::exp(-mean * time);
  for (std::size_t order = 1; order < rates.size(); ++order) {
    power *= time / static_cast<double>(order);
  }
  double sum = 0;
  for (std::size_t order = 0; order < kTerms; ++order) {
    sum += power * polynomials[order];
    power /= static_cast<double>(rates.size() + order);
  }
  return sum;
}

double convolved_sorted(std::span<const double> rates, double time) {
  const double width = rates.back() - rates.front();
  if (width * time <= 1) return clustered(rates, time);
  return (convolved_sorted(rates.first(rates.size() - 1), time) -
          convolved_sorted(rates.subspan(1), time)) /
         width;
}

}  // namespace

double convolved_decays(std::span<double> rates, double time) {
  std::sort(rates.begin(), rates.end());
  return convolved_sorted(rates, time);
}

}  // namespace afterspike::spiking
#endif
