#include "afterspike/base/rng.hpp"

#include <cmath>
#include <numbers>
#include <numeric>
#include <utility>

namespace afterspike {
namespace {

/// SplitMix64's finaliser: every bit of the input reaches every bit of the output.
std::uint64_t mix(std::uint64_t word) noexcept {
  word += 0x9e3779b97f4a7c15u;
  word = (word ^ (word >> 30)) * 0xbf58476d1ce4e5b9u;
  word = (word ^ (word >> 27)) * 0x94d049bb133111ebu;
  return word ^ (word >> 31);
}

/// Philox4x32 with ten rounds; constants from Salmon et al. 2011.
std::array<std::uint64_t, 2> philox(std::uint64_t counter, std::uint64_t key) noexcept {
  std::array<std::uint32_t, 4> word = {static_cast<std::uint32_t>(counter),
                                       static_cast<std::uint32_t>(counter >> 32), 0, 0};
  auto key_low = static_cast<std::uint32_t>(key);
  auto key_high = static_cast<std::uint32_t>(key >> 32);
  for (int round = 0; round < 10; ++round) {
    const std::uint64_t first = std::uint64_t{0xd2511f53u} * word[0];
    const std::uint64_t second = std::uint64_t{0xcd9e8d57u} * word[2];
    word = {static_cast<std::uint32_t>(second >> 32) ^ word[1] ^ key_low,
            static_cast<std::uint32_t>(second),
            static_cast<std::uint32_t>(first >> 32) ^ word[3] ^ key_high,
            static_cast<std::uint32_t>(first)};
    key_low += 0x9e3779b9u;
    key_high += 0xbb67ae85u;
  }
  return {word[0] | std::uint64_t{word[1]} << 32, word[2] | std::uint64_t{word[3]} << 32};
}

}  // namespace

Rng::Rng(std::uint64_t seed) noexcept : key_(mix(seed)) {}

Rng Rng::of_key(std::uint64_t key) noexcept {
  Rng stream(0);
  stream.key_ = key;
  return stream;
}

Rng Rng::stream(std::string_view name) const noexcept {
  Rng child = *this;
  child.block_ = 0;
  child.left_ = 0;
  child.key_ = mix(child.key_ ^ name.size());
  for (const char letter : name) child.key_ = mix(child.key_ ^ static_cast<unsigned char>(letter));
  return child;
}

Rng Rng::stream(std::string_view name, std::uint64_t index) const noexcept {
  Rng child = stream(name);
  child.key_ = mix(child.key_ ^ mix(index));
  return child;
}

Rng Rng::after(std::uint64_t drawn) const noexcept {
  Rng later = *this;
  later.block_ = drawn / 2;
  later.left_ = 0;
  if (drawn % 2 == 1) later.next();
  return later;
}

std::uint64_t Rng::next() noexcept {
  if (left_ == 0) {
    buffer_ = philox(block_++, key_);
    left_ = 2;
  }
  return buffer_[static_cast<std::size_t>(--left_)];
}

double Rng::uniform() noexcept {
  return static_cast<double>(next() >> 11) * 0x1p-53;
}

double Rng::normal() noexcept {
  const double radius = std::sqrt(-2 * std::log1p(-uniform()));
  return radius * std::cos(2 * std::numbers::pi * uniform());
}

std::uint64_t Rng::below(std::uint64_t bound) noexcept {
  // Words beyond the last whole multiple of the bound would favour small numbers: draw again.
  const std::uint64_t excess = (std::uint64_t{0} - bound) % bound;
  std::uint64_t word = next();
  while (word < excess) word = next();
  return word % bound;
}

std::vector<std::int64_t> Rng::permutation(std::int64_t size) {
  std::vector<std::int64_t> order(static_cast<std::size_t>(size));
  std::iota(order.begin(), order.end(), 0);
  for (std::size_t last = order.size(); last > 1; --last) {
    std::swap(order[last - 1], order[static_cast<std::size_t>(below(last))]);
  }
  return order;
}

}  // namespace afterspike
