#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <vector>

#include "grid/grid_group.hpp"
#include "simulation/part.hpp"

namespace afterspike::spiking {

/// Electrical synapses between the groups of a part (docs/simulation.md#electrical-synapses). The
/// layout puts coupled populations whole into one part.
class Coupling {
 public:
  using Groups = std::vector<std::unique_ptr<GridGroup>>;

  /// Throws Error(config) for a model that has no electrical synapses.
  Coupling(const Layout& layout, const Groups& groups);

  bool empty() const { return synapses_.empty(); }

  /// Sets the input of coupled groups for the step that ends at `step`. `arriving` has the events
  /// of each group in this step, which are left as they are. Throws Error(numeric) if the voltages
  /// of an iterated step do not converge.
  using ArrivingOf = std::function<Arriving(std::size_t group)>;
  void prepare(std::int64_t step, const ArrivingOf& arriving);

  /// Called when groups were reset.
  void reset();

 private:
  /// The voltage of a cell within a step: p[0] + p[1] s + p[2] s^2 + p[3] s^3, s from 0 to 1.
  struct Course {
    double p[4] = {0, 0, 0, 0};
    bool is_fixed = false;  ///< The cell was reset in this step.

    double mean() const { return p[0] + p[1] / 2 + p[2] / 3 + p[3] / 4; }
    double end() const { return p[0] + p[1] + p[2] + p[3]; }
  };
  /// A group with electrical synapses.
  struct Member {
    std::size_t group;
    GridGroup* cells;
    CoupledInput* input;
    std::size_t first;                ///< Its first cell among all coupled ones.
    std::vector<double> conductance;  ///< Sum of each cell, nS.
    std::vector<double> ratio;        ///< Conductance times dt over capacitance of each cell.
    std::vector<double*> rows;        ///< Its state.
    std::vector<double> saved;        ///< Rows at the begin of the step.
    std::vector<std::uint32_t> spiked;
    Lines sums;
  };
  /// A synapse between two of the coupled cells.
  struct Synapse {
    std::size_t first, second;
    double conductance;
  };
  struct Change {
    double voltage = 0;  ///< mV
    std::size_t member = 0;
    std::int64_t cell = 0;
  };

  void add_member(std::size_t group);
  void add_synapses(const ElectricalSynapses& synapses, std::size_t first, std::size_t second);
  void set_ratios();
  void begin_step();
  void set_held_input();
  void set_input(bool is_iterated);
  void set_course_input(Member& member) const;
  void set_constant_input(Member& member, bool is_iterated) const;
  void relax(std::int64_t step, const ArrivingOf& arriving);
  Change advance(std::int64_t step, const ArrivingOf& arriving);
  Change update(std::size_t member, std::int64_t spikes);
  void save(Member& member) const;
  void restore(Member& member) const;
  [[noreturn]] void fail_at(std::int64_t step, const Change& change) const;

  const Layout& layout_;
  const Groups& groups_;
  ElectricalCoupling kind_;
  std::size_t terms_;  ///< Number of coefficients that may differ from 0.
  std::vector<Member> members_;
  std::vector<Synapse> synapses_;
  std::vector<Course> courses_;  ///< Voltages of all coupled cells.
  std::vector<Course> sums_;     ///< Sum of conductance times course of the partners, pA.
};

}  // namespace afterspike::spiking
