#pragma once

#include <cstdint>

#include "afterspike/kernels/gemm.hpp"
#include "arena.hpp"
#include "rows.hpp"

namespace afterspike::kernels {

/// The products of inputs with their weights, for some rows at a time. Inputs of which few are not
/// zero, as those of spikes, are gathered; others are multiplied.
template <typename T>
class InputProducts {
 public:
  InputProducts() = default;
  /// Room for `rows` rows at most.
  InputProducts(std::int64_t rows, std::int64_t inputs, Arena& arena)
      : inputs_(inputs),
        most_(inputs / kSparse),
        offset_(arena.take<std::int64_t>(rows + 1)),
        index_(arena.take<std::int32_t>(rows * most_)),
        value_(arena.take<T>(rows * most_)) {}

  /// to = input weight, of [rows, inputs] and [inputs, columns]; rows of `to` lie `stride` elements
  /// apart.
  void multiply(const Rows<T>& row, std::int64_t rows, const T* input, const T* weight,
                std::int64_t columns, T* to, std::int64_t stride) const {
    if (compress(row, rows, input)) {
      for (std::int64_t i = 0; i < rows; ++i) row.gather(kept(i), weight, columns, to + i * stride);
    } else {
      gemm<T>(Take::plain, Take::plain, rows, columns, inputs_, {input, inputs_}, {weight, columns},
              T(0), {to, stride});
    }
  }

  /// sums += transposed input gradient, of [inputs, rows] and [rows, columns].
  void add_weight_gradient(const Rows<T>& row, std::int64_t rows, const T* input, const T* gradient,
                           std::int64_t stride, std::int64_t columns, T* sums) const {
    if (compress(row, rows, input)) {
      for (std::int64_t i = 0; i < rows; ++i) {
        row.scatter(kept(i), gradient + i * stride, columns, sums);
      }
    } else {
      gemm<T>(Take::transposed, Take::plain, inputs_, columns, rows, {input, inputs_},
              {gradient, stride}, T(1), {sums, columns});
    }
  }

 private:
  /// Inputs of which at most one in so many is not zero are gathered; a large product is quicker
  /// for others.
  static constexpr std::int64_t kSparse = 8;

  /// The inputs that are not zero, row after row; false where they are too many to be worth it.
  bool compress(const Rows<T>& row, std::int64_t rows, const T* input) const {
    offset_[0] = 0;
    for (std::int64_t i = 0; i < rows; ++i) {
      const std::int64_t place = offset_[i];
      const std::int64_t count =
          row.compress(input + i * inputs_, inputs_, most_, index_ + place, value_ + place);
      if (count < 0) return false;
      offset_[i + 1] = place + count;
    }
    return true;
  }
  Sparse<T> kept(std::int64_t i) const {
    return {offset_[i + 1] - offset_[i], index_ + offset_[i], value_ + offset_[i]};
  }

  std::int64_t inputs_ = 0, most_ = 0;
  std::int64_t* offset_ = nullptr;
  std::int32_t* index_ = nullptr;
  T* value_ = nullptr;
};

}  // namespace afterspike::kernels
