#pragma once

#include <cstdint>
#include <deque>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "grid_steps.hpp"
#include "lines.hpp"
#include "part.hpp"

namespace afterspike::sim {

/// A weight that arrives at a place, receptor * columns + neuron, of a group.
struct Kick {
  std::uint32_t place;
  double weight;
};

/// What arrives at a group in a step: sums for all places, or where little arrives a list.
struct Arriving {
  double* sums;  ///< [receptors, columns], or null.
  std::span<const Kick> kicks;
};

/// A piece of a population on the grid.
class GridGroup {
 public:
  GridGroup(const Piece& piece, std::int64_t receptors)
      : piece_(piece),
        receptors_(receptors),
        columns_((piece.size() + kLanes - 1) / kLanes * kLanes) {}
  virtual ~GridGroup() = default;

  const Piece& piece() const { return piece_; }
  std::int64_t receptors() const { return receptors_; }
  std::int64_t columns() const { return columns_; }

  virtual void reset() = 0;

  /// The step that ends at `step`. Takes what arrives and leaves 0 in the sums. Writes the neurons
  /// of the piece that spike, ascending; returns how many.
  virtual std::int64_t advance(std::int64_t step, const Arriving& arriving,
                               std::uint32_t* spiked) = 0;

  virtual double value(std::int64_t local, Quantity quantity) const = 0;

  /// The state, as rows of `columns()` with names.
  struct Row {
    std::string name;
    double* values;
  };
  virtual std::vector<Row> rows() = 0;

  /// Called after the rows were replaced.
  virtual void restored(double /*time_ms*/) {}

 protected:
  /// A coefficient from its values for all neurons of the piece; `padding` for the others.
  Coefficient keep(const std::vector<double>& values, double padding = 0);

  /// What arrives as sums in any case: where it moves the voltage in the same step.
  double* sums_of(const Arriving& arriving);

  Piece piece_;
  std::int64_t receptors_, columns_;

 private:
  std::deque<Lines> kept_;
  Lines sums_;
};

std::unique_ptr<GridGroup> make_leaky_group(const Layout& layout, const Piece& piece);
std::unique_ptr<GridGroup> make_glifr_group(const Layout& layout, const Piece& piece);

/// `time` in steps. Throws Error(config) unless it is a whole number of them to 1e-6.
std::int64_t whole_steps(double time_ms, double dt_ms, std::string_view what);

}  // namespace afterspike::sim
