#pragma once

#include <cstdint>
#include <vector>

#include "afterspike/base/rng.hpp"
#include "simulation/part.hpp"

namespace afterspike::spiking {

/// The currents that are injected into a piece of a population, as a function of time alone:
/// nothing is remembered, and noise is drawn by (seed, current, neuron, interval).
class Stimuli {
 public:
  Stimuli(const Layout& layout, const Piece& piece);

  /// The injected current of a neuron of the piece, from `time` on.
  double current(std::int64_t local, double time_ms) const;

  /// The first change after `time`; infinite when there is none.
  double next_change(double time_ms) const;

  /// Whether a change at `time` may concern this neuron.
  bool concerns(std::int64_t local) const;

 private:
  struct Steps {
    const StepCurrent* current;
    std::vector<std::int64_t> neurons;  ///< Of the piece, sorted; empty: all.
  };
  struct Noise {
    NoiseCurrent current;
    std::uint64_t number;  ///< Among those of the network.
  };

  bool is_in(const Steps& steps, std::int64_t local) const;

  const Layout& layout_;
  std::int64_t begin_;
  std::vector<Steps> steps_;
  std::vector<Noise> noise_;
};

}  // namespace afterspike::spiking
