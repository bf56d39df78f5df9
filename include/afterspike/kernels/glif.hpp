#pragma once

#include <cstdint>

#include "afterspike/kernels/sequence.hpp"

/// Spiking GLIF neurons by the grid rule of NEST's glif_psc, over whole sequences, with a soft or a
/// hard threshold. For each step t from 0 and each neuron, with everything at rest before, where
/// J counts after-spike currents, p receptors, and sums over j and p are implied:
///
///   A(t)  = 1 - sum_r waiting_r s(t-r), r = 1 ... R                     the active part
///   D     = x(t) W_in + current_mean_j I_j                              currents of the step
///   V1    = keep V + gain D + synapse_gain_p y_p + rise_gain_p z_p
///   B1    = spike_keep B
///   C1    = part_keep C + part_gain V + part_drive D
///   I1_j  = current_keep_j I_j
///   s(t)  = A(t) h(V1 - threshold - B1 - C1)                            spikes
///   V(t)  = (1 - A) V + (A - s) V1 + s (reset + fraction (V - threshold))
///   B(t)  = (1 - A) B + (A - s) B1 + s (spike_refractory B1 + spike_add)
///   C(t)  = (1 - A) C + A C1
///   I_j(t) = (1 - A) I_j + (A - s) I1_j + s (current_factor_j I1_j + current_add_j)
///   a_p   = S(t-D) W_rec,p                                              arrives at the step's end
///   y_p(t) = synapse_keep_p y_p + a_p                                   exponential synapses
///   y_p(t) = synapse_keep_p y_p + rise_keep_p z_p                       alpha synapses,
///   z_p(t) = synapse_keep_p z_p + rise_jump_p a_p
///   S(t)  = factor(t) s(t)                                              emitted
///
/// Symbols without a time are those of step t-1. h is the logistic function of slope `slope`; or,
/// if hard, 1 above 0 and else 0, whose derivative is taken to be that of
/// v / (2 (width + |v|)), 1 / (2 width (1 + |v| / width)^2). With a hard threshold A and s are 0 or
/// 1, and the rule is that of NEST.
namespace afterspike::kernels {

/// Target of the input.
enum class GlifInput {
  current,   ///< The current of the step: x(t) W_in.
  synapses,  ///< The receptors: x(t) W_in,p adds to a_p.
  both       ///< The current, then the receptors, by the columns of W_in.
};

/// Sizes of a shard of a batch.
struct GlifShape {
  std::int64_t steps = 0;
  std::int64_t rows = 0;  ///< Sequences side by side.
  std::int64_t inputs = 0;
  std::int64_t neurons = 0;
  std::int64_t delay = 1;       ///< Delay of the recurrent synapses, in steps; at least 1.
  std::int64_t refractory = 1;  ///< R, at least 1.
  std::int64_t currents = 0;    ///< After-spike currents of each neuron.
  std::int64_t receptors = 1;   ///< At least 1.
  GlifInput input = GlifInput::current;
  bool alpha = false;              ///< Alpha synapses; else exponential ones.
  bool spike_threshold = false;    ///< B, and a reset that depends on V (fraction).
  bool voltage_threshold = false;  ///< C.
};

struct GlifSettings {
  double slope = 1;  ///< 1 / sigma, 1/mV.
  bool hard = false;
  double width = 1;  ///< Width of the surrogate derivative, mV.
};

/// Parameters: keep, gain, threshold, reset [neurons]; waiting [refractory, neurons]; fraction,
/// spike_keep, spike_refractory, spike_add [neurons] with `spike_threshold`; part_keep, part_gain,
/// part_drive [neurons] with `voltage_threshold`; current_keep, current_mean, current_factor,
/// current_add [currents, neurons]; synapse_keep, synapse_gain [receptors, neurons]; rise_gain,
/// rise_keep, rise_jump [receptors, neurons] with `alpha`; input_weight [inputs, n neurons], n = 1,
/// `receptors` or 1 + `receptors` by `input`; recurrent_weight [neurons, receptors neurons].
struct Glif {
  using Shape = GlifShape;
  using Settings = GlifSettings;
  static constexpr bool kMagnitude = false;
  static constexpr std::int64_t outputs(const Shape& shape) { return shape.neurons; }
  static constexpr bool kBfloat16 = false;
};

template <typename T>
using GlifKernel = SequenceKernel<Glif, T>;

extern template class SequenceKernel<Glif, float>;
extern template class SequenceKernel<Glif, double>;

}  // namespace afterspike::kernels
