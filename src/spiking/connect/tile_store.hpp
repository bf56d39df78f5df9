#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "connect/block_rows.hpp"
#include "connect/large_array.hpp"
#include "simulation/part.hpp"

namespace afterspike::spiking {

/// A range of blocks (kBlocks) of every population on the grid.
struct Tile {
  std::int64_t first_block = 0, last_block = kBlocks;  ///< first <= block < last
};

/// Places of the tile's neurons of a population, receptor after receptor.
struct TilePlaces {
  std::int64_t first = 0;   ///< Place of the first neuron at receptor 0, within the tile.
  std::int64_t begin = 0;   ///< First neuron.
  std::int64_t stride = 0;  ///< Places of a receptor.
};

/// Most places of a tile and most synapses of a row: both are kept in 16 bits.
inline constexpr std::int64_t kMostInTile = 65535;

/// The synapses of all rules onto a tile, in 6 bytes each: a place within the tile and a weight.
///
/// A row holds the synapses of a source as runs of equal delay. Runs are added in the step in which
/// they arrive, not when the source spikes. All sums of a step then lie in the cache, and no ring
/// of future steps is needed. The price is a look-up for each spike and delay.
class TileStore {
 public:
  /// Draws the synapses. `places` has an entry for each population.
  TileStore(const Layout& layout, const Tile& tile, const std::vector<TilePlaces>& places);

  /// The runs of a spike that arrive in the present step.
  struct Arrival {
    std::uint32_t neuron;  ///< Source, among all neurons of the network.
    std::uint16_t delay;   ///< In steps of the network, from 1 to the longest of the source.
    bool is_source;        ///< Sent by a source, not a neuron.
    float size;            ///< Factor of the weights.
  };

  struct Counts {
    std::int64_t events = 0, source_events = 0;
  };

  /// Adds the runs to the tile's sums, in order. Returns the number of synapses.
  Counts deliver(std::span<const Arrival> arrivals, double* sums);

  std::uint64_t synapses() const { return synapses_; }

 private:
  struct Building;
  struct Row {
    std::uint64_t first_synapse = 0;
    std::uint64_t first_end = 0;  ///< In `run_ends_`; of a neuron with synapses.
  };
  struct Run {
    const std::byte* synapses;
    std::uint32_t count;
    float size;
  };

  void add_rows(const Layout& layout, std::int64_t population, Building& building);
  void add_row(Building& building, std::int64_t source, std::uint32_t longest);
  Counts find_runs(std::span<const Arrival> arrivals);

  std::uint64_t synapses_ = 0;
  LargeArray bytes_;
  std::vector<Row> rows_;  ///< Rows of all neurons of the network.
  /// For each neuron the number of its synapses with a delay of at most 0, 1, 2, ... steps.
  std::vector<std::uint16_t> run_ends_;
  std::vector<Run> runs_;
};

/// Longest delay of the rules from a population, in steps of the network; 0 without rules.
std::uint32_t longest_rule_delay(const Layout& layout, std::int64_t population);

}  // namespace afterspike::spiking
