#include <algorithm>
#include <cmath>
#include <limits>

#include "afterspike/single_neuron/study.hpp"
#include "grid.hpp"

namespace afterspike::single_neuron {
namespace {

/// Part of the trajectory's range that is added on each side for the view, and for the search.
constexpr double kMargin = 0.12, kSearch = 1.5;

void include(Box& box, std::size_t axis, double value) {
  if (!std::isfinite(value)) return;
  box.low[axis] = std::min(box.low[axis], value);
  box.high[axis] = std::max(box.high[axis], value);
}

/// The range of a trajectory.
Box range_of(const StepResponse& response, std::size_t variables) {
  constexpr double kInfinity = std::numeric_limits<double>::infinity();
  Box box{{kInfinity, kInfinity}, {-kInfinity, -kInfinity}};
  for (std::size_t axis = 0; axis < variables; ++axis) {
    for (const double value : response.recorded.traces[axis].values) include(box, axis, value);
  }
  for (std::size_t axis = 0; axis < 2; ++axis) {
    if (axis >= variables) box.low[axis] = box.high[axis] = 0;
    const double least = 1e-3 * std::max(1.0, std::abs(box.high[axis]));
    if (box.width(axis) < least) {
      box.low[axis] -= least;
      box.high[axis] += least;
    }
  }
  return box;
}

/// Adds fixed points that are not far from the trajectory.
void include(Box& box, const std::vector<FixedPoint>& points) {
  const Box near = box.grown(0.5);
  for (const FixedPoint& point : points) {
    const bool close = point.x[0] > near.low[0] && point.x[0] < near.high[0] &&
                       point.x[1] > near.low[1] && point.x[1] < near.high[1];
    for (std::size_t axis = 0; close && axis < point.variables; ++axis) {
      include(box, axis, point.x[axis]);
    }
  }
}

/// Grows a box to round ends.
void round_ends(Box& box, std::size_t variables) {
  for (std::size_t axis = 0; axis < variables; ++axis) {
    const double step = std::pow(10, std::floor(std::log10(box.width(axis) / 4)));
    box.low[axis] = std::floor(box.low[axis] / step) * step;
    box.high[axis] = std::ceil(box.high[axis] / step) * step;
  }
}

/// Directions of the flow, of one length on the screen.
std::vector<std::array<double, 4>> arrows_of(const Field& field, const Box& box) {
  constexpr std::size_t kColumns = 22, kRows = 14;
  std::vector<std::array<double, 4>> arrows;
  for (std::size_t i = 0; i < kColumns; ++i) {
    for (std::size_t j = 0; j < kRows; ++j) {
      const double x = box.low[0] + box.width(0) * (static_cast<double>(i) + 0.5) / kColumns;
      const double y = box.low[1] + box.width(1) * (static_cast<double>(j) + 0.5) / kRows;
      const auto slope = field.at({x, y});
      const double dx = slope[0] / box.width(0) * kColumns, dy = slope[1] / box.width(1) * kRows;
      const double length = std::hypot(dx, dy);
      if (!(length > 0) || !std::isfinite(length)) continue;
      arrows.push_back({x, y, dx / length / kColumns, dy / length / kRows});
    }
  }
  return arrows;
}

std::vector<std::array<double, 3>> line_of(const Field& rest, const Field& driven, const Box& box) {
  constexpr int kPoints = 400;
  std::vector<std::array<double, 3>> line;
  for (int at = 0; at <= kPoints; ++at) {
    const double x = box.low[0] + box.width(0) * at / kPoints;
    line.push_back({x, rest.at({x, 0})[0], driven.at({x, 0})[0]});
  }
  return line;
}

}  // namespace

std::optional<PhasePlane> phase_plane(const Neuron& neuron, const StepResponse& response,
                                      const std::vector<double>& currents) {
  const spiking::Dynamics dynamics(neuron.population, neuron.dt_ms);
  const std::size_t variables = dynamics.states().size();
  if (variables < 1 || variables > 2) return std::nullopt;
  PhasePlane plane;
  for (const spiking::Variable& state : dynamics.states()) {
    plane.names.emplace_back(state.name);
    plane.units.emplace_back(state.unit);
  }
  const Box range = range_of(response, variables), search = range.grown(kSearch);
  plane.rest = fixed_points(dynamics, 0, search);
  plane.driven = fixed_points(dynamics, response.current, search);
  for (const double current : currents) {
    for (FixedPoint& each : fixed_points(dynamics, current, search)) {
      plane.equilibria.push_back(each);
    }
  }
  plane.box = range;
  include(plane.box, plane.rest);
  include(plane.box, plane.driven);
  plane.box = plane.box.grown(kMargin);
  round_ends(plane.box, variables);
  const Field rest(dynamics, 0), driven(dynamics, response.current);
  if (variables == 1) {
    plane.line = line_of(rest, driven, plane.box);
    return plane;
  }
  for (std::size_t variable = 0; variable < 2; ++variable) {
    plane.rest_nullclines.push_back(nullcline(dynamics, 0, variable, plane.box));
    plane.driven_nullclines.push_back(nullcline(dynamics, response.current, variable, plane.box));
  }
  plane.arrows = arrows_of(driven, plane.box);
  return plane;
}

}  // namespace afterspike::single_neuron
