// GLIFR neurons as GLIF3: docs/export-semantics.md.

#include <algorithm>
#include <cmath>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "afterspike/formats/conversion.hpp"
#include "afterspike/spiking/simulation.hpp"
#include "glifr_network.hpp"
#include "support/expect_error.hpp"

namespace afterspike::formats {
namespace {

using testing::expect_error;
using testing::glifr_network;
using ::testing::HasSubstr;
using testing::random_signal;

struct Outcome {
  std::vector<spiking::Spike> spikes;
  std::vector<double> voltages;
};

Outcome run(const spiking::Network& network, std::int64_t steps,
            const spiking::Options& options = {1}) {
  spiking::Simulation simulation(network, options);
  simulation.set_signal("input", random_signal(steps));
  simulation.record("hidden", "V", network.time_step_ms);
  simulation.run_until(static_cast<double>(steps) * network.time_step_ms);
  return {simulation.spikes(), simulation.recording(0).values};
}

TEST(Glif3, DoesTheSameOnTheGridWhereTheResetHasNothingToForget) {
  // With next to no leak, the soft reset is a hard one; what is left is all but the reset.
  const auto network = glifr_network({{"membrane_decay", {1e-9, 2e-9}},
                                      {"after_spike_additive", {-2e9, 2e9}},
                                      {"constant_current", {5e8, 1e9}}});
  const Outcome map = run(network, 400), glif3 = run(as_glif3(network).network, 400);
  EXPECT_GT(map.spikes.size(), 500u);
  EXPECT_EQ(map.spikes, glif3.spikes);
}

TEST(Glif3, VoltagesAgreeUntilTheFirstSpike) {
  const auto network = glifr_network({{"threshold", {1e6, 1e6}}});
  const Outcome map = run(network, 60), glif3 = run(as_glif3(network).network, 60);
  ASSERT_EQ(map.voltages.size(), glif3.voltages.size());
  for (std::size_t at = 0; at < map.voltages.size(); ++at) {
    ASSERT_NEAR(map.voltages[at], glif3.voltages[at], 1e-12) << at;
  }
}

TEST(Glif3, OnlyTheResetIsApproximate) {
  // The rates stay close; the simplified map (decays as they are, multiplier 1 + r) is not used.
  const auto network = glifr_network();
  constexpr std::int64_t kSteps = 2000;
  const Outcome map = run(network, kSteps), glif3 = run(as_glif3(network).network, kSteps);
  std::vector<double> difference(12, 0);
  for (const spiking::Spike& spike : map.spikes)
    difference[static_cast<std::size_t>(spike.neuron)] += 1;
  for (const spiking::Spike& spike : glif3.spikes) {
    difference[static_cast<std::size_t>(spike.neuron)] -= 1;
  }
  double sum = 0;
  for (const double each : difference) sum += std::abs(each) / kSteps / 12;
  EXPECT_LT(sum, 0.03);
  EXPECT_GT(map.spikes.size(), 2000u);
}

TEST(Glif3, TheExactEngineTakesWhatItRefusedBefore) {
  const auto network = glifr_network();
  spiking::Options exact{1};
  exact.engine = spiking::Engine::exact;
  expect_error(ErrorKind::config, {"the exact engine has no model 'glifr'"},
               [&] { run(network, 10, exact); });
  const auto found = run(as_glif3(network).network, 200, exact);
  // In continuous time: what the grid comes to with ever finer steps.
  spiking::Options fine{1};
  fine.dt_ms = 1.0 / 512;
  const auto grid = run(as_glif3(network).network, 200, fine);
  const double ratio =
      static_cast<double>(found.spikes.size()) / static_cast<double>(grid.spikes.size());
  EXPECT_NEAR(ratio, 1, 0.02);
}

TEST(Glif3, WhatIsNotAsItWasIsListed) {
  const auto network = glifr_network({{"threshold", {-0.2, 0.5}}});
  const auto& thresholds = network.populations[0].columns.at("threshold");
  const auto below = std::count_if(thresholds.begin(), thresholds.end(),
                                   [](double threshold) { return threshold <= 0; });
  ASSERT_GT(below, 0);
  const Conversion conversion = as_glif3(network);
  ASSERT_EQ(conversion.deviations.size(), 2u);
  EXPECT_THAT(text_of(conversion.deviations[0]),
              HasSubstr("population 'hidden': the reset is a leak"));
  EXPECT_EQ(conversion.deviations[1].values, below);
  EXPECT_EQ(conversion.deviations[1].neurons.size(), static_cast<std::size_t>(below));
  EXPECT_EQ(conversion.network.provenance.at("approximated"), std::to_string(12 + below));
  EXPECT_NO_THROW(validate(conversion.network));
}

TEST(Glif3, NeuronsWithoutAfterSpikeCurrentsAreGlif1) {
  const auto network = glifr_network({}, 12, 4, 1, 0);
  const spiking::Network converted = as_glif3(network).network;
  EXPECT_EQ(converted.populations[0].model, "glif1");
  EXPECT_NO_THROW(validate(converted));
  EXPECT_GT(run(converted, 200).spikes.size(), 50u);
}

TEST(Glif3, ChanceIsRefused) {
  auto network = glifr_network({{"softness", {0.1, 0.2}}});
  expect_error(ErrorKind::config, {"found a soft threshold", "--mode threshold"},
               [&] { as_glif3(network); });
  network = glifr_network();
  network.populations[0].copies = 3;
  expect_error(ErrorKind::config, {"found copies", "--mode threshold"}, [&] { as_glif3(network); });
}

}  // namespace
}  // namespace afterspike::formats
