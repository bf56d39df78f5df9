#pragma once

#include <complex>
#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>
#include <vector>

#include "afterspike/analysis/neurons.hpp"
#include "afterspike/analysis/runs.hpp"
#include "afterspike/base/parallel.hpp"
#include "afterspike/io/json.hpp"
#include "afterspike/statistics/points.hpp"

/// Views of single neurons of a trained network, and of the whole network. docs/analyses.md
/// explains each.
namespace afterspike::analysis {

/// A neuron, or several neurons whose mean is shown.
struct Unit {
  std::string name;                   ///< "layer 0, neuron 3", "cluster 2".
  std::vector<std::int64_t> neurons;  ///< Indices into hidden_neurons().
  std::int64_t cluster = -1;          ///< -1: not a cluster.
};

/// Returns a unit for each of these neurons. Throws Error(usage) for a number without a neuron.
std::vector<Unit> single_units(const nn::Network& network,
                               const std::vector<std::int64_t>& numbers);

/// Returns a unit for each cluster, from the cluster of each hidden neuron.
std::vector<Unit> cluster_units(const std::vector<std::int64_t>& labels);

/// Mean, standard deviation (n - 1) and the 5 % and 95 % quantiles over the neurons of a unit, at
/// each time or level.
struct Curve {
  std::vector<double> mean, sd, low, high;
};

/// A quantity observed in neurons.
struct Quantity {
  std::string name, unit;     ///< "voltage", "mV"; "activity" is the output of the neurons.
  std::vector<Curve> curves;  ///< Curve of each unit; empty if all of its neurons run away.
};

/// Neurons by themselves: without recurrence, with a given drive in place of the input.
struct Probe {
  std::int64_t neurons = 0;  ///< Number of probed neurons.
  /// Probed neurons (indices into hidden_neurons(), ascending) that are excluded, because their
  /// state overflows under some drive, as unbounded after-spike currents can.
  std::vector<std::int64_t> run_away;
  std::vector<std::int64_t> probed;  ///< Number of neurons of each unit in its curves.

  std::string drive_unit;  ///< Unit of the drive, which is that of the input weights.

  std::vector<double> drive;  ///< Levels, held constant; empty if no neuron is left.
  Quantity activity;          ///< Activity at each level, after it has settled.

  std::vector<double> time_ms;      ///< Times of the step response.
  double step_drive = 0;            ///< Drive from onset_ms to end_ms; 0 otherwise.
  double onset_ms = 0, end_ms = 0;  ///< Time 0 is the start, at rest.
  std::vector<Quantity> step_response;
};

/// Max number of probed neurons in all units. If there are more, each unit has its own part, evenly
/// spread (at least one neuron); a unit whose neurons are all probed for others uses all of them.
inline constexpr std::int64_t kMaxProbed = 512;

/// Probes units. Returns nullopt if a neuron has no single drive: ELM neurons have many synapses,
/// GRU and LSTM units several gates.
std::optional<Probe> probe(const experiment::Trained& trained, const std::vector<Unit>& units);

/// Activity of every hidden neuron during one sample.
struct Raster {
  std::int64_t sample = 0;
  std::vector<double> time_ms;
  statistics::Points activity;  ///< [hidden neurons, steps]
};

/// Throws Error(usage) if the split has no sample of this number.
void require_sample(const Subject& subject, std::int64_t sample);

/// Throws as require_sample().
Raster raster(const Subject& subject, std::int64_t sample);

/// Eigenvalues of one square block of recurrent weights.
struct Spectrum {
  std::string name;  ///< "layer 0", "layer 0, gate 2 of 3".
  std::vector<std::complex<double>> eigenvalues;
};

inline constexpr std::int64_t kMaxSpectral = 1500;  ///< Max number of neurons; eigenvalues of more
                                                    ///< take minutes.

/// Returns the spectra of the recurrent weights of every hidden layer, or of every gate; empty for
/// models without such a matrix (ELM), or with more than kMaxSpectral neurons.
std::vector<Spectrum> spectra(const nn::Network& network);

/// Time constants of one parameter in all hidden layers.
struct Timescales {
  std::string name;            ///< "membrane_decay": for a decay k the time constant is 1 / k.
  std::vector<double> values;  ///< ms
};

/// Returns the time constants of every intrinsic parameter that is a time or a decay.
std::vector<Timescales> timescales(const nn::Network& network);

/// Sensitivity of the answer to the input: |d answer / d input|. The answer is the largest output
/// (mean over the read steps) of a task that classifies, else the sum of all read outputs.
struct Saliency {
  std::int64_t samples = 0;  ///< Number of samples in the mean.
  std::vector<double> time_ms;
  std::vector<double> mean;   ///< Mean of the sum over features, at each step.
  statistics::Points sample;  ///< Sensitivity of the one sample, [steps, features].
};

Saliency saliency(const Subject& subject, std::int64_t samples, std::int64_t sample,
                  ThreadPool& pool);

/// All of the above for one run. Missing parts are absent, and `notes` give the reasons.
struct Inspection {
  std::string run;
  std::vector<Unit> units;
  std::optional<Probe> probe;
  std::optional<Raster> raster;
  std::vector<Spectrum> spectra;
  std::vector<Timescales> before, after;  ///< Equally many of each.
  std::optional<Saliency> saliency;
  std::vector<std::string> notes;
};

struct InspectionOptions {
  std::int64_t sample = 0;     ///< Sample of the split.
  std::int64_t samples = 256;  ///< Samples for saliency.
};

/// Inspects a run. Without task and data in `subject`, parts that need them are omitted. Throws as
/// require_sample(), before anything is computed.
Inspection inspect(const Subject& subject, std::vector<Unit> units,
                   const InspectionOptions& options, ThreadPool& pool);

/// Writes, as a directory that appears at once, inspection.json and the existing ones of
/// fi_curves.csv, step_responses.csv, raster.csv, spectrum.csv, timescales.csv, saliency.csv.
/// Throws Error(data) if `directory` exists already.
void write_inspection(const std::filesystem::path& directory, const Inspection& inspection,
                      const nn::Network& network);

}  // namespace afterspike::analysis
