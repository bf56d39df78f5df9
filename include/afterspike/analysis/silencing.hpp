#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <vector>

#include "afterspike/analysis/perturbation.hpp"
#include "afterspike/base/parallel.hpp"

/// Performance of damaged networks, without retraining.
namespace afterspike::analysis {

/// Selection of the neurons to silence.
struct Selection {
  enum class Kind { random, ranked, clusters };
  Kind kind = Kind::random;
  /// ranked: a value per hidden neuron, for each run; the first int(fraction n) in order are
  /// silenced, ties in the order of the neurons. clusters: the cluster of each.
  std::vector<std::vector<double>> values;
  bool highest_first = true;  ///< Order of ranked values.
};

/// Plan of a study.
struct Protocol {
  Perturbation perturbation = Perturbation::silence;
  Selection selection;         ///< Neurons for Perturbation::silence.
  std::vector<double> levels;  ///< At least one; ascending.
  std::int64_t trials = 10;    ///< Random draws per level; 1 if nothing is drawn.
  std::uint64_t seed = 1;
};

/// One evaluation of a damaged network.
struct Measurement {
  std::int64_t run = 0;       ///< Index of the subject.
  std::int64_t cluster = -1;  ///< Cluster whose neurons are silenced; -1 if not by cluster.
  bool control = false;       ///< Silences equally many neurons drawn from all clusters instead.
  double level = 0;
  std::int64_t trial = 0;
  std::int64_t neurons = 0;  ///< Number of silenced neurons.
  double loss = 0;           ///< Mean over samples.
  double accuracy = 0;       ///< Only if the task classifies.
};

/// Returns all measurements of a protocol in their order, with `neurons` set and results missing.
/// Throws Error(usage) for an invalid protocol: levels out of range or order, no trials.
std::vector<Measurement> plan(const Protocol& protocol, const std::vector<Subject>& subjects);

/// Returns whether the result is the same for every trial: nothing or everything is silenced,
/// neurons are silenced by rank, or there is no noise.
bool is_certain(const Protocol& protocol, const Measurement& measurement, std::int64_t hidden);

/// Called with all measurements so far when new ones are complete; returning false stops.
using Progress = std::function<bool(const std::vector<Measurement>& measured)>;

/// Measures the rest of a plan, whose first results are in `measured`, and appends to it. Returns
/// false if `progress` stopped it.
///
/// Every measurement draws from its own stream of the protocol's seed, named by perturbation,
/// cluster, level and trial: the same for all runs, so that trials of different runs are pairs, and
/// independent of other measurements. int(fraction n) of n neurons are silenced, as in the authors'
/// code. Level 0 equals experiment::evaluate(), to the bit.
bool measure(const Protocol& protocol, const std::vector<Subject>& subjects,
             const std::vector<Measurement>& plan, std::vector<Measurement>& measured,
             ThreadPool& pool, const Progress& progress);

}  // namespace afterspike::analysis
