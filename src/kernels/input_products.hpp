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
        row_(&kernels::rows<T>()),
        offset_(arena.take<std::int64_t>(rows + 1)),
        index_(arena.take<std::int32_t>(rows * most_ + kRowElements<T>)),
        value_(arena.take<T>(rows * most_ + kRowElements<T>)) {}

  /// to = input weight, of [rows, inputs] and [inputs, columns].
  void multiply(std::int64_t rows, const T* input, Matrix<const T> weight, std::int64_t columns,
                Matrix<T> to) const {
    if (compress(rows, input)) {
      for (std::int64_t i = 0; i < rows; ++i) {
        row_->gather(kept(i), weight.data, weight.stride, columns, to.data + i * to.stride);
      }
    } else {
      gemm<T>(Take::plain, Take::plain, rows, columns, inputs_, {input, inputs_}, weight, T(0), to);
    }
  }

  /// sums += transposed input gradient, of [inputs, rows] and [rows, columns].
  void add_weight_gradient(std::int64_t rows, const T* input, Matrix<const T> gradient,
                           std::int64_t columns, Matrix<T> sums) const {
    if (compress(rows, input)) {
      for (std::int64_t i = 0; i < rows; ++i) {
        row_->scatter(kept(i), gradient.data + i * gradient.stride, columns, sums.data,
                      sums.stride);
      }
    } else {
      gemm<T>(Take::transposed, Take::plain, inputs_, columns, rows, {input, inputs_}, gradient,
              T(1), sums);
    }
  }

 private:
  /// Inputs of which at most one in so many is not zero, of all rows together, are gathered; a
  /// large product is quicker for others.
  static constexpr std::int64_t kSparse = 8;

  /// The inputs that are not zero, row after row; false where they are too many to be worth it.
  bool compress(std::int64_t rows, const T* input) const {
    if (most_ == 0) return false;
    offset_[0] = 0;
    for (std::int64_t i = 0; i < rows; ++i) {
      const std::int64_t place = offset_[i];
      const std::int64_t count = row_->compress(input + i * inputs_, inputs_, rows * most_ - place,
                                                index_ + place, value_ + place);
      if (count < 0) return false;
      offset_[i + 1] = place + count;
    }
    return true;
  }
  Sparse<T> kept(std::int64_t i) const {
    return {offset_[i + 1] - offset_[i], index_ + offset_[i], value_ + offset_[i]};
  }

  std::int64_t inputs_ = 0, most_ = 0;
  const Rows<T>* row_ = nullptr;
  std::int64_t* offset_ = nullptr;
  std::int32_t* index_ = nullptr;
  T* value_ = nullptr;
};

}  // namespace afterspike::kernels
