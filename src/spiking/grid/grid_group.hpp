#pragma once

#include <cstdint>
#include <deque>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "grid/grid_steps.hpp"
#include "simulation/lines.hpp"
#include "simulation/part.hpp"

namespace afterspike::spiking {

/// A weight that arrives at a place, receptor * places + neuron, of a group.
struct Kick {
  std::uint32_t place;
  double weight;
};

/// Input of a group in a step: sums for all places, or a list if few events arrive.
struct Arriving {
  double* sums;  ///< [receptors, places], or null.
  std::span<const Kick> kicks;
};

/// Currents of electrical synapses into a group. The coupling sets them before each step.
struct CoupledInput {
  /// Whether V of a cell and its partners vary within the step (Gap in grid/ode_group.hpp): groups
  /// that integrate equations. Others take a constant current.
  bool is_course = false;
  Lines current;      ///< [4, columns] c0 to c3, or [columns]; pA
  Lines conductance;  ///< [columns], nS; empty for a constant current.
  Lines shown;        ///< [3, columns], set by advance(); empty for a constant current.
};

/// A piece of a population on the grid.
class GridGroup {
 public:
  GridGroup(const Piece& piece, std::int64_t receptors, std::int64_t copies = 1)
      : piece_(piece),
        receptors_(receptors),
        copies_(copies),
        columns_(padded(piece.size() * copies)),
        places_(padded(piece.size())) {}
  virtual ~GridGroup() = default;

  /// Columns, or places, of so many: whole vectors.
  static std::int64_t padded(std::int64_t count) { return (count + kLanes - 1) / kLanes * kLanes; }

  const Piece& piece() const { return piece_; }
  std::int64_t receptors() const { return receptors_; }
  std::int64_t copies() const { return copies_; }
  /// Neurons of the piece, each copy counted: what has a state. `columns()` has room for padding.
  std::int64_t cells() const { return piece_.size() * copies_; }
  std::int64_t columns() const { return columns_; }
  /// Number of places that receive input: one per neuron, not per copy, and padding.
  std::int64_t places() const { return places_; }

  virtual void reset() = 0;

  /// Draws random numbers and sets injected currents of the step that ends at `step`. advance()
  /// calls it unless it was called for this step already; a step may then be advanced again from
  /// saved rows.
  virtual void prepare(std::int64_t /*step*/) {}

  /// The step that ends at `step`. Takes what arrives and leaves 0 in the sums. Writes the cells
  /// that spike, ascending; returns how many.
  virtual std::int64_t advance(std::int64_t step, const Arriving& arriving,
                               std::uint32_t* spiked) = 0;

  /// A variable of the model, by its index.
  virtual double value(std::int64_t cell, std::size_t variable) const = 0;

  /// Voltages of cells in mV, valid until the next step; null if the model has none.
  virtual const double* voltages() { return nullptr; }
  /// Adds the input of electrical synapses, with courses if `wants_courses` and the model can; null
  /// if the model has none.
  virtual CoupledInput* coupled_input(bool /*wants_courses*/) { return nullptr; }
  /// Whether V may be reset within a step, where its course has a jump.
  virtual bool resets_within_steps() const { return true; }

  /// Number of state variables of the model's differential equations, the first of its variables; 0
  /// if the model has no such equations, or more state than they advance.
  virtual std::size_t equations() const { return 0; }
  /// Writes dx/dt of a cell at the state x, without synaptic input. REQUIRES: equations() > 0.
  virtual void derivatives(std::int64_t /*cell*/, double /*injected_current*/, const double* /*x*/,
                           double* /*dx*/) const {}
  /// Whether spikes are drawn at random.
  virtual bool is_random() const { return false; }

  /// The state, as rows of `columns()` with names.
  struct Row {
    std::string name;
    double* values;
  };
  virtual std::vector<Row> rows() = 0;

  /// Called after the rows were replaced.
  virtual void restored(double /*time_ms*/) {}

 protected:
  /// A coefficient from its values for all cells; `padding` for the others.
  Coefficient keep(const std::vector<double>& values, double padding = 0);

  /// Returns the input as sums in any case, for models whose voltage it moves in the same step.
  double* sums_of(const Arriving& arriving);

  Piece piece_;
  std::int64_t receptors_, copies_, columns_, places_;

 private:
  std::deque<Lines> kept_;
  Lines sums_;
};

std::unique_ptr<GridGroup> make_leaky_group(const Layout& layout, const Piece& piece);
std::unique_ptr<GridGroup> make_glifr_group(const Layout& layout, const Piece& piece);

}  // namespace afterspike::spiking
