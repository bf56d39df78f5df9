#pragma once

#include <string>

#include "afterspike/analysis/neurons.hpp"
#include "afterspike/analysis/silencing.hpp"

namespace afterspike::analysis {

/// Which neurons are silenced, from what a user says:
///
///   "random"          drawn
///   "rate"            by rank of their mean activity on the data that are evaluated
///   "threshold_mV"    or another column of neuron_parameters(): by rank of a parameter
///   a CSV file        by cluster: columns layer, neuron, cluster, and run where there are several
///                     runs (their number); others are ignored
///
/// Throws Error(usage) that lists the names for another word, Error(data) naming file and row for
/// a file that lacks a neuron, has one twice or names one that is not there.
Selection select_neurons(const std::string& by, bool highest_first,
                         const std::vector<Subject>& subjects, ThreadPool& pool);

}  // namespace afterspike::analysis
