#include <algorithm>
#include <cmath>
#include <map>

#include "afterspike/single_neuron/phase_plane.hpp"
#include "grid.hpp"

namespace afterspike::single_neuron {
namespace {

constexpr std::size_t kMarchingCells = 240;

/// An edge of the grid: from corner (i, j) to the right or upwards.
struct Edge {
  std::size_t i, j;
  bool upwards;

  auto operator<=>(const Edge&) const = default;
};

/// Marching squares: a cell whose corners differ in sign has one segment, or two, between its
/// edges. Segments that share an edge are chained.
class Marching {
 public:
  Marching(const Grid& grid, const Box& box) : grid_(grid), box_(box) {
    for (std::size_t i = 0; i < grid.cells(); ++i) {
      for (std::size_t j = 0; j < grid.cells(); ++j) add_cell(i, j);
    }
  }

  std::vector<Polyline> curves() {
    std::vector<Polyline> result;
    // Open curves first: a walk from their middle would cut them.
    for (const bool open : {true, false}) {
      for (const auto& [edge, neighbours] : next_) {
        if (!neighbours.empty() && (neighbours.size() == 1 || !open)) result.push_back(walk(edge));
      }
    }
    return result;
  }

 private:
  bool positive(std::size_t i, std::size_t j) const { return grid_.at(i, j) > 0; }

  void connect(const Edge& a, const Edge& b) {
    next_[a].push_back(b);
    next_[b].push_back(a);
  }

  void add_cell(std::size_t i, std::size_t j) {
    const Edge bottom{i, j, false}, top{i, j + 1, false}, left{i, j, true}, right{i + 1, j, true};
    const bool a = positive(i, j), b = positive(i + 1, j), c = positive(i + 1, j + 1),
               d = positive(i, j + 1);
    std::vector<Edge> crossed;
    if (a != b) crossed.push_back(bottom);
    if (b != c) crossed.push_back(right);
    if (c != d) crossed.push_back(top);
    if (d != a) crossed.push_back(left);
    if (crossed.size() == 2) connect(crossed[0], crossed[1]);
    if (crossed.size() < 4) return;
    const double middle =
        grid_.at(i, j) + grid_.at(i + 1, j) + grid_.at(i + 1, j + 1) + grid_.at(i, j + 1);
    if ((middle > 0) == a) {
      connect(bottom, right);
      connect(top, left);
    } else {
      connect(bottom, left);
      connect(top, right);
    }
  }

  std::array<double, 2> place(const Edge& edge) const {
    const double from = grid_.at(edge.i, edge.j);
    const double to = edge.upwards ? grid_.at(edge.i, edge.j + 1) : grid_.at(edge.i + 1, edge.j);
    double part = from / (from - to);
    if (!(part >= 0 && part <= 1)) part = 0.5;  // A corner is not finite.
    const double i = static_cast<double>(edge.i) + (edge.upwards ? 0 : part);
    const double j = static_cast<double>(edge.j) + (edge.upwards ? part : 0);
    return {box_.low[0] + box_.width(0) * i / grid_.cells_as_double(),
            box_.low[1] + box_.width(1) * j / grid_.cells_as_double()};
  }

  Polyline walk(Edge edge) {
    Polyline line = {place(edge)};
    while (!next_[edge].empty()) {
      const Edge to = next_[edge].back();
      next_[edge].pop_back();
      auto& back = next_[to];
      back.erase(std::find(back.begin(), back.end(), edge));
      edge = to;
      line.push_back(place(edge));
    }
    return line;
  }

  const Grid& grid_;
  Box box_;
  std::map<Edge, std::vector<Edge>> next_;
};

}  // namespace

std::vector<Polyline> nullcline(const spiking::Dynamics& dynamics, double current,
                                std::size_t variable, const Box& box) {
  const Grid grid(Field(dynamics, current), box, variable, kMarchingCells);
  return Marching(grid, box).curves();
}

}  // namespace afterspike::single_neuron
