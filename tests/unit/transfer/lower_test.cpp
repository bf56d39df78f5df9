// Meaning of a trained network as spikes: docs/export-semantics.md.

#include "afterspike/transfer/lower.hpp"

#include <ATen/ATen.h>
#include <gtest/gtest.h>

#include "afterspike/nn/glifr.hpp"
#include "afterspike/spiking/network_file.hpp"
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

/// Spikes of every sample, [samples, steps, neurons].
at::Tensor rasters(const spiking::Network& network, const tasks::Dataset& data, std::uint64_t seed,
                   int threads = 1) {
  const std::int64_t cells = network.populations[0].cells();
  at::Tensor raster = at::zeros({data.size(), testing::kSampleSteps, cells}, at::kBool);
  ThreadPool pool(threads);
  bool* values = raster.data_ptr<bool>();
  respond(network, data, spiking::Options{seed}, pool, [&](const Answer& answer) {
    for (const spiking::Spike& spike : answer.spikes) {
      const std::int64_t row = answer.sample * testing::kSampleSteps + step_of(spike, network) - 1;
      values[row * cells + spike.neuron] = true;
    }
  });
  return raster;
}

TEST(Lower, ThresholdNetworksSpikeWhereARateNetworkWithAHardThresholdDoes) {
  const TempDir directory;
  ThreadPool pool(2);
  const auto data = random_samples(50);
  int number = 0;
  for (const testing::Settings& settings : {testing::Settings{},
                                            {{"neuron.after_spike_currents", "0"}},
                                            {{"neuron.delay", "1 step"}},
                                            {{"neuron.tau", "0.1 ms"}}}) {
    const auto trained = spiking_run(directory / std::to_string(number++), settings);
    const at::Tensor expected = hard_spikes(trained, *data, pool);
    const double rate = expected.to(at::kDouble).mean().item<double>();
    EXPECT_GT(rate, 0.02);
    EXPECT_LT(rate, 0.995);
    for (const double step : {0.0, 1.0}) {
      const auto network = transfer::lower(trained, {Mode::threshold, 1, step});
      EXPECT_TRUE(rasters(network, *data, 1).equal(expected)) << number << " " << step;
    }
  }
}

/// Voltages of the rate network in float64, [steps, samples, neurons].
at::Tensor voltages(const experiment::Trained& trained, const at::Tensor& input, double sigma_mV,
                    at::Tensor& rates) {
  nn::NamedTensors trace;
  nn::NetworkPass pass;
  pass.sigma_mV = sigma_mV;
  pass.trace = &trace;
  const at::NoGradGuard no_grad;
  rates = experiment::in_double(trained)->emissions(input.to(at::kDouble), pass);
  return trace.at("layers.0.voltage");
}

TEST(Lower, ARateNetworkWithANearlyHardThresholdAgreesUntilAVoltageComesNearIt) {
  const TempDir directory;
  const auto trained = spiking_run(directory / "run");
  const auto data = random_samples(200);
  const at::Tensor found = rasters(transfer::lower(trained, {}), *data, 1).permute({1, 0, 2});
  std::vector<std::int64_t> numbers(200);
  std::iota(numbers.begin(), numbers.end(), 0);
  at::Tensor rates;
  constexpr double kSigma = 1e-6, kNear = 4e-5;  // Beyond, 1 - S and S are below 1e-17.
  const at::Tensor voltage = voltages(trained, data->batch(numbers).input, kSigma, rates);
  const at::Tensor threshold = experiment::in_double(trained)->physical("layers.0.threshold");
  const at::Tensor clear = (voltage - threshold).abs().gt(kNear).all(2);  // [steps, samples]
  const at::Tensor until = clear.to(at::kLong).cumprod(0).to(at::kBool);
  const at::Tensor alike = rates.gt(0.5).eq(found).all(2);
  EXPECT_TRUE(alike.logical_or(until.logical_not()).all().item<bool>());
  EXPECT_GT(until.to(at::kDouble).mean().item<double>(), 0.5);
}

TEST(Lower, EscapingNeuronsSpikeWithTheProbabilityOfTheRate) {
  // In the first step nothing was drawn before, and the rate is a function of the input alone.
  const TempDir directory;
  const auto data = random_samples(2);
  for (const char* tau : {"0.05 ms", "0.1 ms"}) {
    const auto trained = spiking_run(directory / tau, {{"neuron.tau", tau}});
    constexpr std::int64_t kCopies = 3000;
    const auto network = transfer::lower(trained, {Mode::population, kCopies});
    const at::Tensor counts = rasters(network, *data, 5)
                                  .select(1, 0)
                                  .view({2, testing::kNeurons, kCopies})
                                  .to(at::kDouble)
                                  .sum(2);
    const at::NoGradGuard no_grad;
    const std::vector<std::int64_t> both = {0, 1};
    const double fraction = std::string(tau) == "0.05 ms" ? 1 : 0.5;
    const at::Tensor chance = experiment::in_double(trained)
                                  ->emissions(data->batch(both).input.to(at::kDouble), trained.pass)
                                  .select(0, 0) *
                              fraction;
    const at::Tensor off = (counts - kCopies * chance) / (kCopies * chance * (1 - chance)).sqrt();
    EXPECT_LT(off.abs().max().item<double>(), 4.5) << tau;
  }
}

