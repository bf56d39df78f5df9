#include "afterspike/spiking/simulation.hpp"

#include <algorithm>
#include <cmath>
#include <functional>

#include <fmt/format.h>
#include <gtest/gtest.h>

#include "busy_network.hpp"
#include "support/expect_error.hpp"

namespace afterspike::spiking {
namespace {

using testing::busy_network;
using testing::expect_error;
using testing::make_population;
using testing::random_network;
using testing::Setting;
using testing::settings;

struct Outcome {
  std::vector<Spike> spikes;
  std::vector<double> voltages;
  std::int64_t events = 0;

  bool operator==(const Outcome&) const = default;
};

Outcome run(const Network& network, const Options& options, double until) {
  Simulation simulation(network, options);
  const std::size_t voltages = simulation.record("glif3", "V", 0.5);
  simulation.run_until(until);
  return {simulation.spikes(), simulation.recording(voltages).values,
          simulation.statistics().synaptic_events};
}

TEST(Simulation, ResultsDoNotDependOnTheNumberOfThreads) {
  for (Setting setting : settings()) {
    SCOPED_TRACE(setting.name);
    const Network network = setting.network(3);
    const Outcome one = run(network, setting.options, 150);
    EXPECT_GT(one.spikes.size(), 200u);
    for (const int threads : {2, 3, 5}) {
      setting.options.threads = threads;
      EXPECT_EQ(run(network, setting.options, 150), one) << threads;
    }
  }
}

TEST(Simulation, ResultsDoNotDependOnTheOrderOfSynapses) {
  for (const Setting& setting : settings()) {
    SCOPED_TRACE(setting.name);
    Network network = setting.network(4);
    const Outcome before = run(network, setting.options, 150);
    Rng rng(9);
    for (auto& projection : network.projections) {
      const auto source = static_cast<std::size_t>(projection.source);
      std::vector<Synapse> synapses;
      for (std::int64_t n = 0; n < network.populations[source].size; ++n) {
        for (auto at = projection.offsets[static_cast<std::size_t>(n)];
             at < projection.offsets[static_cast<std::size_t>(n) + 1]; ++at) {
          synapses.push_back({n, projection.targets[static_cast<std::size_t>(at)],
                              projection.weights[static_cast<std::size_t>(at)],
                              projection.delay_ms(at), projection.receptor(at)});
        }
      }
      std::vector<Synapse> shuffled;
      for (const auto at : rng.permutation(static_cast<std::int64_t>(synapses.size()))) {
        shuffled.push_back(synapses[static_cast<std::size_t>(at)]);
      }
      projection =
          make_projection(network.populations, projection.source, projection.target, shuffled);
    }
    const auto order = rng.permutation(static_cast<std::int64_t>(network.projections.size()));
    std::vector<Projection> projections;
    for (const auto at : order)
      projections.push_back(network.projections[static_cast<std::size_t>(at)]);
    network.projections = projections;
    EXPECT_EQ(run(network, setting.options, 150), before);
  }
}

TEST(Simulation, ResetBeginsAnew) {
  for (const Setting& setting : settings()) {
    SCOPED_TRACE(setting.name);
    Simulation simulation(setting.network(7), setting.options);
    simulation.run_until(80);
    const auto spikes = simulation.spikes();
    simulation.reset();
    EXPECT_EQ(simulation.now_ms(), 0);
    simulation.run_until(80);
    EXPECT_EQ(simulation.spikes(), spikes);
  }
}

TEST(Simulation, OtherSeedsAreOtherNoise) {
  const Network network = busy_network(3);
  Options options{5};
  const Outcome one = run(network, options, 100);
  options.seed = 6;
  EXPECT_NE(run(network, options, 100).spikes, one.spikes);
}

/// The median difference of the first spikes of each neuron between grid and exact engine: some
/// will differ by whole intervals, where a neuron just reaches its threshold or just does not.
double grid_error(const Network& network, const std::vector<Spike>& exact, double dt) {
  Options options{5};
  options.dt_ms = dt;
  Simulation grid(network, options);
  grid.run_until(60);
  constexpr std::size_t kFirst = 2;
  std::vector<double> differences;
  for (std::int64_t population = 0; population < 6; ++population) {
    for (std::int64_t neuron = 0; neuron < 7; ++neuron) {
      const auto times = [&](const std::vector<Spike>& spikes) {
        std::vector<double> own;
        for (const Spike& spike : spikes) {
          if (spike.population == population && spike.neuron == neuron)
            own.push_back(spike.time_ms);
        }
        return own;
      };
      const auto on_grid = times(grid.spikes()), precise = times(exact);
      for (std::size_t at = 0; at < std::min({kFirst, on_grid.size(), precise.size()}); ++at) {
        differences.push_back(std::abs(on_grid[at] - precise[at]));
      }
    }
  }
  EXPECT_GT(differences.size(), 40u);
  std::sort(differences.begin(), differences.end());
  return differences[differences.size() / 2];
}

TEST(Simulation, EnginesAgreeAsTheStepGoesToZero) {
  const Network network = random_network(8, 7, 0.1);
  Simulation exact(network, {5, Engine::exact});
  exact.run_until(60);
  double before = grid_error(network, exact.spikes(), 0.1);
  for (const double dt : {0.025, 0.00625}) {
    const double error = grid_error(network, exact.spikes(), dt);
    // First order: a quarter of the step makes about a quarter of the error.
    EXPECT_LT(error, 0.45 * before) << dt;
    before = error;
  }
  EXPECT_LT(before, 0.02);
}

TEST(Simulation, PoissonSourcesHaveTheirRate) {
  Network network;
  network.populations.push_back(
      make_population("n", "poisson_source", 200, SynapseShape::delta, {}, Rng(1)));
  network.populations[0].columns["rate"].assign(200, 50);
  auto counter = make_population("c", "lif", 200, SynapseShape::delta, {}, Rng(2));
  counter.columns["constant_current"].assign(200, 0);
  counter.columns["initial_potential"] = counter.columns["resting_potential"];
  counter.columns["refractory"].assign(200, 0);
  network.populations.push_back(counter);
  std::vector<Synapse> synapses;
  for (std::int64_t n = 0; n < 200; ++n) synapses.push_back({n, n, 1e3, 1.0, 0});
  network.projections.push_back(make_projection(network.populations, 0, 1, synapses));
  Simulation exact(network, {11, Engine::exact});
  exact.run_until(2001);
  const double count = static_cast<double>(exact.spikes().size());
  EXPECT_NEAR(count, 200 * 50 * 2, 5 * std::sqrt(200 * 50 * 2));
  // On the grid the same spikes take effect at the end of the step that they fall in.
  Simulation grid(network, {11});
  grid.run_until(2001);
  EXPECT_NEAR(static_cast<double>(grid.spikes().size()), count, 0.01 * count);
}

TEST(Simulation, NoiseCurrentsHaveTheirMoments) {
  Network network;
  auto neurons = make_population("n", "lif", 150, SynapseShape::delta, {}, Rng(2));
  for (const auto& [name, value] : std::map<std::string, double>{{"capacitance", 100},
                                                                 {"membrane_time_constant", 10},
                                                                 {"resting_potential", 0},
                                                                 {"threshold", 1e6},
                                                                 {"constant_current", 0},
                                                                 {"initial_potential", 0}}) {
    neurons.columns[name].assign(150, value);
  }
  network.populations.push_back(neurons);
  network.noise_currents.push_back({0, 30, 50, 1});
  for (const Engine engine : {Engine::grid, Engine::exact}) {
    Simulation simulation(network, {3, engine});
    simulation.record("n", "V", 100);
    simulation.run_until(1000);
    double sum = 0, squares = 0;
    const auto& values = simulation.recording(0).values;
    for (const double value : values) sum += value, squares += value * value;
    const double mean = sum / static_cast<double>(values.size());
    const double variance = squares / static_cast<double>(values.size()) - mean * mean;
    // Moments of an autoregression: mean I R, variance (sd R)^2 (1 - a) / (1 + a) with a = exp(-1 /
    // 10).
    const double a = std::exp(-0.1);
    EXPECT_NEAR(mean, 30 * 0.1, 0.15);
    EXPECT_NEAR(variance, 25 * (1 - a) / (1 + a), 0.25);
  }
}

/// A network that has run for so many steps of 0.1 ms already, as far as it can tell.
void go_on_after(Simulation& simulation, double steps, double window_ms) {
  State state = simulation.save();
  state.time_ms = steps * 0.1;
  state.arrays["step"] = {steps};
  state.arrays["window"] = {std::round(state.time_ms / window_ms)};
  for (auto& [name, array] : state.arrays) {
    for (std::size_t at = 0; name.ends_with("/clock") && at < array.size(); at += 3) {
      array[at] = array[at + 1] = state.time_ms;
    }
  }
  simulation.restore(state);
}

TEST(Simulation, SamplesOnTheGridLieAtSteps) {
  Simulation simulation(random_network(3), {1});
  simulation.record("glif1", "V", 0.10000005);
  simulation.run_until(9.9);
  const Recording& recording = simulation.recording(0);
  EXPECT_EQ(recording.interval_ms, 0.1);
  ASSERT_EQ(recording.times_ms.size(), 99u);
  EXPECT_EQ(recording.values.size(), 3 * 99u);
  EXPECT_EQ(recording.times_ms.back(), 99 * 0.1);
}

TEST(Simulation, LateSamplesAreCountedAsEarlyOnes) {
  for (const Engine engine : {Engine::grid, Engine::exact}) {
    Options options{1};
    options.engines = {{"glif1", engine}};
    Simulation simulation(random_network(3), options);
    constexpr double kBegin = 3'000'000'001;
    go_on_after(simulation, kBegin, 0.1);
    simulation.record("glif1", "V", 0.2);
    for (int step = 1; step < 100; ++step) {
      simulation.run_until((kBegin + step) * 0.1);
      const Recording& recording = simulation.recording(0);
      ASSERT_EQ(recording.times_ms.size(), static_cast<std::size_t>((step + 1) / 2));
      ASSERT_EQ(recording.values.size(), 3 * recording.times_ms.size());
      EXPECT_NE(recording.values.back(), 0);
    }
  }
}

struct Wrong {
  std::string what;
  std::function<void(Network&, Options&)> apply;
  std::string message;
};

Options mixed(Options options) {
  options.engines = {{"glif1", Engine::exact}};
  return options;
}

TEST(Simulation, WhatAnEngineCannotDoIsRefused) {
  const std::vector<Wrong> wrong = {
      {"network", [](Network& n, Options&) { n.time_step_ms = -1; }, "time step"},
      {"threads", [](Network&, Options& o) { o.threads = 0; }, "threads: found 0"},
      {"engine for", [](Network&, Options& o) { o.engines["glif9"] = Engine::exact; },
       "no population called 'glif9'"},
      {"delay off the grid", [](Network& n, Options&) { n.projections[0].delays_ms[0] = 0.25; },
       "delay from 'glif1' to 'glif1': found 0.25 ms, expected a whole number of steps of 0.1 ms"},
      {"long delay", [](Network& n, Options&) { n.projections[0].delays_ms = {1e300}; },
       "delay from 'glif1' to 'glif1': found 1e+300 ms, expected at most 1000000 steps of 0.1 ms"},
      {"many steps",
       [](Network& n, Options& o) { n.projections[0].delays_ms = {1e6}, o.dt_ms = 0.001; },
       "found 1000000 ms, expected at most 1000000 steps of 0.001 ms"},
      {"many steps beside exact populations",
       [](Network& n, Options& o) {
         o = mixed(o), o.dt_ms = 1e-12;
         n.projections = {n.projections[0]};
       },
       "expected at most 1000000 steps of 1e-12 ms"},
      {"exact delay within a step",
       [](Network& n, Options& o) { o = mixed(o), n.projections[0].delays_ms = {0.05}; },
       "delay from 'glif1' to 'glif1': found 0.05 ms, expected at least a step of 0.1 ms"},
      {"long exact delay",
       [](Network& n, Options& o) {
         o.engine = Engine::exact, n.projections[0].delays_ms = {1e300};
       },
       "delays: found 1e+300 ms, expected at most 1000000 windows of 0.1 ms"},
      {"short exact delay",
       [](Network& n, Options& o) {
         o.engine = Engine::exact, n.projections[0].delays_ms = {1e-6};
       },
       "delays: found 4 ms, expected at most 1000000 windows of 1e-06 ms"},
      {"shortest exact delay",
       [](Network& n, Options& o) {
         o.engine = Engine::exact, n.projections[0].delays_ms = {1e-300};
       },
       "windows of 1e-300 ms"},
      {"delay of nothing", [](Network&, Options& o) { o.dt_ms = 4; }, "whole number of steps"}};
  for (const Wrong& each : wrong) {
    SCOPED_TRACE(each.what);
    Network network = random_network(3);
    Options options{1};
    each.apply(network, options);
    try {
      Simulation simulation(network, options);
      ADD_FAILURE() << "expected an error";
    } catch (const Error& error) {
      EXPECT_NE(std::string(error.what()).find(each.message), std::string::npos) << error.what();
    }
  }
}

TEST(Simulation, MisuseIsNamed) {
  Simulation simulation(random_network(3), {1});
  simulation.run_until(1);
  expect_error(ErrorKind::config, {"end of the run: found 0.5 ms"},
               [&] { simulation.run_until(0.5); });
  expect_error(ErrorKind::config, {"end of the run: found 1.05 ms", "steps of 0.1 ms"},
               [&] { simulation.run_until(1.05); });
  expect_error(ErrorKind::config, {"end of the run: found 1e+300 ms, expected a time from 1 to"},
               [&] { simulation.run_until(1e300); });
  expect_error(ErrorKind::config, {"interval of samples"},
               [&] { simulation.record("glif1", "V", 0.25); });
  expect_error(ErrorKind::config, {"interval of samples: found 1e-09 ms, expected at least a step"},
               [&] { simulation.record("glif1", "V", 1e-9); });
  expect_error(ErrorKind::config, {"'input' is a source"},
               [&] { simulation.record("input", "V", 1); });
  expect_error(ErrorKind::config, {"found neuron 3 to be recorded, expected 0 to 2"},
               [&] { simulation.record("glif1", "V", 1, {3}); });
  expect_error(ErrorKind::data, {"'glif1' is not a source"},
               [&] { simulation.set_trains("glif1", {}); });
  expect_error(ErrorKind::data, {"found 2 ms after 3 ms"}, [&] {
    simulation.set_trains("input", {{0, 2, 2, 2, 2, 2}, {3, 2}});
  });
  expect_error(ErrorKind::usage, {"of model 'glif1': no variable called 'Vm'"},
               [&] { simulation.record("glif1", "Vm", 1); });
  State state = simulation.save();
  state.arrays.erase("glif2/voltage");
  expect_error(ErrorKind::data, {"'glif2/voltage' is missing"}, [&] { simulation.restore(state); });
  state = simulation.save();
  state.arrays["glif2/voltage"].pop_back();
  expect_error(ErrorKind::data, {"found 2 values, expected 3"}, [&] { simulation.restore(state); });
}

TEST(Simulation, TakesANetworkWithoutCopyingIt) {
  Network network = random_network(3);
  Simulation copied(network, {1});
  const std::int64_t synapses = network.synapses();
  EXPECT_GT(synapses, 0);
  const double* column = network.populations[0].column("threshold").data();
  Simulation moved(std::move(network), {1});
  EXPECT_EQ(moved.network().populations[0].column("threshold").data(), column);
  EXPECT_EQ(moved.network().synapses(), 0);
  EXPECT_EQ(moved.network().populations, copied.network().populations);
  moved.run_until(100);
  copied.run_until(100);
  EXPECT_GT(copied.spikes().size(), 0u);
  EXPECT_EQ(moved.spikes(), copied.spikes());
}

TEST(Simulation, ARunEndsWhileWindowsAndNoiseCanBeCounted) {
  Network network = random_network(3);
  network.noise_currents.push_back({0, 0, 1, 1e-6});
  Simulation noisy(network, {1, Engine::exact});
  expect_error(ErrorKind::config, {"found 1000000000 ms, expected a time from 0 to 281474976.71"},
               [&] { noisy.run_until(1e9); });
  network = random_network(3);
  for (auto& projection : network.projections) projection.delays_ms = {1e-290};
  Simulation endless(network, {1, Engine::exact});
  expect_error(ErrorKind::config, {"found 1 ms, expected a time from 0 to 2.8"},
               [&] { endless.run_until(1); });
}

/// Drawing the spikes would take for ever.
TEST(Simulation, RatesOfSourcesThatNobodyCanWaitForAreRefused) {
  Network network;
  network.populations.push_back(
      make_population("noise", "poisson_source", 2, SynapseShape::delta, {}, Rng(1)));
  network.populations[0].columns["rate"] = {10, 1e12};
  expect_error(ErrorKind::config, {"population 'noise'", "1e+09 spikes in each 1 ms"},
               [&] { Simulation(network, {1}); });
  network.populations[0].columns["rate"] = {10, 1e7};
  Simulation(network, {1});
}

TEST(Simulation, ANeuronThatWouldFireWithoutEndIsNamed) {
  for (const double refractory : {0.0, 1e-20}) {
    SCOPED_TRACE(refractory);
    Network network = random_network(3);
    network.populations[0].columns["reset"].assign(3, -40);
    network.populations[0].columns["refractory"].assign(3, refractory);
    Simulation simulation(network, {1, Engine::exact});
    expect_error(ErrorKind::numeric, {"population 'glif1'", "fires without end"},
                 [&] { simulation.run_until(200); });
  }
}

}  // namespace
}  // namespace afterspike::spiking
