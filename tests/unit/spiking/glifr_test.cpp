// The discrete GLIFR neuron against its equations (docs/numerics.md#glifr), written plainly.

#include <cmath>
#include <map>

#include <gtest/gtest.h>

#include "afterspike/base/rng.hpp"
#include "afterspike/spiking/simulation.hpp"
#include "support/expect_error.hpp"

namespace afterspike::spiking {
namespace {

using testing::expect_error;

constexpr std::int64_t kNeurons = 13, kInputs = 4, kDelay = 3, kSteps = 400;
constexpr double kDt = 0.05;

Network glifr_network(double softness, double fraction) {
  Network network;
  network.time_step_ms = kDt;
  Population neurons{"hidden", "glifr", kNeurons, SynapseShape::delta, 1, {}, {}, {}, 1};
  Rng rng(4);
  const std::map<std::string, std::pair<double, double>> ranges = {
      {"threshold", {0.4, 1.2}},
      {"reset", {-0.1, 0.1}},
      {"membrane_decay", {0.5, 4}},
      {"resistance", {0.1, 0.1}},
      {"constant_current", {0.5, 1}},
      {"softness", {softness, softness}},
      {"spike_fraction", {fraction, fraction}},
      {"after_spike_decay", {0.5, 6}},
      {"after_spike_multiplicative", {-0.5, 0.5}},
      {"after_spike_additive", {-2, 2}}};
  for (const auto& column : model("glifr").parameters) {
    const auto [low, high] = ranges.at(std::string(column.name));
    auto& values = neurons.columns[std::string(column.name)];
    for (std::int64_t n = 0; n < (column.extent == Extent::current ? 2 : 1) * kNeurons; ++n) {
      values.push_back(rng.uniform(low, high));
    }
  }
  network.populations = {
      neurons, {"input", "analog_source", kInputs, SynapseShape::delta, 0, {}, {}, {}, 1}};
  std::vector<Synapse> in, lateral;
  for (std::int64_t target = 0; target < kNeurons; ++target) {
    for (std::int64_t source = 0; source < kInputs; ++source) {
      in.push_back({source, target, rng.uniform(-0.4, 0.6), kDt, 0});
    }
    for (std::int64_t source = 0; source < kNeurons; ++source) {
      lateral.push_back({source, target, rng.uniform(-0.4, 0.4), kDelay * kDt, 0});
    }
  }
  network.projections = {make_projection(network.populations, 1, 0, in),
                         make_projection(network.populations, 0, 0, lateral)};
  return network;
}

std::vector<double> signal() {
  Rng rng(8);
  std::vector<double> values;
  for (std::int64_t at = 0; at < kSteps * kInputs; ++at) values.push_back(rng.uniform());
  return values;
}

TEST(Glifr, HardThresholdRepeatsTheMapSpikeForSpike) {
  for (const double fraction : {1.0, 0.5}) {
    const Network network = glifr_network(0, fraction);
    const auto& p = network.populations[0];
    const auto x = signal();
    const auto value = [&](const char* name, std::int64_t n) {
      return p.columns.at(name)[static_cast<std::size_t>(n)];
    };
    std::vector<std::vector<double>> S(kSteps + 1, std::vector<double>(kNeurons, 0));
    std::vector<double> V(kNeurons, 0), I(2 * kNeurons, 0);
    std::vector<Spike> expected;
    for (std::int64_t t = 0; t < kSteps; ++t) {
      for (std::int64_t n = 0; n < kNeurons; ++n) {
        const auto i = static_cast<std::size_t>(n);
        double u = 0;
        for (std::int64_t k = 0; k < kInputs; ++k) {
          u += x[static_cast<std::size_t>(t * kInputs + k)] *
               network.projections[0].weights[static_cast<std::size_t>(k * kNeurons + n)];
        }
        for (std::int64_t k = 0; t >= kDelay && k < kNeurons; ++k) {
          u += S[static_cast<std::size_t>(t - kDelay + 1)][static_cast<std::size_t>(k)] *
               network.projections[1].weights[static_cast<std::size_t>(k * kNeurons + n)];
        }
        const double before = S[static_cast<std::size_t>(t)][i] * fraction;
        double sum = value("constant_current", n);
        for (std::int64_t j = 0; j < 2; ++j) {
          double& current = I[static_cast<std::size_t>(j * kNeurons + n)];
          const std::int64_t at = j * kNeurons + n;
          current += (value("after_spike_additive", at) +
                      value("after_spike_multiplicative", at) * current) *
                         before -
                     kDt * value("after_spike_decay", at) * current;
          sum += current;
        }
        const double k_m = value("membrane_decay", n);
        V[i] += u - kDt * k_m * V[i] + kDt * k_m * value("resistance", n) * sum -
                before * (V[i] - value("reset", n));
        if (V[i] > value("threshold", n)) {
          S[static_cast<std::size_t>(t + 1)][i] = 1;
          expected.push_back({static_cast<double>(t + 1) * kDt, 0, n});
        }
      }
    }
    Simulation simulation(network, {1});
    simulation.set_signal("input", x);
    simulation.run_until(kSteps * kDt);
    EXPECT_GT(expected.size(), 200u);
    EXPECT_LT(expected.size(), 4000u);
    EXPECT_EQ(simulation.spikes(), expected);
    // Once more, as the next sample of a data set.
    simulation.reset();
    simulation.run_until(kSteps * kDt);
    EXPECT_EQ(simulation.spikes(), expected);
  }
}

TEST(Glifr, EscapingSpikesHaveTheProbabilityOfTheRate) {
  // Without input, reset, currents or synapses, S = sigmoid(-V_th / sigma) throughout.
  Network network = glifr_network(0.5, 0.25);
  network.projections.clear();
  auto& columns = network.populations[0].columns;
  for (const char* name : {"constant_current", "reset", "after_spike_additive"}) {
    for (double& each : columns[name]) each = 0;
  }
  double expected = 0;
  for (const double threshold : columns["threshold"]) {
    expected += 0.25 / (1 + std::exp(threshold / 0.5));
  }
  constexpr double kLong = 20000;
  Simulation simulation(network, {3});
  simulation.run_until(kLong * kDt);
  const double found = static_cast<double>(simulation.spikes().size()) / kLong;
  EXPECT_NEAR(found, expected, 5 * std::sqrt(expected / kLong));
}

/// Copies written out: neurons of their own, all connected, with shares of the weights.
Network written_out(const Network& network) {
  Network result = network;
  Population& neurons = result.populations[0];
  const std::int64_t copies = neurons.copies;
  neurons.copies = 1;
  neurons.size *= copies;
  for (auto& [name, values] : neurons.columns) {
    std::vector<double> repeated;
    for (const double value : values) {
      repeated.insert(repeated.end(), static_cast<std::size_t>(copies), value);
    }
    values = repeated;
  }
  for (Projection& projection : result.projections) {
    const std::int64_t sources = projection.source == 0 ? copies : 1;
    std::vector<Synapse> synapses;
    for (std::size_t row = 0; row + 1 < projection.offsets.size(); ++row) {
      for (auto at = projection.offsets[row]; at < projection.offsets[row + 1]; ++at) {
        const auto synapse = static_cast<std::size_t>(at);
        for (std::int64_t pair = 0; pair < sources * copies; ++pair) {
          synapses.push_back({static_cast<std::int64_t>(row) * sources + pair / copies,
                              projection.targets[synapse] * copies + pair % copies,
                              projection.weights[synapse] / static_cast<double>(sources),
                              projection.delay_ms(at), 0});
        }
      }
    }
    projection =
        make_projection(result.populations, projection.source, projection.target, synapses);
  }
  return result;
}

TEST(Glifr, CopiesAreNeuronsWithSharesOfTheWeights) {
  for (const double softness : {0.0, 0.4}) {
    Network network = glifr_network(softness, 1);
    network.populations[0].copies = 4;
    Simulation explicitly(written_out(network), {7});
    explicitly.set_signal("input", signal());
    explicitly.run_until(kSteps * kDt);
    EXPECT_GT(explicitly.spikes().size(), 1000u);
    for (const int threads : {1, 2}) {
      Options options{7};
      options.threads = threads;
      Simulation simulation(network, options);
      simulation.set_signal("input", signal());
      simulation.run_until(kSteps * kDt);
      EXPECT_EQ(simulation.spikes(), explicitly.spikes());
      EXPECT_EQ(simulation.statistics().synaptic_events * 4,
                explicitly.statistics().synaptic_events);
    }
  }
}

TEST(Glifr, ASavedStateOfCopiesGoesOnWithTheSameSpikes) {
  Network network = glifr_network(0.4, 1);
  network.populations[0].copies = 3;
  Simulation whole(network, {7});
  whole.set_signal("input", signal());
  whole.run_until(61 * kDt);
  const State state = whole.save();
  whole.clear_spikes();
  whole.run_until(kSteps * kDt);
  Options two{7};
  two.threads = 2;
  Simulation other(network, two);
  other.set_signal("input", signal());
  other.restore(state);
  other.run_until(kSteps * kDt);
  EXPECT_EQ(other.spikes(), whole.spikes());
  // Another seed is other noise; the first again gives the first.
  Simulation again(network, {8});
  again.set_signal("input", signal());
  again.run_until(kSteps * kDt);
  again.reset(7);
  again.run_until(61 * kDt);
  again.clear_spikes();
  again.run_until(kSteps * kDt);
  EXPECT_EQ(again.spikes(), whole.spikes());
}

TEST(Glifr, ExistsOnItsOwnGridOnly) {
  const Network network = glifr_network(0, 1);
  expect_error(ErrorKind::config, {"population 'hidden'", "the exact engine has no model 'glifr'"},
               [&] {
                 Simulation simulation(network, {1, Engine::exact});
               });
  Options finer{1};
  finer.dt_ms = kDt / 2;
  expect_error(ErrorKind::config, {"found a step of 0.025 ms, expected 0.05 ms"},
               [&] { Simulation simulation(network, finer); });
  Simulation simulation(network, {1});
  expect_error(ErrorKind::data, {"found 6 values, expected a multiple of 4 channels"},
               [&] { simulation.set_signal("input", std::vector<double>(6)); });
  expect_error(ErrorKind::config, {"there are: V, threshold, I_asc"},
               [&] { simulation.record("hidden", "I_syn", kDt); });
}

}  // namespace
}  // namespace afterspike::spiking