TEST(Lower, ManyCopiesAnswerAsRatesDoWhereNothingDependsOnTheOwnSpikes) {
  // Without reset and after-spike currents the mean of many spikes is the rate (law of large
  // numbers); with them it is not, and the semantics say so.
  const TempDir directory;
  const auto trained = spiking_run(directory / "run",
                                   {{"neuron.after_spike_currents", "0"}, {"neuron.tau", "5 ms"}});
  // So long a spike hardly resets, and is rare: weights and readout count each 100 times.
  const auto data = random_samples(4);
  const auto network = transfer::lower(trained, {Mode::population, 10000});
  ThreadPool pool(2);
  const Report report = compare(trained, network, *data, spiking::Options{2}, pool);
  EXPECT_GT(report.correlation, 0.97);
}

TEST(Lower, WhatIsWrittenIsReadBackEqual) {
  const TempDir directory;
  const auto trained = spiking_run(directory / "run");
  const auto network = transfer::lower(trained, {Mode::population, 8, 1});
  spiking::write_network(directory / "net.h5", network);
  EXPECT_EQ(spiking::read_network(directory / "net.h5"), network);
  for (const char* key : {"checkpoint", "task", "configuration", "version", "mode", "sigma_mV"}) {
    EXPECT_FALSE(network.provenance.at(key).empty()) << key;
  }
  EXPECT_EQ(network.provenance.at("sigma_mV"), "0.4");
  EXPECT_EQ(network.readout.window_ms, 6);
}

/// Processors with other instructions round the transforms otherwise.
void expect_close(std::vector<double>& found, const std::vector<double>& expected) {
  ASSERT_EQ(found.size(), expected.size());
  for (std::size_t at = 0; at < found.size(); ++at) {
    ASSERT_NEAR(found[at], expected[at], 1e-12 * (1 + std::abs(expected[at]))) << at;
  }
  found = expected;
}

TEST(Lower, TheNetworkInTheRepositoryIsWhatItsCheckpointIsLoweredTo) {
  const auto run =
      std::filesystem::path(AFTERSPIKE_TEST_SOURCE_DIR) / "checkpoints" / "line_mnist_spiking";
  spiking::Network found = spiking::read_network(run / "net.h5");
  spiking::Network expected =
      transfer::lower(experiment::load(run / "checkpoint"), {Mode::threshold, 1, 1});
  for (const char* key : {"version", "libtorch"}) {
    EXPECT_FALSE(expected.provenance.at(key).empty());
    for (spiking::Network* each : {&found, &expected}) each->provenance.erase(key);
  }
  ASSERT_EQ(found.populations.size(), expected.populations.size());
  for (auto& [name, values] : found.populations[0].columns) {
    SCOPED_TRACE(name);
    expect_close(values, expected.populations[0].columns.at(name));
  }
  ASSERT_EQ(found.projections.size(), expected.projections.size());
  for (std::size_t index = 0; index < found.projections.size(); ++index) {
    expect_close(found.projections[index].weights, expected.projections[index].weights);
  }
  expect_close(found.readout.weights, expected.readout.weights);
  expect_close(found.readout.bias, expected.readout.bias);
  EXPECT_EQ(found, expected);
}

TEST(Lower, WhatHasNoFormAsSpikesIsRefused) {
  const TempDir directory;
  const auto refuse = [&](const char* name, const experiment::Trained& trained,
                          const transfer::Options& options, const char* part) {
    SCOPED_TRACE(name);
    expect_error(ErrorKind::config, {part}, [&] { transfer::lower(trained, options); });
  };
  refuse("lstm", spiking_run(directory / "lstm", {}, "6", "lstm"), {}, "found neurons 'lstm'");
  refuse("layers", spiking_run(directory / "two", {{"network.layers", "2"}}), {},
         "found 2 layers, expected 1");
  refuse("trace", spiking_run(directory / "trace", {}, "all"), {}, "the task asks for a trace");
  const auto plain = spiking_run(directory / "plain");
  refuse("copies", plain, {Mode::escape, 2}, "found 2 copies with mode 'escape'");
  refuse("step", plain, {Mode::threshold, 1, -1}, "found a time step of -1 ms");
  expect_error(ErrorKind::usage, {"no mode called 'rate'", "threshold, escape, population"},
               [] { transfer::parse_mode("rate"); });
}

}  // namespace
}  // namespace afterspike::transfer
