// tasks/networks/microcircuit.toml: its numbers, and its activity beside the reference.

#include <array>
#include <cmath>
#include <cstdlib>
#include <filesystem>
#include <numeric>

#include <gtest/gtest.h>

#include "afterspike/spiking/connect.hpp"
#include "afterspike/spiking/memory.hpp"
#include "afterspike/spiking/network_description.hpp"
#include "afterspike/spiking/simulation.hpp"
#include "chi_square.hpp"

namespace afterspike::spiking {
namespace {

NetworkDescription microcircuit(const std::vector<DescriptionSetting>& settings) {
  return read_description(
      std::filesystem::path(AFTERSPIKE_TEST_SOURCE_DIR) / "tasks/networks/microcircuit.toml",
      settings);
}

double current_of(const Network& network, std::size_t population) {
  return network.populations[population].column("constant_current")[0];
}

TEST(Microcircuit, HasThePublishedNumbersAtFullScale) {
  const Network network = microcircuit({{"drive", "dc"}}).network;
  EXPECT_EQ(network.synapses(), 298'880'968);
  std::int64_t neurons = 0;
  for (const Population& population : network.populations) neurons += population.size;
  EXPECT_EQ(neurons, 77'169);
  constexpr std::array kCurrents = {561.974, 526.851, 737.591,  667.345,
                                    702.468, 667.345, 1018.579, 737.591};
  for (std::size_t index = 0; index < 8; ++index) {
    EXPECT_NEAR(current_of(network, index), kCurrents[index], 1e-3);
  }
  for (const RuleProjection& rule : network.rule_projections) {
    const bool inhibits = rule.source % 2 == 1, doubled = rule.source == 2 && rule.target == 0;
    const double weight = inhibits ? -351.234 : doubled ? 175.617 : 87.8085;
    EXPECT_NEAR(rule.connection.weight.first, weight, 1e-3);
    EXPECT_NEAR(rule.connection.weight.second, 0.1 * std::abs(weight), 1e-3);
    EXPECT_EQ(rule.connection.delay.first, inhibits ? 0.75 : 1.5);
    EXPECT_EQ(inhibits ? rule.connection.weight.max : rule.connection.weight.min, 0);
  }
  // 6 bytes for each synapse, and less than half as much for all else.
  const std::uint64_t bytes = memory_needed(network, {.seed = 1, .threads = 2});
  EXPECT_GT(bytes, network.synapses() * 6);
  EXPECT_LT(bytes, network.synapses() * 9);
}

TEST(Microcircuit, ScalingReplacesTheInputThatIsLost) {
  const Network network = microcircuit({{"scale", "0.1"}}).network;
  EXPECT_EQ(network.populations[0].size, 2068);
  EXPECT_EQ(network.populations[8].size, 2068);
  EXPECT_EQ(network.rule_projections[0].connection.count, 454'998);
  EXPECT_NEAR(network.rule_projections[0].connection.weight.first, 87.8085 / std::sqrt(0.1), 1e-3);
  EXPECT_NEAR(network.populations[8].column("rate")[0], 1280, 1e-9);
  // (1 - sqrt(s)) tau_syn of the mean input at the published rates, for L6I: by hand.
  const double lost = 0.5e-3 * (1 - std::sqrt(0.1)) * 87.80849352920843 *
                      (2'260'836 * 0.903 - 4 * 17'207 * 2.965 + 220'033 * 4.414 -
                       4 * 8'078 * 5.876 + 401'638 * 7.569 - 4 * 25'218 * 8.633 +
                       2'888'426 * 1.105 - 4 * 1'354'320 * 7.829 + 2948.0 * 2100 * 8) /
                      2948;
  EXPECT_NEAR(current_of(network, 7), lost, 1e-9);
}

TEST(Microcircuit, SynapsesOfASmallOneHaveTheirDistributions) {
  const Network network = microcircuit({{"scale", "0.02"}}).network;
  const RuleProjection& rule = network.rule_projections[0];  // L23E to L23E.
  const Projection drawn = expand(network.populations, rule, 0.1);
  EXPECT_EQ(drawn.synapses(), 18'200);
  const auto size = static_cast<std::size_t>(network.populations[0].size);
  std::vector<double> in(size);
  for (const std::uint32_t target : drawn.targets) ++in[target];
  testing::expect_distributed(in, std::vector<double>(size, 1.0 / static_cast<double>(size)));
}

TEST(Microcircuit, OtherModelsOfNeuronsRun) {
  for (const char* model : {"iaf_cond_exp", "aeif_cond_exp", "iaf_psc_exp", "mat2_psc_exp",
                            "gif_psc_exp", "izhikevich", "glif3", "pp_psc_delta"}) {
    const NetworkDescription described = microcircuit({{"scale", "0.02"}, {"neuron", model}});
    EXPECT_EQ(described.network.populations[0].model, model);
    Simulation simulation(described.network, {.seed = 1});
    simulation.run_until(20);
    EXPECT_GT(simulation.statistics().synaptic_events, 5'000) << model;
  }
}

TEST(Microcircuit, AVolleyOfTheThalamusIsAnswered) {
  const NetworkDescription described = microcircuit({{"scale", "0.1"}, {"thalamus", "pulse"}});
  const Population& thalamus =
      described.network
          .populations[static_cast<std::size_t>(described.network.population("thalamus"))];
  EXPECT_NEAR(static_cast<double>(thalamus.trains.times_ms.size()), 902 * 1.2,
              5 * std::sqrt(902 * 1.2));
  for (const double time : thalamus.trains.times_ms) EXPECT_TRUE(time >= 700 && time < 710);
  Simulation simulation(described.network, {.seed = 1});
  simulation.run_until(715);
  double before = 0, after = 0;
  for (const Spike& spike : simulation.spikes()) {
    if (spike.population != 2) continue;  // L4E.
    before += spike.time_ms > 600 && spike.time_ms <= 700 ? 1 : 0;
    after += spike.time_ms > 701 && spike.time_ms <= 711 ? 1 : 0;
  }
  EXPECT_GT(after / 10, 3 * before / 100);
}

/// Rates at scale 0.1 with Poisson drive: means of three runs of 10 s of an independent simulator,
/// data/microcircuit_reference.json. The standard deviations are those of its seeds; those of a run
/// of one second are three times as large.
TEST(Microcircuit, RatesAreThoseOfTheReference) {
  constexpr std::array kRates = {0.4699, 2.1013, 3.952, 5.0026, 6.6938, 7.7758, 0.8639, 7.0133};
  constexpr std::array kDeviations = {0.011, 0.0453, 0.048, 0.038, 0.2036, 0.0223, 0.0262, 0.0419};
  const bool whole = std::getenv("AFTERSPIKE_LONG_TESTS") != nullptr;
  const double until = whole ? 10'500 : 1'500, seconds = (until - 500) * 1e-3;
  const Network network = microcircuit({{"scale", "0.1"}}).network;
  Simulation simulation(network, {.seed = 1});
  simulation.run_until(500);
  simulation.clear_spikes();
  simulation.run_until(until);
  std::array<double, 8> spikes{};
  for (const Spike& spike : simulation.spikes())
    ++spikes[static_cast<std::size_t>(spike.population)];
  for (std::size_t index = 0; index < 8; ++index) {
    const double rate =
        spikes[index] / static_cast<double>(network.populations[index].size) / seconds;
    const double margin = 4 * kDeviations[index] * std::sqrt(10 / seconds) + 0.02 * kRates[index];
    EXPECT_NEAR(rate, kRates[index], margin) << network.populations[index].name;
  }
}

}  // namespace
}  // namespace afterspike::spiking
