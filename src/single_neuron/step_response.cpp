#include <cmath>
#include <limits>

#include "afterspike/single_neuron/study.hpp"
#include "networks.hpp"

namespace afterspike::single_neuron {
namespace {

/// Parts of the duration before and after the step.
constexpr double kBefore = 0.1, kAfter = 0.2;

constexpr double kNone = std::numeric_limits<double>::quiet_NaN();

/// Intervals between spikes that begin in the step.
std::vector<double> intervals_of(const std::vector<double>& spikes, double begin_ms,
                                 double end_ms) {
  std::vector<double> intervals;
  for (std::size_t at = 1; at < spikes.size(); ++at) {
    if (spikes[at - 1] <= begin_ms || spikes[at] > end_ms) continue;
    intervals.push_back(spikes[at] - spikes[at - 1]);
  }
  return intervals;
}

/// Sets rates by the mean of each interval over the trials that have it.
void set_rates(const std::vector<std::vector<double>>& trials, Adaptation& adaptation) {
  for (std::size_t number = 0;; ++number) {
    double count = 0, sum = 0, squares = 0;
    for (const std::vector<double>& intervals : trials) {
      if (number >= intervals.size()) continue;
      ++count;
      sum += intervals[number];
      squares += intervals[number] * intervals[number];
    }
    // With fewer trials the mean is of the fast ones.
    if (2 * count < static_cast<double>(trials.size()) || count == 0) return;
    const double mean = sum / count;
    const double variance = count > 1 ? (squares - count * mean * mean) / (count - 1) : 0;
    adaptation.rates_per_s.push_back(1000 / mean);
    adaptation.errors_per_s.push_back(1000 * std::sqrt(std::max(variance, 0.0) / count) /
                                      (mean * mean));
    adaptation.trials.push_back(static_cast<std::int64_t>(count));
  }
}

}  // namespace

StepResponse step_response(const Neuron& neuron, double current, const Protocol& protocol) {
  Steps steps;
  steps.amplitudes = {current};
  steps.onset_ms = on_grid(neuron, kBefore * protocol.duration_ms);
  steps.stop_ms = steps.onset_ms + on_grid(neuron, protocol.duration_ms);
  steps.end_ms = steps.stop_ms + on_grid(neuron, kAfter * protocol.duration_ms);
  steps.trials = protocol.trials;
  steps.seed = protocol.seed;
  StepResponse response{current, steps.onset_ms, steps.stop_ms, record(neuron, steps), {}};
  response.rates = measure_rates(response.recorded.spikes_ms, response.onset_ms, response.stop_ms);
  return response;
}

Adaptation measure_adaptation(const StepResponse& response) {
  Adaptation adaptation;
  std::vector<std::vector<double>> trials;
  double sum = 0, pairs = 0;
  for (const std::vector<double>& spikes : response.recorded.spikes_ms) {
    trials.push_back(intervals_of(spikes, response.onset_ms, response.stop_ms));
    const std::vector<double>& intervals = trials.back();
    for (std::size_t at = 1; at < intervals.size(); ++at, ++pairs) {
      sum += (intervals[at] - intervals[at - 1]) / (intervals[at] + intervals[at - 1]);
    }
  }
  set_rates(trials, adaptation);
  const auto& rates = adaptation.rates_per_s;
  adaptation.index = pairs > 0 ? sum / pairs : kNone;
  adaptation.ratio = rates.size() > 1 ? rates.back() / rates.front() : kNone;
  return adaptation;
}

}  // namespace afterspike::single_neuron
