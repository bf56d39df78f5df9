#pragma once

#include <string>

#include "afterspike/analysis/neurons.hpp"
#include "afterspike/analysis/silencing.hpp"

namespace afterspike::analysis {

/// Selects the neurons to silence from a user's word:
///
///   "random"          drawn
///   "rate"            by rank of their mean activity on the evaluated data
///   "threshold_mV"    or another column of neuron_parameters(): by rank of a parameter
///   a CSV file        by cluster: columns layer, neuron, cluster, and run (its number) if there
///   are
///                     several runs; others are ignored
///
/// Throws Error(usage) that lists the names for another word, Error(data) naming file and row for a
/// file that lacks a neuron, has one twice or names one that does not exist.
Selection select_neurons(const std::string& by, bool highest_first,
                         const std::vector<Subject>& subjects, ThreadPool& pool);

}  // namespace afterspike::analysis
