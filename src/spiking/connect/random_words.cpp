#include "connect/random_words.hpp"

#include <cmath>

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "connect/random_words.cpp"
#include <hwy/foreach_target.h>  // compiles this file again for each instruction set
#include <hwy/highway.h>

#include "connect/philox-inl.hpp"

HWY_BEFORE_NAMESPACE();
namespace afterspike::spiking {
namespace HWY_NAMESPACE {

void fill_group(std::uint64_t key, std::uint64_t group, std::uint32_t* words) {
  const Words d;
  for (std::size_t lane = 0; lane < kWordLanes; lane += hn::Lanes(d)) {
    // A group does not cross 2^32 blocks.
    const std::uint64_t first = group * kWordLanes + lane;
    const WordVec low = hn::Iota(d, static_cast<std::uint32_t>(first));
    const WordVec high = hn::Set(d, static_cast<std::uint32_t>(first >> 32));
    const WordBlock block = philox(low, high, key);
    for (std::size_t word = 0; word < 4; ++word) {
      hn::StoreU(block.word[word], d, words + word * kWordLanes + lane);
    }
  }
}

}  // namespace HWY_NAMESPACE
}  // namespace afterspike::spiking
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace afterspike::spiking {

HWY_EXPORT(fill_group);

void fill_words(std::uint64_t key, std::uint64_t group, std::uint32_t* words) {
  HWY_DYNAMIC_DISPATCH(fill_group)(key, group, words);
}

namespace {

/// Layers of equal area under exp(-x^2 / 2), the lowest with the tail.
struct Ziggurat {
  static constexpr std::size_t kLayers = 128;
  static constexpr double kTail = 3.442619855899;       ///< Where the tail begins.
  static constexpr double kArea = 9.91256303526217e-3;  ///< Area of a layer.

  std::array<double, kLayers> width;          ///< Width of a layer / 2^32.
  std::array<double, kLayers> density;        ///< At the outer edge of a layer; 1 at the top.
  std::array<std::uint32_t, kLayers> inside;  ///< Places below this lie under the density.

  Ziggurat() {
    constexpr double kWhole = 0x1p32;
    double outer = kTail;
    const double bottom = kArea / std::exp(-kTail * kTail / 2);
    width[0] = bottom / kWhole;
    density[0] = 1;
    inside[0] = static_cast<std::uint32_t>(kTail / bottom * kWhole);
    for (std::size_t layer = kLayers - 1; layer > 0; --layer) {
      const double height = std::exp(-outer * outer / 2);
      width[layer] = outer / kWhole;
      density[layer] = height;
      const double inner = layer == 1 ? 0 : std::sqrt(-2 * std::log(kArea / outer + height));
      inside[layer] = static_cast<std::uint32_t>(inner / outer * kWhole);
      outer = inner;
    }
  }
};

}  // namespace

double WordStream::normal() {
  static const Ziggurat table;
  for (;;) {
    const std::uint32_t bits = next();
    const std::size_t layer = bits % Ziggurat::kLayers;
    const double sign = (bits & 0x80000000u) != 0 ? -1 : 1;
    const std::uint32_t place = next();
    const double x = static_cast<double>(place) * table.width[layer];
    if (place < table.inside[layer]) return sign * x;
    if (layer == 0) {
      for (;;) {
        const double beyond = -std::log1p(-uniform()) / Ziggurat::kTail;
        if (-2 * std::log1p(-uniform()) >= beyond * beyond)
          return sign * (Ziggurat::kTail + beyond);
      }
    }
    const double low = table.density[layer], high = table.density[layer - 1];
    const double height = low + uniform() * (high - low);
    if (height < std::exp(-x * x / 2)) return sign * x;
  }
}

}  // namespace afterspike::spiking
#endif
