#pragma once

#include <algorithm>
#include <cstdint>

namespace afterspike::kernels {

/// Which steps of a track are read beside those of the segment at hand.
struct TrackUse {
  std::int64_t lead = 0;  ///< Steps before it: saved, and restored when it is computed again.
  std::int64_t rest = 0;  ///< Steps before the sequence, at most `lead`: zeros.
  std::int64_t tail = 0;  ///< Steps after it, on the way back.
  bool across = false;    ///< Runs of up to a chunk of steps may begin anywhere.
};

/// Planes of consecutive steps: of the whole sequence, or a ring with the steps in use. A plane
/// holds one step of all rows. The steps of a chunk lie side by side.
template <typename T>
class Track {
 public:
  /// The plane of step t >= -rest.
  T* at(std::int64_t t) const { return data_ + (t + offset_) % slots_ * plane_; }

  /// Makes runs that cross the end of the ring contiguous. Call it after writing steps [begin, end)
  /// of a track that is used across chunks.
  void repeat(std::int64_t begin, std::int64_t end) const {
    for (std::int64_t t = begin; overlap_ > 0 && t < end; ++t) {
      const std::int64_t slot = (t + offset_) % slots_;
      if (slot < overlap_) copy(data_ + slot * plane_, data_ + (slots_ + slot) * plane_);
    }
  }

  /// Copies the steps before segment `index`, which begins at step t, to where they are kept.
  void save(std::int64_t index, std::int64_t t) const {
    for_saved(index, t, [&](std::int64_t step, T* kept) { copy(at(step), kept); });
  }
  void restore(std::int64_t index, std::int64_t t) const {
    for_saved(index, t, [&](std::int64_t step, T* kept) {
      copy(kept, at(step));
      repeat(step, step + 1);
    });
  }
  /// Sets the steps before the sequence to zero.
  void begin() const {
    for (std::int64_t t = -use_.rest; t < 0; ++t) {
      std::fill_n(at(t), plane_, T(0));
      repeat(t, t + 1);
    }
  }

 private:
  template <typename>
  friend class Layout;

  void copy(const T* from, T* to) const { std::copy_n(from, plane_, to); }

  template <typename Visit>
  void for_saved(std::int64_t index, std::int64_t t, const Visit& visit) const {
    if (saved_ == nullptr) return;
    for (std::int64_t k = 0; k < use_.lead; ++k) {
      const std::int64_t step = t - use_.lead + k;
      if (step >= -use_.rest) visit(step, saved_ + (index * use_.lead + k) * plane_);
    }
  }

  TrackUse use_;
  std::int64_t plane_ = 0, slots_ = 1, offset_ = 0;
  std::int64_t overlap_ = 0;  ///< The first slots that are repeated after the last.
  T* data_ = nullptr;
  T* saved_ = nullptr;  ///< [segments, lead] planes; nullptr: the track keeps them itself.
};

}  // namespace afterspike::kernels
