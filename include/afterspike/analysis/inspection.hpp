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

/// Single neurons of a trained network, and the network as a whole. docs/analyses.md says how each
/// is computed.
namespace afterspike::analysis {

/// A neuron, or several of which the mean is shown.
struct Unit {
  std::string name;                   ///< "layer 0, neuron 3", "cluster 2".
  std::vector<std::int64_t> neurons;  ///< Numbers in hidden_neurons().
  std::int64_t cluster = -1;          ///< -1: it is no cluster.
};

/// A unit for each of these neurons. Throws Error(usage) for a number that no neuron has.
std::vector<Unit> single_units(const nn::Network& network,
                               const std::vector<std::int64_t>& numbers);

/// A unit for each cluster, from the cluster of each hidden neuron.
std::vector<Unit> cluster_units(const std::vector<std::int64_t>& labels);

/// Over the neurons of a unit: mean and standard deviation (n - 1), of each time or level.
struct Curve {
  std::vector<double> mean, sd;
};

/// Something that is seen of neurons.
struct Quantity {
  std::string name, unit;     ///< "voltage", "mV"; "activity" is what the neurons emit.
  std::vector<Curve> curves;  ///< Of each unit; empty where all of its neurons run away.
};

/// Neurons by themselves: nothing recurrent, a drive of our own in place of the input.
struct Probe {
  std::int64_t neurons = 0;  ///< That were probed in all; of those ...
  /// ... these (numbers in hidden_neurons(), rising) are left out: their state grows beyond all
  /// numbers under some drive, as after-spike currents without bound can.
  std::vector<std::int64_t> run_away;
  std::vector<std::int64_t> probed;  ///< Of each unit: over how many of its neurons the curves are.

  std::string drive_unit;  ///< Of the drive: that of the input weights.

  std::vector<double> drive;  ///< Levels, held constant (none: no neuron is left) ...
  Quantity activity;          ///< ... and the activity that follows once it has settled.

  std::vector<double> time_ms;      ///< A step of the drive from 0 to `step_drive` at onset_ms,
  double step_drive = 0;            ///< and back at end_ms;
  double onset_ms = 0, end_ms = 0;  ///< time 0 is the beginning, at rest.
  std::vector<Quantity> step_response;
};

/// Neurons of all units together. Of more, each unit has a part of its own, spread over it (at
/// least one neuron); a unit all of whose neurons are probed for others has them all.
inline constexpr std::int64_t kMostProbed = 512;

/// Probes units. Nothing where a neuron has no drive that is one number: ELM neurons have many
/// synapses, GRU and LSTM units several gates.
std::optional<Probe> probe(const experiment::Trained& trained, const std::vector<Unit>& units);

/// What every hidden neuron emits during one sample.
struct Raster {
  std::int64_t sample = 0;
  std::vector<double> time_ms;
  statistics::Points activity;  ///< [hidden neurons, steps]
};

/// Throws Error(usage) when the split has no sample of this number.
void require_sample(const Subject& subject, std::int64_t sample);

/// Throws as require_sample().
Raster raster(const Subject& subject, std::int64_t sample);

/// Eigenvalues of one square block of recurrent weights.
struct Spectrum {
  std::string name;  ///< "layer 0", "layer 0, gate 2 of 3".
  std::vector<std::complex<double>> eigenvalues;
};

inline constexpr std::int64_t kMostSpectral = 1500;  ///< Neurons; eigenvalues of more take minutes.

/// Of the recurrent weights of every hidden layer, or of every gate; empty for models without such
/// a matrix (ELM), or with more than kMostSpectral neurons.
std::vector<Spectrum> spectra(const nn::Network& network);

/// Time constants of one parameter in all hidden layers.
struct Timescales {
  std::string name;            ///< "membrane_decay": of a decay k the time constant is 1 / k.
  std::vector<double> values;  ///< ms
};

/// Of every intrinsic parameter that is a time or a decay.
std::vector<Timescales> timescales(const nn::Network& network);

/// How much the answer depends on the input: |d answer / d input|, where the answer is the largest
/// output (the mean over the steps that are read) of a task that classifies, else the sum of all
/// outputs that are read.
struct Saliency {
  std::int64_t samples = 0;  ///< Over so many ...
  std::vector<double> time_ms;
  std::vector<double> mean;   ///< ... the mean of its sum over features, at each step.
  statistics::Points sample;  ///< Of the one sample, [steps, features].
};

Saliency saliency(const Subject& subject, std::int64_t samples, std::int64_t sample,
                  ThreadPool& pool);

/// All of the above for one run. What it does not have is absent, and `notes` say why.
struct Inspection {
  std::string run;
  std::vector<Unit> units;
  std::optional<Probe> probe;
  std::optional<Raster> raster;
  std::vector<Spectrum> spectra;
  std::vector<Timescales> before, after;  ///< As many of each.
  std::optional<Saliency> saliency;
  std::vector<std::string> notes;
};

struct InspectionOptions {
  std::int64_t sample = 0;     ///< Of the split.
  std::int64_t samples = 256;  ///< For saliency.
};

/// `subject` without task and data: what needs them is left out. Throws as require_sample(), before
/// anything is computed.
Inspection inspect(const Subject& subject, std::vector<Unit> units,
                   const InspectionOptions& options, ThreadPool& pool);

/// Writes, as a directory that appears at once, inspection.json and those of fi_curves.csv,
/// step_responses.csv, raster.csv, spectrum.csv, timescales.csv, saliency.csv that there is
/// something for. Throws Error(data) when there is something at `directory` already.
void write_inspection(const std::filesystem::path& directory, const Inspection& inspection,
                      const nn::Network& network);

}  // namespace afterspike::analysis
