// Philox4x32-10 (base/rng.hpp) for vectors of counters. Included again for each instruction set.

#if defined(AFTERSPIKE_PHILOX_INL_HPP) == defined(HWY_TARGET_TOGGLE)
#ifdef AFTERSPIKE_PHILOX_INL_HPP
#undef AFTERSPIKE_PHILOX_INL_HPP
#else
#define AFTERSPIKE_PHILOX_INL_HPP
#endif

#include <cstdint>

#include <hwy/highway.h>

#include "connect/random_words.hpp"

HWY_BEFORE_NAMESPACE();
namespace afterspike::spiking {
namespace HWY_NAMESPACE {

namespace hn = hwy::HWY_NAMESPACE;

using Words = hn::CappedTag<std::uint32_t, kWordLanes>;
using WordVec = hn::Vec<Words>;

/// The four words of each lane's block.
struct WordBlock {
  WordVec word[4];
};

/// High and low halves of the products of all lanes and a factor.
HWY_INLINE void multiply(WordVec lanes, std::uint32_t factor, WordVec& high, WordVec& low) {
  const Words d;
#if HWY_TARGET == HWY_SCALAR
  const std::uint64_t product = std::uint64_t{hn::GetLane(lanes)} * factor;
  high = hn::Set(d, static_cast<std::uint32_t>(product >> 32));
  low = hn::Set(d, static_cast<std::uint32_t>(product));
#else
  const hn::RepartitionToWide<Words> wide;
  const WordVec factors = hn::Set(d, factor);
  const auto even = hn::MulEven(lanes, factors);
  const auto odd =
      hn::MulEven(hn::BitCast(d, hn::ShiftRight<32>(hn::BitCast(wide, lanes))), factors);
  high = hn::OddEven(hn::BitCast(d, odd), hn::BitCast(d, hn::ShiftRight<32>(even)));
  low = hn::OddEven(hn::BitCast(d, hn::ShiftLeft<32>(odd)), hn::BitCast(d, even));
#endif
}

/// The blocks of these counters, as `Rng` draws them.
HWY_INLINE WordBlock philox(WordVec counter_low, WordVec counter_high, std::uint64_t key) {
  const Words d;
  WordBlock block = {{counter_low, counter_high, hn::Zero(d), hn::Zero(d)}};
  auto key_low = static_cast<std::uint32_t>(key);
  auto key_high = static_cast<std::uint32_t>(key >> 32);
  for (int round = 0; round < 10; ++round) {
    WordVec high0, low0, high1, low1;
    multiply(block.word[0], 0xd2511f53u, high0, low0);
    multiply(block.word[2], 0xcd9e8d57u, high1, low1);
    block.word[0] = hn::Xor(hn::Xor(high1, block.word[1]), hn::Set(d, key_low));
    block.word[1] = low1;
    block.word[2] = hn::Xor(hn::Xor(high0, block.word[3]), hn::Set(d, key_high));
    block.word[3] = low0;
    key_low += 0x9e3779b9u;
    key_high += 0xbb67ae85u;
  }
  return block;
}

}  // namespace HWY_NAMESPACE
}  // namespace afterspike::spiking
HWY_AFTER_NAMESPACE();

#endif
