#include "exponentials.hpp"

#include <algorithm>
#include <array>
#include <cmath>
#include <cstddef>

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "exponentials.cpp"
#include <hwy/foreach_target.h>  // compiles this file again for each instruction set
#include <hwy/highway.h>

#include <hwy/contrib/math/math-inl.h>

HWY_BEFORE_NAMESPACE();
namespace afterspike::sim {
namespace HWY_NAMESPACE {

namespace hn = hwy::HWY_NAMESPACE;

void all_decay_factors(const double* rates, std::int64_t count, double time, double* factors) {
  const hn::CappedTag<double, 8> d;
  const auto negative = hn::Set(d, -time);
  for (std::int64_t index = 0; index < count; index += static_cast<std::int64_t>(hn::Lanes(d))) {
    hn::StoreU(hn::Exp(d, hn::Mul(hn::LoadU(d, rates + index), negative)), d, factors + index);
  }
}

}  // namespace HWY_NAMESPACE
}  // namespace afterspike::sim
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace afterspike::sim {

HWY_EXPORT(all_decay_factors);

void decay_factors(const double* rates, std::int64_t count, double time, double* factors) {
  HWY_DYNAMIC_DISPATCH(all_decay_factors)(rates, count, time, factors);
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

}  // namespace afterspike::sim
#endif
