#pragma once

#include <cstdint>

namespace afterspike::kernels {

/// Coefficients by their names in glif.hpp, or the sums of their gradients. Those of currents and
/// receptors are [count, columns].
template <typename Pointer>
struct GlifCoefficients {
  Pointer keep, gain, threshold, reset, waiting;
  Pointer fraction, spike_keep, spike_refractory, spike_add;
  Pointer part_keep, part_gain, part_drive;
  Pointer current_keep, current_mean, current_factor, current_add;
  Pointer synapse_keep, synapse_gain, rise_gain, rise_keep, rise_jump;
};

/// Sizes of a step, and the planes of a state [planes(), rows, columns]: V, then those of B, C, I,
/// y and z that there are.
struct GlifSizes {
  std::int64_t rows = 0, columns = 0, currents = 0, receptors = 1, refractory = 1;
  bool spike_threshold = false, voltage_threshold = false, alpha = false;

  std::int64_t plane() const { return rows * columns; }
  std::int64_t spike_part() const { return plane(); }
  std::int64_t voltage_part() const { return spike_part() + (spike_threshold ? plane() : 0); }
  std::int64_t current(std::int64_t j) const {
    return voltage_part() + ((voltage_threshold ? 1 : 0) + j) * plane();
  }
  std::int64_t synaptic(std::int64_t p) const { return current(currents + p); }
  std::int64_t rise(std::int64_t p) const { return synaptic(receptors + p); }
  std::int64_t planes() const { return synaptic(alpha ? 2 * receptors : receptors) / plane(); }
};

/// One step of GLIF neurons of all rows, beside its products; equations in glif.hpp. Planes are
/// [rows, columns], coefficients and sums [columns]; columns are a multiple of kRowElements.
template <typename T>
struct GlifStep {
  GlifSizes sizes;
  T slope = 1, width = 1;
  bool hard = false;
  GlifCoefficients<const T*> c;
  const T* before;                ///< State of step t-1.
  const T* const* spiked_before;  ///< s(t-1) ... s(t-R).
  const T* factor;                ///< Factor of emissions; nullptr: 1.
  T* arriving;  ///< [rows, 1 + receptors, columns]: the current, and a_p. Back: their gradients.
  T *after, *spiked, *emitted;
};

template <typename T>
struct GlifGradients {
  const T* emitted;              ///< By S(t), from readout and synapses.
  const T* const* active_after;  ///< By A(t+1) ... A(t+R); nullptr: 0.
  T* active;                     ///< By A(t).
  T* state;                      ///< By the state of step t, replaced by that of step t-1.
  GlifCoefficients<T*> sums;     ///< Over rows and steps.
};

}  // namespace afterspike::kernels
