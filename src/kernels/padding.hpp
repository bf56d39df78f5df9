#pragma once

#include <algorithm>
#include <cstdint>

#include "afterspike/kernels/gemm.hpp"

/// Between arrays as they are given and rows with padding after them.
namespace afterspike::kernels {

/// Copies `count` elements of each of `rows` rows, and zeros after them up to `padded`.
template <typename T>
void pad(Matrix<const T> from, std::int64_t rows, std::int64_t count, Matrix<T> to,
         std::int64_t padded) {
  for (std::int64_t row = 0; row < rows; ++row) {
    T* own = to.data + row * to.stride;
    T* end = std::copy_n(from.data + row * from.stride, count, own);
    std::fill(end, own + padded, T(0));
  }
}

/// The same of rows of `from` elements that lie side by side, as the padded ones of `to` do.
template <typename T>
void pad(const T* source, std::int64_t rows, std::int64_t from, T* target, std::int64_t to) {
  pad<T>({source, from}, rows, from, {target, to}, to);
}

/// Copies `count` elements of each of `rows` rows.
template <typename T>
void unpad(Matrix<const T> from, std::int64_t rows, std::int64_t count, Matrix<T> to) {
  for (std::int64_t row = 0; row < rows; ++row) {
    std::copy_n(from.data + row * from.stride, count, to.data + row * to.stride);
  }
}

/// The same of padded rows of `from` elements that lie side by side, to rows of `to` that do.
template <typename T>
void unpad(const T* source, std::int64_t rows, std::int64_t from, T* target, std::int64_t to) {
  unpad<T>({source, from}, rows, to, {target, to});
}

/// The transpose of [rows, columns], its rows padded to `to` elements.
template <typename T>
void pad_transposed(Matrix<const T> source, std::int64_t rows, std::int64_t columns, T* target,
                    std::int64_t to) {
  constexpr std::int64_t kTile = 16;  // Cache lines of both sides stay in the cache.
  std::fill_n(target, columns * to, T(0));
  for (std::int64_t top = 0; top < rows; top += kTile) {
    const std::int64_t bottom = std::min(rows, top + kTile);
    for (std::int64_t j = 0; j < columns; ++j) {
      for (std::int64_t i = top; i < bottom; ++i) {
        target[j * to + i] = source.data[i * source.stride + j];
      }
    }
  }
}

}  // namespace afterspike::kernels
