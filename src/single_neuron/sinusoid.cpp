#include <algorithm>
#include <array>
#include <cmath>
#include <complex>
#include <limits>
#include <numbers>

#include <fmt/format.h>

#include "afterspike/base/error.hpp"
#include "afterspike/base/parallel.hpp"
#include "afterspike/single_neuron/study.hpp"
#include "afterspike/spiking/simulation.hpp"
#include "networks.hpp"

namespace afterspike::single_neuron {
namespace {

using Complex = std::complex<double>;
using spiking::Network;
using spiking::Simulation;

constexpr double kTurn = 2 * std::numbers::pi;

/// Time for transients, and least time that is measured.
constexpr double kTransient_ms = 1000, kMeasured_ms = 2000;
constexpr double kCycles = 3;  ///< Least number of measured cycles.

double angular(double frequency_hz) {
  return kTurn * frequency_hz * 1e-3;
}

/// Phasor of the current's fundamental with amplitude 1: it is constant in each step, so it lags by
/// half of one. A phasor z stands for Im(z exp(i w t)).
Complex held(double frequency_hz, double dt_ms) {
  const double half = 0.5 * angular(frequency_hz) * dt_ms;
  return std::polar(std::sin(half) / half, -half);
}

/// Phasor by which the sampled voltage of a capacitor that is charged so is divided for its exact
/// impedance; harmonics of the steps are in the samples, too. Membranes are capacitors at the
/// frequencies at which this matters.
Complex held_and_sampled(double frequency_hz, double dt_ms) {
  const double half = 0.5 * angular(frequency_hz) * dt_ms;
  return std::polar(half / std::sin(half), -half);
}

double window_of(double frequency_hz) {
  return std::max(kMeasured_ms, kCycles * 1000 / frequency_hz);
}

spiking::SinusoidCurrent sinusoid(double offset, double amplitude, double frequency_hz,
                                  double end_ms) {
  spiking::SinusoidCurrent current;
  current.offset_pa = offset;
  current.amplitude_pa = amplitude;
  current.frequency_hz = frequency_hz;
  current.stop_ms = end_ms + 1;
  return current;
}

Gain gain_of(double frequency_hz, Complex response, double error) {
  return {frequency_hz, std::abs(response), std::arg(response) * 360 / kTurn, error};
}

/// Solves a symmetric positive system in place by Gaussian elimination.
template <std::size_t N>
std::array<double, N> solve(std::array<std::array<double, N + 1>, N> rows) {
  for (std::size_t column = 0; column < N; ++column) {
    for (std::size_t row = column + 1; row < N; ++row) {
      const double factor = rows[row][column] / rows[column][column];
      for (std::size_t at = column; at <= N; ++at) rows[row][at] -= factor * rows[column][at];
    }
  }
  std::array<double, N> solution{};
  for (std::size_t row = N; row-- > 0;) {
    double rest = rows[row][N];
    for (std::size_t at = row + 1; at < N; ++at) rest -= rows[row][at] * solution[at];
    solution[row] = rest / rows[row][row];
  }
  return solution;
}

/// Fits sin(wt), cos(wt), a constant and a trend by least squares.
struct Fit {
  Complex phasor;
  double mean;
};

Fit fit(const std::vector<double>& times_ms, const std::vector<double>& values, double from_ms,
        double frequency_hz) {
  constexpr std::size_t kTerms = 4;
  std::array<std::array<double, kTerms + 1>, kTerms> sums{};
  const double length = times_ms.back() - from_ms;
  double mean = 0, count = 0;
  for (std::size_t at = 0; at < times_ms.size(); ++at) {
    if (times_ms[at] <= from_ms) continue;
    const double angle = angular(frequency_hz) * times_ms[at];
    const std::array<double, kTerms> terms = {std::sin(angle), std::cos(angle), 1.0,
                                              (times_ms[at] - from_ms) / length - 0.5};
    for (std::size_t i = 0; i < kTerms; ++i) {
      for (std::size_t j = 0; j < kTerms; ++j) sums[i][j] += terms[i] * terms[j];
      sums[i][kTerms] += terms[i] * values[at];
    }
    mean += values[at];
    ++count;
  }
  const auto solution = solve<kTerms>(sums);
  return {{solution[0], solution[1]}, mean / count};
}

/// Firing-rate modulation from spikes of trials in a window of whole cycles.
struct Modulation {
  Complex phasor;
  double error = 0, mean_per_s = 0;
};

Modulation modulation_of(const std::vector<std::vector<double>>& trials, double frequency_hz,
                         double window_ms) {
  std::vector<Complex> each;
  Complex mean = 0;
  double count = 0;
  for (const std::vector<double>& spikes : trials) {
    Complex sum = 0;
    for (const double time : spikes) {
      sum += std::polar(2 * 1000 / window_ms, -angular(frequency_hz) * time);
    }
    count += static_cast<double>(spikes.size());
    each.push_back(sum * Complex(0, 1));
    mean += each.back();
  }
  const auto n = static_cast<double>(trials.size());
  mean /= n;
  const Complex direction = std::abs(mean) > 0 ? mean / std::abs(mean) : Complex(1, 0);
  double squares = 0;
  for (const Complex& own : each) {
    squares += std::pow(std::real((own - mean) * std::conj(direction)), 2);
  }
  return {mean, std::sqrt(squares / (n - 1) / n), 1000 * count / n / window_ms};
}

/// Spikes of trials under a sinusoid, in its last whole cycles of the simulation, at the middle of
/// their steps.
std::vector<std::vector<double>> modulated_spikes(const Neuron& neuron,
                                                  const spiking::SinusoidCurrent& current,
                                                  double noise, double window_ms, double end_ms,
                                                  const Protocol& protocol) {
  constexpr double kCorrelation_ms = 5;
  Network network = copies_of(neuron, protocol.trials);
  network.sinusoid_currents = {current};
  if (noise > 0) {
    network.ornstein_uhlenbeck_currents = {
        {0, 0, noise, kCorrelation_ms, std::max(1.0, neuron.dt_ms)}};
  }
  Simulation simulation(network, spiking::Options{protocol.seed});
  simulation.run_until(end_ms);
  std::vector<std::vector<double>> spikes(static_cast<std::size_t>(protocol.trials));
  for (const spiking::Spike& spike : simulation.spikes()) {
    if (spike.time_ms <= end_ms - window_ms) continue;
    spikes[static_cast<std::size_t>(spike.neuron)].push_back(spike.time_ms - 0.5 * neuron.dt_ms);
  }
  return spikes;
}

}  // namespace

Transfer impedance(const Neuron& neuron, double offset, double amplitude,
                   const std::vector<double>& frequencies_hz, const Protocol& protocol) {
  Transfer transfer;
  transfer.offset = offset;
  transfer.amplitude = amplitude;
  double longest = 0;
  for (const double frequency : frequencies_hz) longest = std::max(longest, window_of(frequency));
  const double end = on_grid(neuron, kTransient_ms + longest);
  const auto count = frequencies_hz.size();
  Network network = copies_of(neuron, static_cast<std::int64_t>(count));
  for (std::size_t at = 0; at < count; ++at) {
    network.sinusoid_currents.push_back(sinusoid(offset, amplitude, frequencies_hz[at], end));
    network.sinusoid_currents.back().neurons = {static_cast<std::int64_t>(at)};
  }
  Simulation simulation(network, spiking::Options{protocol.seed});
  const std::size_t index =
      simulation.record("neuron", neuron.model().variables.front().name, neuron.dt_ms);
  try {
    simulation.run_until(end);
  } catch (const Error& error) {
    if (error.kind() != ErrorKind::numeric) throw;
    transfer.omitted = error.what();
    return transfer;
  }
  std::vector<bool> spiked(count, false);
  for (const spiking::Spike& spike : simulation.spikes()) {
    spiked[static_cast<std::size_t>(spike.neuron)] = true;
  }
  const spiking::Recording& recording = simulation.recording(index);
  std::vector<double> values(recording.times_ms.size());
  for (std::size_t at = 0; at < count; ++at) {
    if (spiked[at]) continue;
    for (std::size_t row = 0; row < values.size(); ++row) {
      values[row] = recording.values[row * count + at];
    }
    const double frequency = frequencies_hz[at];
    const Fit found = fit(recording.times_ms, values, end - window_of(frequency), frequency);
    transfer.mean += found.mean;
    transfer.gains.push_back(gain_of(
        frequency, found.phasor / (amplitude * held_and_sampled(frequency, neuron.dt_ms)), 0));
  }
  const auto silent = transfer.gains.size();
  if (silent > 0) transfer.mean /= static_cast<double>(silent);
  if (silent < count) {
    transfer.omitted =
        fmt::format("the neuron spikes at {} of {} frequencies", count - silent, count);
  }
  return transfer;
}

Transfer rate_modulation(const Neuron& neuron, double offset, double amplitude, double noise,
                         const std::vector<double>& frequencies_hz, const Protocol& protocol) {
  constexpr std::int64_t kTrials = 40;
  constexpr double kSettle_ms = 500;
  const Protocol own{protocol.duration_ms, kTrials, protocol.seed};
  Transfer transfer;
  transfer.offset = offset;
  transfer.amplitude = amplitude;
  transfer.noise = noise;
  const std::size_t count = frequencies_hz.size();
  std::vector<Modulation> found(count);
  std::vector<std::string> failures(count);
  ThreadPool pool(protocol.threads);
  pool.run(static_cast<std::int64_t>(count), [&](std::int64_t number) {
    const auto at = static_cast<std::size_t>(number);
    const double frequency = frequencies_hz[at], cycle = 1000 / frequency;
    const double window = std::ceil(kMeasured_ms / cycle) * cycle;
    const double end = on_grid(neuron, kSettle_ms + window);
    const auto current = sinusoid(offset, amplitude, frequency, end);
    try {
      found[at] = modulation_of(modulated_spikes(neuron, current, noise, window, end, own),
                                frequency, window);
    } catch (const Error& error) {
      if (error.kind() != ErrorKind::numeric) throw;
      failures[at] = error.what();
    }
  });
  double rates = 0;
  for (std::size_t at = 0; at < count; ++at) {
    if (!failures[at].empty()) transfer.omitted = failures[at];
    if (!(found[at].mean_per_s > 0)) continue;
    rates += found[at].mean_per_s;
    const Complex input = amplitude * held(frequencies_hz[at], neuron.dt_ms);
    transfer.gains.push_back(
        gain_of(frequencies_hz[at], found[at].phasor / input, found[at].error / amplitude));
  }
  transfer.mean = rates / static_cast<double>(std::max<std::size_t>(transfer.gains.size(), 1));
  if (transfer.gains.empty() && transfer.omitted.empty()) transfer.omitted = "no spikes";
  return transfer;
}

}  // namespace afterspike::single_neuron
