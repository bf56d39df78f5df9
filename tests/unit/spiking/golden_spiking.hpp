#pragma once

#include <filesystem>
#include <map>
#include <string>
#include <vector>

#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

#include "afterspike/io/hdf5.hpp"
#include "afterspike/spiking/network.hpp"
#include "support/golden.hpp"

/// Golden data of spiking neurons, made with NEST; layout in their attributes.
namespace afterspike::testing {

inline std::filesystem::path golden_spiking(const std::string& name) {
  return golden_path("spiking/" + name);
}

/// The level of a GLIF neuron by NEST's flags.
inline std::string glif_level(const nlohmann::json& p) {
  const bool reset = p.at("spike_dependent_threshold"), currents = p.at("after_spike_currents");
  if (p.at("adapting_threshold").get<bool>()) return "glif5";
  return reset ? (currents ? "glif4" : "glif2") : (currents ? "glif3" : "glif1");
}

/// NEST's parameters of neurons of one level, or of a LIF neuron, as a population.
inline spiking::Population from_nest(const std::string& name, const std::string& model,
                                     const std::vector<nlohmann::json>& neurons) {
  spiking::Population population;
  population.name = name;
  population.model = model;
  population.size = static_cast<std::int64_t>(neurons.size());
  for (const spiking::Parameter& column : spiking::model(model).parameters) {
    auto& values = population.columns[std::string(column.name)];
    const std::string key(column.symbol);
    if (column.extent == spiking::Extent::neuron) {
      for (const auto& p : neurons) values.push_back(p.contains(key) ? p.at(key).get<double>() : 0);
      continue;
    }
    const std::size_t currents = neurons.at(0).at(key).size();
    for (std::size_t j = 0; j < currents; ++j) {
      for (const auto& p : neurons) values.push_back(p.at(key).at(j));
    }
  }
  return population;
}

/// Alpha synapses with NEST's tau_syn.
inline void add_ports(spiking::Population& population, const std::vector<nlohmann::json>& neurons) {
  population.synapse = spiking::SynapseShape::alpha;
  const std::size_t ports = neurons.at(0).at("tau_syn").size();
  population.receptors = static_cast<std::int64_t>(ports);
  for (std::size_t port = 0; port < ports; ++port) {
    for (const auto& p : neurons) {
      population.synapse_time_constants_ms.push_back(p.at("tau_syn").at(port));
    }
  }
}

/// A source of spike trains, a neuron for each.
inline spiking::Population train_source(const std::string& name,
                                        const std::vector<std::vector<double>>& trains) {
  spiking::Population source;
  source.name = name;
  source.model = "spike_source";
  source.size = static_cast<std::int64_t>(trains.size());
  source.receptors = 0;
  source.synapse = spiking::SynapseShape::delta;
  source.trains.offsets.push_back(0);
  for (const auto& train : trains) {
    source.trains.times_ms.insert(source.trains.times_ms.end(), train.begin(), train.end());
    source.trains.offsets.push_back(static_cast<std::int64_t>(source.trains.times_ms.size()));
  }
  return source;
}

/// One neuron with the step current and the input trains in_t1, in_w1, ... of a group of the file,
/// which all come 1 ms late; a train's weights must be the same throughout.
inline spiking::Network single_neuron(const io::Hdf5File& file, const std::string& group,
                                      spiking::Population neuron) {
  spiking::Network network;
  network.populations.push_back(std::move(neuron));
  if (file.exists(group + "/current_times")) {
    spiking::StepCurrent current;
    current.times_ms = file.read<double>(group + "/current_times").values;
    for (double& time : current.times_ms) time += 1;
    current.amplitudes_pa = file.read<double>(group + "/current_amps").values;
    network.step_currents.push_back(current);
  }
  std::vector<std::vector<double>> trains;
  std::vector<spiking::Synapse> synapses;
  for (int port = 1; file.exists(group + "/in_t" + std::to_string(port)); ++port) {
    trains.push_back(file.read<double>(group + "/in_t" + std::to_string(port)).values);
    const auto weights = file.read<double>(group + "/in_w" + std::to_string(port)).values;
    for (const double weight : weights) EXPECT_EQ(weight, weights[0]);
    const bool one = network.populations[0].receptors == 1;
    synapses.push_back(
        {port - 1, 0, weights.at(0), 1.0, static_cast<std::uint8_t>(one ? 0 : port - 1)});
  }
  if (!trains.empty()) {
    network.populations.push_back(train_source("input", trains));
    network.projections.push_back(make_projection(network.populations, 1, 0, synapses));
  }
  return network;
}

/// NEST's parameters; what Python writes for an infinite number is no JSON, and becomes null.
inline nlohmann::json golden_parameters(const io::Hdf5File& file, const std::string& group) {
  std::string text = file.text_attribute(group, "params");
  const std::string infinity = "-Infinity";
  for (std::size_t at = text.find(infinity); at != std::string::npos; at = text.find(infinity)) {
    text.replace(at, infinity.size(), "null");
  }
  return nlohmann::json::parse(text);
}

}  // namespace afterspike::testing
