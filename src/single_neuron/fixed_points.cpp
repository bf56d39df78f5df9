#include <algorithm>
#include <cmath>
#include <optional>

#include "afterspike/single_neuron/phase_plane.hpp"
#include "grid.hpp"

namespace afterspike::single_neuron {
namespace {

using Point = std::array<double, 2>;

constexpr std::size_t kCells = 160, kCellsOfLine = 2000;

/// dx/dt and its Jacobian, by central differences.
struct Linear {
  Point slope{};
  std::array<Point, 2> jacobian{};  ///< [equation][variable]
};

Linear linearize(const Field& field, const Point& x, const Box& box) {
  constexpr double kPart = 1e-6;  // The error of central differences is least near this part.
  Linear linear;
  linear.slope = field.at(x);
  for (std::size_t variable = 0; variable < field.variables(); ++variable) {
    const double h = kPart * box.width(variable);
    Point before = x, after = x;
    before[variable] -= h;
    after[variable] += h;
    const Point low = field.at(before), high = field.at(after);
    for (std::size_t equation = 0; equation < field.variables(); ++equation) {
      linear.jacobian[equation][variable] = (high[equation] - low[equation]) / (2 * h);
    }
  }
  return linear;
}

/// The step of Newton's method. Empty where the Jacobian is singular.
std::optional<Point> newton_step(const Linear& linear, std::size_t variables) {
  const auto& j = linear.jacobian;
  if (variables == 1) {
    if (j[0][0] == 0) return std::nullopt;
    return Point{-linear.slope[0] / j[0][0], 0};
  }
  const double determinant = j[0][0] * j[1][1] - j[0][1] * j[1][0];
  if (determinant == 0) return std::nullopt;
  return Point{(linear.slope[1] * j[0][1] - linear.slope[0] * j[1][1]) / determinant,
               (linear.slope[0] * j[1][0] - linear.slope[1] * j[0][0]) / determinant};
}

/// Newton's method; empty if it leaves the surroundings of its start or does not converge.
std::optional<Point> refine(const Field& field, Point x, const Box& box, const Point& cell) {
  constexpr int kMost = 50;
  constexpr double kReach = 4;  // Cells: a start belongs to the fixed points near it.
  const Point start = x;
  for (int round = 0; round < kMost; ++round) {
    const auto step = newton_step(linearize(field, x, box), field.variables());
    if (!step) return std::nullopt;
    bool still = true;
    for (std::size_t at = 0; at < field.variables(); ++at) {
      x[at] += (*step)[at];
      if (!(std::abs(x[at] - start[at]) <= kReach * cell[at])) return std::nullopt;
      still = still && std::abs((*step)[at]) <= 1e-11 * box.width(at);
    }
    if (still) return x;
  }
  return std::nullopt;
}

FixedPoint describe(const Field& field, const Point& x, const Box& box) {
  FixedPoint point{field.current(), x, {}, field.variables()};
  const auto j = linearize(field, x, box).jacobian;
  if (field.variables() == 1) {
    point.eigenvalues = {j[0][0], j[0][0]};
    return point;
  }
  const double half = 0.5 * (j[0][0] + j[1][1]);
  const double determinant = j[0][0] * j[1][1] - j[0][1] * j[1][0];
  const std::complex<double> root = std::sqrt(std::complex<double>(half * half - determinant));
  point.eigenvalues = {half + root, half - root};
  return point;
}

/// Whether the values at the corners of a cell have both signs.
bool changes(double a, double b, double c, double d) {
  const auto [least, most] = std::minmax({a, b, c, d});
  return least <= 0 && most >= 0;
}

std::vector<Point> starts_of(const Field& field, const Box& box, const Point& cell) {
  std::vector<Point> starts;
  if (field.variables() == 1) {
    for (std::size_t at = 0; at < kCellsOfLine; ++at) {
      const double left = box.low[0] + static_cast<double>(at) * cell[0];
      const double a = field.at({left, 0})[0], b = field.at({left + cell[0], 0})[0];
      if (changes(a, b, a, b)) starts.push_back({left + 0.5 * cell[0], 0});
    }
    return starts;
  }
  const Grid first(field, box, 0, kCells), second(field, box, 1, kCells);
  for (std::size_t i = 0; i < kCells; ++i) {
    for (std::size_t j = 0; j < kCells; ++j) {
      const auto both = [&](const Grid& grid) {
        return changes(grid.at(i, j), grid.at(i + 1, j), grid.at(i, j + 1), grid.at(i + 1, j + 1));
      };
      if (!both(first) || !both(second)) continue;
      starts.push_back({box.low[0] + (static_cast<double>(i) + 0.5) * cell[0],
                        box.low[1] + (static_cast<double>(j) + 0.5) * cell[1]});
    }
  }
  return starts;
}

}  // namespace

Box Box::grown(double fraction) const {
  Box result = *this;
  for (std::size_t axis = 0; axis < 2; ++axis) {
    result.low[axis] -= fraction * width(axis);
    result.high[axis] += fraction * width(axis);
  }
  return result;
}

bool FixedPoint::is_stable() const {
  return std::max(eigenvalues[0].real(), eigenvalues[1].real()) < 0;
}

std::string_view FixedPoint::kind() const {
  const double a = eigenvalues[0].real(), b = eigenvalues[1].real();
  if (variables == 1) return a < 0 ? "stable" : "unstable";
  const double size = std::max(std::abs(eigenvalues[0]), std::abs(eigenvalues[1]));
  if (eigenvalues[0].imag() != 0) {
    if (std::abs(a) <= 1e-9 * size) return "center";
    return a < 0 ? "stable focus" : "unstable focus";
  }
  if (a * b < 0) return "saddle";
  return a < 0 ? "stable node" : "unstable node";
}

std::vector<FixedPoint> fixed_points(const spiking::Dynamics& dynamics, double current,
                                     const Box& box) {
  const Field field(dynamics, current);
  const double cells = static_cast<double>(field.variables() == 1 ? kCellsOfLine : kCells);
  const Point cell = {box.width(0) / cells, box.width(1) / cells};
  std::vector<FixedPoint> points;
  for (const Point& start : starts_of(field, box, cell)) {
    const auto found = refine(field, start, box, cell);
    if (!found) continue;
    const bool known = std::any_of(points.begin(), points.end(), [&](const FixedPoint& each) {
      return std::abs(each.x[0] - (*found)[0]) <= 1e-6 * box.width(0) &&
             std::abs(each.x[1] - (*found)[1]) <= 1e-6 * box.width(1);
    });
    if (!known) points.push_back(describe(field, *found, box));
  }
  std::sort(points.begin(), points.end(),
            [](const FixedPoint& a, const FixedPoint& b) { return a.x < b.x; });
  return points;
}

}  // namespace afterspike::single_neuron
