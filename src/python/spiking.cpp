#include <algorithm>
#include <cmath>
#include <cstdint>
#include <filesystem>
#include <limits>
#include <map>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <tuple>
#include <utility>
#include <vector>

#include <pybind11/numpy.h>
#include <pybind11/stl.h>

#include "afterspike/base/error.hpp"
#include "afterspike/base/rng.hpp"
#include "afterspike/spiking/connect.hpp"
#include "afterspike/spiking/description.hpp"
#include "afterspike/spiking/network.hpp"
#include "afterspike/spiking/network_description.hpp"
#include "afterspike/spiking/network_file.hpp"
#include "afterspike/spiking/simulation.hpp"
#include "bindings.hpp"

namespace afterspike::python {
namespace {

using Doubles = py::array_t<double, py::array::c_style | py::array::forcecast>;
using Integers = py::array_t<std::int64_t, py::array::c_style | py::array::forcecast>;

/// An array of NumPy that takes over the values, without a copy.
template <typename T>
py::array_t<T> to_array(std::vector<T> values, std::vector<py::ssize_t> shape = {}) {
  auto* const held = new std::vector<T>(std::move(values));
  const py::capsule owner(held, [](void* own) { delete static_cast<std::vector<T>*>(own); });
  if (shape.empty()) shape = {static_cast<py::ssize_t>(held->size())};
  return py::array_t<T>(shape, held->data(), owner);
}

std::vector<double> to_vector(const Doubles& values) {
  return {values.data(), values.data() + values.size()};
}
std::vector<std::int64_t> to_vector(const Integers& values) {
  return {values.data(), values.data() + values.size()};
}

/// One value for each of `count`, or the same for all.
std::vector<double> spread(const Doubles& values, std::int64_t count, const std::string& name) {
  require(values.size() == 1 || values.size() == count, ErrorKind::data,
          "{}: found {} values, expected 1 or {}", name, values.size(), count);
  if (values.size() == count) return to_vector(values);
  return std::vector<double>(static_cast<std::size_t>(count), *values.data());
}

spiking::Population& population_of(spiking::Network& network, const std::string& name) {
  return network.populations[static_cast<std::size_t>(network.population(name))];
}

/// The key of a column, by its name in files or its symbol in NEST.
std::string column_of(const spiking::Population& population, const std::string& name) {
  std::string known;
  for (const spiking::Parameter& parameter : spiking::model(population.model).parameters) {
    if (parameter.name == name || parameter.symbol == name) return std::string(parameter.name);
    known += fmt::format("{}{} ({})", known.empty() ? "" : ", ", parameter.name, parameter.symbol);
  }
  fail(ErrorKind::usage, "population '{}': model {} has no parameter '{}'; there are: {}",
       population.name, population.model, name, known);
}

void set_parameter(spiking::Network& network, const std::string& name, const std::string& parameter,
                   const Doubles& values) {
  spiking::Population& population = population_of(network, name);
  const std::string key = column_of(population, parameter);
  std::vector<double>& column = population.columns[key];
  const auto count = static_cast<std::int64_t>(
      column.empty() ? static_cast<std::size_t>(population.size) : column.size());
  spiking::Network tried = network;
  population_of(tried, name).columns[key] = spread(values, count, name + "." + key);
  spiking::validate(tried);
  network = std::move(tried);
}

void add_population(spiking::Network& network, const std::string& name, const std::string& model,
                    std::int64_t size, const std::string& preset, const std::string& synapse,
                    const std::vector<double>& synapse_tau_ms,
                    const std::map<std::string, Doubles>& parameters) {
  require(size >= 1, ErrorKind::data, "population '{}': its size is {}, expected 1 or more", name,
          size);
  spiking::Population population;
  population.name = name;
  population.model = model;
  population.size = size;
  const spiking::Model& own = spiking::model(model);
  if (own.is_source()) {
    population.receptors = 0;
  } else if (!own.receptors.empty()) {
    population.synapse = spiking::SynapseShape::model;
    population.receptors = static_cast<std::int64_t>(own.receptors.size());
  } else {
    population.synapse = own.shapes.front();
    for (const spiking::SynapseShape shape : own.shapes) {
      if (spiking::name_of(shape) == synapse) population.synapse = shape;
    }
    require(spiking::name_of(population.synapse) == synapse || synapse.empty(), ErrorKind::data,
            "population '{}': model {} has no synapses of shape '{}'", name, model, synapse);
    const bool timed = population.synapse == spiking::SynapseShape::alpha ||
                       population.synapse == spiking::SynapseShape::exponential;
    population.receptors = timed ? static_cast<std::int64_t>(synapse_tau_ms.size()) : 1;
    for (const double tau : timed ? synapse_tau_ms : std::vector<double>()) {
      population.synapse_time_constants_ms.insert(population.synapse_time_constants_ms.end(),
                                                  static_cast<std::size_t>(size), tau);
    }
  }
  spiking::set_defaults(population, preset);
  for (const auto& [parameter, values] : parameters) {
    const std::string key = column_of(population, parameter);
    const auto current = static_cast<std::int64_t>(population.columns[key].size());
    population.columns[key] =
        spread(values, current > 0 ? current : size, fmt::format("{}.{}", name, key));
  }
  spiking::Network tried = network;
  tried.populations.push_back(std::move(population));
  spiking::validate(tried);
  network = std::move(tried);
}

void add_projection(spiking::Network& network, spiking::Projection projection) {
  network.projections.push_back(std::move(projection));
  try {
    spiking::validate(network);
  } catch (...) {
    network.projections.pop_back();
    throw;
  }
}

void connect_by_rule(spiking::Network& network, const std::string& source,
                     const std::string& target, const std::string& rule, double weight,
                     double weight_sd, double delay_ms, double delay_sd_ms, std::int64_t count,
                     double probability, std::int64_t receptor, bool autapses, bool multapses,
                     std::uint64_t seed) {
  spiking::Connection connection;
  connection.rule = spiking::connection_rule(rule);
  connection.count = count;
  connection.probability = probability;
  connection.allow_autapses = autapses;
  connection.allow_multapses = multapses;
  connection.receptor = receptor;
  const auto distribution = [](double mean, double sd, double min, double max) {
    spiking::Distribution own;
    own.first = mean;
    if (sd <= 0) return own;
    own.kind = spiking::Distribution::Kind::normal;
    own.second = sd;
    own.min = min;
    own.max = max;
    return own;
  };
  // A synapse keeps its sign.
  const double infinite = std::numeric_limits<double>::infinity();
  connection.weight =
      distribution(weight, weight_sd, weight < 0 ? -infinite : 0, weight < 0 ? 0 : infinite);
  connection.delay = distribution(delay_ms, delay_sd_ms, network.time_step_ms, infinite);
  const Rng rng = Rng(seed).stream("projection", network.projections.size());
  add_projection(
      network, spiking::connect(network.populations, network.population(source),
                                network.population(target), connection, network.time_step_ms, rng));
}

void connect_arrays(spiking::Network& network, const std::string& source, const std::string& target,
                    const Integers& sources, const Integers& targets, const Doubles& weights,
                    const Doubles& delays_ms, std::int64_t receptor) {
  const auto count = static_cast<std::int64_t>(sources.size());
  require(targets.size() == count, ErrorKind::data,
          "connect: found {} sources and {} targets, expected as many", count, targets.size());
  require(receptor >= 0 && receptor <= 255, ErrorKind::data,
          "receptor: found {}, expected 0 to 255", receptor);
  const std::vector<double> weight = spread(weights, count, "weight");
  const std::vector<double> delay = spread(delays_ms, count, "delay_ms");
  std::vector<spiking::Synapse> synapses;
  for (std::int64_t i = 0; i < count; ++i) {
    const auto place = static_cast<std::size_t>(i);
    synapses.push_back({sources.data()[i], targets.data()[i], weight[place], delay[place],
                        static_cast<std::uint8_t>(receptor)});
  }
  add_projection(network, spiking::make_projection(network.populations, network.population(source),
                                                   network.population(target), synapses));
}

void add_step_current(spiking::Network& network, const std::string& population,
                      const Doubles& times_ms, const Doubles& amplitudes, const Integers& neurons) {
  spiking::Network tried = network;
  tried.step_currents.push_back({network.population(population), to_vector(neurons),
                                 to_vector(times_ms), to_vector(amplitudes)});
  spiking::validate(tried);
  network = std::move(tried);
}

void add_noise_current(spiking::Network& network, const std::string& population, double mean_pa,
                       double sd_pa, double interval_ms) {
  spiking::Network tried = network;
  tried.noise_currents.push_back({network.population(population), mean_pa, sd_pa, interval_ms});
  spiking::validate(tried);
  network = std::move(tried);
}

void clear_currents(spiking::Network& network) {
  network.step_currents.clear();
  network.noise_currents.clear();
  network.sinusoid_currents.clear();
  network.ornstein_uhlenbeck_currents.clear();
}

spiking::Network make_network(double time_step_ms) {
  spiking::Network network;
  network.time_step_ms = time_step_ms;
  require(time_step_ms > 0, ErrorKind::data, "time_step_ms: found {}, expected more than 0",
          time_step_ms);
  return network;
}

py::dict parameters_of(spiking::Network& network, const std::string& name) {
  py::dict all;
  for (const auto& [key, values] : population_of(network, name).columns) {
    all[py::str(key)] = to_array(values);
  }
  return all;
}

py::dict synapses_of(const spiking::Network& network, std::size_t index) {
  require(index < network.projections.size(), ErrorKind::usage,
          "synapses: found projection {}, expected 0 to {}", index,
          static_cast<std::int64_t>(network.projections.size()) - 1);
  const spiking::Projection& own = network.projections[index];
  std::vector<std::int64_t> sources, targets(own.targets.begin(), own.targets.end());
  std::vector<double> delays;
  for (std::size_t row = 0; row + 1 < own.offsets.size(); ++row) {
    sources.insert(sources.end(), static_cast<std::size_t>(own.offsets[row + 1] - own.offsets[row]),
                   static_cast<std::int64_t>(row));
  }
  for (std::int64_t i = 0; i < own.synapses(); ++i) delays.push_back(own.delay_ms(i));
  py::dict all;
  all["source"] = to_array(std::move(sources));
  all["target"] = to_array(std::move(targets));
  all["weight"] = to_array(own.weights);
  all["delay_ms"] = to_array(std::move(delays));
  return all;
}

std::vector<std::tuple<std::string, std::string, std::int64_t>> populations_of(
    const spiking::Network& network) {
  std::vector<std::tuple<std::string, std::string, std::int64_t>> all;
  for (const spiking::Population& own : network.populations) {
    all.emplace_back(own.name, own.model, own.cells());
  }
  return all;
}

std::vector<std::pair<std::string, std::string>> list_models() {
  std::vector<std::pair<std::string, std::string>> all;
  for (const spiking::ModelEntry& entry : spiking::models()) {
    all.emplace_back(entry.name, entry.summary);
  }
  return all;
}

spiking::Options options_of(std::uint64_t seed, const std::string& engine, double dt_ms,
                            int threads) {
  require(engine == "grid" || engine == "exact", ErrorKind::usage,
          "engine: found '{}', expected grid or exact", engine);
  spiking::Options options{seed};
  options.engine = engine == "exact" ? spiking::Engine::exact : spiking::Engine::grid;
  options.dt_ms = dt_ms;
  options.threads = threads;
  return options;
}

spiking::SpikeTrains trains_of(const std::vector<Doubles>& trains) {
  spiking::SpikeTrains all;
  all.offsets = {0};
  for (const Doubles& own : trains) {
    all.times_ms.insert(all.times_ms.end(), own.data(), own.data() + own.size());
    all.offsets.push_back(static_cast<std::int64_t>(all.times_ms.size()));
  }
  return all;
}

/// Times in ms, indices of populations and neurons.
py::tuple spikes_of(const spiking::Simulation& simulation) {
  const std::vector<spiking::Spike>& spikes = simulation.spikes();
  std::vector<double> times;
  std::vector<std::int64_t> populations, neurons;
  times.reserve(spikes.size());
  populations.reserve(spikes.size());
  neurons.reserve(spikes.size());
  for (const spiking::Spike& spike : spikes) {
    times.push_back(spike.time_ms);
    populations.push_back(spike.population);
    neurons.push_back(spike.neuron);
  }
  return py::make_tuple(to_array(std::move(times)), to_array(std::move(populations)),
                        to_array(std::move(neurons)));
}

/// Times in ms, values [times, neurons] and the numbers of the neurons.
py::tuple recording_of(const spiking::Simulation& simulation, std::size_t index) {
  const spiking::Recording& own = simulation.recording(index);
  const auto times = static_cast<py::ssize_t>(own.times_ms.size());
  const auto neurons =
      static_cast<py::ssize_t>(own.values.size()) / std::max<py::ssize_t>(1, times);
  return py::make_tuple(to_array(own.times_ms), to_array(own.values, {times, neurons}),
                        to_array(own.neurons));
}

py::dict statistics_of(const spiking::Simulation& simulation) {
  const spiking::Statistics own = simulation.statistics();
  py::dict all;
  all["spikes"] = own.spikes;
  all["synaptic_events"] = own.synaptic_events;
  all["source_events"] = own.source_events;
  all["neuron_steps"] = own.neuron_steps;
  return all;
}

/// Runs in pieces of about `piece_ms`, whole steps of the grid, so that Ctrl-C is noticed.
void run_until(spiking::Simulation& simulation, double time_ms, double piece_ms, double dt_ms) {
  const py::gil_scoped_release released;
  const double step_ms = dt_ms > 0 ? dt_ms : simulation.network().time_step_ms;
  piece_ms = std::max(1.0, std::round(piece_ms / step_ms)) * step_ms;
  for (double now = simulation.now_ms(); now < time_ms; now = simulation.now_ms()) {
    const bool last = time_ms - now <= 1.5 * piece_ms;
    simulation.run_until(last ? time_ms : now + piece_ms);
    const py::gil_scoped_acquire acquired;
    if (PyErr_CheckSignals() != 0) throw py::error_already_set();
  }
}

/// Returns a simulation of a changed network in the state of `before`.
std::shared_ptr<spiking::Simulation> changed(const spiking::Simulation& before,
                                             spiking::Network network, std::uint64_t seed,
                                             const std::string& engine, double dt_ms, int threads) {
  const spiking::State state = before.save();
  // A state holds the injected currents. A change now makes the first step compute them anew.
  for (std::size_t i = 0; state.time_ms > 0 && i < network.populations.size(); ++i) {
    if (spiking::model(network.populations[i].model).current_unit.empty()) continue;
    network.step_currents.push_back({static_cast<std::int64_t>(i), {}, {state.time_ms}, {0.0}});
  }
  auto after = std::make_shared<spiking::Simulation>(std::move(network),
                                                     options_of(seed, engine, dt_ms, threads));
  after->restore(state);
  return after;
}

void bind_network(py::module_& module) {
  py::class_<spiking::Network, std::shared_ptr<spiking::Network>>(module, "SpikingNetwork")
      .def(py::init(&make_network))
      .def_readonly("time_step_ms", &spiking::Network::time_step_ms)
      .def("add_population", &add_population)
      .def("set", &set_parameter)
      .def("parameters", &parameters_of)
      .def("connect_by_rule", &connect_by_rule)
      .def("connect_arrays", &connect_arrays)
      .def("add_step_current", &add_step_current)
      .def("add_noise_current", &add_noise_current)
      .def("clear_currents", &clear_currents)
      .def("populations", &populations_of)
      .def("synapses", &synapses_of)
      .def("projections",
           [](const spiking::Network& network) {
             std::vector<std::pair<std::int64_t, std::int64_t>> all;
             for (const auto& own : network.projections) all.emplace_back(own.source, own.target);
             return all;
           })
      .def("describe",
           [](const spiking::Network& network) { return spiking::describe(network).dump(); })
      .def("write", [](const spiking::Network& network, const std::filesystem::path& path) {
        spiking::write_network(path, network);
      });
  module.def("list_models", &list_models);
  module.def(
      "read_network",
      [](const std::filesystem::path& path) {
        return std::make_shared<spiking::Network>(spiking::read_network(path));
      },
      Released());
  module.def(
      "read_description",
      [](const std::filesystem::path& path,
         const std::vector<spiking::DescriptionSetting>& settings) {
        auto read = spiking::read_description(path, settings);
        return std::make_tuple(std::make_shared<spiking::Network>(std::move(read.network)),
                               read.seed, read.until_ms);
      },
      Released());
}

}  // namespace

void bind_spiking(py::module_& module) {
  bind_network(module);
  py::class_<spiking::Simulation, std::shared_ptr<spiking::Simulation>>(module, "Simulation")
      .def(py::init([](const spiking::Network& network, std::uint64_t seed,
                       const std::string& engine, double dt_ms, int threads) {
        // Other threads of Python may change the network once the interpreter is free.
        spiking::Network own = network;
        const py::gil_scoped_release released;
        return std::make_shared<spiking::Simulation>(std::move(own),
                                                     options_of(seed, engine, dt_ms, threads));
      }))
      .def("run_until", &run_until)
      .def("now_ms", &spiking::Simulation::now_ms)
      .def("record", &spiking::Simulation::record)
      .def("recording", &recording_of)
      .def("spikes", &spikes_of)
      .def("clear_spikes", &spiking::Simulation::clear_spikes)
      .def("statistics", &statistics_of)
      .def("set_trains",
           [](spiking::Simulation& simulation, const std::string& population,
              const std::vector<Doubles>& trains) {
             simulation.set_trains(population, trains_of(trains));
           })
      .def("set_signal",
           [](spiking::Simulation& simulation, const std::string& population,
              const Doubles& values) {
             simulation.set_signal(population,
                                   {values.data(), static_cast<std::size_t>(values.size())});
           })
      .def("reset", [](spiking::Simulation& simulation) { simulation.reset(); })
      .def("reset",
           [](spiking::Simulation& simulation, std::uint64_t seed) { simulation.reset(seed); })
      .def("write_state",
           [](const spiking::Simulation& simulation, const std::filesystem::path& path) {
             spiking::write_state(path, simulation.save());
           })
      .def("read_state",
           [](spiking::Simulation& simulation, const std::filesystem::path& path) {
             simulation.restore(spiking::read_state(path));
           })
      .def("changed", &changed);
}

}  // namespace afterspike::python
