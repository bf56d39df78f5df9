#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>

#include "afterspike/kernels/pass.hpp"
#include "arena.hpp"

namespace afterspike::kernels {

/// What a chunk of steps touches is to stay in the second-level cache.
inline constexpr std::int64_t kChunkBytes = std::int64_t{1} << 20;

/// Steps that are worked on together, of those of a sequence, where each touches `step_bytes`.
inline std::int64_t steps_of_chunk(std::int64_t step_bytes, std::int64_t steps,
                                   std::int64_t chunk_bytes = kChunkBytes) {
  return std::clamp<std::int64_t>(chunk_bytes / step_bytes, 1, std::min<std::int64_t>(steps, 64));
}

/// Steps of a segment, a multiple of those of a chunk; `unkept` at least where no history is kept.
inline std::int64_t steps_of_segment(History history, std::int64_t steps, std::int64_t chunk,
                                     std::int64_t unkept = 1) {
  const std::int64_t wanted = history.kept ? history.segment : unkept;
  return rounded_up(std::clamp<std::int64_t>(wanted, 1, steps), chunk);
}

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
