#pragma once

#include <algorithm>
#include <cstdint>

#include "afterspike/kernels/pass.hpp"
#include "padding.hpp"

namespace afterspike::kernels {

/// Masks for planes of [rows, columns], of whose columns the first are neurons and the others
/// padding.
template <typename T>
class PaddedMasks {
 public:
  /// `plane`: a plane to work in.
  PaddedMasks(const Masks<T>& masks, std::int64_t rows, std::int64_t neurons, std::int64_t columns,
              T* plane)
      : masks_(masks), rows_(rows), neurons_(neurons), columns_(columns), plane_(plane) {
    if (masks_.neurons != nullptr) {
      pad<T>({masks_.neurons, 0}, rows_, neurons_, {plane_, columns_}, columns_);
    }
  }

  bool recurrent() const { return masks_.recurrent != nullptr; }

  /// Whether factor() differs from step to step.
  bool varies() const { return masks_.emitted != nullptr; }

  /// What values are multiplied by to be emitted at step t, until the next call; null: nothing.
  const T* factor(std::int64_t t) const {
    if (masks_.emitted == nullptr) return masks_.neurons == nullptr ? nullptr : plane_;
    const std::uint8_t* kept = masks_.emitted + t * rows_ * neurons_;
    for (std::int64_t row = 0; row < rows_; ++row) {
      T* to = plane_ + row * columns_;
      for (std::int64_t i = 0; i < neurons_; ++i) {
        const T silenced = masks_.neurons == nullptr ? T(1) : masks_.neurons[i];
        to[i] = static_cast<T>(kept[row * neurons_ + i]) * masks_.emitted_scale * silenced;
      }
      std::fill(to + neurons_, to + columns_, T(0));
    }
    return plane_;
  }

  /// Multiplies the planes of `count` steps from `t` on by the mask of what comes back then.
  void apply_recurrent(const T* from, std::int64_t t, std::int64_t count, T* to) const {
    const std::uint8_t* kept = masks_.recurrent + t * rows_ * neurons_;
    for (std::int64_t row = 0; row < count * rows_; ++row) {
      for (std::int64_t i = 0; i < neurons_; ++i) {
        to[row * columns_ + i] = from[row * columns_ + i] * masks_.recurrent_scale *
                                 static_cast<T>(kept[row * neurons_ + i]);
      }
      std::fill(to + row * columns_ + neurons_, to + (row + 1) * columns_, T(0));
    }
  }

 private:
  Masks<T> masks_;
  std::int64_t rows_, neurons_, columns_;
  T* plane_;
};

}  // namespace afterspike::kernels
