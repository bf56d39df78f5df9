// Models of the exact engine beside leaky ones: against the grid, closed forms, and the
// distributions of their intervals.

#include <algorithm>
#include <cmath>
#include <functional>
#include <numbers>

#include <gtest/gtest.h>

#include "afterspike/base/rng.hpp"
#include "afterspike/spiking/simulation.hpp"
#include "support/expect_error.hpp"

namespace afterspike::spiking {
namespace {

using Values = std::vector<std::pair<std::string, double>>;

/// Neurons of a model at its defaults, but for some parameters by symbol.
Population changed_defaults(const std::string& name, std::int64_t size,
                            const Values& changes = {}) {
  const Model& kind = model(name);
  Population population;
  population.name = "n";
  population.model = name;
  population.size = size;
  population.synapse = SynapseShape::model;
  population.receptors = static_cast<std::int64_t>(kind.receptors.size());
  for (const Parameter& parameter : kind.parameters) {
    double value = parameter.initial.at(0);
    for (const auto& [symbol, changed] : changes) {
      if (symbol == parameter.symbol) value = changed;
    }
    population.columns[std::string(parameter.name)].assign(static_cast<std::size_t>(size), value);
  }
  return population;
}

Network alone(const std::string& name, std::int64_t size, const Values& changes = {}) {
  Network network;
  network.populations.push_back(changed_defaults(name, size, changes));
  return network;
}

std::vector<double> spike_times(const Network& network, const Options& options, double until) {
  Simulation simulation(network, options);
  simulation.run_until(until);
  std::vector<double> times;
  for (const Spike& spike : simulation.spikes()) times.push_back(spike.time_ms);
  return times;
}

/// One neuron that spikes irregularly by a varying current and by spikes at both receptors, which
/// arrive between multiples of 0.8 ms.
Network driven(const std::string& name, const Values& changes, double current, double weight) {
  Network network = alone(name, 1, changes);
  network.step_currents.push_back({0, {}, {0.8, 60, 120.8}, {current, 0.6 * current, current}});
  Population input;
  input.name = "input";
  input.model = "spike_source";
  input.size = 2;
  input.receptors = 0;
  input.synapse = SynapseShape::delta;
  input.trains.offsets = {0};
  Rng rng(5);
  for (int train = 0; train < 2; ++train) {
    for (double time = 0; time < 200; time += 0.8 * static_cast<double>(1 + rng.below(8))) {
      input.trains.times_ms.push_back(time);
    }
    input.trains.offsets.push_back(static_cast<std::int64_t>(input.trains.times_ms.size()));
  }
  network.populations.push_back(input);
  const auto last = static_cast<std::uint8_t>(network.populations[0].receptors - 1);
  network.projections.push_back(
      make_projection(network.populations, 1, 0,
                      std::vector<Synapse>{{0, 0, weight, 0.4, 0}, {1, 0, -weight, 0.4, last}}));
  return network;
}

/// The mean distance of spikes on the grid from the exact ones falls with the step.
void expect_first_order(const Network& network) {
  const auto exact = spike_times(network, {1, Engine::exact}, 200);
  ASSERT_GT(exact.size(), 8u);
  std::vector<double> errors;
  for (const double step : {0.025, 0.00625, 0.0015625}) {
    Options options{1};
    options.dt_ms = step;
    const auto grid = spike_times(network, options, 200);
    ASSERT_EQ(grid.size(), exact.size()) << step;
    double sum = 0;
    for (std::size_t at = 0; at < exact.size(); ++at) sum += std::abs(grid[at] - exact[at]);
    errors.push_back(sum / static_cast<double>(exact.size()));
    EXPECT_LT(errors.back(), 3 * step);
  }
  // A quarter of the step each, but for the phase of each spike in its step.
  EXPECT_LT(errors[1], errors[0] / 2.5);
  EXPECT_LT(errors[2], errors[1] / 2.5);
}

TEST(ExactModels, TheGridConvergesToMovingThresholds) {
  expect_first_order(driven("mat2_psc_exp", {{"alpha_1", 10}, {"alpha_2", 0.2}}, 500, 60));
  expect_first_order(driven("amat2_psc_exp", {{"beta", 0.2}}, 300, 60));
  // Rates that meet.
  expect_first_order(
      driven("amat2_psc_exp", {{"beta", 0.1}, {"tau_m", 5}, {"tau_syn_in", 5}}, 400, 60));
}

/// V and what follows it do not depend on spikes, and the grid moves them in closed form as well.
TEST(ExactModels, BothEnginesMoveVoltagesAlike) {
  struct Moved {
    std::string model;
    Values changes;
    std::vector<std::string> variables;
  };
  for (const auto& [name, changes, variables] :
       {Moved{"mat2_psc_exp", {}, {"V", "I_syn_ex", "I_syn_in"}},
        Moved{"mat2_psc_exp", {{"tau_syn_ex", 5}}, {"V"}},
        Moved{"amat2_psc_exp", {{"beta", -0.3}}, {"V", "V_th_v", "I_syn_in"}},
        Moved{"amat2_psc_exp",
              {{"beta", 0.2}, {"tau_v", 10}, {"tau_syn_ex", 10.001}},
              {"V", "V_th_v"}}}) {
    const Network network = driven(name, changes, 300, 60);
    for (const std::string& variable : variables) {
      SCOPED_TRACE(name + " " + variable);
      std::vector<std::vector<double>> values;
      for (const Engine engine : {Engine::grid, Engine::exact}) {
        Simulation simulation(network, {1, engine});
        simulation.record("n", variable, 0.8);
        simulation.run_until(200);
        values.push_back(simulation.recording(0).values);
      }
      ASSERT_EQ(values[0].size(), 250u);
      for (std::size_t at = 0; at < values[0].size(); ++at) {
        ASSERT_NEAR(values[1][at], values[0][at], 1e-9) << at;
      }
    }
  }
}

/// From V_reset to V_peak by the arc tangent; without a fixed point to start from, by logarithms.
TEST(ExactModels, QuadraticNeuronsHaveTheirPeriod) {
  const Values canonical = {{"C_m", 10},     {"k", 1},          {"V_r", 0},     {"V_t", 0},
                            {"V_peak", 100}, {"V_reset", -100}, {"t_ref", 1.5}, {"V_m", -100}};
  for (const double current : {1e-3, 1.0, 40.0}) {
    Values changes = canonical;
    changes.push_back({"I_e", current});
    const double root = std::sqrt(current);
    const double period = 10 * 2 * std::atan(100 / root) / root + 1.5;
    const auto times = spike_times(alone("qif", 1, changes), {1, Engine::exact}, 3.5 * period);
    ASSERT_EQ(times.size(), 3u) << current;
    EXPECT_NEAR(times[0], period - 1.5, 1e-11 * period);
    EXPECT_NEAR(times[2] - times[1], period, 1e-11 * period);
  }
  // u' = u^2 - 4 above its fixed point at 2: from 3 to 100.
  const auto times = spike_times(alone("qif", 1,
                                       {{"C_m", 10},
                                        {"k", 1},
                                        {"V_r", -2},
                                        {"V_t", 2},
                                        {"V_peak", 100},
                                        {"V_reset", -5},
                                        {"V_m", 3}}),
                                 {1, Engine::exact}, 100);
  ASSERT_EQ(times.size(), 1u);
  EXPECT_NEAR(times[0], 10.0 / 4 * std::log(98.0 * 5 / (102 * 1)), 1e-12);
}

TEST(ExactModels, ThetaNeuronsHaveTheirPeriod) {
  for (const double current : {1e-3, 0.5, 20.0}) {
    const double period = 10 * std::numbers::pi / std::sqrt(current);
    const auto times =
        spike_times(alone("theta", 1, {{"I_e", current}}), {1, Engine::exact}, 3.5 * period);
    ASSERT_GE(times.size(), 3u);
    EXPECT_NEAR(times[2] - times[1], period, 1e-11 * period);
  }
}

TEST(ExactModels, TheGridConvergesToQuadraticNeurons) {
  Network network = driven("qif", {}, 400, 0);
  network.projections[0] = make_projection(
      network.populations, 1, 0, std::vector<Synapse>{{0, 0, 1.5, 0.8, 1}, {1, 0, -1.5, 0.8, 1}});
  for (const Network& each : {network, alone("theta", 1, {{"I_e", 0.7}})}) {
    const auto exact = spike_times(each, {1, Engine::exact}, 200);
    ASSERT_GT(exact.size(), 4u);
    double before = 1;
    for (const double step : {0.1, 0.0125}) {
      Options options{1};
      options.dt_ms = step;
      const auto grid = spike_times(each, options, 200);
      ASSERT_EQ(grid.size(), exact.size());
      double worst = 0;
      for (std::size_t at = 0; at < exact.size(); ++at) {
        worst = std::max(worst, std::abs(grid[at] - exact[at]));
      }
      EXPECT_LT(worst, 1.5 * step);
      EXPECT_LT(worst, before / 2);
      before = worst;
    }
  }
}

TEST(ExactModels, CurrentsOfQuadraticNeuronsAreRefused) {
  testing::expect_error(ErrorKind::config,
                        {"population 'n'", "model 'qif' without synapses at receptor 'current'"},
                        [&] {
                          Simulation(driven("qif", {}, 400, 1), {1, Engine::exact});
                        });
  testing::expect_error(ErrorKind::config, {"model 'theta' without synapses at receptor 'current'"},
                        [&] {
                          Simulation(driven("theta", {}, 1, 0.1), {1, Engine::exact});
                        });
}

/// Kolmogorov and Smirnov's distance of numbers from the uniform distribution, times the root of
/// their count: above 1.95 with a probability of 0.001.
double distance_from_uniform(std::vector<double> values) {
  std::sort(values.begin(), values.end());
  const auto count = static_cast<double>(values.size());
  double worst = 0;
  for (std::size_t at = 0; at < values.size(); ++at) {
    const auto rank = static_cast<double>(at);
    worst = std::max({worst, (rank + 1) / count - values[at], values[at] - rank / count});
  }
  return worst * std::sqrt(count);
}
constexpr double kUnlikely = 1.95;

/// The probability of an interval no longer than each, given the integral of the hazard since the
/// end of refractoriness.
std::vector<double> probabilities(const Network& network, double until, double refractory,
                                  const std::function<double(double)>& expected, double factor) {
  Simulation simulation(network, {11, Engine::exact});
  simulation.run_until(until);
  std::vector<double> last(static_cast<std::size_t>(network.populations[0].size), -1), result;
  for (const Spike& spike : simulation.spikes()) {
    double& before = last[static_cast<std::size_t>(spike.neuron)];
    if (before >= 0) {
      const double free = spike.time_ms - before - refractory;
      EXPECT_GE(free, -1e-9);
      result.push_back(-std::expm1(-factor * expected(std::max(free, 0.0))));
    }
    before = spike.time_ms;
  }
  return result;
}

/// Intervals have this distribution; one with a hazard that is 5 % higher is told apart. Few
/// intervals are cut off by the end of the run.
void expect_intervals(const Network& network, double until, double refractory,
                      const std::function<double(double)>& expected) {
  const auto found = probabilities(network, until, refractory, expected, 1);
  EXPECT_GT(found.size(), 25'000u);
  EXPECT_LT(distance_from_uniform(found), kUnlikely);
  EXPECT_GT(distance_from_uniform(probabilities(network, until, refractory, expected, 1.05)),
            kUnlikely);
}

TEST(ExactModels, IntervalsAtConstantVoltageAreExponential) {
  // V = 8 mV: 2 e^(0.25 8) + 3 spikes/s per mV, 40 ms beside 2 ms.
  const Network network = alone("pp_psc_delta", 20,
                                {{"with_reset", 0},
                                 {"V_m", 8},
                                 {"I_e", 200},
                                 {"c_1", 3},
                                 {"c_2", 2},
                                 {"c_3", 0.25},
                                 {"dead_time", 2},
                                 {"C_m", 250},
                                 {"tau_m", 10}});
  const double rate = (3 * 8 + 2 * std::exp(2.0)) * 1e-3;
  expect_intervals(network, 40'000, 2, [&](double time) { return rate * time; });
}

/// The integral from 0 by Simpson's rule.
double integral(const std::function<double(double)>& value, double end) {
  const int pieces = 2 * std::max(8, static_cast<int>(end * 4));
  const double step = end / pieces;
  double sum = value(0) + value(end);
  for (int at = 1; at < pieces; ++at) sum += (at % 2 == 1 ? 4 : 2) * value(at * step);
  return sum * step / 3;
}

TEST(ExactModels, IntervalsFollowTheHazardOfAVoltageThatRises) {
  // From -55 mV towards -70 + 120 / 4 = -40 mV with 20 ms.
  const Network gif =
      alone("gif_psc_exp", 20, {{"I_e", 120}, {"lambda_0", 30}, {"Delta_V", 2}, {"V_T_star", -42}});
  const auto gif_rate = [](double time) {
    const double voltage = -40 - 15 * std::exp(-time / 20);
    return 0.03 * std::exp((voltage + 42) / 2);
  };
  expect_intervals(gif, 80'000, 4, [&](double end) { return integral(gif_rate, end); });

  const Network leaky =
      alone("galves_loecherbach_leaky", 20,
            {{"I_e", 1}, {"gamma", 0.06}, {"V_T", 1}, {"r", 2}, {"t_ref", 1}, {"V_reset", 1}});
  const auto leaky_rate = [](double time) {
    const double voltage = 10 - 9 * std::exp(-time / 10);
    return std::pow(0.06 * (voltage - 1), 2);
  };
  expect_intervals(leaky, 20'000, 1, [&](double end) { return integral(leaky_rate, end); });
}

/// Softness to zero makes a threshold: the steep hazard is bounded in ever shorter intervals.
TEST(ExactModels, SteepHazardsSpikeAtTheirThreshold) {
  const auto times =
      spike_times(alone("gif_psc_exp", 1, {{"I_e", 160}, {"lambda_0", 1}, {"Delta_V", 1e-3}}),
                  {1, Engine::exact}, 100);
  ASSERT_GE(times.size(), 2u);
  // From -55 mV towards -30 mV with 20 ms; the threshold at -35 mV.
  EXPECT_NEAR(times[1] - times[0], 4 + 20 * std::log(25.0 / 5), 0.1);
}

TEST(ExactModels, RecordingDoesNotChangeRandomSpikes) {
  struct Drive {
    std::string name;
    double current, weight;
  };
  for (const auto& [name, current, weight] :
       {Drive{"gif_psc_exp", 250, 60}, Drive{"pp_psc_delta", 500, 2},
        Drive{"galves_loecherbach_leaky", 0.5, 2}}) {
    const Network network = driven(name, {}, current, weight);
    Simulation quiet(network, {3, Engine::exact}), watched(network, {3, Engine::exact});
    watched.record("n", "V", 0.013);
    quiet.run_until(200);
    for (int stop = 1; stop <= 40; ++stop) watched.run_until(5.0 * stop);
    EXPECT_GT(quiet.spikes().size(), 3u) << name;
    EXPECT_EQ(quiet.spikes(), watched.spikes()) << name;
  }
}

}  // namespace
}  // namespace afterspike::spiking
