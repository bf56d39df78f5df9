#pragma once

#include <algorithm>
#include <cmath>
#include <complex>
#include <cstdint>
#include <numbers>
#include <vector>

#include "afterspike/spiking/simulation.hpp"

/// Statistics of the spikes of one population in (begin, end], as in the reference data of
/// networks.
namespace afterspike::testing {

class NetworkStatistics {
 public:
  NetworkStatistics(const spiking::Simulation& simulation, std::int64_t population,
                    std::int64_t size, double begin_ms, double end_ms)
      : trains_(static_cast<std::size_t>(size)), begin_ms_(begin_ms), end_ms_(end_ms) {
    for (const spiking::Spike& spike : simulation.spikes()) {
      if (spike.population != population || spike.time_ms <= begin_ms || spike.time_ms > end_ms) {
        continue;
      }
      trains_[static_cast<std::size_t>(spike.neuron)].push_back(spike.time_ms);
    }
  }

  const std::vector<std::vector<double>>& trains() const { return trains_; }

  /// Mean rate of (from, to] in spikes/s.
  double rate(double from_ms, double to_ms) const {
    double spikes = 0;
    for (const auto& train : trains_) {
      for (const double time : train) spikes += time > from_ms && time <= to_ms ? 1 : 0;
    }
    return spikes / static_cast<double>(trains_.size()) / (to_ms - from_ms) * 1000;
  }
  double rate() const { return rate(begin_ms_, end_ms_); }

  /// Mean coefficient of variation of the intervals, over neurons with at least `least` spikes.
  double cv(std::size_t least) const {
    double sum = 0, neurons = 0;
    for (const auto& train : trains_) {
      if (train.size() < least) continue;
      double mean = 0, square = 0;
      const auto intervals = static_cast<double>(train.size() - 1);
      for (std::size_t at = 1; at < train.size(); ++at) {
        const double interval = train[at] - train[at - 1];
        mean += interval / intervals;
        square += interval * interval / intervals;
      }
      sum += std::sqrt(std::max(square - mean * mean, 0.0)) / mean;
      ++neurons;
    }
    return sum / neurons;
  }

  /// Spikes of the population in bins.
  std::vector<double> counts(double bin_ms) const {
    const auto bins = static_cast<std::size_t>((end_ms_ - begin_ms_) / bin_ms);
    std::vector<double> counts(bins, 0);
    for (const auto& train : trains_) {
      for (const double time : train) {
        const auto bin = static_cast<std::size_t>((time - begin_ms_) / bin_ms);
        if (bin < bins) ++counts[bin];
      }
    }
    return counts;
  }

  /// Variance over mean of the counts in bins: 1 for independent Poisson neurons.
  double synchrony(double bin_ms) const {
    double mean = 0, square = 0;
    const auto all = counts(bin_ms);
    for (const double count : all) {
      mean += count / static_cast<double>(all.size());
      square += count * count / static_cast<double>(all.size());
    }
    return (square - mean * mean) / mean;
  }

  /// Frequency in Hz at which the spectrum of the counts peaks, from `least_hz` on: Welch's method,
  /// segments of `segment` bins with a Hann window that overlap by half.
  double peak_hz(double bin_ms, std::size_t segment, double least_hz) const {
    const auto all = counts(bin_ms);
    const double resolution = 1000 / (bin_ms * static_cast<double>(segment));
    double peak = 0, most = -1;
    const auto first = static_cast<std::size_t>(std::ceil(least_hz / resolution));
    const auto last = static_cast<std::size_t>(30 / resolution);
    for (std::size_t k = first; k <= last; ++k) {
      double power = 0;
      for (std::size_t begin = 0; begin + segment <= all.size(); begin += segment / 2) {
        power += std::norm(fourier(all.data() + begin, segment, k));
      }
      if (power > most) {
        most = power;
        peak = static_cast<double>(k) * resolution;
      }
    }
    return peak;
  }

 private:
  /// Term k of the Fourier series of a windowed segment without its mean.
  static std::complex<double> fourier(const double* values, std::size_t size, std::size_t k) {
    double mean = 0;
    for (std::size_t at = 0; at < size; ++at) mean += values[at] / static_cast<double>(size);
    std::complex<double> sum = 0;
    const double angle = 2 * std::numbers::pi / static_cast<double>(size);
    for (std::size_t at = 0; at < size; ++at) {
      const double window = 0.5 - 0.5 * std::cos(angle * static_cast<double>(at));
      sum += window * (values[at] - mean) *
             std::polar(1.0, -angle * static_cast<double>(k * at % size));
    }
    return sum;
  }

  std::vector<std::vector<double>> trains_;
  double begin_ms_, end_ms_;
};

}  // namespace afterspike::testing
