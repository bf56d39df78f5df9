#pragma once

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <initializer_list>
#include <span>
#include <string_view>

#include "padding.hpp"

namespace afterspike::kernels {

/// Extents of an array of up to 4 dimensions.
struct Extents {
  Extents() = default;
  Extents(std::initializer_list<std::int64_t> own) : rank(own.size()) {
    std::copy(own.begin(), own.end(), values.begin());
  }
  std::span<const std::int64_t> all() const { return {values.data(), rank}; }
  std::int64_t last() const { return values[rank - 1]; }
  std::int64_t product() const {
    std::int64_t count = 1;
    for (const std::int64_t extent : all()) count *= extent;
    return count;
  }

  std::array<std::int64_t, 4> values{};
  std::size_t rank = 0;
};

/// How the values of a parameter lie in the workspace.
struct Packing {
  enum class Kind {
    padded,  ///< Rows of groups of `size` elements, each padded to `columns`.
    lanes,   ///< [..., size neurons, elements] becomes [..., elements, columns].
    given    ///< Not copied: Parameter::given and Parameter::gradient are used as they are.
  };
  Kind kind = Kind::padded;
  std::int64_t size = 0, columns = 0;
  std::int64_t groups = 1;  ///< In each row.
  std::int64_t shift = 0;   ///< Group g goes to the place of group (g + shift) % groups.
};

/// A parameter of a layer: a row of its table, and its values and gradients in the workspace.
template <typename T>
struct Parameter {
  std::string_view name;
  Extents extents;
  bool optional = false;
  Packing packing;
  std::int64_t rows = 0;      ///< Padded rows, or for lanes the product of the outer extents.
  std::int64_t elements = 0;  ///< For lanes, of each neuron.
  T* value = nullptr;         ///< Packed; 0 if it was not given.
  T* sum = nullptr;           ///< Its gradient, packed; nullptr without a history.
  const T* given = nullptr;   ///< The values as they were given; nullptr: left out.
  T* gradient = nullptr;      ///< The place for the gradient; during backward().

  bool empty() const { return extents.product() == 0; }
  std::int64_t packed_size() const {
    if (packing.kind == Packing::Kind::given) return 0;
    const std::int64_t row = packing.groups * packing.columns;
    return packing.kind == Packing::Kind::lanes ? rows * elements * packing.columns : rows * row;
  }
  void pack() const;
  void unpack() const;

 private:
  /// Calls visit(unpacked, packed) with the offsets of each contiguous run (padded) or element.
  template <typename Visit>
  void for_runs(const Visit& visit) const;
};

template <typename T>
template <typename Visit>
void Parameter<T>::for_runs(const Visit& visit) const {
  const auto [kind, size, columns, groups, shift] = packing;
  if (kind == Packing::Kind::padded) {
    for (std::int64_t r = 0; r < rows; ++r) {
      for (std::int64_t g = 0; g < groups; ++g) {
        visit((r * groups + g) * size, (r * groups + (g + shift) % groups) * columns);
      }
    }
    return;
  }
  for (std::int64_t r = 0; r < rows; ++r) {
    for (std::int64_t n = 0; n < size; ++n) {
      for (std::int64_t i = 0; i < elements; ++i) {
        visit((r * size + n) * elements + i, (r * elements + i) * columns + n);
      }
    }
  }
}

template <typename T>
void Parameter<T>::pack() const {
  if (packing.kind == Packing::Kind::given) return;
  const bool padded = packing.kind == Packing::Kind::padded;
  if (!padded || given == nullptr) std::fill_n(value, packed_size(), T(0));
  if (given == nullptr) return;
  for_runs([&](std::int64_t from, std::int64_t to) {
    if (padded) {
      pad(given + from, 1, packing.size, value + to, packing.columns);
    } else {
      value[to] = given[from];
    }
  });
}

template <typename T>
void Parameter<T>::unpack() const {
  if (packing.kind == Packing::Kind::given || gradient == nullptr) return;
  const std::int64_t run = packing.kind == Packing::Kind::padded ? packing.size : 1;
  for_runs(
      [&](std::int64_t to, std::int64_t from) { std::copy_n(sum + from, run, gradient + to); });
}

}  // namespace afterspike::kernels
