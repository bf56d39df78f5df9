#include "afterspike/single_neuron/clamp.hpp"

#include <algorithm>
#include <cmath>
#include <limits>
#include <span>

#include "afterspike/base/error.hpp"
#include "afterspike/spiking/simulation.hpp"
#include "networks.hpp"

namespace afterspike::single_neuron {
namespace {

using spiking::Network;
using spiking::Simulation;
using spiking::Spike;

Network network_of(const Neuron& neuron, const Steps& steps, std::span<const double> amplitudes) {
  const auto count = static_cast<std::int64_t>(amplitudes.size());
  Network network = copies_of(neuron, count * steps.trials);
  for (std::int64_t at = 0; at < count; ++at) {
    spiking::StepCurrent current;
    for (std::int64_t trial = 0; trial < steps.trials; ++trial) {
      current.neurons.push_back(at * steps.trials + trial);
    }
    current.times_ms = {steps.onset_ms, steps.stop_ms};
    current.amplitudes_pa = {amplitudes[static_cast<std::size_t>(at)], 0};
    if (!(steps.stop_ms < steps.end_ms)) {
      current.times_ms.pop_back();
      current.amplitudes_pa.pop_back();
    }
    network.step_currents.push_back(std::move(current));
  }
  return network;
}

/// Spikes of amplitudes [first, first + amplitudes.size()). Halves a batch that fails until the
/// amplitudes that fail are alone.
void simulate(const Neuron& neuron, const Steps& steps, std::span<const double> amplitudes,
              std::size_t first, Responses& responses) {
  try {
    const Network network = network_of(neuron, steps, amplitudes);
    Simulation simulation(network, spiking::Options{steps.seed});
    simulation.run_until(steps.end_ms);
    const auto trials = static_cast<std::size_t>(steps.trials);
    for (const Spike& spike : simulation.spikes()) {
      const auto number = static_cast<std::size_t>(spike.neuron);
      responses.spikes_ms[first + number / trials][number % trials].push_back(spike.time_ms);
    }
  } catch (const Error& error) {
    if (error.kind() != ErrorKind::numeric) throw;
    if (amplitudes.size() == 1) {
      responses.failed[first] = true;
      responses.failure = error.what();
      return;
    }
    const std::size_t half = amplitudes.size() / 2;
    simulate(neuron, steps, amplitudes.first(half), first, responses);
    simulate(neuron, steps, amplitudes.subspan(half), first + half, responses);
  }
}

double mean_of(const std::vector<double>& values) {
  if (values.empty()) return std::numeric_limits<double>::quiet_NaN();
  double sum = 0;
  for (const double value : values) sum += value;
  return sum / static_cast<double>(values.size());
}

/// The rate of one trial after `middle`, by intervals that end there.
double late_rate(const std::vector<double>& spikes, double middle_ms, double end_ms) {
  double intervals = 0, length = 0, count = 0;
  for (std::size_t at = 0; at < spikes.size(); ++at) {
    if (spikes[at] <= middle_ms) continue;
    ++count;
    if (at == 0) continue;
    ++intervals;
    length += spikes[at] - spikes[at - 1];
  }
  return 1000 * (intervals > 0 ? intervals / length : count / (end_ms - middle_ms));
}

}  // namespace

Network copies_of(const Neuron& neuron, std::int64_t count) {
  Network network;
  network.time_step_ms = neuron.dt_ms;
  network.populations = {neuron.population};
  network.populations[0].size = count;
  for (auto& [name, values] : network.populations[0].columns) {
    std::vector<double> repeated;
    for (const double value : values) {
      repeated.insert(repeated.end(), static_cast<std::size_t>(count), value);
    }
    values = std::move(repeated);
  }
  return network;
}

double on_grid(const Neuron& neuron, double time_ms) {
  return std::ceil(time_ms / neuron.dt_ms - 1e-6) * neuron.dt_ms;
}

Responses respond(const Neuron& neuron, const Steps& steps) {
  const auto trials = static_cast<std::size_t>(steps.trials);
  Responses responses;
  responses.spikes_ms.assign(steps.amplitudes.size(), std::vector<std::vector<double>>(trials));
  responses.failed.assign(steps.amplitudes.size(), false);
  if (!steps.amplitudes.empty()) simulate(neuron, steps, steps.amplitudes, 0, responses);
  return responses;
}

Recorded record(const Neuron& neuron, const Steps& steps) {
  const Network network = network_of(neuron, steps, steps.amplitudes);
  Simulation simulation(network, spiking::Options{steps.seed});
  Recorded recorded;
  std::vector<std::size_t> indices;
  for (const spiking::Variable& variable : neuron.model().variables) {
    indices.push_back(simulation.record("neuron", variable.name, neuron.dt_ms, {0}));
    recorded.traces.push_back({std::string(variable.name), std::string(variable.unit), {}});
  }
  simulation.run_until(steps.end_ms);
  for (std::size_t at = 0; at < indices.size(); ++at) {
    const spiking::Recording& recording = simulation.recording(indices[at]);
    recorded.times_ms = recording.times_ms;
    recorded.traces[at].values = recording.values;
  }
  recorded.spikes_ms.resize(static_cast<std::size_t>(steps.trials));
  for (const Spike& spike : simulation.spikes()) {
    recorded.spikes_ms[static_cast<std::size_t>(spike.neuron)].push_back(spike.time_ms);
  }
  return recorded;
}

Rates measure_rates(const std::vector<std::vector<double>>& trials_ms, double begin_ms,
                    double end_ms) {
  const double middle = 0.5 * (begin_ms + end_ms);
  std::vector<double> counts, first_intervals, late, latencies;
  for (const std::vector<double>& all : trials_ms) {
    std::vector<double> spikes;
    for (const double time : all) {
      if (time > begin_ms && time <= end_ms) spikes.push_back(time);
    }
    counts.push_back(static_cast<double>(spikes.size()));
    late.push_back(late_rate(spikes, middle, end_ms));
    if (!spikes.empty()) latencies.push_back(spikes[0] - begin_ms);
    if (spikes.size() > 1) first_intervals.push_back(spikes[1] - spikes[0]);
  }
  Rates rates;
  rates.spikes = mean_of(counts);
  rates.mean_per_s = 1000 * rates.spikes / (end_ms - begin_ms);
  rates.initial_per_s = 1000 / mean_of(first_intervals);
  rates.steady_per_s = mean_of(late);
  double squares = 0;
  for (const double each : late) squares += std::pow(each - rates.steady_per_s, 2);
  const auto n = static_cast<double>(late.size());
  if (late.size() > 1) rates.steady_error_per_s = std::sqrt(squares / (n - 1) / n);
  rates.latency_ms = mean_of(latencies);
  return rates;
}

}  // namespace afterspike::single_neuron
