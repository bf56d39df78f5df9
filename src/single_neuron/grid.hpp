#pragma once

#include <array>
#include <cstddef>
#include <span>
#include <vector>

#include "afterspike/single_neuron/phase_plane.hpp"

namespace afterspike::single_neuron {

/// Derivatives at a constant current.
class Field {
 public:
  Field(const spiking::Dynamics& dynamics, double current)
      : dynamics_(dynamics), current_(current), variables_(dynamics.states().size()) {}

  std::array<double, 2> at(const std::array<double, 2>& x) const {
    std::array<double, 2> slope{};
    dynamics_.derivatives(current_, std::span(x).first(variables_),
                          std::span(slope).first(variables_));
    return slope;
  }
  double current() const { return current_; }
  std::size_t variables() const { return variables_; }

 private:
  const spiking::Dynamics& dynamics_;
  double current_;
  std::size_t variables_;
};

/// One derivative at the corners of cells x cells cells of a box.
class Grid {
 public:
  Grid(const Field& field, const Box& box, std::size_t equation, std::size_t cells)
      : cells_(cells), values_((cells + 1) * (cells + 1)) {
    for (std::size_t i = 0; i <= cells; ++i) {
      for (std::size_t j = 0; j <= cells; ++j) {
        const double x = box.low[0] + box.width(0) * static_cast<double>(i) / cells_as_double();
        const double y = box.low[1] + box.width(1) * static_cast<double>(j) / cells_as_double();
        values_[i * (cells + 1) + j] = field.at({x, y})[equation];
      }
    }
  }

  double at(std::size_t i, std::size_t j) const { return values_[i * (cells_ + 1) + j]; }
  std::size_t cells() const { return cells_; }
  double cells_as_double() const { return static_cast<double>(cells_); }

 private:
  std::size_t cells_;
  std::vector<double> values_;
};

}  // namespace afterspike::single_neuron
