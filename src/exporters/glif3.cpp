#include <algorithm>
#include <cmath>
#include <numbers>
#include <string>

#include "afterspike/base/error.hpp"
#include "afterspike/exporters/conversion.hpp"

namespace afterspike::exporters {
namespace {

using glifnet::Dynamics;
using glifnet::Population;

constexpr ErrorKind kKind = ErrorKind::config;

void check_deterministic(const Population& population) {
  const auto softness = population.column("softness");
  const bool hard = std::all_of(softness.begin(), softness.end(), [](double s) { return s == 0; });
  require(hard && population.copies == 1, kKind,
          "population '{}': found {}, expected a network exported with --mode threshold: neurons of"
          " other simulators do not escape",
          population.name, hard ? "copies" : "a soft threshold");
}

/// GLIFR's symbols of one neuron, with the part of a spike in its places.
struct Symbols {
  double dt, k_m, R, V_th, V_r, fraction;

  double keep() const { return 1 - dt * k_m; }
  /// Where a neuron that spiked at its threshold would have to start from, to be after a step where
  /// the soft reset leaves it.
  double reset() const { return ((keep() - fraction) * V_th + fraction * V_r) / keep(); }
};

class Glif3 {
 public:
  Glif3(const Population& glifr, double dt_ms, double refractory_ms)
      : glifr_(glifr), dt_(dt_ms), refractory_(refractory_ms) {}

  Population convert(std::vector<Deviation>& deviations);

 private:
  double value(const char* column, std::int64_t at) const {
    return glifr_.column(column)[static_cast<std::size_t>(at)];
  }
  void add_membrane(Population& result, std::int64_t neuron);
  void add_current(Population& result, std::int64_t at);

  const Population& glifr_;
  double dt_, refractory_;
  std::vector<std::int64_t> above_;  ///< Neurons whose reset is not below the threshold.
};

void Glif3::add_membrane(Population& result, std::int64_t neuron) {
  const Symbols own{dt_,
                    value("membrane_decay", neuron),
                    value("resistance", neuron),
                    value("threshold", neuron),
                    value("reset", neuron),
                    value("spike_fraction", neuron)};
  require(own.k_m > 0 && own.keep() > 0 && own.R > 0, kKind,
          "population '{}': neuron {}: found a membrane decay of {} 1/ms and a resistance of {}"
          " GOhm, expected above 0 and, times the step, below 1",
          glifr_.name, neuron, own.k_m, own.R);
  const bool runs_away = own.reset() >= own.V_th;
  if (runs_away) above_.push_back(neuron);
  const auto put = [&](const char* column, double number) {
    result.columns[column].push_back(number);
  };
  put("capacitance", -dt_ / (own.R * std::log(own.keep())));
  put("conductance", 1 / own.R);
  put("resting_potential", 0);
  put("threshold", own.V_th);
  put("reset", own.reset());
  // A GLIFR neuron spikes once a step; one that cannot come below its threshold would without end.
  put("refractory", runs_away ? std::max(dt_, refractory_) : refractory_);
  put("constant_current", value("constant_current", neuron));
  put("initial_potential", 0);
}

void Glif3::add_current(Population& result, std::int64_t at) {
  const std::int64_t neuron = at % glifr_.size;
  const double k = value("after_spike_decay", at), fraction = value("spike_fraction", neuron);
  const double keep = 1 - dt_ * k;
  require(k > 0 && keep > 0, kKind,
          "population '{}': neuron {}: found an after-spike decay of {} 1/ms, expected above 0 and,"
          " times the step, below 1",
          glifr_.name, neuron, k);
  const double decay = -std::log(keep) / dt_;
  // In continuous time the membrane sees the mean of a current over the step.
  const double mean = k / decay;
  result.columns["after_spike_decay"].push_back(decay);
  result.columns["after_spike_amplitude"].push_back(value("after_spike_additive", at) * fraction /
                                                    mean);
  result.columns["after_spike_multiplier"].push_back(
      (keep + fraction * value("after_spike_multiplicative", at)) / keep);
}

Population Glif3::convert(std::vector<Deviation>& deviations) {
  check_deterministic(glifr_);
  Population result = glifr_;
  result.model = "glif3";
  result.columns.clear();
  for (const char* name :
       {"after_spike_decay", "after_spike_amplitude", "after_spike_multiplier"}) {
    result.columns[name];
  }
  for (std::int64_t neuron = 0; neuron < glifr_.size; ++neuron) add_membrane(result, neuron);
  for (std::int64_t at = 0; at < glifr_.currents() * glifr_.size; ++at) add_current(result, at);
  if (refractory_ > 0) {
    deviations.push_back(
        {"at most one spike in a step", "a refractory period", glifr_.name, {}, glifr_.size});
  }
  deviations.push_back({"the reset is a leak, V - (V - V_r) dt / tau",
                        "a jump, as from the threshold",
                        glifr_.name,
                        {},
                        glifr_.size});
  if (!above_.empty()) {
    deviations.push_back({"the threshold is not above the reset", "refractoriness of a step",
                          glifr_.name, above_, static_cast<std::int64_t>(above_.size())});
  }
  return result;
}

/// What glif_psc cannot say of a population of GLIF neurons.
class Nest {
 public:
  Nest(Population& population, double step_ms, Conversion& conversion)
      : population_(population), step_(step_ms), conversion_(conversion) {}

  void limit_multipliers();
  void lower_resets();
  void make_refractory();

