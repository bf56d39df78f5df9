#pragma once

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <functional>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "afterspike/spiking/simulation.hpp"
#include "connect/delay_table.hpp"
#include "simulation/steps.hpp"

namespace afterspike::spiking {

/// Above this, numbers in doubles are not exact.
inline constexpr double kMostWhole = 0x1p53;

/// A spike on its way. Sources may send any number of them, or a number other than one, at once.
struct Emission {
  double time_ms;
  std::int64_t step;       ///< Step of the grid; -1 off the grid.
  std::uint32_t neuron;    ///< Among all neurons of the network, sources included.
  double size;             ///< Factor of the weights.
  std::uint32_t copy = 0;  ///< Which of the neuron's copies.
};

/// The time (begin, end], and the steps of the grid in it: first < step <= last. Windows of the
/// smallest delay are numbered; one may be run through in several pieces.
struct Window {
  std::int64_t number;
  bool is_last_piece;
  double begin_ms, end_ms;
  std::int64_t first_step, last_step;
};

/// Neurons [begin, end) of a population: what a part computes.
struct Piece {
  std::int64_t population, begin, end;

  std::int64_t size() const { return end - begin; }
};

/// Facts about the network that all parts share.
struct Layout {
  const Network* network;
  Options options;
  double dt_ms;
  std::vector<std::int64_t> first_neuron;  ///< First of each population, then the total.
  std::int64_t window_steps, longest_steps;
  double window_ms, longest_ms;
  double latest_ms;   ///< No run goes on for longer.
  bool few_arrivals;  ///< Few events are expected to arrive in a step of the grid.
  /// Populations with electrical synapses, which one part computes.
  std::vector<bool> is_coupled = {};
  /// Delays of each rule of the network, in steps of the network; null for `one_to_one`.
  std::vector<std::shared_ptr<const DelayTable>> rule_delays = {};
  std::int64_t rule_stride = 1;  ///< Steps of the grid in one of the network.

  const Population& population(std::int64_t index) const {
    return network->populations[static_cast<std::size_t>(index)];
  }
  /// Population of a neuron of the network.
  std::int64_t population_of(std::int64_t neuron) const {
    const auto after = std::upper_bound(first_neuron.begin(), first_neuron.end(), neuron);
    return after - first_neuron.begin() - 1;
  }
  std::uint32_t neuron(const Piece& piece, std::int64_t local) const {
    return static_cast<std::uint32_t>(first_neuron[static_cast<std::size_t>(piece.population)] +
                                      piece.begin + local);
  }
};

/// Where samples of a window go. Parts write to columns of their own.
struct Recorder {
  Recording recording;
  std::size_t variable = 0;         ///< Index in Model::variables.
  std::int64_t interval_steps = 0;  ///< On the grid, where steps are counted and not time; else 0.
  double dt_ms = 0;                 ///< Step of the grid.
  std::int64_t first_sample = 1;    ///< The number of the first row of `recording`.

  double time_of(std::int64_t sample) const {
    if (interval_steps > 0) return static_cast<double>(sample * interval_steps) * dt_ms;
    return static_cast<double>(sample) * recording.interval_ms;
  }
  /// The number of the last sample until a time, which is that of `step` where there is a grid.
  std::int64_t samples_until(double time_ms, std::int64_t step) const {
    if (interval_steps > 0) return step / interval_steps;
    const double samples = time_ms / recording.interval_ms;
    return static_cast<std::int64_t>(std::min(samples + rounding_of(samples), kMostWhole));
  }
  void put(std::int64_t sample, std::size_t column, double value) {
    const std::size_t row = static_cast<std::size_t>(sample - first_sample);
    recording.values[row * recording.neurons.size() + column] = value;
  }
};

/// A share of the neurons of one engine, with the synapses onto them. Parts run at the same time
/// and touch nothing of each other.
class Part {
 public:
  virtual ~Part() = default;

  /// Takes up what neurons emitted in the window before, with the first piece of a window, and what
  /// sources do in this piece; then computes it. Spikes are appended to emitted().
  virtual void advance(const Window& window, std::span<const Emission> neurons,
                       std::span<const Emission> sources) = 0;

  virtual void reset() = 0;
  /// Adds to, or takes from, arrays of whole populations.
  virtual void save(State& state) const = 0;
  /// Throws Error(data) for a state that restore() could not take.
  virtual void check(const State& state) const = 0;
  virtual void restore(const State& state) = 0;

  /// Samples of this recorder are wanted from those of its neurons that are here.
  virtual void add_recorder(Recorder* recorder) = 0;

  std::vector<Emission>& emitted() { return emitted_; }
  /// Counts of this part; spikes are counted elsewhere.
  const Statistics& counted() const { return counted_; }
  void forget_counts() { counted_ = {}; }

 protected:
  std::vector<Emission> emitted_;
  Statistics counted_;
};

/// Whether a number of a saved state is a whole one from `least` on, below `end`.
inline bool is_index(double value, double least, double end) {
  return value >= least && value < end && value == std::floor(value);
}

/// The array of a saved state. Throws Error(data) where it is not there, of another length, or has
/// what is not finite.
const std::vector<double>& saved_array(const State& state, const std::string& name,
                                       std::size_t length);

/// The rows of `width` numbers of a saved state that is_possible(row) accepts, all of them; none
/// where the array may be missing and is. Throws Error(data).
std::span<const double> saved_rows(const State& state, const std::string& name, std::size_t width,
                                   const std::function<bool(const double*)>& is_possible,
                                   bool may_be_missing = false);

}  // namespace afterspike::spiking
