// Projections that stay rules: the distribution of what they draw, and simulations of it.

#include <cmath>
#include <numbers>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "afterspike/spiking/connect.hpp"
#include "afterspike/spiking/description.hpp"
#include "afterspike/spiking/network_description.hpp"
#include "afterspike/spiking/network_file.hpp"
#include "afterspike/spiking/simulation.hpp"
#include "chi_square.hpp"
#include "simulation/team.hpp"
#include "support/expect_error.hpp"
#include "support/temp_dir.hpp"

namespace afterspike::spiking {
namespace {

using testing::expect_distributed;
using testing::expect_error;
using testing::TempDir;

Population lif(const std::string& name, std::int64_t size) {
  Population population;
  population.name = name;
  population.model = "lif";
  population.size = size;
  set_defaults(population, "");
  population.synapse_time_constants_ms.assign(static_cast<std::size_t>(size), 0.5);
  const auto set = [&](const char* column, double value) {
    population.columns[column].assign(static_cast<std::size_t>(size), value);
  };
  set("capacitance", 250);
  set("membrane_time_constant", 10);
  set("resting_potential", -65);
  set("initial_potential", -58);
  set("threshold", -50);
  set("reset", -65);
  set("refractory", 2);
  return population;
}

Population source(const std::string& name, const std::string& kind, std::int64_t size) {
  Population population;
  population.name = name;
  population.model = kind;
  population.size = size;
  population.synapse = SynapseShape::delta;
  population.receptors = 0;
  return population;
}

Connection total_number(std::int64_t count, double weight, double delay) {
  Connection connection;
  connection.rule = ConnectionRule::fixed_total_number;
  connection.count = count;
  connection.weight = {Distribution::Kind::normal, weight, std::abs(weight) * 0.1};
  (weight > 0 ? connection.weight.min : connection.weight.max) = 0;
  connection.delay = {Distribution::Kind::normal, delay, delay / 2, 0.05};
  return connection;
}

/// Excitatory and inhibitory neurons by rule, driven by Poisson spikes and by a few recorded ones.
Network balanced(std::int64_t size = 400) {
  Network network;
  network.time_step_ms = 0.1;
  network.populations = {lif("E", size), lif("I", size / 4), source("x", "poisson_source", size),
                         source("s", "spike_source", 3)};
  network.populations[2].columns["rate"].assign(static_cast<std::size_t>(size), 9000);
  SpikeTrains& trains = network.populations[3].trains;
  for (int neuron = 0; neuron < 3; ++neuron) {
    trains.offsets.push_back(static_cast<std::int64_t>(trains.times_ms.size()));
    for (int spike = 1; spike < 40; ++spike) trains.times_ms.push_back(spike * 2.3 + neuron * 0.1);
  }
  trains.offsets.push_back(static_cast<std::int64_t>(trains.times_ms.size()));
  const Rng rng(8);
  const auto add = [&](std::int64_t from, std::int64_t to, const Connection& connection) {
    const std::uint64_t key = rng.stream("rule", network.rule_projections.size()).key();
    network.rule_projections.push_back({from, to, connection, key});
  };
  add(0, 0, total_number(size * 40, 90, 1.5));
  add(0, 1, total_number(size * 10, 90, 1.5));
  add(1, 0, total_number(size * 20, -360, 0.75));
  add(3, 1, total_number(size * 2, 100, 1.5));
  Connection drive;
  drive.rule = ConnectionRule::one_to_one;
  drive.weight.first = 88;
  drive.delay.first = 1.5;
  add(2, 0, drive);
  return network;
}

TEST(Rules, TotalNumbersHaveMultinomialDegreesDelaysAndWeights) {
  const std::vector<Population> populations = {lif("A", 70), lif("B", 110)};
  const RuleProjection rule{0, 1, total_number(300'000, -50, 0.75), 99};
  const Projection drawn = expand(populations, rule, 0.1);
  EXPECT_EQ(drawn.synapses(), 300'000);
  std::vector<double> out(70), in(110), delays(40), expected(40);
  for (std::size_t from = 0; from < 70; ++from) {
    out[from] = static_cast<double>(drawn.offsets[from + 1] - drawn.offsets[from]);
  }
  double sum = 0, squares = 0;
  for (std::int64_t at = 0; at < drawn.synapses(); ++at) {
    ++in[drawn.targets[static_cast<std::size_t>(at)]];
    ++delays[static_cast<std::size_t>(std::lround(drawn.delay_ms(at) / 0.1))];
    const double weight = drawn.weights[static_cast<std::size_t>(at)];
    EXPECT_LE(weight, 0);
    sum += weight;
    squares += weight * weight;
  }
  expect_distributed(out, std::vector<double>(70, 1.0 / 70));
  expect_distributed(in, std::vector<double>(110, 1.0 / 110));
  const double mean = sum / 300'000;
  EXPECT_NEAR(mean, -50, 4 * 5 / std::sqrt(300'000));
  EXPECT_NEAR(std::sqrt(squares / 300'000 - mean * mean), 5, 4 * 5 / std::sqrt(600'000));
  // Normal with mean 0.75 and deviation 0.375 ms, above half a step, rounded.
  const auto below = [](double x) {
    return 0.5 * std::erfc(-(x - 0.75) / 0.375 / std::numbers::sqrt2);
  };
  for (int step = 1; step < 40; ++step) {
    expected[static_cast<std::size_t>(step)] =
        (below(step * 0.1 + 0.05) - below(step * 0.1 - 0.05)) / (1 - below(0.05));
  }
  expect_distributed(delays, expected);
}

TEST(Rules, SpikesAreThoseOfTheListedSynapsesForAnyNumberOfThreads) {
  const Network network = balanced();
  // Poisson spikes of a rule are drawn otherwise than those of a source.
  Network listed = network;
  listed.rule_projections = {network.rule_projections.back()};
  for (std::size_t index = 0; index + 1 < network.rule_projections.size(); ++index) {
    listed.projections.push_back(
        expand(network.populations, network.rule_projections[index], network.time_step_ms));
  }
  std::vector<Spike> first;
  for (const Network* each : {&network, static_cast<const Network*>(&listed)}) {
    for (const int threads : {1, 2, 3}) {
      Simulation simulation(*each, {.seed = 4, .threads = threads});
      simulation.run_until(100);
      if (first.empty()) first = simulation.spikes();
      EXPECT_GT(first.size(), 300u);
      EXPECT_EQ(simulation.spikes(), first) << threads;
    }
  }
}

TEST(Rules, CountsAreThoseOfTheListedSynapses) {
  Network network = balanced();
  network.rule_projections.pop_back();  // The drive, whose spikes differ.
  Network listed = network;
  expand_rules(listed);
  EXPECT_EQ(listed.synapses(), network.synapses());
  const auto count = [](const Network& each) {
    Simulation simulation(each, {.seed = 4});
    simulation.run_until(100);
    return simulation.statistics();
  };
  const Statistics rules = count(network), lists = count(listed);
  EXPECT_GT(rules.source_events, 0);
  EXPECT_EQ(rules.source_events, lists.source_events);
}

TEST(Rules, ASavedStateContinuesWithTheSameSpikes) {
  const Network network = balanced();
  Simulation whole(network, {.seed = 4});
  whole.run_until(37.3);
  const State state = whole.save();
  whole.clear_spikes();
  whole.run_until(80);
  EXPECT_GT(whole.spikes().size(), 100u);
  const TempDir directory;
  write_state(directory / "state.h5", state);
  for (const int threads : {1, 3}) {
    Simulation other(network, {.seed = 4, .threads = threads});
    other.run_until(11.2);
    other.restore(read_state(directory / "state.h5"));
    other.run_until(80);
    EXPECT_EQ(other.spikes(), whole.spikes()) << threads;
    other.reset();
    other.run_until(37.3);
    EXPECT_EQ(other.save(), state);
  }
}

TEST(Rules, DamagedTravellingSpikesAreRefused) {
  const Network network = balanced();
  Simulation simulation(network, {.seed = 4});
  simulation.run_until(30);
  State state = simulation.save();
  state.arrays["travelling"][1] = 1e9;
  expect_error(ErrorKind::data, {"travelling"}, [&] { simulation.restore(state); });
}

TEST(Rules, TheExactEngineListsTheSynapses) {
  Network network = balanced(40);
  Simulation simulation(network, {.seed = 4, .engine = Engine::exact});
  simulation.run_until(20);
  EXPECT_GT(simulation.statistics().synaptic_events, 0);
}

TEST(Rules, AFileKeepsThem) {
  const TempDir directory;
  const Network network = balanced(40);
  write_network(directory / "net.h5", network);
  EXPECT_EQ(read_network(directory / "net.h5"), network);
  const io::Json json = describe(network);
  EXPECT_EQ(json["synapses"], network.synapses());
  EXPECT_EQ(json["projections"][0]["rule"], "fixed_total_number");
}

TEST(Rules, ImpossibleOnesAreRefused) {
  const auto refuse = [](const std::string& message, const auto& change) {
    Network network = balanced(40);
    change(network.rule_projections[0]);
    expect_error(ErrorKind::data, {"rule projection 0", message}, [&] { validate(network); });
  };
  refuse("found values below 0 ms", [](RuleProjection& rule) { rule.connection.delay.min = -1; });
  refuse("found no value between", [](RuleProjection& rule) { rule.connection.delay.max = 0.01; });
  refuse("found population 9", [](RuleProjection& rule) { rule.target = 9; });
  refuse("is a source", [](RuleProjection& rule) { rule.target = 2; });
  refuse("cannot stay a rule", [](RuleProjection& rule) { rule.connection.count = -1; });
  refuse("cannot stay a rule",
         [](RuleProjection& rule) { rule.connection.allow_multapses = false; });
  refuse("receptor", [](RuleProjection& rule) { rule.connection.receptor = 1; });
}

TEST(Team, RunsEachTaskOnceAndPassesOnTheFirstFailure) {
  for (const int threads : {1, 2, 3}) {
    Team team(threads);
    std::vector<int> runs(5);
    for (int round = 0; round < 100; ++round) {
      team.run(5, [&](std::int64_t task) { ++runs[static_cast<std::size_t>(task)]; });
    }
    EXPECT_THAT(runs, ::testing::Each(100));
    expect_error(ErrorKind::numeric, {"task 2"}, [&] {
      team.run(5, [&](std::int64_t task) {
        if (task >= 2) fail(ErrorKind::numeric, "task {}", task);
      });
    });
  }
}

}  // namespace
}  // namespace afterspike::spiking
