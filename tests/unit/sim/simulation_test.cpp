#include "afterspike/sim/simulation.hpp"
#include "afterspike/io/hdf5.hpp"

#include <algorithm>
#include <cmath>
#include <functional>

#include <gtest/gtest.h>

#include "afterspike/sim/spike_file.hpp"
#include "networks.hpp"
#include "support/expect_error.hpp"
#include "support/temp_dir.hpp"

namespace afterspike::sim {
namespace {

using glifnet::Network;
using glifnet::SynapseShape;
using testing::expect_error;
using testing::make_population;
using testing::random_network;
using testing::random_synapses;
using testing::TempDir;

/// All that a network may have: every leaky model, recorded and random sources, currents; a
/// population of the other engine among them.
Network busy_network(std::uint64_t seed, std::int64_t each = 2) {
  Network network = random_network(seed, 7, 0.1, each);
  const Rng rng(seed);
  network.populations.push_back(
      make_population("noise", "poisson_source", 20, SynapseShape::delta, {}, rng.stream("noise")));
  const auto noise = static_cast<std::int64_t>(network.populations.size()) - 1;
  for (std::int64_t to : {0, 3}) {
    const auto& target = network.populations[static_cast<std::size_t>(to)];
    const double weight = target.synapse == SynapseShape::delta ? 2 : 50;
    network.projections.push_back(
        make_projection(network.populations, noise, to,
                        random_synapses(network.populations[static_cast<std::size_t>(noise)],
                                        target, 2, weight, 0.1, 20, rng.stream("from noise"))));
  }
  network.step_currents.push_back({1, {0, 5, 2}, {20, 55.5, 90}, {80, -20, 10}});
  network.step_currents.push_back({4, {}, {10}, {15}});
  network.noise_currents.push_back({2, 5, 60, 0.7});
  return network;
}

struct Setting {
  const char* name;
  Options options;
  std::int64_t each = 2;  ///< Synapses from a neuron to each population.
};

std::vector<Setting> settings() {
  Options mixed{5};
  mixed.engines = {{"glif3", Engine::exact}, {"glif5", Engine::exact}};
  return {{"grid", {5}}, {"exact", {5, Engine::exact}}, {"mixed", mixed}, {"dense", {5}, 120}};
}

struct Outcome {
  std::vector<Spike> spikes;
  std::vector<double> voltages;
  std::int64_t events = 0;

