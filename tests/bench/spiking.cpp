// How fast spiking networks run, on one thread unless said otherwise:
//
//   cuba, coba, cobahh
//                  networks of Brette et al. 2007: 4000 neurons, 3.2e5 synapses, 10 s in steps of
//                  0.1 ms, grid engine; reads tasks/networks
//   glif3          10,000 GLIF3 neurons, 100 exponential synapses each, driven to about 1, 3 and
//                  10 spikes/s, exact engine: synaptic events/s and whether the cost follows them
//
// Each checks its answer before it is timed: CUBA's rate is known, and the exact engine must agree
// with the grid engine at a small step in how many spikes there are. Times are of the thread's
// processor clock, best of several, since machines are shared.
//
//   models         1000 silent neurons of each model, grid engine; by name only
//   events         1000 neurons of each model that the exact engine has, driven by Poisson spikes,
//                  which are part of the time; by name only
//
//   spiking [cuba|coba|cobahh|glif3|models|events] [REPEATS] [THREADS]

#include <algorithm>
#include <cmath>
#include <cstdlib>
#include <ctime>
#include <string>
#include <vector>

#include <fmt/format.h>

#include "afterspike/base/error.hpp"
#include "afterspike/base/rng.hpp"
#include "afterspike/spiking/network_description.hpp"
#include "afterspike/spiking/simulation.hpp"

