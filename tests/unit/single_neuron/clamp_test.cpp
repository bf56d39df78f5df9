#include "afterspike/single_neuron/clamp.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>

#include "afterspike/base/error.hpp"
#include "support/expect_error.hpp"

namespace afterspike::single_neuron {
namespace {

using ::testing::Each;
using ::testing::ElementsAre;

TEST(Clamp, EachAmplitudeIsAsAlone) {
  const Neuron neuron = make_neuron("aeif_psc_exp", "adapting");
  const Responses together = respond(neuron, {{300, 0, 500}, 10, 210, 300});
  for (std::size_t at = 0; at < 3; ++at) {
    const double amplitude = std::vector<double>{300, 0, 500}[at];
    EXPECT_EQ(respond(neuron, {{amplitude}, 10, 210, 300}).spikes_ms[0], together.spikes_ms[at]);
  }
  EXPECT_TRUE(together.spikes_ms[1][0].empty());
  EXPECT_GT(together.spikes_ms[2][0].size(), together.spikes_ms[0][0].size());
  EXPECT_GT(together.spikes_ms[2][0].front(), 10) << "no current before the onset";
}

TEST(Clamp, TrialsOfRandomModelsDiffer) {
  const Responses responses = respond(make_neuron("gif_psc_exp"), {{250}, 0, 500, 500, 3});
  ASSERT_EQ(responses.spikes_ms[0].size(), 3U);
  EXPECT_NE(responses.spikes_ms[0][0], responses.spikes_ms[0][1]);
}

TEST(Clamp, SetsAmplitudesThatCannotBeSimulatedApart) {
  // Without refractoriness a strong current makes several spikes in a step.
  const Neuron neuron = make_neuron("aeif_psc_exp");
  const Responses responses = respond(neuron, {{600, 1e6, 700, 1e7}, 0, 100, 100});
  EXPECT_EQ(responses.failed, (std::vector<bool>{false, true, false, true}));
  EXPECT_NE(responses.failure.find("more than once"), std::string::npos) << responses.failure;
  EXPECT_FALSE(responses.spikes_ms[0][0].empty());
  EXPECT_TRUE(responses.spikes_ms[1][0].empty());
  testing::expect_error(ErrorKind::numeric, {"more than once"}, [&] {
    record(neuron, {{1e6}, 0, 100, 100});
  });
}

TEST(Clamp, RecordsEveryVariable) {
  const Recorded recorded = record(make_neuron("aeif_psc_exp"), {{700}, 10, 60, 80});
  ASSERT_EQ(recorded.times_ms.size(), 800U);
  std::vector<std::string> names;
  for (const Trace& trace : recorded.traces) {
    names.push_back(trace.name);
    EXPECT_EQ(trace.values.size(), 800U);
  }
  EXPECT_THAT(names, ElementsAre("V", "w", "I_syn_ex", "I_syn_in"));
  EXPECT_NEAR(recorded.traces[0].values[50], -70.6, 1e-4);
  EXPECT_THAT(recorded.traces[2].values, Each(0.0)) << "synapses are silent";
}

TEST(Rates, AreThoseOfTheIntervals) {
  const Rates rates = measure_rates({{5, 110, 120, 140, 170, 190}}, 100, 200);
  EXPECT_EQ(rates.spikes, 5) << "the one before the step does not count";
  EXPECT_DOUBLE_EQ(rates.mean_per_s, 50);
  EXPECT_DOUBLE_EQ(rates.initial_per_s, 100);
  EXPECT_DOUBLE_EQ(rates.steady_per_s, 1000 / 25.0) << "intervals 30 and 20 end after 150";
  EXPECT_EQ(rates.latency_ms, 10);
  EXPECT_EQ(rates.steady_error_per_s, 0);
}

TEST(Rates, AverageTrials) {
  const Rates rates = measure_rates({{110, 160, 180}, {130, 170, 180}, {}}, 100, 200);
  EXPECT_DOUBLE_EQ(rates.spikes, 2);
  EXPECT_DOUBLE_EQ(rates.initial_per_s, 1000 / 45.0);
  EXPECT_DOUBLE_EQ(rates.latency_ms, 20);
  const double a = 2000 / 70.0, b = 2000 / 50.0, mean = (a + b) / 3;
  EXPECT_DOUBLE_EQ(rates.steady_per_s, mean);
  const double variance = (std::pow(a - mean, 2) + std::pow(b - mean, 2) + std::pow(mean, 2)) / 2;
  EXPECT_NEAR(rates.steady_error_per_s, std::sqrt(variance / 3), 1e-12);
}

TEST(Rates, AreNotNumbersWithoutSpikes) {
  const Rates rates = measure_rates({{}}, 0, 100);
  EXPECT_EQ(rates.spikes, 0);
  EXPECT_EQ(rates.steady_per_s, 0);
  EXPECT_TRUE(std::isnan(rates.initial_per_s));
  EXPECT_TRUE(std::isnan(rates.latency_ms));
}

}  // namespace
}  // namespace afterspike::single_neuron
