#pragma once

#include <cstdint>
#include <limits>

/// How two populations are connected: rules and distributions, under the names of NEST.
namespace afterspike::spiking {

/// A distribution of a parameter, a weight or a delay, in the unit of the value.
struct Distribution {
  enum class Kind {
    constant,     ///< `first`.
    normal,       ///< Mean `first`, standard deviation `second`.
    lognormal,    ///< exp of a normal variable with mean `first`, standard deviation `second`.
    uniform,      ///< From `first` to below `second`.
    exponential,  ///< Mean `first`.
  };

  Kind kind = Kind::constant;
  double first = 0, second = 0;
  /// Values outside are drawn again.
  double min = -std::numeric_limits<double>::infinity();
  double max = std::numeric_limits<double>::infinity();

  bool operator==(const Distribution&) const = default;
};

enum class ConnectionRule {
  one_to_one,  ///< Neuron n to neuron n; sizes are equal.
  all_to_all,
  fixed_indegree,      ///< `count` synapses onto each target.
  fixed_outdegree,     ///< `count` synapses from each source.
  fixed_total_number,  ///< `count` synapses, each with a random source and target.
  pairwise_bernoulli,  ///< Each pair with probability `probability`.
};

/// Places of neurons on a rectangular grid: neuron n is in column n % columns and row n / columns,
/// at ((column + 1/2) spacing, (row + 1/2) spacing).
struct Grid {
  std::int64_t columns = 0, rows = 0;
  double spacing = 1;      ///< Distance of neighbours, in any unit of length.
  bool edge_wrap = false;  ///< Opposite edges are neighbours: a torus.

  bool operator==(const Grid&) const = default;

  double width() const { return static_cast<double>(columns) * spacing; }
  double height() const { return static_cast<double>(rows) * spacing; }
};

/// How two populations are connected.
struct Connection {
  ConnectionRule rule = ConnectionRule::all_to_all;
  std::int64_t count = 0;
  double probability = 0;
  bool allow_autapses = true;   ///< A neuron may connect to itself.
  bool allow_multapses = true;  ///< A pair may have several synapses.
  /// Mask of `all_to_all` and `pairwise_bernoulli`: only pairs at most this far apart. Infinite:
  /// all pairs, and no grids are needed.
  double radius = std::numeric_limits<double>::infinity();
  Grid source_grid, target_grid;  ///< Places of the neurons, with a finite radius.
  Distribution weight;            ///< Unit of the receptor: pA, mV or nS.
  Distribution delay;             ///< ms; rounded to steps of the grid.
  /// Receptor of every synapse; -1: excitatory for weights >= 0, else inhibitory, where a
  /// conductance is |weight|.
  std::int64_t receptor = -1;

  bool operator==(const Connection&) const = default;
};

}  // namespace afterspike::spiking