 private:
  /// Applies change(value), which says whether it changed it, to a column.
  template <typename Change>
  void each(const char* column, const char* what, const char* replacement, const Change& change);

  Population& population_;
  double step_;
  Conversion& conversion_;
};

template <typename Change>
void Nest::each(const char* column, const char* what, const char* replacement,
                const Change& change) {
  const auto found = population_.columns.find(column);
  if (found == population_.columns.end()) return;
  Deviation deviation{what, replacement, population_.name, {}, 0};
  for (std::size_t at = 0; at < found->second.size(); ++at) {
    if (!change(found->second[at], at)) continue;
    ++deviation.values;
    deviation.neurons.push_back(static_cast<std::int64_t>(at) % population_.size);
  }
  if (deviation.values == 0) return;
  std::sort(deviation.neurons.begin(), deviation.neurons.end());
  deviation.neurons.erase(std::unique(deviation.neurons.begin(), deviation.neurons.end()),
                          deviation.neurons.end());
  conversion_.deviations.push_back(std::move(deviation));
}

void Nest::limit_multipliers() {
  const auto set = [](double& value, double limit) { return value = limit, true; };
  each("after_spike_multiplier", "multiplier of an after-spike current above 1", "1",
       [&](double& value, std::size_t) { return value > 1 && set(value, 1); });
  each("after_spike_multiplier", "multiplier of an after-spike current below 0", "0",
       [&](double& value, std::size_t) { return value < 0 && set(value, 0); });
}

void Nest::lower_resets() {
  constexpr double kBelow_mV = 1e-3;
  const std::vector<double> threshold = population_.columns.at("threshold");
  each("reset", "V_reset is not below V_th", "0.001 mV below V_th",
       [&](double& value, std::size_t at) {
         if (value < threshold[at]) return false;
         value = threshold[at] - kBelow_mV;
         return true;
       });
}

void Nest::make_refractory() {
  each("refractory", "no refractory period", "a step", [&](double& value, std::size_t) {
    if (value > 0) return false;
    value = step_;
    return true;
  });
}

/// Weights of jumps as peaks of alpha currents; delays shorter by the mean lag of these.
void replace_jumps(Conversion& conversion, std::int64_t index, double tau_ms, double step_ms) {
  auto& network = conversion.network;
  Population& population = network.populations[static_cast<std::size_t>(index)];
  const std::vector<double>& capacitance = population.columns.at("capacitance");
  std::int64_t synapses = 0, longer = 0;
  for (glifnet::Projection& projection : network.projections) {
    if (projection.target != index) continue;
    for (std::size_t at = 0; at < projection.weights.size(); ++at) {
      projection.weights[at] *= capacitance[projection.targets[at]] / (std::numbers::e * tau_ms);
    }
    for (double& delay : projection.delays_ms) {
      const double steps = std::round((delay - 2 * tau_ms) / step_ms);
      longer += steps < 1 ? 1 : 0;
      delay = std::max(1.0, steps) * step_ms;
    }
    synapses += projection.synapses();
  }
  population.synapse = glifnet::SynapseShape::alpha;
  population.synapse_time_constants_ms.assign(
      static_cast<std::size_t>(population.receptors * population.size), tau_ms);
  conversion.deviations.push_back(
      {"delta synapses",
       "alpha synapses of the same charge, delays shorter by their mean lag",
       population.name,
       {},
       synapses});
  if (longer > 0) {
    conversion.deviations.push_back({"delays shorter than the lag of alpha synapses and a step",
                                     "a step",
                                     population.name,
                                     {},
                                     longer});
  }
}

}  // namespace

Conversion as_glif3(const glifnet::Network& network, double refractory_ms) {
  Conversion conversion{network, {}, network.time_step_ms};
  for (Population& population : conversion.network.populations) {
    if (glifnet::model(population.model).dynamics != Dynamics::glifr) continue;
    population =
        Glif3(population, network.time_step_ms, refractory_ms).convert(conversion.deviations);
  }
  count_approximated(conversion);
  return conversion;
}

Conversion as_nest(const glifnet::Network& network, const Options& options) {
  Conversion conversion = as_glif3(network);
  const double step = options.resolution_ms > 0 ? options.resolution_ms : network.time_step_ms;
  constexpr double kPart = 0.25;  // Of what was tried, what left most of a trained network.
  const double tau = options.synapse_ms > 0 ? options.synapse_ms : kPart * step;
  conversion.resolution_ms = step;
  for (std::size_t index = 0; index < network.populations.size(); ++index) {
    Population& population = conversion.network.populations[index];
    const glifnet::Model& model = glifnet::model(population.model);
    if (model.is_source()) continue;
    require(model.dynamics == Dynamics::leaky && !model.reached_is_crossed, kKind,
            "population '{}': found model '{}', expected glif1 to glif5 or glifr: glif_psc is no"
            " other",
            population.name, population.model);
    require(population.synapse != glifnet::SynapseShape::exponential, kKind,
            "population '{}': found exponential synapses, expected alpha: glif_psc has no others",
            population.name);
    Nest nest(population, step, conversion);
    nest.limit_multipliers();
    nest.lower_resets();
    nest.make_refractory();
    if (population.synapse == glifnet::SynapseShape::delta) {
      replace_jumps(conversion, static_cast<std::int64_t>(index), tau, step);
    }
  }
  return conversion;
}

}  // namespace afterspike::exporters
