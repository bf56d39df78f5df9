// A network in what NEST's glif_psc can say.

#include <algorithm>
#include <cmath>
#include <numbers>
#include <string>
#include <utility>

#include <fmt/format.h>

#include "afterspike/base/error.hpp"
#include "afterspike/formats/conversion.hpp"
#include "rules.hpp"

namespace afterspike::formats {
namespace {

using spiking::Population;

/// Tolerance for the rounding of decimal times, as a fraction of a step.
constexpr double kNoise = 1e-6;

/// In NEST a spike leaves of a current, or of the voltage, between nothing and all.
void limit(Population& population, const char* column, const std::string& what,
           std::vector<Deviation>& deviations) {
  const auto set = [](double& value, double end) { return value = end, true; };
  change_column(
      population, column, what + " above 1", "1",
      [&](double& value, std::size_t) { return value > 1 && set(value, 1); }, deviations);
  change_column(
      population, column, what + " below 0", "0",
      [&](double& value, std::size_t) { return value < 0 && set(value, 0); }, deviations);
}

/// glif_psc has no constant current. One of I does what a resting potential does that is I / g
/// higher, but for a threshold that follows the voltage.
void move_rest(Population& population) {
  if (spiking::model(population.model).leaky->voltage_threshold) return;
  const auto fraction = population.columns.find("reset_fraction");
  for (std::size_t n = 0; n < static_cast<std::size_t>(population.size); ++n) {
    const double current = std::exchange(population.columns.at("constant_current")[n], 0.0);
    if (current == 0) continue;
    const double shift = current / population.columns.at("conductance")[n];
    population.columns.at("resting_potential")[n] += shift;
    // A rule of reset counts from rest.
    if (fraction == population.columns.end()) continue;
    population.columns.at("reset_add")[n] += (fraction->second[n] - 1) * shift;
  }
}

void lower_resets(Population& population, std::vector<Deviation>& deviations) {
  constexpr double kBelow_mV = 1e-3;
  const std::vector<double> threshold = population.columns.at("threshold");
  change_column(
      population, "reset", "V_reset is not below V_th", "0.001 mV below V_th",
      [&](double& value, std::size_t at) {
        if (value < threshold[at]) return false;
        value = threshold[at] - kBelow_mV;
        return true;
      },
      deviations);
}

void make_refractory(Population& population, double step_ms, std::vector<Deviation>& deviations) {
  change_column(
      population, "refractory", "no refractory period", "a step",
      [&](double& value, std::size_t) {
        if (value > 0) return false;
        value = step_ms;
        return true;
      },
      deviations);
}

/// The synapses with another delay, and those whose delay would have to be shorter than a step.
struct Delays {
  Concerned changed, too_short;
};

/// Delays shorter by `lag_ms`, to the nearest step; what lies halfway between two comes to the
/// later. Those that need no change keep their bits.
void put_on_grid(spiking::Projection& projection, double lag_ms, double step_ms, Delays& delays) {
  const bool shared = projection.delays_ms.size() == 1;
  for (std::size_t at = 0; at < projection.delays_ms.size(); ++at) {
    double& delay = projection.delays_ms[at];
    const double steps = std::floor((delay - lag_ms) / step_ms + 0.5 + kNoise);
    const double own = std::max(1.0, steps) * step_ms;
    const bool differs = std::abs(own - delay) > kNoise * step_ms;
    if (steps >= 1 && !differs) continue;
    Concerned& concerned = steps < 1 ? delays.too_short : delays.changed;
    if (shared) {
      concerned.add_targets(projection);
    } else {
      concerned.add(projection.targets[at]);
    }
    if (differs) delay = own;
  }
}

/// Puts the delays of all synapses onto a population on the grid.
void put_delays_on_grid(Conversion& conversion, std::int64_t index, double lag_ms, double step_ms) {
  auto& network = conversion.network;
  const Population& population = network.populations[static_cast<std::size_t>(index)];
  Delays delays{Concerned(population.size), Concerned(population.size)};
  for (spiking::Projection& projection : network.projections) {
    if (projection.target == index) put_on_grid(projection, lag_ms, step_ms, delays);
  }
  const std::string step = fmt::format("steps of {} ms", step_ms);
  if (lag_ms > 0) {
    delays.changed.list(fmt::format("delays, which alpha synapses lengthen by {} ms", lag_ms),
                        "shorter ones, in " + step, population.name, conversion.deviations);
    delays.too_short.list("delays shorter than the lag of alpha synapses and a step", "a step",
                          population.name, conversion.deviations);
  } else {
    delays.changed.list("delays that are not whole " + step, "the nearest", population.name,
                        conversion.deviations);
    delays.too_short.list("delays shorter than a step", "a step", population.name,
                          conversion.deviations);
  }
}

/// Weights of jumps as peaks of alpha currents.
void replace_jumps(Conversion& conversion, std::int64_t index, double tau_ms) {
  auto& network = conversion.network;
  Population& population = network.populations[static_cast<std::size_t>(index)];
  const std::vector<double>& capacitance = population.columns.at("capacitance");
  Concerned replaced(population.size);
  for (spiking::Projection& projection : network.projections) {
    if (projection.target != index) continue;
    replaced.add_targets(projection);
    for (std::size_t at = 0; at < projection.weights.size(); ++at) {
      projection.weights[at] *= capacitance[projection.targets[at]] / (std::numbers::e * tau_ms);
    }
  }
  population.synapse = spiking::SynapseShape::alpha;
  population.synapse_time_constants_ms.assign(
      static_cast<std::size_t>(population.receptors * population.size), tau_ms);
  replaced.list("delta synapses", "alpha synapses of the same charge", population.name,
                conversion.deviations);
}

/// NEST's sources send at the ends of steps; ours act there where a time lies between two.
void put_trains_on_grid(Population& population, double step_ms,
                        std::vector<Deviation>& deviations) {
  Concerned moved(population.size);
  spiking::SpikeTrains& trains = population.trains;
  for (std::size_t train = 0; train + 1 < trains.offsets.size(); ++train) {
    for (auto at = trains.offsets[train]; at < trains.offsets[train + 1]; ++at) {
      double& time = trains.times_ms[static_cast<std::size_t>(at)];
      const double own = std::max(1.0, std::ceil(time / step_ms - kNoise)) * step_ms;
      if (std::abs(own - time) <= kNoise * step_ms) continue;
      time = own;
      moved.add(static_cast<std::int64_t>(train));
    }
  }
  moved.list("recorded spikes at 0 ms or within a step",
             fmt::format("the end of the step of {} ms", step_ms), population.name, deviations);
}

/// NEST counts time in tics and takes no resolution between them; to a rounding it takes.
double whole_tics(double step_ms) {
  constexpr double kTicsPerMs = 1000, kRounding = 1e-9;
  const double tics = std::round(step_ms * kTicsPerMs);
  require(tics >= 1 && std::abs(step_ms * kTicsPerMs - tics) <= kRounding * tics, ErrorKind::config,
          "resolution: found {} ms, expected a multiple of {} ms, NEST's tic", step_ms,
          1 / kTicsPerMs);
  return tics / kTicsPerMs;
}

}  // namespace

Conversion as_nest(const spiking::Network& network, const Options& options) {
  Conversion conversion = as_glif3(network);
  const double step =
      whole_tics(options.resolution_ms > 0 ? options.resolution_ms : network.time_step_ms);
  constexpr double kPart = 0.25;  // Preserved a trained network best of all values tried.
  const double tau = options.synapse_ms > 0 ? options.synapse_ms : kPart * step;
  conversion.resolution_ms = step;
  std::vector<Deviation>& deviations = conversion.deviations;
  for (std::size_t at = 0; at < network.populations.size(); ++at) {
    const auto index = static_cast<std::int64_t>(at);
    Population& population = conversion.network.populations[at];
    const spiking::Model& model = spiking::model(population.model);
    put_trains_on_grid(population, step, deviations);
    if (model.is_source()) continue;
    require(model.leaky && !model.leaky->reached_is_crossed, ErrorKind::config,
            "population '{}': found model '{}', expected glif1 to glif5 or glifr: glif_psc is no"
            " other",
            population.name, population.model);
    require(population.synapse != spiking::SynapseShape::exponential, ErrorKind::config,
            "population '{}': found exponential synapses, expected alpha: glif_psc has no others",
            population.name);
    name_without_currents(population);
    limit(population, "after_spike_multiplier", "multiplier of an after-spike current", deviations);
    limit(population, "reset_fraction", "fraction of the voltage that a reset leaves", deviations);
    move_rest(population);
    lower_resets(population, deviations);
    make_refractory(population, step, deviations);
    const bool jumps = population.synapse == spiking::SynapseShape::delta;
    if (jumps) replace_jumps(conversion, index, tau);
    put_delays_on_grid(conversion, index, jumps ? 2 * tau : 0, step);
  }
  return conversion;
}

}  // namespace afterspike::formats
