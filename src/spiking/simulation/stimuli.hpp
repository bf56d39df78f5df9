#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "afterspike/base/rng.hpp"
#include "simulation/part.hpp"

namespace afterspike::spiking {

/// The currents that are injected into a piece of a population, as a function of time alone: noise
/// is drawn by (seed, current, neuron, interval). Ornstein-Uhlenbeck currents have a state.
class Stimuli {
 public:
  Stimuli(const Layout& layout, const Piece& piece);

  /// The injected current of a neuron of the piece, from `time` on. Not thread-safe.
  double current(std::int64_t local, double time_ms) const;

  /// The first change after `time`; infinite if there is none.
  double next_change(double time_ms) const;

  /// Whether a change may affect this neuron.
  bool concerns(std::int64_t local) const;

  /// State to be saved, one value for each neuron of the piece. Without it, or if it is of a later
  /// time, an Ornstein-Uhlenbeck current is drawn from its beginning.
  struct Row {
    std::string name;
    double* values;
  };
  std::vector<Row> rows() const;

 private:
  /// A current into some neurons of the piece.
  template <typename Current>
  struct Selected {
    const Current* current;
    std::vector<std::int64_t> neurons;  ///< Sorted numbers within the piece; empty: all.

    bool contains(std::int64_t local) const;
  };
  struct Noise {
    NoiseCurrent current;
    std::uint64_t number;  ///< Among those of the network.
  };
  /// Value in the interval that was last asked for: the next follows from it.
  struct Process {
    OrnsteinUhlenbeckCurrent current;
    std::uint64_t number;
    double keep, spread;                    ///< exp(-interval / tau); of an innovation.
    mutable std::vector<double> intervals;  ///< Number for each neuron; -1 before the first.
    mutable std::vector<double> values;
  };

  template <typename Current>
  void select(const std::vector<Current>& currents, const Piece& piece,
              std::vector<Selected<Current>>& selected) const;
  double normal(const char* stream, std::uint64_t number, std::int64_t local,
                std::uint64_t interval) const;
  double process_at(const Process& process, std::int64_t local, double time_ms) const;

  const Layout& layout_;
  std::int64_t begin_;
  std::vector<Selected<StepCurrent>> steps_;
  std::vector<Selected<SinusoidCurrent>> sinusoids_;
  std::vector<Noise> noise_;
  std::vector<Process> processes_;
};

}  // namespace afterspike::spiking
