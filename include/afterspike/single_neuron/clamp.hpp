#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "afterspike/single_neuron/neuron.hpp"

/// Current clamp: a neuron under step currents and sinusoids, many amplitudes in one simulation.
namespace afterspike::single_neuron {

/// Steps of current, each into a neuron of its own. Times are multiples of the neuron's step.
struct Steps {
  std::vector<double> amplitudes;  ///< In the model's unit.
  double onset_ms = 0;             ///< No current before.
  double stop_ms = 0;              ///< No current from here on.
  double end_ms = 0;               ///< End of the simulation.
  std::int64_t trials = 1;         ///< Independent neurons for each amplitude.
  std::uint64_t seed = 1;
};

/// Spikes in response to steps.
struct Responses {
  std::vector<std::vector<std::vector<double>>> spikes_ms;  ///< [amplitude][trial]
  /// Amplitudes that cannot be simulated: the state is not finite, or the neuron fires more than
  /// once in a step. They have no spikes.
  std::vector<bool> failed;
  std::string failure;  ///< Message of one of them.
};

/// Simulates all amplitudes on the grid.
Responses respond(const Neuron& neuron, const Steps& steps);

/// A recorded variable.
struct Trace {
  std::string name, unit;
  std::vector<double> values;  ///< At Recorded::times_ms.
};

/// Traces of the first trial and spikes of all trials.
struct Recorded {
  std::vector<double> times_ms;
  std::vector<Trace> traces;                   ///< Every variable of the model.
  std::vector<std::vector<double>> spikes_ms;  ///< [trial]
};

/// Simulates one step current with all variables recorded in every step of the grid. REQUIRES: one
/// amplitude. Throws Error(numeric) if it cannot be simulated.
Recorded record(const Neuron& neuron, const Steps& steps);

/// Rates of spikes in an interval of time, averaged over trials; NaN if there is none.
struct Rates {
  double spikes = 0;              ///< Mean count in a trial.
  double mean_per_s = 0;          ///< Spikes per duration.
  double initial_per_s = 0;       ///< Inverse of the first interval between spikes.
  double steady_per_s = 0;        ///< In the second half, by intervals that end there.
  double steady_error_per_s = 0;  ///< Standard error over trials; 0 for one trial.
  double latency_ms = 0;          ///< From the begin to the first spike.
};

/// Measures the spikes of trials in (begin, end].
Rates measure_rates(const std::vector<std::vector<double>>& trials_ms, double begin_ms,
                    double end_ms);

}  // namespace afterspike::single_neuron
