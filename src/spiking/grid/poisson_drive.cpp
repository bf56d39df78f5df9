#include "grid/poisson_drive.hpp"

#include <algorithm>
#include <cmath>

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "grid/poisson_drive.cpp"
#include <hwy/foreach_target.h>  // compiles this file again for each instruction set
#include <hwy/highway.h>

#include "connect/philox-inl.hpp"

HWY_BEFORE_NAMESPACE();
namespace afterspike::spiking {
namespace HWY_NAMESPACE {

/// The numbers of a group of neurons; neuron n takes word n / kWordLanes of block n % kWordLanes.
HWY_INLINE void count_group(std::uint64_t key, std::int64_t group, const PoissonTable& table,
                            std::uint32_t* counts) {
  const Words d;
  const WordVec one = hn::Set(d, 1);
  for (std::size_t lane = 0; lane < kWordLanes; lane += hn::Lanes(d)) {
    const auto first = static_cast<std::uint64_t>(group) * kWordLanes + lane;
    const WordBlock block = philox(hn::Iota(d, static_cast<std::uint32_t>(first)),
                                   hn::Set(d, static_cast<std::uint32_t>(first >> 32)), key);
    WordVec count[4];
    for (WordVec& each : count) each = hn::Set(d, table.first());
    for (const std::uint32_t bound : table.bounds()) {
      const WordVec least = hn::Set(d, bound);
      auto any = hn::Lt(one, hn::Zero(d));
      for (std::size_t word = 0; word < 4; ++word) {
        const auto reached = hn::Not(hn::Lt(block.word[word], least));
        count[word] = hn::Add(count[word], hn::IfThenElseZero(reached, one));
        any = hn::Or(any, reached);
      }
      if (hn::AllFalse(d, any)) break;  // Bounds ascend.
    }
    for (std::size_t word = 0; word < 4; ++word) {
      hn::StoreU(count[word], d, counts + word * kWordLanes + lane);
    }
  }
}

/// out[i] += weight * counts[i]: rounded alike in vectors and one by one, so that it does not
/// matter where a piece of a population begins.
HWY_INLINE std::int64_t add_counts(const std::uint32_t* counts, std::int64_t size, double weight,
                                   double* out) {
  const hn::ScalableTag<double> d;
  const hn::Rebind<std::int32_t, decltype(d)> narrow;
  const auto factor = hn::Set(d, weight);
  const auto* numbers = reinterpret_cast<const std::int32_t*>(counts);
  const auto lanes = static_cast<std::int64_t>(hn::Lanes(d));
  auto sum = hn::Zero(d);
  std::int64_t at = 0;
  for (; at + lanes <= size; at += lanes) {
    const auto number = hn::PromoteTo(d, hn::LoadU(narrow, numbers + at));
    sum = hn::Add(sum, number);
    hn::StoreU(hn::Add(hn::LoadU(d, out + at), hn::Mul(factor, number)), d, out + at);
  }
  auto total = static_cast<std::int64_t>(hn::GetLane(hn::SumOfLanes(d, sum)));
  for (; at < size; ++at) {
    out[at] += weight * static_cast<double>(numbers[at]);
    total += numbers[at];
  }
  return total;
}

std::int64_t add_all(std::uint64_t key, const PoissonTable& table, std::int64_t first,
                     std::int64_t count, double weight, double* sums) {
  constexpr auto kGroup = static_cast<std::int64_t>(kGroupWords);
  std::int64_t total = 0;
  HWY_ALIGN std::uint32_t counts[kGroupWords];
  for (std::int64_t group = first / kGroup; group * kGroup < first + count; ++group) {
    count_group(key, group, table, counts);
    const std::int64_t begin = std::max(group * kGroup, first);
    const std::int64_t end = std::min((group + 1) * kGroup, first + count);
    total +=
        add_counts(counts + (begin - group * kGroup), end - begin, weight, sums + (begin - first));
  }
  return total;
}

}  // namespace HWY_NAMESPACE
}  // namespace afterspike::spiking
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace afterspike::spiking {

HWY_EXPORT(add_all);

PoissonTable::PoissonTable(double mean) {
  constexpr double kWhole = 0x1p32;
  double below = 0, log_factorial = 0;
  for (std::uint32_t number = 0;; ++number) {
    const double k = number;
    if (number > 0) log_factorial += std::log(k);
    below += mean == 0 ? 1 : std::exp(k * std::log(mean) - mean - log_factorial);
    const double bound = std::round(below * kWhole);
    if (bound < 1) {
      first_ = number + 1;
      continue;
    }
    // Beyond twelve deviations, sums of rounded terms may not reach 1.
    if (bound >= kWhole || k > mean + 12 * std::sqrt(mean) + 40) return;
    bounds_.push_back(static_cast<std::uint32_t>(bound));
  }
}

std::int64_t add_poisson(std::uint64_t key, const PoissonTable& table, std::int64_t first,
                         std::int64_t count, double weight, double* sums) {
  return HWY_DYNAMIC_DISPATCH(add_all)(key, table, first, count, weight, sums);
}

}  // namespace afterspike::spiking
#endif
