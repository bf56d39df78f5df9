#include "afterspike/spiking/dynamics.hpp"

#include <utility>

#include "afterspike/base/error.hpp"
#include "grid/grid_group.hpp"
#include "simulation/layout.hpp"

namespace afterspike::spiking {

struct Dynamics::Impl {
  Network network;
  Layout layout;
  std::unique_ptr<GridGroup> group;
  std::span<const Variable> states;
};

Dynamics::Dynamics(const Population& population, double time_step_ms)
    : impl_(std::make_unique<Impl>()) {
  const Model& kind = model(population.model);
  require(kind.make_grid != nullptr, ErrorKind::config,
          "'{}' is a source and has no dynamics. Choose a model of neurons", population.model);
  impl_->network.time_step_ms = time_step_ms;
  impl_->network.populations = {population};
  impl_->layout = make_layout(impl_->network, Options{0});
  impl_->group = kind.make_grid(impl_->layout, Piece{0, 0, 1});
  impl_->states = std::span(kind.variables).first(impl_->group->equations());
}

Dynamics::~Dynamics() = default;
Dynamics::Dynamics(Dynamics&&) noexcept = default;
Dynamics& Dynamics::operator=(Dynamics&&) noexcept = default;

std::span<const Variable> Dynamics::states() const {
  return impl_->states;
}

void Dynamics::derivatives(double current, std::span<const double> x, std::span<double> dx) const {
  impl_->group->derivatives(0, current, x.data(), dx.data());
}

bool Dynamics::is_random() const {
  return impl_->group->is_random();
}

}  // namespace afterspike::spiking
