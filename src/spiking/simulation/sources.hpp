#pragma once

#include <cstdint>
#include <memory>
#include <span>
#include <vector>

#include "simulation/part.hpp"

namespace afterspike::spiking {

/// A source: a population that emits whatever the network does.
class Source {
 public:
  virtual ~Source() = default;

  /// Appends what is emitted until the end of the window and was not yet.
  virtual void emit(const Window& window, std::vector<Emission>& emissions) = 0;

  /// Goes on after `time_ms`; at 0, from the beginning.
  virtual void go_to(double time_ms) = 0;

  virtual void save(State& /*state*/) const {}
  /// Throws Error(data) for a state that restore() could not take.
  virtual void check(const State& /*state*/) const {}
  virtual void restore(const State& state) { go_to(state.time_ms); }

  virtual void set_trains(const SpikeTrains& trains);
  virtual void set_signal(std::span<const double> values);
};

std::unique_ptr<Source> make_trains_source(const Layout& layout, std::int64_t population);
std::unique_ptr<Source> make_poisson_source(const Layout& layout, std::int64_t population);
std::unique_ptr<Source> make_stepped_poisson_source(const Layout& layout, std::int64_t population);
std::unique_ptr<Source> make_sinusoidal_poisson_source(const Layout& layout,
                                                       std::int64_t population);
std::unique_ptr<Source> make_analog_source(const Layout& layout, std::int64_t population);

/// The sum over the neurons of a Poisson source of their highest rates, spikes per ms; 0 for other
/// models.
double highest_rate(const Population& population);

}  // namespace afterspike::spiking
