// Injected currents: both engines inject the same ones at the same times.

#include <algorithm>
#include <cmath>
#include <map>
#include <numbers>

#include <fmt/format.h>
#include <gtest/gtest.h>

#include "busy_network.hpp"
#include "support/expect_error.hpp"

namespace afterspike::spiking {
namespace {

/// Neurons that never spike: their voltage is that of the current alone.
Network silent_network() {
  Network network;
  network.time_step_ms = 0.1;
  network.populations.push_back(
      testing::make_population("n", "lif", 4, SynapseShape::delta, {}, Rng(2)));
  network.populations[0].columns["threshold"].assign(4, 1e6);
  return network;
}

/// The largest difference of voltages between the engines. Currents that change at steps are
/// constant within them, so that the grid is exact.
double difference_of_engines(const Network& network) {
  std::vector<std::vector<double>> voltages;
  for (const Engine engine : {Engine::grid, Engine::exact}) {
    Simulation simulation(network, {3, engine});
    simulation.record("n", "V", 0.1);
    simulation.run_until(200);
    voltages.push_back(simulation.recording(0).values);
  }
  EXPECT_EQ(voltages[0].size(), 2000u * 4);
  EXPECT_EQ(voltages[1].size(), voltages[0].size());
  double worst = 0;
  for (std::size_t at = 0; at < voltages[0].size(); ++at) {
    worst = std::max(worst, std::abs(voltages[0][at] - voltages[1].at(at)));
  }
  return worst;
}

TEST(Stimuli, BothEnginesDrawTheSameNoise) {
  for (const double interval : {0.1, 0.3, 0.7, 1.1}) {
    SCOPED_TRACE(interval);
    Network network = silent_network();
    network.noise_currents.push_back({0, 30, 500, interval});
    EXPECT_LT(difference_of_engines(network), 1e-9);
  }
}

TEST(Stimuli, BothEnginesInjectTheSameSteps) {
  Network network = silent_network();
  StepCurrent steps{0, {1, 3}, {}, {}};
  for (int step = 1; step < 1500; step += 1 + step % 3) {
    steps.times_ms.push_back(step * 0.1);
    steps.amplitudes_pa.push_back(100 * std::sin(step));
  }
  network.step_currents.push_back(steps);
  EXPECT_LT(difference_of_engines(network), 1e-9);
}

TEST(Stimuli, BothEnginesDrawTheSameOrnsteinUhlenbeckProcess) {
  Network network = silent_network();
  network.ornstein_uhlenbeck_currents.push_back({0, 30, 200, 5, 0.3});
  EXPECT_LT(difference_of_engines(network), 1e-9);
}

/// An interval that is no whole number of steps, and the remedy that the message names.
TEST(Stimuli, TheGridRefusesIntervalsBetweenSteps) {
  struct Case {
    double interval;
    std::string remedy;
  };
  for (const auto& [interval, remedy] :
       {Case{0.25, "Set the interval to 0.2 or 0.3"}, Case{1e-6, "Set the interval to 0.1 ms"}}) {
    SCOPED_TRACE(interval);
    Network white = silent_network(), coloured = silent_network();
    white.noise_currents = {{0, 30, 200, 0.1}, {0, 30, 200, interval}};
    coloured.ornstein_uhlenbeck_currents.push_back({0, 30, 200, 5, interval});
    const std::string found = fmt::format("an interval of {} ms", interval);
    testing::expect_error(ErrorKind::config,
                          {"noise current 1 into population 'n'", found, "steps of 0.1 ms", remedy},
                          [&] { Simulation(white, {1}); });
    testing::expect_error(ErrorKind::config,
                          {"Ornstein-Uhlenbeck current 0 into population 'n'", found, remedy},
                          [&] { Simulation(coloured, {1}); });
    Simulation(white, {1, Engine::exact});
    Simulation(coloured, {1, Engine::exact});
  }
  Network network = silent_network();
  network.noise_currents.push_back({0, 30, 200, 0.25});
  Options finer{1};
  finer.dt_ms = 0.05;
  Simulation(network, finer);
}

/// Currents of all neurons at times 0, interval, ... by a membrane that follows them at once.
std::vector<double> currents_over_time(Network network, double interval, std::int64_t samples) {
  auto& columns = network.populations[0].columns;
  columns["capacitance"].assign(columns["capacitance"].size(), 1e-3);
  columns["membrane_time_constant"].assign(columns["capacitance"].size(), 1e-3);
  columns["constant_current"].assign(columns["capacitance"].size(), 0);
  columns["resting_potential"].assign(columns["capacitance"].size(), 0);
  columns["initial_potential"].assign(columns["capacitance"].size(), 0);
  Simulation simulation(network, {5});
  simulation.record("n", "V", interval);
  simulation.run_until(interval * static_cast<double>(samples));
  return simulation.recording(0).values;  // 1 mV per pA.
}

TEST(Stimuli, OrnsteinUhlenbeckCurrentsHaveTheirMomentsAndCorrelationTime) {
  Network network = silent_network();
  constexpr double kMean = 40, kDeviation = 25, kTau_ms = 5, kInterval_ms = 0.5;
  network.ornstein_uhlenbeck_currents.push_back({0, kMean, kDeviation, kTau_ms, kInterval_ms});
  constexpr std::int64_t kSamples = 40'000;
  const auto values = currents_over_time(network, kInterval_ms, kSamples);
  double sum = 0, squares = 0, products = 0, across = 0;
  for (std::size_t at = 0; at + 4 < values.size(); at += 4) {
    const double here = values[at] - kMean;
    sum += here;
    squares += here * here;
    products += here * (values[at + 4] - kMean);
    across += here * (values[at + 1] - kMean);
  }
  const double count = kSamples - 1;
  // The mean of 4000 correlation times varies by 25 sqrt(2 / 4000) = 0.6.
  EXPECT_NEAR(sum / count, 0, 2.5);
  EXPECT_NEAR(std::sqrt(squares / count), kDeviation, 0.8);
  EXPECT_NEAR(products / squares, std::exp(-kInterval_ms / kTau_ms), 0.01);
  EXPECT_NEAR(across / squares, 0, 0.07);  // Neurons are independent.
}

TEST(Stimuli, SinusoidsHaveTheirPhaseAndEnd) {
  Network network = silent_network();
  network.sinusoid_currents.push_back({0, {1, 2}, 10, 50, 20, 90, 5, 50});
  const auto values = currents_over_time(network, 0.1, 1000);
  for (std::int64_t step = 1; step <= 1000; ++step) {
    const double begin = 0.1 * static_cast<double>(step - 1);  // Constant within the step.
    const bool on = step > 50 && step <= 500;
    const double expected =
        on ? 10 + 50 * std::sin(2 * std::numbers::pi * (0.02 * begin + 0.25)) : 0;
    const auto row = static_cast<std::size_t>((step - 1) * 4);
    EXPECT_NEAR(values[row + 1], expected, 1e-9) << step;
    EXPECT_EQ(values[row], 0) << step;
  }
}

TEST(Stimuli, TheExactEngineRefusesSinusoids) {
  Network network = silent_network();
  network.sinusoid_currents.push_back({0, {}, 10, 50, 20, 90, 5, 50});
  testing::expect_error(ErrorKind::config, {"exact engine has no sinusoid"}, [&] {
    Simulation(network, {1, Engine::exact});
  });
}

TEST(Stimuli, ProcessesFollowTheSeedOfAReset) {
  Network network = silent_network();
  network.ornstein_uhlenbeck_currents.push_back({0, 30, 200, 5, 0.3});
  Simulation fresh(network, {7}), reset(network, {3});
  reset.reset(7);
  fresh.run_until(20);
  reset.run_until(20);
  EXPECT_EQ(reset.save(), fresh.save());
}

TEST(Stimuli, RestoredProcessesContinue) {
  Network network = silent_network();
  network.ornstein_uhlenbeck_currents.push_back({0, 30, 200, 5, 0.3});
  network.sinusoid_currents.push_back({0, {}, 10, 50, 20, 90, 5, 150});
  Simulation whole(network, {3});
  whole.run_until(61.7);
  const State state = whole.save();
  whole.run_until(120);
  Simulation restored(network, {3});
  restored.restore(state);
  restored.run_until(120);
  EXPECT_EQ(restored.save(), whole.save());
}

/// The next value follows from the saved one; earlier draws are not repeated.
TEST(Stimuli, ARestoredProcessContinuesFromItsSavedValue) {
  constexpr double kMiddle = 61.7, kEnd = 62.1, kTau = 5, kInterval = 0.4;  // One draw between.
  for (const Engine engine : {Engine::grid, Engine::exact}) {
    Network network = silent_network();
    network.ornstein_uhlenbeck_currents.push_back({0, 30, 200, kTau, kInterval});
    Simulation whole(network, {3, engine}), restored(network, {3, engine});
    whole.run_until(kMiddle);
    State state = whole.save();
    whole.run_until(kEnd);
    const std::string name = "n/ornstein_uhlenbeck_0";
    const double before = state.arrays.at(name).at(2);
    state.arrays[name][2] = before + 1000;
    restored.restore(state);
    restored.run_until(kEnd);
    const State expected = whole.save(), found = restored.save();
    EXPECT_NE(expected.arrays.at(name)[2], before);
    EXPECT_NEAR(found.arrays.at(name)[2] - expected.arrays.at(name)[2],
                1000 * std::exp(-kInterval / kTau), 1e-9);
    EXPECT_EQ(found.arrays.at(name)[1], expected.arrays.at(name)[1]);
    state.arrays.erase(name);
    testing::expect_error(ErrorKind::data, {name}, [&] { restored.restore(state); });
  }
}

}  // namespace
}  // namespace afterspike::spiking
