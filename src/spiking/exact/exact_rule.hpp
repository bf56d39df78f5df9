#pragma once

#include <algorithm>
#include <cstdint>
#include <limits>
#include <memory>
#include <vector>

#include "simulation/part.hpp"

namespace afterspike::spiking {

/// The next thing that happens to a neuron if no event arrives. Times in ms.
struct Outlook {
  double time;         ///< Time of the state; in the future during refractoriness.
  double quiet_until;  ///< No spike before.
  bool spikes;         ///< It spikes then; otherwise it is to be looked at again.
};

/// Neurons [0, size) of a piece between events, in closed form. A state is a row of doubles that
/// the caller keeps. Everything depends on the state alone, and not on when it is asked for.
class ExactRule {
 public:
  /// The most doubles that a state may have.
  static constexpr std::int64_t kMostState = 64;

  virtual ~ExactRule() = default;

  /// Doubles of a state: a multiple of 8, of which the last may mean nothing.
  virtual std::int64_t state_size() const = 0;
  /// Prefetches the coefficients of a neuron.
  virtual void fetch(std::int64_t /*neuron*/) const {}

  virtual void initial_state(std::int64_t neuron, double* state) const = 0;

  /// Sets the current: the injected one, and the constant one of the neuron.
  virtual void set_current(std::int64_t neuron, double* state, double injected) const = 0;

  /// The state after `time` ms without events, spikes or refractoriness. `to` may be `from`.
  virtual void propagate(std::int64_t neuron, const double* from, double time,
                         double* to) const = 0;

  /// Adds a spike of this weight that arrived at a receptor `age` ms before the time of the state.
  /// The age is above 0 during refractoriness only.
  virtual void receive(std::int64_t neuron, double* state, std::int64_t receptor, double weight,
                       double age) const = 0;

  /// Replaces the state at a spike by that refractory(neuron) ms later.
  virtual void spike(std::int64_t neuron, double* state) const = 0;
  /// Time for which a state lies in the future after a spike, ms.
  virtual double refractory(std::int64_t neuron) const = 0;

  /// Sets the outlook, but its time, after the state changed.
  virtual void changed(std::int64_t neuron, double* state, Outlook& outlook) const = 0;

  /// Moves the outlook on, from the end of the quiet time. REQUIRES: it does not spike then.
  virtual void look_ahead(std::int64_t neuron, double* state, Outlook& outlook) const = 0;

  /// A variable of the model, `later` ms after the state; before it if it lies in the future.
  virtual double value(std::int64_t neuron, const double* state, double later,
                       std::size_t variable) const = 0;
};

/// Crossings are found to 1e-12 ms or 4 units in the last place of the time; half of it is for the
/// sum of the neuron's time and the offset.
inline double crossing_tolerance(double time_ms) {
  constexpr double kUnit = std::numeric_limits<double>::epsilon();
  return 0.5 * std::max(1e-12, 4 * kUnit * time_ms);
}

/// Parameters of the neurons of a piece in the order of the model's entry: [size, parameters]. For
/// models whose parameters have one value for each neuron.
std::vector<std::vector<double>> parameter_rows(const Layout& layout, const Piece& piece);

/// Throws Error(config) if synapses of the network end at this receptor of the population: for a
/// receptor without a closed form. `remedy` ends the sentence.
void refuse_receptor(const Layout& layout, std::int64_t population, std::uint8_t receptor,
                     std::string_view remedy);

std::unique_ptr<ExactRule> make_leaky_rule(const Layout& layout, const Piece& piece);

}  // namespace afterspike::spiking
