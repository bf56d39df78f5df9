#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "afterspike/analysis/runs.hpp"
#include "afterspike/base/parallel.hpp"
#include "afterspike/io/table.hpp"
#include "afterspike/statistics/points.hpp"

namespace afterspike::analysis {

/// Position of a neuron in a network.
struct NeuronId {
  std::int64_t layer = 0;
  std::int64_t neuron = 0;  ///< Within its layer.
};

/// Returns the neurons of all hidden layers, from the first layer on: the order used in this
/// module. Readout neurons are not included.
std::vector<NeuronId> hidden_neurons(const nn::Network& network);

/// The learned intrinsic parameters of every hidden neuron, in physical units.
struct NeuronTable {
  std::vector<std::string> columns;  ///< With units: "threshold_mV", "k_1_per_ms".
  std::vector<NeuronId> neurons;
  statistics::Points values;  ///< [neurons, columns]

  /// Returns the values of a column. Throws Error(usage) that lists the names if there is no such
  /// column.
  std::vector<double> column(std::string_view name) const;
};

/// Gathers the parameters of group `intrinsic` of any model: those of GLIFR under the short names
/// of its authors, others under their own. A parameter with several values per neuron has the shape
/// [neurons, values]. Parameters of synapses are omitted.
///
/// A parameter with several values per neuron (after-spike currents) becomes columns 1, 2, ... in a
/// canonical order, so that neurons whose currents only changed places compare equal: sorted by the
/// first such parameter of the model (the decay: the slowest current first), then by the next. If
/// there are more than kMaxColumns, the columns are a neuron's min, median, mean and max.
///
/// Throws Error(config) if the model has no intrinsic parameters (RNN, GRU, LSTM).
NeuronTable neuron_parameters(const nn::Network& network);

inline constexpr std::int64_t kMaxColumns = 8;

/// Returns the mean size of the activity of every hidden neuron, over all samples and their steps;
/// for GLIFR its mean rate.
std::vector<double> mean_activity(const Subject& subject, ThreadPool& pool);

/// Returns whether a column identifies a neuron and is not a feature.
bool is_identity(std::string_view column) noexcept;

}  // namespace afterspike::analysis
