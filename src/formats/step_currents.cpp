#include "step_currents.hpp"

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <map>
#include <numbers>
#include <utility>
#include <vector>

namespace afterspike::formats {
namespace {

using spiking::Network;
using spiking::Population;
using spiking::Projection;

/// The time constant of an impulse: after a step nothing is left of it, e^-64.
constexpr double kPart = 1.0 / 64;

/// Returns the peak, pA, of an alpha current of time constant `own_ms` that acts like a constant
/// current of 1 pA: it moves the voltage in the step after it by as much.
double impulse(double capacitance, double conductance, double own_ms, double step_ms) {
  const double tau = capacitance / conductance;
  const double constant = -std::expm1(-step_ms / tau) / conductance;
  // The integral of (e s / own) exp(-s / own) exp(-(step - s) / tau) over the step.
  const double rate = 1 / own_ms - 1 / tau, x = rate * step_ms;
  const double arrived = (1 - (1 + x) * std::exp(-x)) / (rate * rate);
  const double alpha = std::numbers::e / own_ms * std::exp(-step_ms / tau) * arrived / capacitance;
  return constant / alpha;
}

/// Gives a population one more receptor, for impulses.
void add_receptor(Population& population, double step_ms) {
  const auto capacitance = population.column("capacitance"),
             conductance = population.column("conductance");
  for (std::size_t n = 0; n < capacitance.size(); ++n) {
    const double tau = capacitance[n] / conductance[n];
    population.synapse_time_constants_ms.push_back(kPart * std::min(step_ms, tau));
  }
  ++population.receptors;
}

/// Weights of alpha synapses as those of impulses at the last receptor of the target.
void replace_weights(Projection& projection, const Population& target, double input_step_ms,
                     double step_ms) {
  const auto& taus = target.synapse_time_constants_ms;
  const auto size = static_cast<std::size_t>(target.size);
  const std::size_t last = taus.size() - size;
  for (std::size_t at = 0; at < projection.targets.size(); ++at) {
    const std::size_t neuron = projection.targets[at];
    const std::size_t own = neuron + size * projection.receptor(static_cast<std::int64_t>(at));
    projection.weights[at] =
        step_current(projection.weights[at], taus[own], input_step_ms) *
        impulse(target.column("capacitance")[neuron], target.column("conductance")[neuron],
                taus[last + neuron], step_ms);
  }
  projection.receptors = {static_cast<std::uint8_t>(target.receptors - 1)};
}

}  // namespace

double step_current(double peak_pa, double synapse_ms, double input_step_ms) {
  return peak_pa * std::numbers::e * synapse_ms / input_step_ms;
}

Network with_step_currents(Network network, double resolution_ms) {
  const auto population = [&](std::int64_t index) -> Population& {
    return network.populations[static_cast<std::size_t>(index)];
  };
  const auto steps = std::llround(network.time_step_ms / resolution_ms);
  std::map<std::int64_t, bool> has_receptor;
  std::vector<Projection> later;
  for (Projection& projection : network.projections) {
    if (spiking::model(population(projection.source).model).source_input !=
        spiking::SourceInput::signal) {
      continue;
    }
    Population& target = population(projection.target);
    if (!std::exchange(has_receptor[projection.target], true)) add_receptor(target, resolution_ms);
    replace_weights(projection, target, network.time_step_ms, resolution_ms);
    for (std::int64_t step = 1; step < steps; ++step) {
      later.push_back(projection);
      for (double& delay : later.back().delays_ms) {
        delay += static_cast<double>(step) * resolution_ms;
      }
    }
  }
  for (Projection& projection : later) network.projections.push_back(std::move(projection));
  return network;
}

}  // namespace afterspike::formats
