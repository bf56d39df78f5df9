#pragma once

#include <cstddef>
#include <memory>
#include <span>

#include "afterspike/spiking/network.hpp"

namespace afterspike::spiking {

/// The dynamics of one neuron as functions, for phase planes and fixed points. Synapses are silent.
class Dynamics {
 public:
  /// Takes the first neuron of a valid population. The time step matters for models on a grid of
  /// their own. Throws Error(config) for a source, and Error(data) for a population that is not
  /// valid.
  explicit Dynamics(const Population& population, double time_step_ms = 0.1);
  ~Dynamics();
  Dynamics(Dynamics&&) noexcept;
  Dynamics& operator=(Dynamics&&) noexcept;

  /// State variables of the model's differential equations: the first of Model::variables. Empty
  /// for a model that has no such equations, or more state than they describe.
  std::span<const Variable> states() const;

  /// Writes dx/dt, in units of the states per ms, at the state x. The current is injected, in
  /// Model::current_unit, in addition to the model's own constant one. REQUIRES: x and dx are as
  /// long as states().
  void derivatives(double current, std::span<const double> x, std::span<double> dx) const;

  /// Whether spikes are drawn at random, so that trials differ.
  bool is_random() const;

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace afterspike::spiking
