// Spiking networks on the samples of a data set.

#include "afterspike/transfer/respond.hpp"

#include <ATen/ATen.h>
#include <gtest/gtest.h>

#include "afterspike/transfer/lower.hpp"
#include "afterspike/transfer/parity.hpp"
#include "spiking_run.hpp"
#include "support/expect_error.hpp"

namespace afterspike::transfer {
namespace {

using testing::expect_error;
using testing::random_samples;
using testing::spiking_run;
using testing::TempDir;
using transfer::Mode;

TEST(Respond, ReadsOutTheMeanOfTheWindowAtEachSamplesEnd) {
  const TempDir directory;
  const auto trained = spiking_run(directory / "run");
  const auto data = random_samples(60, /*lengths=*/true);
  ThreadPool pool(1);
  const at::Tensor spikes = hard_spikes(trained, *data, pool).to(at::kDouble);
  const Responses found = respond(transfer::lower(trained, {}), *data, spiking::Options{1}, pool);
  const auto network = experiment::in_double(trained);
  for (std::int64_t sample = 0; sample < 60; ++sample) {
    const std::vector<std::int64_t> one = {sample};
    const auto length = data->batch(one).lengths[0].item<std::int64_t>();
    const at::Tensor own = spikes[sample].slice(0, 0, length);
    const at::Tensor mean = own.slice(0, std::max<std::int64_t>(0, length - 6)).mean(0);
    const at::Tensor expected =
        at::matmul(network->physical("readout.weight"), mean) + network->physical("readout.bias");
    EXPECT_TRUE(at::allclose(found.outputs[sample], expected, 1e-12, 1e-12)) << sample;
    EXPECT_TRUE(at::allclose(found.rates[sample], own.mean(0), 1e-12, 1e-12)) << sample;
  }
}

TEST(Respond, ResultsDoNotDependOnTheNumberOfThreads) {
  const TempDir directory;
  const auto trained = spiking_run(directory / "run");
  const auto data = random_samples(70);
  for (const Mode mode : {Mode::threshold, Mode::escape}) {
    const auto network = transfer::lower(trained, {mode});
    ThreadPool one(1), three(3);
    const Responses first = respond(network, *data, spiking::Options{4}, one);
    const Responses second = respond(network, *data, spiking::Options{4}, three);
    EXPECT_TRUE(first.outputs.equal(second.outputs));
    EXPECT_TRUE(first.rates.equal(second.rates));
    EXPECT_EQ(first.counted.synaptic_events, second.counted.synaptic_events);
    const Responses other = respond(network, *data, spiking::Options{5}, one);
    EXPECT_EQ(first.outputs.equal(other.outputs), mode == Mode::threshold);
  }
}

TEST(Respond, SamplesHaveNoiseOfTheirOwn) {
  const TempDir directory;
  const auto network = transfer::lower(spiking_run(directory / "run"), {Mode::escape});
  const at::Tensor input = at::zeros({2, 30, testing::kFeatures});
  const tasks::Sequences twice(input, at::zeros({2}, at::kLong));
  ThreadPool pool(1);
  const Responses found = respond(network, twice, spiking::Options{4}, pool);
  EXPECT_FALSE(found.rates[0].equal(found.rates[1]));
}

TEST(Respond, CountsWhatHappened) {
  const TempDir directory;
  const auto network = transfer::lower(spiking_run(directory / "run"), {});
  const auto data = random_samples(20);
  ThreadPool pool(1);
  const Responses found = respond(network, *data, spiking::Options{4}, pool);
  const double spikes = found.rates.sum().item<double>() * testing::kSampleSteps;
  EXPECT_NEAR(spikes, static_cast<double>(found.counted.spikes), 1e-6);
  EXPECT_EQ(found.steps, 20 * testing::kSampleSteps);
  EXPECT_EQ(found.counted.source_events,
            20 * testing::kSampleSteps * testing::kFeatures * testing::kNeurons);
  const Energy estimate = energy(network, found);
  constexpr double kRead = 6;  // Steps of the window.
  const double rate = 4.6 * 20 * testing::kNeurons *
                      (testing::kSampleSteps * (testing::kFeatures + testing::kNeurons) +
                       kRead * testing::kClasses);
  EXPECT_NEAR(estimate.rate_pJ, rate, 1e-6 * rate);
  EXPECT_EQ(found.read_steps, 20 * kRead);
  EXPECT_GT(found.read_spikes, 0);
  const auto recurrent =
      static_cast<double>(found.counted.synaptic_events - found.counted.source_events);
  EXPECT_NEAR(estimate.spiking_pJ,
              0.9 * (recurrent + testing::kClasses * static_cast<double>(found.read_spikes)) +
                  4.6 * static_cast<double>(found.counted.source_events),
              1e-3);
}

TEST(Respond, EachCopyOfANeuronAddsWhatArrives) {
  // Two neurons of three copies that all spike in every step, for 4 steps of which 2 are read.
  spiking::Network network;
  network.time_step_ms = 1;
  spiking::Population cells{"hidden", "glifr", 2, spiking::SynapseShape::delta, 1, {}, {}, {}, 3};
  for (const auto& column : spiking::model("glifr").parameters) {
    auto& values = cells.columns[std::string(column.name)];
    if (column.extent == spiking::Extent::neuron) values.assign(2, 0);
  }
  cells.columns["threshold"].assign(2, -1e6);
  cells.columns["softness"].assign(2, 1);
  cells.columns["spike_fraction"].assign(2, 1);
  network.populations = {
      cells, {"input", "analog_source", 1, spiking::SynapseShape::delta, 0, {}, {}, {}, 1}};
  using Synapses = std::vector<spiking::Synapse>;
  network.projections = {
      make_projection(network.populations, 1, 0, Synapses{{0, 0, 1, 1, 0}, {0, 1, 1, 1, 0}}),
      make_projection(network.populations, 0, 0, Synapses{{0, 1, 1, 1, 0}})};
  network.readout = {0, 2, 0.5, {1, 1}, {0}};
  const tasks::Sequences samples(at::ones({1, 4, 1}), at::zeros({1}, at::kLong));
  ThreadPool pool(1);
  const Responses found = respond(network, samples, spiking::Options{1}, pool);
  EXPECT_EQ(found.counted.spikes, 4 * 6);
  EXPECT_EQ(found.counted.source_events, 4 * 2);
  EXPECT_EQ(found.counted.source_cell_events, 4 * 2 * 3);
  // Spikes of the last step do not arrive any more.
  EXPECT_EQ(found.counted.synaptic_events - found.counted.source_events, 3 * 3);
  EXPECT_EQ(found.counted.cell_events - found.counted.source_cell_events, 3 * 3 * 3);
  EXPECT_EQ(found.read_spikes, 2 * 6);
  const Energy estimate = energy(network, found);
  EXPECT_NEAR(estimate.spiking_pJ, 4.6 * 24 + 0.9 * (27 + 12), 1e-9);
  EXPECT_NEAR(estimate.rate_pJ, 4.6 * (4 * 3 + 2 * 2), 1e-9);
}

TEST(Respond, WhatCannotBeShownIsRefused) {
  const TempDir directory;
  const auto network = transfer::lower(spiking_run(directory / "run"), {});
  ThreadPool pool(1);
  const tasks::Sequences narrow(at::zeros({2, 30, 4}), at::zeros({2}, at::kLong));
  expect_error(ErrorKind::data, {"source 'input': found 5 channels, expected 4"},
               [&] { respond(network, narrow, spiking::Options{1}, pool); });
  spiking::Network deaf = network;
  deaf.populations.pop_back();
  deaf.projections.erase(deaf.projections.begin());
  expect_error(ErrorKind::data, {"expected an analog source"},
               [&] { respond(deaf, *random_samples(2), spiking::Options{1}, pool); });
  spiking::Network mute = network;
  mute.readout = {};
  expect_error(ErrorKind::data, {"expected a readout"},
               [&] { respond(mute, *random_samples(2), spiking::Options{1}, pool); });
}

}  // namespace
}  // namespace afterspike::transfer
