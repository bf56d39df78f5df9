#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "afterspike/single_neuron/clamp.hpp"
#include "afterspike/single_neuron/neuron.hpp"
#include "afterspike/single_neuron/phase_plane.hpp"

namespace afterspike::single_neuron {

/// Length, trials and seed of measurements.
struct Protocol {
  double duration_ms = 1000;  ///< Duration of steps.
  std::int64_t trials = 1;    ///< Trials of each measurement; more for random models.
  std::uint64_t seed = 1;
  int threads = 1;  ///< Results do not depend on it.
};

/// The smallest constant current that makes a neuron spike: in at least half of the trials, if its
/// spikes are random.
struct Rheobase {
  std::optional<double> current;  ///< Empty: no current that was tried makes it spike.
  double silent = 0;              ///< Largest current below it that was tried.
  bool is_active = false;         ///< It spikes without a current; `current` may be negative.
};

/// Finds the rheobase by a ladder of currents from 0.001 to 1e6 units, downwards if the neuron is
/// active, then by sections of the interval to a relative error of 1e-4. An active neuron has none
/// if slightly less current only delays its spikes.
Rheobase find_rheobase(const Neuron& neuron, const Protocol& protocol);

/// f-I curve: rates in response to steps of current.
struct FiCurve {
  std::vector<double> currents;
  std::vector<Rates> rates;  ///< NaN in the rates of currents that cannot be simulated.
  std::vector<bool> failed;
  std::string failure;
};

FiCurve fi_curve(const Neuron& neuron, const std::vector<double>& currents, bool is_active,
                 const Protocol& protocol);

/// Returns 20 to 50 equidistant round currents from 0 (below the rheobase of an active neuron) to
/// beyond the one with 50 spikes/s or 90 % of the highest rate, at least three times the rheobase.
/// Empty if no current makes the neuron spike.
std::vector<double> choose_currents(const Neuron& neuron, const Rheobase& rheobase,
                                    const Protocol& protocol);

/// Response to a step of current.
struct StepResponse {
  double current = 0;
  double onset_ms = 0, stop_ms = 0;
  Recorded recorded;
  Rates rates;
};

StepResponse step_response(const Neuron& neuron, double current, const Protocol& protocol);

/// Spike-frequency adaptation during a step.
struct Adaptation {
  std::vector<double>
      rates_per_s;  ///< 1 / mean interval i between spikes, over trials that have it.
  std::vector<double> errors_per_s;  ///< Standard error; 0 for one trial.
  std::vector<std::int64_t> trials;  ///< Trials that have the interval.
  /// Mean of (next - interval) / (next + interval) over consecutive intervals: 0 for a regular
  /// neuron, above 0 for one that slows down. NaN with less than two intervals.
  double index = 0;
  double ratio = 0;  ///< Last rate by the first one. NaN with less than two intervals.
};

Adaptation measure_adaptation(const StepResponse& response);

/// Response to a sinusoid at one frequency.
struct Gain {
  double frequency_hz = 0;
  double gain = 0;       ///< Amplitude of the response by that of the current.
  double phase_deg = 0;  ///< Positive: the response leads. In (-180, 180].
  double error = 0;      ///< Standard error of the gain; 0 if there is none.
};

/// A transfer function at an operating point.
struct Transfer {
  double offset = 0, amplitude = 0;  ///< The sinusoid's, in the model's unit.
  double noise = 0;                  ///< Standard deviation of the noise current.
  double mean = 0;                   ///< Mean response: first variable or spikes/s.
  std::vector<Gain> gains;           ///< Frequencies that could be measured.
  std::string omitted;               ///< Reason for those that could not, or empty.
};

/// Subthreshold impedance: gain and phase of the first variable (V), by least squares after
/// transients. The current is constant within each step of the grid; gain and phase are corrected
/// for it. Frequencies at which the neuron spikes are omitted.
Transfer impedance(const Neuron& neuron, double offset, double amplitude,
                   const std::vector<double>& frequencies_hz, const Protocol& protocol);

/// Modulation of the firing rate: amplitude and phase of the rate over 40 trials. In models that
/// are not random each trial has an independent Ornstein-Uhlenbeck current of 5 ms.
Transfer rate_modulation(const Neuron& neuron, double offset, double amplitude, double noise,
                         const std::vector<double>& frequencies_hz, const Protocol& protocol);

/// Phase plane of a model with two state variables, or phase line for one.
struct PhasePlane {
  std::vector<std::string> names, units;  ///< One or two.
  Box box;                                ///< Part that is shown.
  std::vector<FixedPoint> rest, driven;   ///< Fixed points without current and during the step.
  /// Nullclines of each variable [2] without current and during the step; empty for one variable.
  std::vector<std::vector<Polyline>> rest_nullclines, driven_nullclines;
  std::vector<std::array<double, 4>>
      arrows;                          ///< x, y, dx, dy during the step, in parts of the box.
  std::vector<FixedPoint> equilibria;  ///< At every current of the f-I curve.
  /// For one variable: x, dx/dt without current, dx/dt during the step.
  std::vector<std::array<double, 3>> line;
};

/// Computes the phase plane around a trajectory. Empty for other numbers of variables.
std::optional<PhasePlane> phase_plane(const Neuron& neuron, const StepResponse& response,
                                      const std::vector<double>& currents);

/// Settings of a study. Empty or 0: chosen from the rheobase.
struct StudyOptions {
  std::optional<double> current;  ///< Current of the step.
  std::vector<double> currents;   ///< Currents of the f-I curve.
  std::vector<double> frequencies_hz;
  double duration_ms = 1000;
  std::int64_t trials = 0;  ///< 0: 20 for random models, else 1.
  std::uint64_t seed = 1;
  int threads = 1;
};

/// Everything that is measured of a neuron.
struct Study {
  Neuron neuron;
  Protocol protocol;
  Rheobase rheobase;
  StepResponse step;
  Adaptation adaptation;
  FiCurve fi;
  Transfer impedance, modulation;
  std::optional<PhasePlane> plane;
  std::vector<std::string> notes;  ///< Parts that could not be measured, and why.
};

/// Throws Error(usage) if no current is given and none makes the neuron spike, Error(config) for
/// options out of range, Error(numeric) if the step response cannot be simulated.
Study study(const Neuron& neuron, const StudyOptions& options);

}  // namespace afterspike::single_neuron
