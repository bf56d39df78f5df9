#pragma once

#include <cstdint>
#include <limits>
#include <span>
#include <vector>

#include "exact/exponentials.hpp"
#include "models/leaky.hpp"

namespace afterspike::spiking {

/// Leaky neurons in continuous time (docs/simulation.md#exact): their state at one time, moved to
/// another in closed form, and where the voltage next crosses the threshold. A state is a row of
/// doubles that the caller keeps; nothing here changes but what is passed.
class ExactNeurons {
 public:
  /// Places in a state, and of their rates of decay; then come after-spike currents and synapses.
  enum Place : std::int64_t { kVoltage, kSpikePart, kVoltagePart, kExternal, kFirstCurrent };

  /// The most doubles that a state may have.
  static constexpr std::int64_t kMostState = 64;

  /// Neurons [begin, end), which are counted from 0 here. Throws Error(config) where a state would
  /// be longer.
  ExactNeurons(const Leaky& leaky, std::int64_t begin, std::int64_t end);

  /// Doubles of a state: a multiple of 8, of which the last mean nothing.
  std::int64_t state_size() const { return state_size_; }

  /// A state at rest, without external current.
  void initial_state(double voltage, double* state) const;

  /// Where the coefficients of a neuron are, to be fetched ahead.
  const double* coefficients(std::int64_t neuron) const { return row(neuron); }

  /// The state after `time` ms without events, spikes or refractoriness. `to` may be `from`.
  void propagate(std::int64_t neuron, const double* from, double time, double* to) const {
    const double* c = row(neuron);
    if (c[2 * rates_ + kPlain] != 0) return step_(c, c + rates_, rates_, from, time, to);
    propagate_otherwise(c, from, time, to);
  }

  /// The synapses alone, as during refractoriness; time may be negative.
  void propagate_synapses(std::int64_t neuron, double* state, double time) const;

  /// A spike of this weight, `age` ms ago, arrives at a receptor.
  void receive(std::int64_t neuron, double* state, std::int64_t receptor, double weight,
               double age = 0) const;

  /// From the state at a spike to that when refractoriness ends.
  void spike(std::int64_t neuron, double* state) const;

  double refractory(std::int64_t neuron) const { return coefficient(neuron, kRefractory); }
  double resting_potential(std::int64_t neuron) const { return coefficient(neuron, kRest); }
  bool is_delta() const { return delta_; }

  /// Threshold above rest, and voltage minus threshold.
  double threshold(std::int64_t neuron, const double* state) const {
    return coefficient(neuron, kThreshold) + state[kSpikePart] + state[kVoltagePart];
  }
  double excess(std::int64_t neuron, const double* state) const {
    return state[kVoltage] - threshold(neuron, state);
  }
  double after_spike_current(const double* state) const;
  double synaptic_current(const double* state) const;

  /// For so many ms from here the voltage stays below the threshold without another event; infinite
  /// where it does for ever. A bound that computes no exponentials. REQUIRES: excess <= 0.
  double quiet_time(std::int64_t neuron, const double* state) const;

  /// A crossing of the threshold: `time` ms after the state.
  static constexpr double kNone = std::numeric_limits<double>::infinity();

  /// The first crossing in (begin, end] after the state, or kNone. No crossing is missed: intervals
  /// are bisected until bounds of the first two derivatives show that one of them is of one sign.
  /// `start` is the state at begin. REQUIRES: excess <= 0 there.
  double first_crossing(std::int64_t neuron, const double* state, double begin, const double* start,
                        double end, double tolerance) const;

  /// The length of an interval to look for crossings in, at first.
  double search_length(std::int64_t neuron) const { return coefficient(neuron, kSearch); }

 private:
  enum Coefficient : std::int64_t {
    kInverseCapacitance,
    kConductance,
    kThreshold,
    kRest,
    kReset,
    kRefractory,
    kSearch,
    kSpikeAdd,
    kFraction,
    kAdd,
    kVoltageIndex,
    kPlain,  ///< Whether decaying_step() is all that there is to a step.
    kApart,  ///< Whether no two rates are so near that quotients would lose digits.
    kFirstOther
  };
  struct Flow;

  const double* row(std::int64_t neuron) const {
    return coefficients_.data() + neuron * row_stride_;
  }
  double coefficient(std::int64_t neuron, Coefficient which) const {
    return row(neuron)[2 * rates_ + which];
  }
  void fill_row(const Leaky& leaky, std::int64_t neuron, double* c) const;
  void propagate_otherwise(const double* c, const double* from, double time, double* to) const;
  void propagate_alpha(const double* c, const double* from, double time, double* to) const;
  void propagate_carefully(const double* c, const double* from, double time, double* to) const;

  std::int64_t currents_, receptors_, rates_, state_size_, row_size_, row_stride_;
  bool alpha_, delta_, spike_threshold_, voltage_threshold_;
  DecayingStep* step_;
  // A row: rates by their place in a state, of receptors one each, and zeros up to a multiple of 8;
  // as many gains, by which currents drive the voltage; Coefficient values; of after-spike currents
  // and receptors what is left of them after a search; for each after-spike current what a spike
  // multiplies and adds, then the factor of the threshold's spike part.
  std::vector<double> coefficients_;
};

}  // namespace afterspike::spiking
