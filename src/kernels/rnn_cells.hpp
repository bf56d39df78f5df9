#pragma once

#include <cstdint>

#include "afterspike/kernels/rnn.hpp"

/// Operations between the products of recurrent units, at one step of all rows. Compiled once for
/// each instruction set; the best that the processor has runs.
namespace afterspike::kernels {

/// A cell's step works on blocks of columns, one for each gate; those of the GRU's candidate are
/// two, for the reset gate multiplies only what comes back. The first rnn_gates() blocks take the
/// product with the input, those from rnn_recurrent_block() on that with what comes back:
///   vanilla: a;  GRU: n of the input, r, z, n of what comes back;  LSTM: i, f, g, o.
constexpr std::int64_t rnn_blocks(RnnCell cell) noexcept {
  return cell == RnnCell::vanilla ? 1 : 4;
}
constexpr std::int64_t rnn_recurrent_block(RnnCell cell) noexcept {
  return cell == RnnCell::gru ? 1 : 0;
}

/// Rows are `columns` elements long, a multiple of kRowElements, and begin at multiples of 64
/// bytes; in `blocks` a row has all blocks side by side.
template <typename T>
struct CellStep {
  std::int64_t rows = 0, columns = 0;
  const T* bias = nullptr;    ///< [blocks, columns]
  const T* factor = nullptr;  ///< Factor from h(t) to the emission; null: 1.
  const T* before = nullptr;  ///< e(t-1) of a GRU, c(t-1) of an LSTM.
  T* blocks = nullptr;   ///< Forward: the products on entry; on return h(t) of vanilla units; n,
                         ///< r, z and what r multiplies; i, f, g, o. Back: those on entry, the
                         ///< gradients of the products on return.
  T* cell = nullptr;     ///< c(t) of an LSTM, written forward.
  T* emitted = nullptr;  ///< e(t), written forward.
};

template <typename T>
struct CellGradients {
  const T* emitted = nullptr;   ///< By e(t), of the loss; null: 0.
  const T* recalled = nullptr;  ///< By e(t), through what comes back later.
  T* state = nullptr;  ///< By e(t) of a GRU or c(t) of an LSTM through the next step; on return by
                       ///< that of the step before.
};

/// The functions, as compiled for one instruction set.
template <typename T>
struct CellFunctions {
  void (*forward)(RnnCell cell, const CellStep<T>& step);
  void (*backward)(RnnCell cell, const CellStep<T>& step, const CellGradients<T>& gradients);
};

/// Returns the functions of the instruction set in use (instructions.hpp).
template <typename T>
const CellFunctions<T>& cell_functions();

}  // namespace afterspike::kernels
