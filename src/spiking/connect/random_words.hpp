#pragma once

#include <array>
#include <cstddef>
#include <cstdint>

#include "afterspike/base/rng.hpp"

namespace afterspike::spiking {

/// Blocks of a group: word k of block i of a group is at k * kWordLanes + i, on any processor.
inline constexpr std::size_t kWordLanes = 16;
/// Words of a group.
inline constexpr std::size_t kGroupWords = 4 * kWordLanes;

/// Writes the words of group `group` of the stream `key`: blocks kWordLanes * group and following.
void fill_words(std::uint64_t key, std::uint64_t group, std::uint32_t* words);

/// A stream of random numbers that computes a group of words at once: a few times faster than Rng,
/// with fewer bits. The numbers are the same on every machine.
class WordStream {
 public:
  explicit WordStream(const Rng& rng) : key_(rng.key()) {}

  /// 32 random bits.
  std::uint32_t next() {
    if (at_ == kGroupWords) refill();
    return words_[at_++];
  }

  /// Uniform in 0 .. bound - 1. No number is preferred by more than bound / 2^32.
  std::uint32_t below(std::uint32_t bound) {
    return static_cast<std::uint32_t>((std::uint64_t{next()} * bound) >> 32);
  }

  /// Uniform in [0, 1), 53 bits.
  double uniform() {
    const std::uint64_t high = next(), low = next();
    return static_cast<double>((high << 32 | low) >> 11) * 0x1p-53;
  }
  double uniform(double low, double high) { return low + (high - low) * uniform(); }

  /// Standard normal, by the ziggurat method (Marsaglia and Tsang 2000), with separate words for
  /// layer and place.
  double normal();

 private:
  void refill() {
    fill_words(key_, group_++, words_.data());
    at_ = 0;
  }

  std::uint64_t key_, group_ = 0;
  std::size_t at_ = kGroupWords;
  std::array<std::uint32_t, kGroupWords> words_{};
};

}  // namespace afterspike::spiking
