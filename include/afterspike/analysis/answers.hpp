#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "afterspike/analysis/runs.hpp"
#include "afterspike/base/parallel.hpp"
#include "afterspike/statistics/points.hpp"

/// What a network answers, sample by sample.
namespace afterspike::analysis {

/// How often each class was answered: [true class, answer]. Throws Error(config) for a task that
/// does not classify.
statistics::Points confusion(const Subject& subject, ThreadPool& pool);

/// The answer to one sample of a task of traces, at the steps that are asked for.
struct Trace {
  std::int64_t sample = 0;
  std::vector<double> time_ms, target, output;  ///< Target may be empty.
};

/// One output, and its traces.
struct TracedOutput {
  std::string name, unit;  ///< "output"; "spike probability"; "voltage", "mV".
  std::vector<Trace> traces;
};

/// What the network puts out for the first `count` samples of a task that does not classify, beside
/// the target: the first output of traces; of spikes and voltages the probability of a spike and
/// the voltage, from where the task has its zero.
std::vector<TracedOutput> traces(const Subject& subject, std::int64_t count, ThreadPool& pool);

}  // namespace afterspike::analysis
