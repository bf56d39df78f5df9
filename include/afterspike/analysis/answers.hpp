#pragma once

#include <cstdint>
#include <vector>

#include "afterspike/analysis/runs.hpp"
#include "afterspike/base/parallel.hpp"
#include "afterspike/statistics/points.hpp"

/// What a network answers, sample by sample.
namespace afterspike::analysis {

/// How often each class was answered: [true class, answer]. Throws Error(config) for a task that
/// does not classify.
statistics::Points confusion(const Subject& subject, ThreadPool& pool);

/// The answer to one sample of a task of traces.
struct Trace {
  std::int64_t sample = 0;
  std::vector<double> time_ms, target, output;  ///< Of the first output; target may be empty.
};

/// What the network puts out for the first `count` samples of a task of traces, beside the target.
std::vector<Trace> traces(const Subject& subject, std::int64_t count, ThreadPool& pool);

}  // namespace afterspike::analysis
