#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <vector>

#include "afterspike/analysis/perturbation.hpp"
#include "afterspike/base/parallel.hpp"

/// How well trained networks work when they are damaged, without retraining.
namespace afterspike::analysis {

/// Which neurons are silenced.
struct Selection {
  enum class Kind { random, ranked, clusters };
  Kind kind = Kind::random;
  /// ranked: a value of each hidden neuron, of each run; the first int(fraction n) in their order
  /// are silenced, ties in the order of the neurons. clusters: the cluster of each.
  std::vector<std::vector<double>> values;
  bool highest_first = true;  ///< Of ranked.
};

/// What is to be measured.
struct Protocol {
  Perturbation perturbation = Perturbation::silence;
  Selection selection;         ///< Of Perturbation::silence.
  std::vector<double> levels;  ///< At least one; rising.
  std::int64_t trials = 10;    ///< Random draws for each level; 1 where nothing is drawn.
  std::uint64_t seed = 1;
};

/// One evaluation of a damaged network.
struct Measurement {
  std::int64_t run = 0;       ///< Number of the subject.
  std::int64_t cluster = -1;  ///< Whose neurons are silenced; -1 where that was not asked.
  bool control = false;       ///< As many neurons drawn from all clusters instead.
  double level = 0;
  std::int64_t trial = 0;
  std::int64_t neurons = 0;  ///< How many are silenced.
  double loss = 0;           ///< Mean over samples.
  double accuracy = 0;       ///< Where the task classifies.
};

/// All measurements of a protocol in their order, with `neurons` filled in and results not yet.
/// Throws Error(usage) for a protocol that does not fit: levels out of range or order, no trials.
std::vector<Measurement> plan(const Protocol& protocol, const std::vector<Subject>& subjects);

/// Whether the result is the same for every trial: nothing or everything is silenced, neurons are
/// silenced by rank, there is no noise.
bool is_certain(const Protocol& protocol, const Measurement& measurement, std::int64_t hidden);

/// Called when some more of the plan is measured, with all that is; false stops.
using Progress = std::function<bool(const std::vector<Measurement>& measured)>;

/// Measures what is missing of a plan, of which `measured` holds the beginning, and appends to it.
/// False when `progress` stopped it.
///
/// Every measurement draws from its own stream of the protocol's seed, named by perturbation,
/// cluster, level and trial: the same for all runs, so that trials of different runs are pairs, and
/// whatever else is measured along with it. Silenced are int(fraction n) of n neurons, as in the
/// authors' code. Level 0 gives what evaluation::evaluate() gives, to the bit.
bool measure(const Protocol& protocol, const std::vector<Subject>& subjects,
             const std::vector<Measurement>& plan, std::vector<Measurement>& measured,
             ThreadPool& pool, const Progress& progress);

}  // namespace afterspike::analysis
