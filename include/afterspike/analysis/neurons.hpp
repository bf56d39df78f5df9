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

/// The place of a neuron in a network.
struct NeuronId {
  std::int64_t layer = 0;
  std::int64_t neuron = 0;  ///< Within its layer.
};

/// The neurons of all hidden layers, from the first layer on: the order that everything here has.
/// Neurons that read out are none of them.
std::vector<NeuronId> hidden_neurons(const nn::Network& network);

/// The learned intrinsic parameters of every hidden neuron, in physical units.
struct NeuronTable {
  std::vector<std::string> columns;  ///< With units: "threshold_mV", "k_1_per_ms".
  std::vector<NeuronId> neurons;
  statistics::Points values;  ///< [neurons, columns]

  /// The values of a column. Throws Error(usage) that lists the names when there is no such one.
  std::vector<double> column(std::string_view name) const;
};

/// Gathers the parameters of group `intrinsic`, whatever the model: those of GLIFR under the short
/// names of its authors, others under their own. A model whose neurons have several values of a
/// parameter gives it the shape [neurons, values]. What belongs to synapses is left out.
///
/// A parameter of which a neuron has several (after-spike currents) becomes columns 1, 2, ... in a
/// canonical order, so that neurons compare whose currents only changed places: by the first such
/// parameter of the model (the decay: the slowest current is the first), then by the next. Of more
/// than kMostColumns, a neuron's least, median, mean and largest are the columns.
///
/// Throws Error(config) when the model has no intrinsic parameters (RNN, GRU, LSTM).
NeuronTable neuron_parameters(const nn::Network& network);

inline constexpr std::int64_t kMostColumns = 8;

/// Mean size of what every hidden neuron emits, over all samples and steps that belong to them; of
/// GLIFR its mean rate.
std::vector<double> mean_activity(const Subject& subject, ThreadPool& pool);

/// Columns that say which neuron a row is, and are no features.
bool is_identity(std::string_view column) noexcept;

}  // namespace afterspike::analysis
