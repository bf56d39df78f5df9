#pragma once

#include <cstdint>

#include "arena.hpp"

/// The dynamics of GLIFR neurons and their adjoint over one step, for all rows of a shard: what is
/// not a matrix product. Compiled once for each instruction set; the best that the processor has
/// runs.
///
/// Rows lie `columns` elements apart; the first `width` of them are computed. Both are multiples of
/// kRowElements. Those after the neurons are padding: their coefficients are 0, and nothing that is
/// computed there is used.
namespace afterspike::kernels {

/// What does not change from step to step: one row for each coefficient, `currents` rows for those
/// of after-spike currents; equations in glifr.hpp.
template <typename T>
struct StepCoefficients {
  std::int64_t rows = 0, columns = 0, width = 0, currents = 0;
  T emission = 1, reset = 0, bias = 0;
  const T* threshold = nullptr;
  const T* slope = nullptr;
  const T* keep = nullptr;
  const T* gain = nullptr;
  const T* current_keep = nullptr;
  const T* multiplicative = nullptr;
  const T* additive = nullptr;
};

/// One step forward. `voltage` holds what the synapses bring on entry, V(t) on return.
template <typename T>
struct ForwardStep {
  const T* voltage_before;  ///< V(t-1)
  const T* emitted_before;  ///< S(t-1)
  T* voltage;
  T* emitted;       ///< S(t)
  T* current;       ///< I(t-1) on entry, I(t) on return; [currents, rows, columns].
  const T* factor;  ///< What a rate is multiplied by to be emitted, [rows, columns]; null: 1.
};

/// One step back. Gradients are those of the loss by what is named.
template <typename T>
struct BackwardStep {
  const T* voltage_before;
  const T* emitted_before;
  T* voltage;              ///< V(t) on entry, its gradient on return.
  const T* voltage_after;  ///< The gradient of V(t+1); null at the last step.
  const T* emitted;
  const T* emitted_gradient;  ///< Of S(t) by readout and synapses.
  const T* current_before;    ///< I(t-1)
  const T* current;           ///< I(t)
  T* current_gradient;        ///< Of I(t+1) on entry, of I(t) on return.
  const T* factor;
};

/// Sums over rows and steps, one row for each coefficient.
template <typename T>
struct StepGradients {
  T *threshold, *slope, *keep, *gain, *current_keep, *multiplicative, *additive;
};

/// Rounds to the nearest bfloat16, ties to even. REQUIRES: count is a multiple of kRowElements.
void to_bfloat16(const float* from, std::int64_t count, std::uint16_t* to);

template <typename T>
void forward_step(const StepCoefficients<T>& coefficients, const ForwardStep<T>& step);

/// After-spike currents alone: I(t) from I(t-1) and S(t-1).
template <typename T>
void current_step(const StepCoefficients<T>& coefficients, const T* emitted_before,
                  const T* current_before, T* current);

template <typename T>
void backward_step(const StepCoefficients<T>& coefficients, const BackwardStep<T>& step,
                   const StepGradients<T>& gradients);

}  // namespace afterspike::kernels
