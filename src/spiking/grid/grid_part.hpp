#pragma once

#include <cstdint>
#include <memory>
#include <vector>

#include "connect/connections.hpp"
#include "connect/tile_store.hpp"
#include "grid/coupling.hpp"
#include "grid/grid_group.hpp"
#include "grid/poisson_drive.hpp"
#include "simulation/part.hpp"
#include "simulation/travelling.hpp"

namespace afterspike::spiking {

/// Pieces of populations that follow each other, and their tile if rules reach them.
struct GridShare {
  Tile tile;
  std::vector<Piece> pieces;
};

/// Places of pieces on the grid, padding included.
std::int64_t places_of(const Layout& layout, const std::vector<Piece>& pieces);

/// Neurons that are computed in steps. What arrives waits in a ring of steps.
class GridPart final : public Part {
 public:
  GridPart(const Layout& layout, const std::vector<GridShare>& shares,
           const Travelling& travelling);

  void advance(const Window& window, std::span<const Emission> neurons,
               std::span<const Emission> sources) override;
  void reset() override;
  void save(State& state) const override;
  void check(const State& state) const override;
  void restore(const State& state) override;
  void add_recorder(Recorder* recorder) override;

 private:
  struct Sampled {
    Recorder* recorder;
    std::size_t group;
    std::int64_t cell;
    std::size_t column;
  };

  /// Input in a step: sums for all places, or a list for each group.
  struct Slot {
    Lines sums;
    std::vector<std::vector<Kick>> kicks;
  };

  Slot& slot(std::int64_t step) { return ring_[static_cast<std::size_t>(step) % ring_.size()]; }
  template <typename Weight>
  void list(Slot& slot, std::span<const std::uint32_t> targets, const Weight* weights, double size);
  void save_arriving(State& state, std::size_t index) const;
  std::span<const double> saved_arriving(const State& state, const GridGroup& group) const;
  void restore_arriving(const State& state, std::size_t index);
  std::int64_t cells_of(std::span<const std::uint32_t> targets) const;
  void deliver(const Window& window, std::span<const Emission> emissions);
  void add_tiles(const std::vector<GridShare>& shares);
  void add_drives();
  void drive(std::int64_t step, double* sums);
  void deliver_tiles(std::int64_t step, double* sums);
  void advance(std::int64_t step);
  void sample(std::int64_t step);

  const Layout& layout_;
  std::vector<std::unique_ptr<GridGroup>> groups_;
  std::vector<std::int64_t> first_place_;  ///< First place of each group, then the number of all.
  std::unique_ptr<Connections> connections_;
  std::vector<Slot> ring_;
  const Travelling& travelling_;
  /// Synapses that rules have drawn, and the first place of their tile.
  struct TiledPlaces {
    std::int64_t first_place;
    TileStore store;
  };
  std::vector<TiledPlaces> tiles_;
  std::vector<TileStore::Arrival> arrivals_;  ///< Runs of the present step.
  /// Poisson input of the neurons of a group.
  struct Drive {
    std::int64_t source;  ///< Population.
    std::size_t group;
    std::int64_t place, delay_steps;
    double weight;
    PoissonTable table;
  };
  std::vector<Drive> drives_;
  std::vector<std::uint32_t> spiked_;
  std::vector<Sampled> sampled_;
  std::unique_ptr<Coupling> coupling_;
  std::int64_t step_ = 0;
  bool has_copies_ = false;
};

}  // namespace afterspike::spiking