  bool operator==(const Outcome&) const = default;
};

Outcome run(const Network& network, const Options& options, double until) {
  Simulation simulation(network, options);
  const std::size_t voltages = simulation.record("glif3", Quantity::voltage, 0.5);
  simulation.run_until(until);
  return {simulation.spikes(), simulation.recording(voltages).values,
          simulation.statistics().synaptic_events};
}

TEST(Simulation, ResultsDoNotDependOnTheNumberOfThreads) {
  for (Setting setting : settings()) {
    SCOPED_TRACE(setting.name);
    const Network network = busy_network(3, setting.each);
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
    Network network = busy_network(4);
    const Outcome before = run(network, setting.options, 150);
    Rng rng(9);
    for (auto& projection : network.projections) {
      const auto source = static_cast<std::size_t>(projection.source);
      std::vector<glifnet::Synapse> synapses;
      for (std::int64_t n = 0; n < network.populations[source].size; ++n) {
        for (auto at = projection.offsets[static_cast<std::size_t>(n)];
             at < projection.offsets[static_cast<std::size_t>(n) + 1]; ++at) {
          synapses.push_back({n, projection.targets[static_cast<std::size_t>(at)],
                              projection.weights[static_cast<std::size_t>(at)],
                              projection.delay_ms(at), projection.receptor(at)});
        }
      }
      std::vector<glifnet::Synapse> shuffled;
      for (const auto at : rng.permutation(static_cast<std::int64_t>(synapses.size()))) {
        shuffled.push_back(synapses[static_cast<std::size_t>(at)]);
      }
      projection =
          make_projection(network.populations, projection.source, projection.target, shuffled);
    }
    const auto order = rng.permutation(static_cast<std::int64_t>(network.projections.size()));
    std::vector<glifnet::Projection> projections;
    for (const auto at : order)
      projections.push_back(network.projections[static_cast<std::size_t>(at)]);
    network.projections = projections;
    EXPECT_EQ(run(network, setting.options, 150), before);
  }
}

TEST(Simulation, RecordingAndStoppingChangeNothing) {
  for (const Setting& setting : settings()) {
    SCOPED_TRACE(setting.name);
    const Network network = busy_network(5);
    Simulation whole(network, setting.options);
    whole.run_until(120);
    Simulation parts(network, setting.options);
    parts.record("glif1", Quantity::threshold, 0.3);
    for (const double until : {0.1, 7.3, 7.4, 50.0, 119.9, 120.0}) parts.run_until(until);
    EXPECT_EQ(parts.spikes(), whole.spikes());
  }
}

TEST(Simulation, ASavedStateGoesOnWithTheSameSpikes) {
  const TempDir directory;
  for (const Setting& setting : settings()) {
    SCOPED_TRACE(setting.name);
    const Network network = busy_network(6, setting.each);
    Simulation whole(network, setting.options);
    whole.run_until(61.7);
    write_state(directory / "state.h5", whole.save());
    whole.clear_spikes();
    whole.run_until(140);
    EXPECT_GT(whole.spikes().size(), 100u);
    for (const int threads : {1, 3}) {
      Options options = setting.options;
      options.threads = threads;
      Simulation same(network, options);
      same.run_until(61.7);
      EXPECT_EQ(same.save(), read_state(directory / "state.h5")) << threads;
      Simulation other(network, options);
      other.run_until(13);  // What was there before must not matter.
      other.restore(read_state(directory / "state.h5"));
      EXPECT_EQ(other.now_ms(), 61.7);
      other.run_until(140);
      EXPECT_EQ(other.spikes(), whole.spikes()) << threads;
    }
  }
}

TEST(Simulation, ResetBeginsAnew) {
  for (const Setting& setting : settings()) {
    SCOPED_TRACE(setting.name);
    Simulation simulation(busy_network(7), setting.options);
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
    // Of first order: a quarter of the step makes about a quarter of the error.
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
  std::vector<glifnet::Synapse> synapses;
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
    simulation.record("n", Quantity::voltage, 100);
    simulation.run_until(1000);
    double sum = 0, squares = 0;
    const auto& values = simulation.recording(0).values;
    for (const double value : values) sum += value, squares += value * value;
    const double mean = sum / static_cast<double>(values.size());
    const double variance = squares / static_cast<double>(values.size()) - mean * mean;
    // Of an autoregression: mean I R, variance (sd R)^2 (1 - a) / (1 + a) with a = exp(-1 / 10).
    const double a = std::exp(-0.1);
    EXPECT_NEAR(mean, 30 * 0.1, 0.15);
    EXPECT_NEAR(variance, 25 * (1 - a) / (1 + a), 0.25);
  }
}

struct Wrong {
  std::string what;
  std::function<void(Network&, Options&)> apply;
  std::string message;
};

TEST(Simulation, WhatAnEngineCannotDoIsRefused) {
  const std::vector<Wrong> wrong = {
      {"network", [](Network& n, Options&) { n.time_step_ms = -1; }, "time step"},
      {"threads", [](Network&, Options& o) { o.threads = 0; }, "threads: found 0"},
      {"engine for", [](Network&, Options& o) { o.engines["glif9"] = Engine::exact; },
       "no population called 'glif9'"},
      {"delay off the grid", [](Network& n, Options&) { n.projections[0].delays_ms[0] = 0.25; },
       "delay from 'glif1' to 'glif1': found 0.25 ms, expected a whole number of steps of 0.1 ms"},
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
  expect_error(ErrorKind::config, {"interval of samples"},
               [&] { simulation.record("glif1", Quantity::voltage, 0.25); });
  expect_error(ErrorKind::config, {"'input' is a source"},
               [&] { simulation.record("input", Quantity::voltage, 1); });
  expect_error(ErrorKind::config, {"found neuron 3 to be recorded, expected 0 to 2"},
               [&] { simulation.record("glif1", Quantity::voltage, 1, {3}); });
  expect_error(ErrorKind::data, {"'glif1' is not a source"},
               [&] { simulation.set_trains("glif1", {}); });
  expect_error(ErrorKind::data, {"found 2 ms after 3 ms"}, [&] {
    simulation.set_trains("input", {{0, 2, 2, 2, 2, 2}, {3, 2}});
  });
  expect_error(ErrorKind::usage, {"no quantity called 'Vm'"}, [&] { quantity("Vm"); });
  State state = simulation.save();
  state.arrays.erase("glif2/voltage");
  expect_error(ErrorKind::data, {"'glif2/voltage' is missing"}, [&] { simulation.restore(state); });
  state = simulation.save();
  state.arrays["glif2/voltage"].pop_back();
  expect_error(ErrorKind::data, {"found 2 values, expected 3"}, [&] { simulation.restore(state); });
}

/// Numbers of a saved state that none of its columns can hold, by column; and what the message has.
struct Damage {
  std::string array;
  std::size_t column;
  std::vector<double> values;
  std::string message;
};

std::vector<Damage> damages(const State& good) {
  const double nan = std::nan("");
  std::vector<Damage> all;
  for (const char* number : {"step", "window"}) {
    const double own = good.arrays.at(number).at(0);
    all.push_back({number, 0, {-1, own + 0.5, own + 2, 1e300, nan}, number});
  }
  const std::vector<std::vector<double>> pending = {
      {-1, nan}, {-2, 0.5, 1e300, nan}, {-1, 0.5, 1e6, nan}, {nan}, {-1, 0.5, 1e6, nan}};
  for (std::size_t column = 0; column < pending.size(); ++column) {
    all.push_back({"pending", column, pending[column], "'pending' is of another network"});
  }
  for (const auto& [name, array] : good.arrays) {
    const bool events = name.ends_with("/events") || name.ends_with("/arriving");
    if (!events || array.empty()) continue;
    all.push_back({name, 0, {nan}, "of another network"});
    for (const std::size_t column : {1u, 2u}) {
      all.push_back({name, column, {-1, 0.5, 1e6, nan}, "of another network"});
    }
    all.push_back({name, 3, {nan}, "of another network"});
  }
  return all;
}

TEST(Simulation, ADamagedStateIsRefusedAndChangesNothing) {
  for (const Setting& setting : settings()) {
    SCOPED_TRACE(setting.name);
    Simulation simulation(busy_network(6, setting.each), setting.options);
    double time = 40;
    simulation.run_until(time);
    for (; simulation.save().arrays.at("pending").empty(); time += 0.1) simulation.run_until(time);
    const State good = simulation.save();
    const std::size_t spikes = simulation.spikes().size();
    for (const Damage& damage : damages(good)) {
      SCOPED_TRACE(damage.array + " " + std::to_string(damage.column));
      for (const double value : damage.values) {
        State bad = good;
        bad.arrays[damage.array][damage.column] = value;
        expect_error(ErrorKind::data, {damage.message}, [&] { simulation.restore(bad); });
      }
    }
    State cut = good;
    cut.arrays["pending"].pop_back();
    expect_error(ErrorKind::data, {"'pending' is missing or damaged"},
                 [&] { simulation.restore(cut); });
    EXPECT_EQ(simulation.save(), good);
    EXPECT_EQ(simulation.spikes().size(), spikes);
  }
}

TEST(Simulation, StatesOfAnotherVersionAreRefused) {
  const TempDir directory;
  io::Hdf5File file(directory / "state.h5", io::Hdf5File::Mode::create);
  file.write_text_attribute("/", "format", "afterspike-simulation-state");
  file.write_attribute<std::int64_t>("/", "version", {{}, {1}});
  file = io::Hdf5File(directory / "other.h5", io::Hdf5File::Mode::create);
  expect_error(ErrorKind::data, {"state.h5", "found version 1 of the format, expected 2"},
               [&] { read_state(directory / "state.h5"); });
}

TEST(Simulation, ANeuronThatWouldFireWithoutEndIsNamed) {
  Network network = random_network(3);
  network.populations[0].columns["reset"].assign(3, -40);
  network.populations[0].columns["refractory"].assign(3, 0);
  Simulation simulation(network, {1, Engine::exact});
  expect_error(ErrorKind::numeric, {"population 'glif1'", "fires without end"},
               [&] { simulation.run_until(200); });
}

TEST(SpikeFile, SpikesComeBack) {
  const TempDir directory;
  const Network network = random_network(3);
  std::vector<std::string> names;
  for (const auto& population : network.populations) names.push_back(population.name);
  Simulation simulation(network, {1, Engine::exact});
  simulation.run_until(100);
  write_spikes_csv(directory / "spikes.csv", simulation.spikes());
  write_spikes_sonata(directory / "spikes.h5", names, simulation.spikes());
  const auto from_csv = read_trains(directory / "spikes.csv", "glif4", 3, 3);
  EXPECT_EQ(from_csv, read_trains(directory / "spikes.h5", "glif4", 3, 3));
  std::vector<double> expected;
  for (std::int64_t neuron = 0; neuron < 3; ++neuron) {
    for (const Spike& spike : simulation.spikes()) {
      if (spike.population == 3 && spike.neuron == neuron) expected.push_back(spike.time_ms);
    }
  }
  EXPECT_EQ(from_csv.times_ms, expected);
  expect_error(ErrorKind::data, {"spikes.csv", "expected 0 to 1"},
               [&] { read_trains(directory / "spikes.csv", "glif4", 3, 2); });
  expect_error(ErrorKind::data, {"spikes.h5", "glif9"},
               [&] { read_trains(directory / "spikes.h5", "glif9", 3, 3); });
  testing::spill(directory / "bad.csv", "time,neuron\n1,2\n");
  expect_error(ErrorKind::data, {"bad.csv", "found the columns time, neuron"},
               [&] { read_trains(directory / "bad.csv", "glif4", 3, 3); });
}

}  // namespace
}  // namespace afterspike::sim
