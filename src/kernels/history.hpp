#pragma once

#include <cstddef>
#include <cstdint>

#include "afterspike/kernels/pass.hpp"

namespace afterspike::kernels {

/// The history with the longest segments that takes at most `limit` of `bytes(history)`; where none
/// does, the one that takes least.
template <typename Bytes>
History longest_history_within(std::int64_t steps, std::size_t limit, const Bytes& bytes) {
  History best = History::whole();
  std::size_t least = bytes(best);
  for (std::int64_t parts = 2; least > limit && parts <= steps; ++parts) {
    const History history{true, (steps + parts - 1) / parts};
    const std::size_t own = bytes(history);
    if (own < least) {
      least = own;
      best = history;
    }
  }
  return best;
}

}  // namespace afterspike::kernels