namespace {

using namespace afterspike;
using spiking::Network;
using spiking::Population;
using spiking::Synapse;
using spiking::SynapseShape;

/// Processor time of all threads.
double now_s() {
  return static_cast<double>(std::clock()) / CLOCKS_PER_SEC;
}

void fill(Population& population, const std::string& column, double value) {
  population.columns[column].assign(static_cast<std::size_t>(population.size), value);
}

/// Rate of each population in spikes/s.
std::vector<double> rates_of(const Network& network, const spiking::Simulation& simulation) {
  std::vector<double> rates(network.populations.size(), 0);
  for (const spiking::Spike& spike : simulation.spikes()) {
    rates[static_cast<std::size_t>(spike.population)] += 1;
  }
  for (std::size_t index = 0; index < rates.size(); ++index) {
    rates[index] /=
        static_cast<double>(network.populations[index].size) * simulation.now_ms() / 1000;
  }
  return rates;
}

/// A described network for 10 s; its rates must lie in the range of the references.
void run_described(const std::string& path, double least, double most, int repeats, int threads) {
  const Network network = spiking::read_description(path).network;
  spiking::Options options{1};
  options.threads = threads;
  spiking::Simulation simulation(network, options);
  constexpr double kTime_ms = 10000;
  double best = 1e9;
  for (int repeat = 0; repeat < repeats; ++repeat) {
    simulation.reset();
    const double start = now_s();
    simulation.run_until(kTime_ms);
    best = std::min(best, now_s() - start);
  }
  const auto statistics = simulation.statistics();
  const std::vector<double> rates = rates_of(network, simulation);
  for (const double rate : rates) {
    require(rate > least && rate < most, ErrorKind::internal,
            "{}: found {} spikes/s, expected {} to {} (docs/simulation.md)", path, rate, least,
            most);
  }
  fmt::print("{}: {:.3f} s for 10 s, {:.2f} spikes/s, {:.2f} ns a neuron-step\n", path, best,
             fmt::join(rates, " "), best / static_cast<double>(statistics.neuron_steps) * 1e9);
}

/// Constant drive just below or above threshold sets the rate; synapses make it irregular.
Network glif3(double current) {
  constexpr std::int64_t kSize = 10000, kEach = 100;
  Network network;
  Population population{"neurons", "glif3", kSize, SynapseShape::exponential, 2, {}, {}, {}, 1};
  population.synapse_time_constants_ms.assign(kSize, 3.0);
  population.synapse_time_constants_ms.resize(2 * kSize, 6.0);
  fill(population, "capacitance", 100);
  fill(population, "conductance", 5);
  fill(population, "resting_potential", -70);
  fill(population, "threshold", -50);
  fill(population, "reset", -65);
  fill(population, "refractory", 3);
  fill(population, "constant_current", current);
  fill(population, "initial_potential", -70);
  Rng rng(3);
  for (double& potential : population.columns["initial_potential"]) {
    potential += 20 * rng.uniform();
  }
  for (double& each : population.columns["constant_current"]) each *= 1 + 0.05 * rng.normal();
  population.columns["after_spike_decay"].assign(kSize, 0.01);
  population.columns["after_spike_decay"].resize(2 * kSize, 0.1);
  population.columns["after_spike_amplitude"].assign(kSize, -15.0);
  population.columns["after_spike_amplitude"].resize(2 * kSize, -40.0);
  population.columns["after_spike_multiplier"].assign(2 * kSize, 1.0);
  network.populations.push_back(std::move(population));
  std::vector<Synapse> synapses;
  for (std::int64_t source = 0; source < kSize; ++source) {
    const bool excites = source % 5 != 0;
    for (std::int64_t index = 0; index < kEach; ++index) {
      synapses.push_back({source, static_cast<std::int64_t>(rng.below(kSize)),
                          excites ? 15.0 : -40.0, 1.5, static_cast<std::uint8_t>(!excites)});
    }
  }
  network.projections.push_back(make_projection(network.populations, 0, 0, synapses));
  return network;
}

std::size_t spikes_within(const Network& network, spiking::Engine engine, double dt_ms,
                          double time_ms) {
  spiking::Options options{1, engine};
  options.dt_ms = dt_ms;
  spiking::Simulation simulation(network, options);
  simulation.run_until(time_ms);
  return simulation.spikes().size();
}

void expect_as_many(const Network& network, double allowed, const char* which) {
  constexpr double kStep = 0.02, kTime = 500;
  const auto exact =
      static_cast<double>(spikes_within(network, spiking::Engine::exact, kStep, kTime));
  const auto grid =
      static_cast<double>(spikes_within(network, spiking::Engine::grid, kStep, kTime));
  require(std::abs(exact - grid) <= allowed * grid, ErrorKind::internal,
          "{}: found {} spikes by the exact engine, expected about {}, as by the grid engine in "
          "steps of {} ms",
          which, exact, grid, kStep);
}

/// Without synapses to the step that a spike is late. With them activity is chaotic, and its rate
/// differs by some per cent from one step to another (0.01, 0.0025 ms: 1.6 %).
void check_engines(Network network) {
  expect_as_many(network, 0.1, "with synapses");
  network.projections.clear();
  expect_as_many(network, 2e-3, "without synapses");
}

void run_glif3(int repeats, int threads) {
  for (const double current : {90.5, 96.0, 115.0}) {
    const Network network = glif3(current);
    check_engines(network);
    spiking::Options options{1, spiking::Engine::exact};
    options.threads = threads;
    spiking::Simulation simulation(network, options);
    double best = 1e9, rate = 0, events = 0;
    constexpr double kWarm = 500, kTime = 2000;
    for (int repeat = 0; repeat < repeats; ++repeat) {
      simulation.reset();
      simulation.run_until(kWarm);
      simulation.clear_spikes();
      const auto before = simulation.statistics();
      const double start = now_s();
      simulation.run_until(kWarm + kTime);
      best = std::min(best, now_s() - start);
      events =
          static_cast<double>(simulation.statistics().synaptic_events - before.synaptic_events);
      rate = static_cast<double>(simulation.spikes().size()) / 10000 / (kTime / 1000);
    }
    fmt::print("glif3: {:.2f} spikes/s, {:.3f} s for {} s, {:.2f} M events/s, {:.1f} ns an event\n",
               rate, best, kTime / 1000, events / best * 1e-6, best / events * 1e9);
  }
}

/// 1000 neurons of each model at its defaults.
Population default_population(const spiking::ModelEntry& entry) {
  Population population{std::string(entry.name),
                        std::string(entry.name),
                        1000,
                        SynapseShape::model,
                        0,
                        {},
                        {},
                        {},
                        1};
  population.receptors = static_cast<std::int64_t>(entry.model.receptors.size());
  for (const spiking::Parameter& parameter : entry.model.parameters) {
    fill(population, std::string(parameter.name), parameter.initial.at(0));
  }
  return population;
}

/// 1000 neurons of each model that takes a Poisson process of 1000 weak spikes/s each, exact
/// engine.
void run_events(int repeats) {
  for (const spiking::ModelEntry& entry : spiking::models()) {
    if (entry.model.receptors.empty() || entry.model.make_exact == nullptr) continue;
    if (entry.name == "theta") continue;  // It takes no spikes.
    Network network;
    Population source{"source", "poisson_source", 1000, SynapseShape::delta, 0, {}, {}, {}, 1};
    fill(source, "rate", 1000);
    network.populations = {default_population(entry), source};
    const auto last = static_cast<std::uint8_t>(entry.model.receptors.size() - 1);
    std::vector<Synapse> synapses;
    for (std::int64_t n = 0; n < 1000; ++n) synapses.push_back({n, n, 0.01, 1.0, last});
    network.projections.push_back(make_projection(network.populations, 1, 0, synapses));
    spiking::Simulation simulation(network, spiking::Options{1, spiking::Engine::exact});
    double best = 1e9, events = 0;
    for (int repeat = 0; repeat < repeats; ++repeat) {
      simulation.reset();
      const double start = now_s();
      simulation.run_until(500);
      best = std::min(best, now_s() - start);
      events = static_cast<double>(simulation.statistics().synaptic_events);
    }
    fmt::print("{:24} {:7.1f} ns an event\n", entry.name, best * 1e9 / events);
  }
}

/// 1000 neurons of each model at its defaults, silent, in steps of 0.1 ms.
void run_models(int repeats) {
  for (const spiking::ModelEntry& entry : spiking::models()) {
    if (entry.model.receptors.empty()) continue;
    Network network;
    network.populations.push_back(default_population(entry));
    spiking::Simulation simulation(network, spiking::Options{1});
    double best = 1e9;
    for (int repeat = 0; repeat < repeats; ++repeat) {
      simulation.reset();
      const double start = now_s();
      simulation.run_until(100);
      best = std::min(best, now_s() - start);
    }
    fmt::print("{:24} {:6.2f} ns a neuron-step\n", entry.name, best * 1e9 / 1e6);
  }
}

}  // namespace

int main(int count, char** words) {
  const std::string which = count > 1 ? words[1] : "";
  const int repeats = count > 2 ? std::atoi(words[2]) : 3;
  const int threads = count > 3 ? std::atoi(words[3]) : 1;
  const auto described = [&](const std::string& name, double least, double most) {
    if (!which.empty() && which != name) return;
    run_described("tasks/networks/" + name + ".toml", least, most, repeats, threads);
  };
  described("cuba", 5, 6.5);
  described("coba", 15, 25);
  described("cobahh", 10, 60);
  if (which.empty() || which == "glif3") run_glif3(repeats, threads);
  if (which == "models") run_models(repeats);
  if (which == "events") run_events(repeats);
  return 0;
}
