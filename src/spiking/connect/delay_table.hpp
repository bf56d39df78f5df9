#pragma once

#include <array>
#include <cstdint>
#include <vector>

#include "afterspike/spiking/connection.hpp"

namespace afterspike::spiking {

/// The distribution of delays in whole steps, at least one: values of a distribution of ms, rounded
/// to the grid. Probabilities are multiples of 2^-32.
class DelayTable {
 public:
  /// Throws Error(config) for a distribution with values below 0, with none between its bounds, or
  /// with more than a million steps.
  DelayTable(const Distribution& distribution, double time_step_ms);

  std::uint32_t min() const { return min_; }
  std::uint32_t max() const { return min_ + static_cast<std::uint32_t>(ends_.size()) - 1; }

  /// The delay that 32 random bits select.
  std::uint32_t draw(std::uint32_t bits) const {
    std::uint32_t at = guide_[bits >> kShift];
    while (bits > ends_[at]) ++at;
    return min_ + at;
  }

 private:
  static constexpr int kShift = 24;

  std::uint32_t min_ = 1;
  std::vector<std::uint32_t> ends_;  ///< Last bits that select each delay; the last is 2^32 - 1.
  std::array<std::uint32_t, 256> guide_{};  ///< Where to begin, by the first 8 bits.
};

}  // namespace afterspike::spiking
