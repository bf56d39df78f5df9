#pragma once

#include <array>
#include <cstdint>

#include "arena.hpp"

/// The dynamics of GLIFR neurons and their adjoint over some steps, for all rows of a shard: what
/// is not a matrix product. Compiled once for each instruction set; the best that the processor has
/// runs.
///
/// Rows lie `columns` elements apart; the first `width` of them are computed. Both are multiples of
/// kRowElements. Those after the neurons are padding: their coefficients are 0, and nothing that is
/// computed there is used.
namespace afterspike::kernels {

/// Coefficients that are the same at every step; equations in glifr.hpp. Each has one row, and
/// `currents` rows if it belongs to the after-spike currents.
template <typename T>
struct StepCoefficients {
  std::int64_t rows = 0, columns = 0, width = 0, currents = 0;
  T emission = 1, reset = 0, bias = 0;
  bool spikes = false;
  const T* threshold = nullptr;
  const T* slope = nullptr;
  const T* keep = nullptr;
  const T* gain = nullptr;
  const T* current_keep = nullptr;
  const T* multiplicative = nullptr;
  const T* additive = nullptr;
};

/// Planes to prefetch into the second-level cache, because they are used some steps later. Each
/// array has as many planes as there are steps; null: nothing.
template <typename T>
using Soon = std::array<const T*, 3>;

/// Consecutive steps forward. What has `count` planes of [rows, columns] has one for each step.
template <typename T>
struct ForwardSteps {
  std::int64_t count;
  const T* voltage_before;  ///< V before the first step.
  const T* emitted_before;  ///< S before the first step.
  T* voltage;               ///< [count] planes: what the synapses bring on entry, V on return.
  T* emitted;               ///< [count] planes: S.
  T* current;       ///< [currents] planes: I before the first step on entry, of the last on return.
  const T* factor;  ///< Factor from rates to emissions, a plane; null: 1.
  Soon<T> soon = {};
};

/// Consecutive steps back, the last first. Gradients are those of the loss by what is named.
template <typename T>
struct BackwardSteps {
  std::int64_t count;
  const T* voltage_before;          ///< V before the first step.
  const T* emitted_before;          ///< S before the first step.
  T* voltage;                       ///< [count] planes: V on entry, its gradient on return.
  const T* voltage_gradient_after;  ///< Gradient of V after the last step; null at the end.
  const T* emitted;                 ///< [count] planes: S.
  const T* emitted_gradient;        ///< [count] planes: of S by readout and synapses.
  const T* current;     ///< [count + 1, currents] planes: I before the first step and at each.
  T* current_gradient;  ///< [currents] planes: of I after the last step on entry, of I at the first
                        ///< on return.
  const T* factor;      ///< As in ForwardSteps.
  Soon<T> soon = {};
};

/// Sums over rows and steps, one row for each coefficient.
template <typename T>
struct StepGradients {
  T *threshold, *slope, *keep, *gain, *current_keep, *multiplicative, *additive;
};

template <typename T>
void forward_steps(const StepCoefficients<T>& coefficients, const ForwardSteps<T>& steps);

/// After-spike currents alone, `current` of [count + 1, currents] planes: the first of them, I
/// before the first step, is given. `emitted`: S, [count] planes, of which the last is not read.
template <typename T>
void current_steps(const StepCoefficients<T>& coefficients, std::int64_t count,
                   const T* emitted_before, const T* emitted, T* current);

template <typename T>
void backward_steps(const StepCoefficients<T>& coefficients, const BackwardSteps<T>& steps,
                    const StepGradients<T>& gradients);

}  // namespace afterspike::kernels
