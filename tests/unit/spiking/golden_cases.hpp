#pragma once

#include <algorithm>
#include <string>
#include <vector>

#include "afterspike/spiking/simulation.hpp"
#include "golden_spiking.hpp"

/// Skips the test where a golden file is not there.
#define AFTERSPIKE_NEED_GOLDEN(name)                                              \
  if (!std::filesystem::exists(afterspike::testing::golden_spiking(name))) {      \
    GTEST_SKIP() << afterspike::testing::golden_spiking(name) << " is not there"; \
  }

/// Golden traces of single neurons: a group of a file as a population with its input.
namespace afterspike::testing {

/// A group with a neuron's parameters: "/izhikevich/RS".
struct GoldenCase {
  std::string group, model;

  /// The last part of the group.
  std::string set() const { return group.substr(group.rfind('/') + 1); }
};

/// All groups of a file that have parameters.
inline std::vector<GoldenCase> golden_cases(const io::Hdf5File& file) {
  std::vector<GoldenCase> found;
  for (const std::string& model : file.members("/")) {
    const std::string top = "/" + model;
    if (file.has_attribute(top, "params")) {
      found.push_back({top, model});
      continue;
    }
    for (const std::string& set : file.members(top)) found.push_back({top + "/" + set, model});
  }
  return found;
}

/// "q_sfa[1]" in a list, "t_ref", a truth value as 0 or 1; false if it is not there.
inline bool golden_value(const nlohmann::json& p, std::string_view symbol, double& value) {
  const std::size_t bracket = symbol.find('[');
  const std::string key(symbol.substr(0, bracket));
  if (!p.contains(key) || p.at(key).is_null()) return false;
  const nlohmann::json* found = &p.at(key);
  if (bracket != std::string_view::npos) {
    const auto index = static_cast<std::size_t>(symbol[bracket + 1] - '0');
    if (!found->is_array() || index >= found->size()) return false;
    found = &found->at(index);
  }
  value = found->is_boolean() ? static_cast<double>(found->get<bool>()) : found->get<double>();
  return true;
}

/// A population of a model with its defaults.
inline spiking::Population default_population(const std::string& name, const std::string& model,
                                              std::int64_t size = 1) {
  const spiking::Model& kind = spiking::model(model);
  spiking::Population population;
  population.name = name;
  population.model = model;
  population.size = size;
  population.receptors = static_cast<std::int64_t>(kind.receptors.size());
  population.synapse = spiking::SynapseShape::model;
  for (const spiking::Parameter& parameter : kind.parameters) {
    population.columns[std::string(parameter.name)].assign(
        static_cast<std::size_t>(size), parameter.initial.empty() ? 0 : parameter.initial[0]);
  }
  return population;
}

/// Replaces values by symbol; every other keeps its default.
inline void set_golden(spiking::Population& population, const nlohmann::json& p) {
  for (const spiking::Parameter& parameter : spiking::model(population.model).parameters) {
    auto& values = population.columns[std::string(parameter.name)];
    double value = 0;
    const std::string key(parameter.symbol.substr(0, parameter.symbol.find('[')));
    if (golden_value(p, parameter.symbol, value)) {
      std::fill(values.begin(), values.end(), value);
    } else if (p.contains(key) && key.starts_with("q_")) {
      std::fill(values.begin(), values.end(), 0.0);  // A list without this element.
    }
  }
}

/// One neuron with the group's currents and spikes, `late_ms` after the times of the file.
inline spiking::Network golden_network(const io::Hdf5File& file, const std::string& group,
                                       spiking::Population neuron, double late_ms) {
  const spiking::Model& kind = spiking::model(neuron.model);
  spiking::Network network;
  network.populations.push_back(std::move(neuron));
  if (file.exists(group + "/current_times")) {
    spiking::StepCurrent current;
    current.times_ms = file.read<double>(group + "/current_times").values;
    for (double& time : current.times_ms) time += late_ms;
    current.amplitudes_pa = file.read<double>(group + "/current_amps").values;
    network.step_currents.push_back(current);
  }
  std::vector<std::vector<double>> trains;
  std::vector<spiking::Synapse> synapses;
  for (int port = 1; file.exists(group + "/in_t" + std::to_string(port)); ++port) {
    trains.push_back(file.read<double>(group + "/in_t" + std::to_string(port)).values);
    const auto weights = file.read<double>(group + "/in_w" + std::to_string(port)).values;
    for (const double weight : weights) EXPECT_EQ(weight, weights[0]);
    const auto receptor = static_cast<std::size_t>(kind.receptors.size() == 1 ? 0 : port - 1);
    const bool conductance = kind.receptors.at(receptor).unit == "nS";
    synapses.push_back({port - 1, 0, conductance ? std::abs(weights.at(0)) : weights.at(0), late_ms,
                        static_cast<std::uint8_t>(receptor)});
  }
  if (!trains.empty()) {
    network.populations.push_back(train_source("input", trains));
    network.projections.push_back(make_projection(network.populations, 1, 0, synapses));
  }
  return network;
}

inline std::vector<double> spike_times(const std::vector<spiking::Spike>& spikes) {
  std::vector<double> times;
  for (const spiking::Spike& spike : spikes) times.push_back(spike.time_ms);
  return times;
}

}  // namespace afterspike::testing
