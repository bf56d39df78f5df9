#pragma once

#include <cstdint>

#include "afterspike/kernels/elm.hpp"
#include "arena.hpp"

/// Arithmetic on rows of a few sequences side by side, at one step: what lies between the large
/// products. Compiled once for each instruction set; the best that the processor has runs.
///
/// Rows are `columns` elements long, a multiple of kRowElements, and begin at multiples of 64
/// bytes; their ends are padding, which stays 0 where all that enters is 0 there.
namespace afterspike::kernels {

/// Whether a result is added to what is there or replaces it.
enum class Into { replaced, added };

/// Values of a vector that are not zero.
template <typename T>
struct Sparse {
  std::int64_t count = 0;
  const std::int32_t* index = nullptr;
  const T* value = nullptr;
};

/// The memory of ELM neurons over one step.
template <typename T>
struct MemoryStep {
  std::int64_t rows = 0, columns = 0;
  const T *keep = nullptr, *gain = nullptr;  ///< [columns]
  const T* before = nullptr;                 ///< m(t-1)
  T* delta = nullptr;   ///< Forward: what the MLP gives on entry, d(t) on return. Back: d(t) on
                        ///< entry, the gradient of what the MLP gives on return.
  T* memory = nullptr;  ///< m(t); written forward.
};

/// With factor(t) what m(t) is emitted with (null: 1), `emitted` the gradient by what is emitted at
/// t (null: 0), `recalled` that by keep times what is emitted at t, and `after` the gradient of
/// m(t+1), replaced by that of m(t).
template <typename T>
struct MemoryGradients {
  const T *factor = nullptr, *emitted = nullptr, *recalled = nullptr, *magnitude = nullptr;
  T* after = nullptr;
  T *keep = nullptr, *gain = nullptr;  ///< Sums, [columns].
};

/// The functions, as compiled for one instruction set. Counts of elements are multiples of
/// kRowElements unless noted.
template <typename T>
struct Rows {
  /// to = from right (+ to), of [rows, inner] and [inner, columns]; `from` has rows of `stride`
  /// elements. Quick where rows are few, unlike gemm().
  void (*multiply)(std::int64_t rows, std::int64_t inner, std::int64_t columns, const T* from,
                   std::int64_t stride, const T* right, Into into, T* to);

  /// The same for each neuron on its own: out_j = sum over i of in_i weight_ij (+ out_j), of rows
  /// of `from` and `to` parts of `columns` elements, one for each neuron; weight [from, to,
  /// columns].
  void (*multiply_each)(std::int64_t rows, std::int64_t from, std::int64_t to, std::int64_t columns,
                        const T* in, const T* weight, Into into, T* out);

  /// Adds the gradient of such weights to `sums`: sum over rows of in_i gradient_j.
  void (*add_outer_each)(std::int64_t rows, std::int64_t from, std::int64_t to,
                         std::int64_t columns, const T* in, const T* gradient, T* sums);

  /// Writes places and values of what is not zero (also what is not a number) of `size` elements,
  /// any number of them anywhere; gives how many there are, or -1 when they are more than `most`.
  /// There is room for `most` and kRowElements more, which may be written to.
  std::int64_t (*compress)(const T* from, std::int64_t size, std::int64_t most, std::int32_t* index,
                           T* value);

  /// to = sum of value_i times row index_i of `matrix`, whose rows lie `stride` elements apart.
  void (*gather)(const Sparse<T>& sparse, const T* matrix, std::int64_t stride,
                 std::int64_t columns, T* to);

  /// Adds value_i times `from` to row index_i of such a matrix.
  void (*scatter)(const Sparse<T>& sparse, const T* from, std::int64_t columns, T* matrix,
                  std::int64_t stride);

  /// to += factor from.
  void (*add_scaled)(std::int64_t count, T factor, const T* from, T* to);

  /// Adds `row` to each of `rows` rows.
  void (*add_to_each)(std::int64_t rows, std::int64_t columns, const T* row, T* to);

  /// sums += sum of `rows` rows.
  void (*add_up)(std::int64_t rows, std::int64_t columns, const T* from, T* sums);

  /// to = activation of from.
  void (*activate)(ElmActivation activation, std::int64_t count, const T* from, T* to);

  /// `values` become gradients: on entry what activate() took, on return `gradient` times the
  /// derivative there.
  void (*activate_back)(ElmActivation activation, std::int64_t count, const T* gradient, T* values);

  /// d = 1.7159 tanh(2/3 delta), m(t) = keep m(t-1) + gain d.
  void (*memory_forward)(const MemoryStep<T>& step);

  /// The adjoint of that and of what follows from m(t).
  void (*memory_backward)(const MemoryStep<T>& step, const MemoryGradients<T>& gradients);
};

/// Returns the functions of the instruction set in use (instructions.hpp).
template <typename T>
const Rows<T>& rows();

}  // namespace afterspike::kernels
