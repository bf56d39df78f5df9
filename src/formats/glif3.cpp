#include <algorithm>
#include <cmath>

#include "afterspike/formats/conversion.hpp"
#include "rules.hpp"

namespace afterspike::formats {
namespace {

using spiking::Population;

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
  require_deterministic(glifr_);
  require_decays(glifr_, dt_);
  Population result = glifr_;
  result.model = "glif3";
  result.columns.clear();
  for (const char* name :
       {"after_spike_decay", "after_spike_amplitude", "after_spike_multiplier"}) {
    result.columns[name];
  }
  for (std::int64_t neuron = 0; neuron < glifr_.size; ++neuron) add_membrane(result, neuron);
  for (std::int64_t at = 0; at < glifr_.currents() * glifr_.size; ++at) add_current(result, at);
  name_without_currents(result);
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

}  // namespace

Conversion as_glif3(const spiking::Network& network, double refractory_ms) {
  Conversion conversion{network, {}, network.time_step_ms};
  for (Population& population : conversion.network.populations) {
    if (population.model != "glifr") continue;
    population =
        Glif3(population, network.time_step_ms, refractory_ms).convert(conversion.deviations);
  }
  count_approximated(conversion);
  return conversion;
}

}  // namespace afterspike::formats
