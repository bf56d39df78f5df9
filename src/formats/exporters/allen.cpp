// The Allen Institute's neuron_config.json, one for each neuron.

#include <cmath>
#include <string>
#include <utility>

#include <fmt/format.h>

#include "afterspike/base/error.hpp"
#include "afterspike/formats/importer.hpp"
#include "afterspike/io/atomic.hpp"
#include "allen.hpp"
#include "rules.hpp"

namespace afterspike::formats {
namespace {

using spiking::Network;
using spiking::Population;

constexpr const char* kAlone = "none: neurons alone";

/// Lists, and takes out, what is none of single neurons.
void leave_neurons_alone(Conversion& conversion) {
  Network& network = conversion.network;
  const auto population = [&](std::int64_t index) -> const Population& {
    return network.populations[static_cast<std::size_t>(index)];
  };
  const auto add = [&](std::string what, std::int64_t index) {
    conversion.deviations.push_back({std::move(what), kAlone, population(index).name, {}, 0});
  };
  for (const spiking::Projection& projection : network.projections) {
    const Population& target = population(projection.target);
    Concerned targets(target.size);
    targets.add_targets(projection);
    targets.list(fmt::format("synapses from '{}'", population(projection.source).name), kAlone,
                 target.name, conversion.deviations);
  }
  for (std::size_t index = 0; index < network.populations.size(); ++index) {
    const spiking::Population& source = network.populations[index];
    if (!spiking::model(source.model).is_source()) continue;
    add(fmt::format("a source, '{}'", source.model), static_cast<std::int64_t>(index));
  }
  for (const auto& synapses : network.electrical_synapses) {
    add("electrical synapses", synapses.first);
  }
  for (const auto& current : network.step_currents) add("a step current", current.population);
  for (const auto& current : network.noise_currents) add("a noise current", current.population);
  for (const auto& current : network.sinusoid_currents) add("a sinusoid", current.population);
  for (const auto& current : network.ornstein_uhlenbeck_currents) {
    add("an Ornstein-Uhlenbeck current", current.population);
  }
  list_readout(network, conversion.deviations);
  network.projections.clear();
  network.electrical_synapses.clear();
  network.step_currents.clear();
  network.noise_currents.clear();
  network.sinusoid_currents.clear();
  network.ornstein_uhlenbeck_currents.clear();
  network.readout = {};
  std::erase_if(network.populations,
                [](const Population& each) { return spiking::model(each.model).is_source(); });
}

/// Files count a refractory period in steps.
void round_refractory(Population& population, double dt_ms, std::vector<Deviation>& deviations) {
  constexpr double kNoise = 1e-6;
  change_column(
      population, "refractory",
      fmt::format("a refractory period of no whole steps of {} ms", dt_ms), "the nearest",
      [&](double& value, std::size_t) {
        const double steps = std::round(value / dt_ms);
        if (std::abs(value / dt_ms - steps) <= kNoise) return false;
        value = steps * dt_ms;
        return true;
      },
      deviations);
}

/// Files say nothing of synapses; who reads them has his own.
void replace_synapses(Population& population, std::vector<Deviation>& deviations) {
  Population with = population;
  give_bmtk_synapses(with);
  if (with == population) return;
  deviations.push_back({"kind and time constants of synapses",
                        "none, and BMTK's where they are read",
                        population.name,
                        {},
                        static_cast<std::int64_t>(population.synapse_time_constants_ms.size())});
  population = std::move(with);
}

void convert(Population& population, double dt_ms, std::vector<Deviation>& deviations) {
  const spiking::Model& model = spiking::model(population.model);
  drop_constant_current(population, deviations);
  if (population.model == "glifr") {
    require_deterministic(population);
    require_decays(population, dt_ms);
    return;
  }
  require(model.leaky && !model.leaky->reached_is_crossed, ErrorKind::config,
          "population '{}': found model '{}', expected glif1 to glif5 or glifr", population.name,
          population.model);
  // Models with a rule of reset ignore this parameter.
  if (model.leaky->spike_threshold)
    population.columns["reset"] = population.columns["resting_potential"];
  round_refractory(population, dt_ms, deviations);
  replace_synapses(population, deviations);
}

Conversion convert(const Network& network, const Options&) {
  Conversion conversion{network, {}, network.time_step_ms};
  leave_neurons_alone(conversion);
  for (Population& population : conversion.network.populations) {
    convert(population, network.time_step_ms, conversion.deviations);
  }
  return conversion;
}

void write(const Conversion& conversion, const std::filesystem::path& path) {
  const Network& network = conversion.network;
  io::AtomicDirectory directory(path);
  for (const Population& population : network.populations) {
    for (std::int64_t neuron = 0; neuron < population.size; ++neuron) {
      io::write_file(
          directory.staging() / fmt::format("{}_{}_{}", population.name, neuron, kAllenConfig),
          allen_config(population, neuron, network.time_step_ms).dump(1) + "\n");
    }
  }
  directory.commit();
}

}  // namespace

ExporterEntry entry_allen() {
  return {"allen",
          "a directory of neuron_config.json files, one for each neuron",
          convert,
          write,
          /*has_steps=*/false,
          "is neurons alone",
          "*_neuron_config.json"};
}

}  // namespace afterspike::formats
