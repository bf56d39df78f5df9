#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "afterspike/analysis/runs.hpp"
#include "afterspike/base/parallel.hpp"
#include "afterspike/statistics/points.hpp"

/// Answers of a network, sample by sample.
namespace afterspike::analysis {

/// Returns how often each class was answered: [true class, answer]. Throws Error(config) for a task
/// that does not classify.
statistics::Points confusion(const Subject& subject, ThreadPool& pool);

/// The answer to one sample of a task of traces, at the scored steps.
struct Trace {
  std::int64_t sample = 0;
  std::vector<double> time_ms, target, output;  ///< Target may be empty.
};

/// One output and its traces.
struct TracedOutput {
  std::string name, unit;  ///< "output"; "spike probability"; "voltage", "mV".
  std::vector<Trace> traces;
};

/// Returns the outputs for the first `count` samples of a task that does not classify, beside the
/// target: the first output of traces; for spikes and voltages the probability of a spike and the
/// voltage, relative to the task's zero.
std::vector<TracedOutput> traces(const Subject& subject, std::int64_t count, ThreadPool& pool);

}  // namespace afterspike::analysis
