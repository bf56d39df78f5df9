#include "models/leaky.hpp"

#include <cstddef>

namespace afterspike::spiking {
namespace {

/// A column, or zeros where the model has none of that name.
std::vector<double> optional_column(const Population& population, const char* name,
                                    std::int64_t count) {
  const auto found = population.columns.find(name);
  if (found != population.columns.end()) return found->second;
  return std::vector<double>(static_cast<std::size_t>(count), 0.0);
}

void subtract(std::vector<double>& values, const std::vector<double>& others) {
  for (std::size_t index = 0; index < values.size(); ++index) values[index] -= others[index];
}

}  // namespace

Leaky lower_leaky(const Population& population) {
  const Model& model = spiking::model(population.model);
  const std::int64_t size = population.size;
  Leaky leaky;
  leaky.size = size;
  leaky.receptors = population.receptors;
  leaky.currents = population.currents();
  leaky.synapse = population.synapse;
  leaky.spike_threshold = model.leaky->spike_threshold;
  leaky.voltage_threshold = model.leaky->voltage_threshold;
  leaky.reached_is_crossed = model.leaky->reached_is_crossed;
  const auto column = [&](const char* name) { return optional_column(population, name, size); };
  leaky.capacitance = column("capacitance");
  leaky.conductance = column("conductance");
  if (population.columns.contains("membrane_time_constant")) {
    leaky.conductance = leaky.capacitance;
    const auto& time_constant = population.columns.at("membrane_time_constant");
    for (std::size_t n = 0; n < time_constant.size(); ++n) leaky.conductance[n] /= time_constant[n];
  }
  leaky.rest = column("resting_potential");
  leaky.threshold = column("threshold");
  leaky.reset = column("reset");
  leaky.initial = column("initial_potential");
  subtract(leaky.threshold, leaky.rest);
  subtract(leaky.reset, leaky.rest);
  subtract(leaky.initial, leaky.rest);
  leaky.refractory = column("refractory");
  leaky.constant_current = column("constant_current");
  leaky.spike_add = column("threshold_spike_add");
  leaky.spike_decay = column("threshold_spike_decay");
  leaky.reset_fraction = column("reset_fraction");
  leaky.reset_add = column("reset_add");
  leaky.voltage_index = column("threshold_voltage_index");
  leaky.voltage_decay = column("threshold_voltage_decay");
  const std::int64_t rows = leaky.currents * size;
  leaky.current_decay = optional_column(population, "after_spike_decay", rows);
  leaky.amplitude = optional_column(population, "after_spike_amplitude", rows);
  leaky.multiplier = optional_column(population, "after_spike_multiplier", rows);
  leaky.synapse_time_constant = population.synapse_time_constants_ms;
  if (model.receptors.empty()) return leaky;
  leaky.synapse = model.receptors[0].shape;
  if (leaky.synapse == SynapseShape::delta) return leaky;
  for (const char* name : {"excitatory_time_constant", "inhibitory_time_constant"}) {
    const auto& own = population.column(name);
    leaky.synapse_time_constant.insert(leaky.synapse_time_constant.end(), own.begin(), own.end());
  }
  return leaky;
}

}  // namespace afterspike::spiking
