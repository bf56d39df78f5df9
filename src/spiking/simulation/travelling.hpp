#pragma once

#include <cstdint>
#include <vector>

#include "connect/tile_store.hpp"
#include "simulation/part.hpp"

namespace afterspike::spiking {

/// Spikes whose rule-drawn synapses have not all been reached, by the step of the spike.
class Travelling {
 public:
  /// `window_steps` is the most steps that are added between two removals.
  explicit Travelling(const Layout& layout);

  /// Forgets the oldest spikes: room for those of the steps first < step <= last.
  void open(std::int64_t first_step, std::int64_t last_step);

  /// Adds a spike of an open step, if a rule begins at its neuron.
  void add(const Emission& emission);

  /// Replaces `arrivals` by the runs that arrive in `step`: the oldest spikes first, and those of a
  /// step in the order in which they were added.
  void arrivals(std::int64_t step, std::vector<TileStore::Arrival>& arrivals) const;

  void clear();
  /// Adds an array `travelling` with three numbers for each spike: step, neuron, size.
  void save(State& state, std::int64_t step) const;
  /// Throws Error(data) for a state that restore() could not take.
  void check(const State& state) const;
  void restore(const State& state);

 private:
  struct Sent {
    std::uint32_t neuron;
    std::uint16_t longest;  ///< Delay.
    bool is_source;
    float size;
  };

  std::vector<Sent>& slot(std::int64_t step) {
    return steps_[static_cast<std::size_t>(step) % steps_.size()];
  }
  std::span<const double> saved(const State& state) const;
  void add(std::int64_t step, std::uint32_t neuron, double size);

  const Layout& layout_;
  std::vector<std::uint16_t> longest_;  ///< Delay of each population; 0: no rule begins there.
  std::int64_t longest_of_all_ = 0;
  std::vector<std::vector<Sent>> steps_;
};

}  // namespace afterspike::spiking
