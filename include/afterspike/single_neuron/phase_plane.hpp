#pragma once

#include <array>
#include <complex>
#include <cstddef>
#include <string_view>
#include <vector>

#include "afterspike/spiking/dynamics.hpp"

/// Nullclines and fixed points of models with one or two state variables.
namespace afterspike::single_neuron {

/// A rectangle of the plane; for one variable only the first interval counts.
struct Box {
  std::array<double, 2> low, high;

  double width(std::size_t axis) const { return high[axis] - low[axis]; }
  /// Grows each side by a fraction of the width.
  Box grown(double fraction) const;
};

/// A state that does not change under a constant current.
struct FixedPoint {
  double current = 0;
  std::array<double, 2> x{};                          ///< The second is 0 for one variable.
  std::array<std::complex<double>, 2> eigenvalues{};  ///< Eigenvalues of the Jacobian, 1/ms.
  std::size_t variables = 2;

  bool is_stable() const;
  /// "stable node", "stable focus", "unstable node", "unstable focus", "saddle", "center"; for one
  /// variable "stable" or "unstable".
  std::string_view kind() const;
};

/// Finds the fixed points in a box by Newton's method from every cell of a grid in which both
/// derivatives change their sign; sorted by the first variable. Points closer to each other than
/// about a cell may be missed. REQUIRES: one or two states.
std::vector<FixedPoint> fixed_points(const spiking::Dynamics& dynamics, double current,
                                     const Box& box);

using Polyline = std::vector<std::array<double, 2>>;

/// Curves in a box on which the derivative of one variable is 0, by marching squares. REQUIRES: two
/// states.
std::vector<Polyline> nullcline(const spiking::Dynamics& dynamics, double current,
                                std::size_t variable, const Box& box);

}  // namespace afterspike::single_neuron
