#pragma once

#include <cstdint>

/// One step of a piece of a population on the grid, for all its neurons. Compiled once for each
/// instruction set; the best that the processor has runs. Arrays are `columns` long, a multiple of
/// kLanes, of which the first are neurons and the others padding, which never spikes.
namespace afterspike::spiking {

inline constexpr std::int64_t kLanes = 16;

/// A coefficient of each neuron: at data[step * neuron]. Where all are the same, kLanes copies and
/// a step of 0.
struct Coefficient {
  const double* data = nullptr;
  std::int64_t step = 0;
};

enum class GridSynapse { alpha, exponential, delta };

/// Leaky neurons by NEST's rule (docs/simulation.md#grid); symbols of the coefficients as there.
struct LeakyStep {
  std::int64_t columns = 0, currents = 0, receptors = 0;
  GridSynapse synapse = GridSynapse::delta;
  bool spike_threshold = false, voltage_threshold = false;

  double* voltage = nullptr;
  double* waiting = nullptr;  ///< Steps of refractoriness left.
  double* spike_part = nullptr;
  double* voltage_part = nullptr;
  double* current = nullptr;   ///< [currents, columns]
  double* rise = nullptr;      ///< y1 of alpha synapses, [receptors, columns]
  double* synaptic = nullptr;  ///< [receptors, columns]
  double* arriving = nullptr;  ///< [receptors, columns]; 0 on return. Null: nothing.

  Coefficient external, keep, gain, threshold, reset, refractory;
  const Coefficient* current_keep = nullptr;  ///< Decay factor of each current, or receptor.
  const Coefficient* current_mean = nullptr;
  const Coefficient* current_factor = nullptr;
  const Coefficient* current_add = nullptr;
  const Coefficient* synapse_keep = nullptr;
  const Coefficient* synapse_gain = nullptr;
  const Coefficient* rise_gain = nullptr;
  const Coefficient* rise_keep = nullptr;
  const Coefficient* rise_jump = nullptr;
  Coefficient spike_keep, spike_refractory, spike_add, fraction, add;
  Coefficient resistance, part_keep, part_gain, part_drive;
};

/// The discrete GLIFR map (docs/numerics.md#glifr). Where it spikes is up to the caller: `spiked`
/// holds S(t-1), times the spike's fraction, on entry.
struct GlifrStep {
  std::int64_t columns = 0, currents = 0;
  double* voltage = nullptr;
  double* current = nullptr;
  const double* spiked = nullptr;
  double* arriving = nullptr;
  Coefficient keep, gain, bias, reset;
  const Coefficient* current_keep = nullptr;
  const Coefficient* multiplicative = nullptr;
  const Coefficient* additive = nullptr;
};

/// Writes the numbers of the neurons that spiked, ascending, and returns how many.
std::int64_t leaky_step(const LeakyStep& step, std::uint32_t* spiked);

void glifr_step(const GlifrStep& step);

/// Whether none of the values, a multiple of kLanes, is infinite or NaN.
bool all_finite(const double* values, std::int64_t count);

}  // namespace afterspike::spiking
