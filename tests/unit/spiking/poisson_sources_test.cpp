// Sources whose rate changes: counts against the integral of the rate, engines, saved states.

#include <cmath>
#include <fstream>
#include <functional>
#include <limits>
#include <numbers>

#include <fmt/format.h>
#include <gtest/gtest.h>

#include "afterspike/spiking/network_description.hpp"
#include "afterspike/spiking/network_file.hpp"
#include "afterspike/spiking/simulation.hpp"
#include "sample_networks.hpp"
#include "support/expect_error.hpp"
#include "support/temp_dir.hpp"

namespace afterspike::spiking {
namespace {

constexpr std::int64_t kSources = 1000;

/// Sources, each with a relay that emits every spike at once: 1 mV above its threshold of 0.5 mV.
Network relayed(const std::string& model) {
  Network network;
  Population source;
  source.name = "source";
  source.model = model;
  source.size = kSources;
  source.receptors = 0;
  source.synapse = SynapseShape::delta;
  Population relay =
      testing::make_population("relay", "lif", kSources, SynapseShape::delta, {}, Rng(1));
  const std::pair<const char*, double> values[] = {
      {"resting_potential", 0}, {"threshold", 0.5},      {"reset", 0},
      {"refractory", 0},        {"constant_current", 0}, {"initial_potential", 0}};
  for (const auto& [name, value] : values) relay.columns[name].assign(kSources, value);
  network.populations = {source, relay};
  std::vector<Synapse> synapses;
  for (std::int64_t n = 0; n < kSources; ++n) synapses.push_back({n, n, 1, 0, 0});
  network.projections.push_back(make_projection(network.populations, 0, 1, synapses));
  return network;
}

Network stepped() {
  Network network = relayed("inhomogeneous_poisson_source");
  network.populations[0].rates = {{100, 250, 400, 700}, {80, 0, 300, 25}};
  return network;
}

/// The integral of stepped()'s rate, in spikes of all neurons.
double expected_of_steps(double time) {
  double sum = 0;
  const double begins[] = {100, 250, 400, 700}, ends[] = {250, 400, 700, 1000};
  const double rates[] = {80, 0, 300, 25};
  for (std::size_t at = 0; at < 4; ++at) {
    sum += rates[at] * 1e-3 * std::max(0.0, std::min(time, ends[at]) - begins[at]);
  }
  return sum * kSources;
}

Network wave(double rate, double amplitude, double frequency) {
  Network network = relayed("sinusoidal_poisson_source");
  auto& columns = network.populations[0].columns;
  columns["rate"].assign(kSources, rate);
  columns["amplitude"].assign(kSources, amplitude);
  columns["frequency"].assign(kSources, frequency);
  columns["phase"].assign(kSources, 60);
  return network;
}

/// Spikes of all sources in bins of 5 ms until 1000 ms. The relay spikes at the time of the source,
/// on the grid at the end of its step.
std::vector<double> histogram(const Network& network, const Options& options) {
  Simulation simulation(network, options);
  simulation.run_until(1000);
  std::vector<double> bins(200);
  for (const Spike& spike : simulation.spikes()) {
    const auto bin = static_cast<std::size_t>(std::max(0.0, spike.time_ms - 1e-6) / 5);
    ++bins.at(bin);
  }
  return bins;
}

/// The sum of squares over bins that expect at least 5 spikes; spikes where none are expected make
/// it infinite. `factor` multiplies the expectation.
double deviations(const std::vector<double>& found, const std::function<double(double)>& integral,
                  double factor) {
  double sum = 0;
  for (std::size_t bin = 0; bin < found.size(); ++bin) {
    const double begin = 5 * static_cast<double>(bin);
    const double expected = factor * (integral(begin + 5) - integral(begin));
    if (expected == 0 && found[bin] > 0) return std::numeric_limits<double>::infinity();
    if (expected >= 5) sum += std::pow(found[bin] - expected, 2) / expected;
  }
  return sum;
}

/// Exceeded with a probability of 0.001 for 200 bins (Wilson and Hilferty); fewer bins exceed it
/// less often.
constexpr double kUnlikelySum = 267.5;

void expect_rate(const Network& network, const std::function<double(double)>& integral) {
  Options grid{17};
  grid.dt_ms = 0.02;  // Few spikes of a source share a step, which the relay counts once.
  for (const Options& options : {Options{17, Engine::exact}, grid}) {
    const auto found = histogram(network, options);
    EXPECT_LT(deviations(found, integral, 1), kUnlikelySum);
    // A rate that is off by 5 % is told apart.
    for (const double factor : {0.95, 1.05}) {
      EXPECT_GT(deviations(found, integral, factor), kUnlikelySum);
    }
  }
}

TEST(PoissonSources, StepsHaveTheirRates) {
  expect_rate(stepped(), expected_of_steps);
}

TEST(PoissonSources, SinusoidsHaveTheirRates) {
  for (const double amplitude : {60.0, -60.0}) {
    expect_rate(wave(80, amplitude, 7), [&](double time) {
      const double turn = 2 * std::numbers::pi, phase = 60.0 / 360;
      const double sine = std::cos(turn * phase) - std::cos(turn * (0.007 * time + phase));
      return kSources * (0.08 * time + amplitude * 1e-3 * sine / (turn * 0.007));
    });
  }
}

/// Above the mean rate, the amplitude leaves intervals without spikes.
TEST(PoissonSources, RatesBelowZeroAreZero) {
  const auto rate = [](double time) {
    const double turn = 2 * std::numbers::pi * (0.004 * time + 60.0 / 360);
    return std::max(0.0, 0.06 + 0.3 * std::sin(turn));
  };
  expect_rate(wave(60, 300, 4), [&](double end) {
    double sum = 0;
    constexpr double kStep = 0.01;
    const auto pieces = std::llround(end / kStep);
    for (std::int64_t at = 0; at < pieces; ++at) {
      sum += rate((static_cast<double>(at) + 0.5) * kStep);
    }
    return kSources * sum * kStep;
  });
}

TEST(PoissonSources, BothEnginesGetTheSameSpikes) {
  for (const Network& network : {stepped(), wave(20, 15, 30)}) {
    Simulation exact(network, {4, Engine::exact}), grid(network, {4});
    exact.run_until(200);
    grid.run_until(200);
    ASSERT_GT(exact.spikes().size(), 100u);
    std::size_t together = 0;
    for (const Spike& spike : exact.spikes()) {
      const double step = std::ceil(spike.time_ms / 0.1 - 1e-9);
      for (const Spike& other : grid.spikes()) {
        if (other.neuron == spike.neuron && std::llround(other.time_ms / 0.1) == std::llround(step))
          ++together;
      }
    }
    // Two spikes of a source in a step are one of the relay.
    EXPECT_GT(together, exact.spikes().size() * 98 / 100);
  }
}

TEST(PoissonSources, RestoredSourcesContinueWithTheSameBits) {
  for (const Network& network : {stepped(), wave(80, 150, 12), wave(0.5, 0.5, 50)}) {
    for (const Engine engine : {Engine::grid, Engine::exact}) {
      Simulation whole(network, {9, engine}), restored(network, {9, engine});
      whole.run_until(437.3);
      const State state = whole.save();
      whole.clear_spikes();
      whole.run_until(900);
      restored.restore(state);
      restored.run_until(900);
      EXPECT_GT(whole.spikes().size(), 20u);
      EXPECT_EQ(restored.spikes(), whole.spikes());
      EXPECT_EQ(restored.save(), whole.save());
    }
  }
}

/// Rates that end, and waves that are never above 0, end the drawing, too.
TEST(PoissonSources, SilenceCostsNothing) {
  Network ended = stepped(), empty = relayed("inhomogeneous_poisson_source");
  ended.populations[0].rates.rates_hz[3] = 0;
  Network low = wave(0, 5, 0);
  for (double& phase : low.populations[0].columns["phase"]) phase = 270;
  for (const Network& network : {ended, empty, low}) {
    Simulation simulation(network, {1, Engine::exact});
    simulation.run_until(1000);
    simulation.clear_spikes();
    simulation.run_until(1e5);
    EXPECT_TRUE(simulation.spikes().empty());
  }
}

TEST(PoissonSources, AbsurdRatesAreRefused) {
  Network network = stepped();
  network.populations[0].rates.rates_hz[1] = 1e12;
  testing::expect_error(ErrorKind::config,
                        {"population 'source': the rates amount to 1e+12 spikes in each 1 ms"},
                        [&] { Simulation(network, {1}); });
  testing::expect_error(ErrorKind::config, {"population 'source': the rates amount to"},
                        [&] { Simulation(wave(1, 1e12, 5), {1}); });
}

TEST(PoissonSources, AreReadBackEqual) {
  const testing::TempDir directory;
  for (const Network& network : {stepped(), wave(20, 15, 30)}) {
    write_network(directory / "net.h5", network);
    EXPECT_EQ(read_network(directory / "net.h5"), network);
  }
}

TEST(PoissonSources, WrongRatesAreNamed) {
  const std::pair<RateSteps, std::string> faults[] = {
      {{{0, 80, 12.5}, {1, 2, 3}}, "times of rates: found 12.5 ms after 80 ms"},
      {{{0, 80}, {1, -1}}, "rates: value 1: found -1 spikes/s"},
      {{{0, 80}, {1}}, "rates: found 1 values, expected 2"},
      {{{-1}, {1}}, "times of rates: value 0: found -1 ms"}};
  for (const auto& [rates, message] : faults) {
    Network network = stepped();
    network.populations[0].rates = rates;
    testing::expect_error(ErrorKind::data, {"population 'source': " + message},
                          [&] { validate(network); });
  }
  Network network = wave(20, 15, 30);
  network.populations[0].rates = {{0}, {1}};
  testing::expect_error(ErrorKind::data, {"model 'sinusoidal_poisson_source' does not take"},
                        [&] { validate(network); });
}

TEST(PoissonSources, AreDescribedInText) {
  const testing::TempDir directory;
  const auto path = directory / "net.toml";
  const auto read = [&](const std::string& text) {
    std::ofstream(path) << text;
    return read_description(path).network;
  };
  const Network network = read(
      "[populations.a]\nmodel = \"inhomogeneous_poisson_source\"\nsize = 3\n"
      "rate_times = [0, 50]\nrate_values = [10, 20.5]\n"
      "[populations.b]\nmodel = \"sinusoidal_poisson_source\"\n"
      "rate = 10\namplitude = 5\nfrequency = 8\nphase = 90\n");
  EXPECT_EQ(network.populations[0].rates, (RateSteps{{0, 50}, {10, 20.5}}));
  EXPECT_EQ(network.populations[1].column("frequency")[0], 8);
  testing::expect_error(ErrorKind::config, {"rate_values"}, [&] {
    read("[populations.a]\nmodel = \"inhomogeneous_poisson_source\"\nrate_times = [0]\n");
  });
  testing::expect_error(ErrorKind::config, {"rates: found 1 values, expected 2"}, [&] {
    read(
        "[populations.a]\nmodel = \"inhomogeneous_poisson_source\"\n"
        "rate_times = [0, 5]\nrate_values = [3]\n");
  });
}

}  // namespace
}  // namespace afterspike::spiking
