#include "allen.hpp"

#include <array>
#include <cmath>
#include <cstddef>
#include <vector>

namespace afterspike::formats {
namespace {

using spiking::Population;

constexpr std::array kBmtkSynapses_ms = {5.5, 8.5, 2.8, 5.8};

io::Json method(const char* name, io::Json parameters = io::Json::object()) {
  return {{"name", name}, {"params", std::move(parameters)}};
}

/// A neuron's values by column.
class Values {
 public:
  Values(const Population& population, std::int64_t neuron)
      : population_(population), neuron_(neuron) {}

  double operator()(const char* column, std::int64_t current = 0) const {
    return population_.column(
        column)[static_cast<std::size_t>(current * population_.size + neuron_)];
  }
  std::int64_t currents() const { return population_.currents(); }

 private:
  const Population& population_;
  std::int64_t neuron_;
};

/// Returns the settings that all neurons share.
io::Json frame(double dt_ms, std::int64_t currents) {
  return {{"type", "GLIF"},
          {"El", 0.0},
          {"El_reference", 0.0},
          {"dt", dt_ms / kMilli},
          {"dt_multiplier", 1},
          {"th_adapt", nullptr},
          {"init_voltage", 0.0},
          {"init_AScurrents", std::vector<double>(static_cast<std::size_t>(currents), 0.0)},
          {"extrapolation_method_name", "endpoints"},
          {"voltage_dynamics_method", method("linear_forward_euler")},
          {"coeffs",
           {{"th_inf", 1.0},
            {"C", 1.0},
            {"G", 1.0},
            {"a", 1.0},
            {"b", 1.0},
            {"asc_amp_array", std::vector<double>(static_cast<std::size_t>(currents), 1.0)}}}};
}

void put_currents(io::Json& config, const std::vector<double>& taus,
                  const std::vector<double>& amps, const std::vector<double>& multipliers) {
  const bool any = !taus.empty();
  config["asc_tau_array"] = taus;
  config["asc_amp_array"] = amps;
  config["AScurrent_dynamics_method"] = method(any ? "exp" : "none");
  config["AScurrent_reset_method"] = any ? method("sum", {{"r", multipliers}}) : method("none");
}

/// AllenSDK's voltage takes the current before it decays, and its reset acts before the leak of the
/// step: what GLIFR does in a step, in another order.
io::Json glifr_config(const Values& value, double dt) {
  io::Json config = frame(dt, value.currents());
  const double keep = 1 - dt * value("membrane_decay"), fraction = value("spike_fraction");
  config["R_input"] = value("resistance") / kGiga;
  config["C"] = 1 / (value("resistance") * value("membrane_decay")) / kPico;
  config["th_inf"] = config["init_threshold"] = value("threshold") / kMilli;
  config["spike_cut_length"] = 0;
  config["threshold_dynamics_method"] = method("inf");
  config["threshold_reset_method"] = method("inf");
  config["voltage_reset_method"] =
      method("v_before",
             {{"a", (keep - fraction) / keep}, {"b", fraction * value("reset") / keep / kMilli}});
  std::vector<double> taus, amps, multipliers;
  for (std::int64_t j = 0; j < value.currents(); ++j) {
    const double own = 1 - dt * value("after_spike_decay", j);
    taus.push_back(-dt / std::log(own) / kMilli);
    amps.push_back(fraction * value("after_spike_additive", j) / kPico);
    multipliers.push_back((own + fraction * value("after_spike_multiplicative", j)) / own);
  }
  put_currents(config, taus, amps, multipliers);
  return config;
}

io::Json glif_config(const Values& value, const spiking::Model& model, double dt) {
  io::Json config = frame(dt, value.currents());
  // Method 'zero' resets to El_reference; 'v_before' is relative to rest.
  const double reference =
      model.leaky->spike_threshold ? value("resting_potential") : value("reset");
  config["El_reference"] = reference / kMilli;
  config["El"] = (value("resting_potential") - reference) / kMilli;
  config["init_voltage"] = (value("initial_potential") - reference) / kMilli;
  config["R_input"] = kNano / value("conductance");
  config["C"] = value("capacitance") / kPico;
  config["th_inf"] = config["init_threshold"] = (value("threshold") - reference) / kMilli;
  config["spike_cut_length"] = std::llround(value("refractory") / dt);
  config["voltage_reset_method"] = method("zero");
  config["threshold_dynamics_method"] = method("inf");
  config["threshold_reset_method"] = method("inf");
  if (model.leaky->spike_threshold) {
    config["voltage_reset_method"] =
        method("v_before", {{"a", value("reset_fraction")}, {"b", value("reset_add") / kMilli}});
    const double jump = value("threshold_spike_add") / kMilli,
                 decay = value("threshold_spike_decay") * kMilli;
    io::Json parameters = {{"a_spike", jump}, {"b_spike", decay}};
    config["threshold_reset_method"] = method("three_components", parameters);
    if (model.leaky->voltage_threshold) {
      parameters["a_voltage"] = value("threshold_voltage_index") * kMilli;
      parameters["b_voltage"] = value("threshold_voltage_decay") * kMilli;
    }
    config["threshold_dynamics_method"] = method(
        model.leaky->voltage_threshold ? "three_components_exact" : "spike_component", parameters);
  }
  std::vector<double> taus, amps, multipliers;
  for (std::int64_t j = 0; j < value.currents(); ++j) {
    taus.push_back(1 / value("after_spike_decay", j) / kMilli);
    amps.push_back(value("after_spike_amplitude", j) / kPico);
    multipliers.push_back(value("after_spike_multiplier", j));
  }
  put_currents(config, taus, amps, multipliers);
  return config;
}

}  // namespace

void give_bmtk_synapses(Population& population) {
  population.synapse = spiking::SynapseShape::alpha;
  population.receptors = static_cast<std::int64_t>(kBmtkSynapses_ms.size());
  population.synapse_time_constants_ms.clear();
  for (const double tau : kBmtkSynapses_ms) {
    population.synapse_time_constants_ms.insert(population.synapse_time_constants_ms.end(),
                                                static_cast<std::size_t>(population.size), tau);
  }
}

io::Json allen_config(const Population& population, std::int64_t neuron, double dt_ms) {
  const spiking::Model& model = spiking::model(population.model);
  const Values value(population, neuron);
  if (population.model == "glifr") return glifr_config(value, dt_ms);
  return glif_config(value, model, dt_ms);
}

}  // namespace afterspike::formats
