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
      : masks_(masks), rows_(rows), neurons_(neurons), columns_(columns), plane_(plane) {}

  /// Call it before factor().
  void load() const {
    if (masks_.neurons != nullptr) {
      pad<T>({masks_.neurons, of_row(1)}, rows_, neurons_, {plane_, columns_}, columns_);
    }
  }

  /// True if there is a mask of what arrives at the recurrent synapses.
  bool recurrent() const { return masks_.recurrent != nullptr; }

  /// True if factor() differs from step to step.
  bool varies() const { return masks_.emitted != nullptr; }

  /// The plane by which values are multiplied to be emitted at step t; nullptr: 1. Valid until the
  /// next call.
  const T* factor(std::int64_t t) const {
    if (masks_.emitted == nullptr) return masks_.neurons == nullptr ? nullptr : plane_;
    const std::uint8_t* kept = masks_.emitted + t * rows_ * neurons_;
    for (std::int64_t row = 0; row < rows_; ++row) {
      T* to = plane_ + row * columns_;
      for (std::int64_t i = 0; i < neurons_; ++i) {
        const T silenced = masks_.neurons == nullptr ? T(1) : masks_.neurons[of_row(row) + i];
        to[i] = static_cast<T>(kept[row * neurons_ + i]) * masks_.emitted_scale * silenced;
      }
      std::fill(to + neurons_, to + columns_, T(0));
    }
    return plane_;
  }

  /// Writes the emissions of step t, [rows, neurons], from a plane of values.
  void emit(const T* values, std::int64_t t, T* to) const {
    const T* by = factor(t);
    for (std::int64_t row = 0; row < rows_; ++row) {
      for (std::int64_t i = row * columns_; i < row * columns_ + neurons_; ++i) {
        *to++ = by != nullptr ? values[i] * by[i] : values[i];
      }
    }
  }

  /// Multiplies the planes of `count` steps by the mask of what arrives from step `t` on.
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
  /// Place of the silencing mask of a row.
  std::int64_t of_row(std::int64_t row) const { return masks_.of_rows ? row * neurons_ : 0; }

  Masks<T> masks_;
  std::int64_t rows_, neurons_, columns_;
  T* plane_;
};

}  // namespace afterspike::kernels
