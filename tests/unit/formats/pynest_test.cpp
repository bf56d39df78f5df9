// Format 'pynest': what its files hold, and that it is the network that our core runs.

#include <algorithm>
#include <cmath>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "afterspike/formats/conversion.hpp"
#include "afterspike/io/json.hpp"
#include "glifr_network.hpp"
#include "nest_networks.hpp"
#include "support/expect_error.hpp"
#include "support/temp_dir.hpp"
#include "unit/spiking/golden_spiking.hpp"
#include "unit/spiking/sample_networks.hpp"

namespace afterspike::formats {
namespace {

namespace fs = std::filesystem;

using testing::expect_error;
using testing::format;
using testing::glifr_network;
using ::testing::HasSubstr;
using testing::Key;
using testing::spikes_of;
using testing::spiking_network;
using testing::TempDir;

/// net.h5 of format 'pynest', by the layout of spiking networks made with PyNEST: one population of
/// all neurons.
spiking::Network read_arrays(const fs::path& path) {
  const io::Hdf5File file(path);
  const auto parameters = testing::golden_parameters(file, "/");
  std::vector<nlohmann::json> neurons(parameters.begin(), parameters.end());
  const std::string level = testing::glif_level(neurons.at(0));
  spiking::Network network;
  network.time_step_ms = file.attribute<double>("/", "dt").values.at(0);
  network.populations.push_back(testing::from_nest("hidden", level, neurons));
  testing::add_ports(network.populations[0], neurons);
  std::vector<std::vector<double>> trains;
  for (std::size_t train = 0; train < file.members("/in_times").size(); ++train) {
    trains.push_back(file.read<double>("/in_times/" + std::to_string(train)).values);
  }
  network.populations.push_back(testing::train_source("input", trains));
  for (const std::string prefix : {"in_", ""}) {
    const auto read = [&](const char* name) {
      return file.read<double>("/" + prefix + name).values;
    };
    const auto src = read("src"), tgt = read("tgt"), weight = read("weight"), delay = read("delay"),
               port = read("port");
    std::vector<spiking::Synapse> synapses;
    for (std::size_t at = 0; at < src.size(); ++at) {
      synapses.push_back({static_cast<std::int64_t>(src[at]), static_cast<std::int64_t>(tgt[at]),
                          weight[at], delay[at], static_cast<std::uint8_t>(port[at] - 1)});
    }
    network.projections.push_back(
        make_projection(network.populations, prefix.empty() ? 0 : 1, 0, synapses));
  }
  return network;
}

TEST(Pynest, WhatIsWrittenIsTheNetworkThatOurCoreRuns) {
  const TempDir directory;
  const Conversion written =
      export_network(format("pynest"), spiking_network(), directory / "net", {true, 0.1, 0.1});
  EXPECT_EQ(written.resolution_ms, 0.1);
  const auto expected = spikes_of(written.network, 0.1, 300);
  EXPECT_GT(expected.size(), 300u);
  EXPECT_EQ(spikes_of(read_arrays(directory / "net/net.h5"), 0.1, 300), expected);
  EXPECT_THAT(testing::slurp(directory / "net/run_nest.py"), HasSubstr("nest.Create(\"glif_psc\""));
}

/// A lowered network with sources of both kinds, quiet until they begin.
spiking::Network quiet_network() {
  spiking::Network network =
      glifr_network({{"constant_current", {0, 0}}, {"after_spike_multiplicative", {-0.5, 0.4}}});
  for (double& weight : network.projections[0].weights) weight *= 2;
  network.populations.push_back(testing::make_population("spikes", "spike_source", 2,
                                                         spiking::SynapseShape::delta, {}, Rng(2)));
  network.populations.back().trains = {{0, 3, 5}, {1, 5, 60, 2, 90}};
  network.projections.push_back(make_projection(
      network.populations, 2, 0, std::vector<spiking::Synapse>{{0, 1, 3, 1, 0}, {1, 7, 4, 2, 0}}));
  return network;
}

/// pA for 1, as the parameter map has it: I_inj = C (W x) / dt.
TEST(Pynest, AValueIsACurrentOfItsCharge) {
  const TempDir directory;
  for (const double step : {0.05, 1.0}) {
    const auto network = glifr_network({}, 12, 4, step);
    const fs::path net = directory / std::to_string(step);
    export_network(format("pynest"), network, net, {true});
    const io::Hdf5File file(net / "net.h5");
    const auto neurons = testing::golden_parameters(file, "/");
    const auto read = [&](const char* name) { return file.read<double>(name).values; };
    const auto source = read("/current_src"), target = read("/current_tgt"),
               weight = read("/current_weight");
    ASSERT_EQ(weight.size(), 48u);
    EXPECT_EQ(file.attribute<double>("/", "input_step").values.at(0), step);
    const spiking::Projection& input = network.projections[0];
    for (std::size_t at = 0; at < weight.size(); ++at) {
      const auto row = static_cast<std::size_t>(source[at]),
                 neuron = static_cast<std::size_t>(target[at]);
      const double W = input.weights[row * 12 + neuron],
                   C = neurons.at(neuron).at("C_m").get<double>();
      EXPECT_NEAR(weight[at], C * W / step, 1e-12 * std::abs(C * W / step)) << at;
    }
    EXPECT_EQ(read("/current_delay"), std::vector<double>(48, step));
  }
}

/// Adds the step currents that run_nest.py gives NEST, which begins `begin_ms` before the network
/// does. Each synapse of an analog source is a step current, which NEST's neurons feel from its
/// time and the delay on.
void add_step_currents(spiking::Network& network, const io::Hdf5File& file,
                       const std::vector<double>& signal, double begin_ms) {
  const auto read = [&](const char* name) { return file.read<double>(name).values; };
  const auto source = read("/current_src"), target = read("/current_tgt"),
             weight = read("/current_weight"), delay = read("/current_delay");
  const double input_step = file.attribute<double>("/", "input_step").values.at(0);
  const std::size_t channels = 4, steps = signal.size() / channels;
  for (std::size_t at = 0; at < weight.size(); ++at) {
    spiking::StepCurrent current{0, {static_cast<std::int64_t>(target[at])}, {}, {}};
    for (std::size_t step = 0; step <= steps; ++step) {
      const double value =
          step < steps ? signal[step * channels + static_cast<std::size_t>(source[at])] : 0;
      current.times_ms.push_back(begin_ms + static_cast<double>(step) * input_step + delay[at]);
      current.amplitudes_pa.push_back(weight[at] * value);
    }
    network.step_currents.push_back(std::move(current));
  }
  for (double& time : network.populations[1].trains.times_ms) time += begin_ms;
}

TEST(Pynest, WhatIsVerifiedIsWhatTheScriptRuns) {
  const TempDir directory;
  constexpr std::int64_t kSteps = 200;
  const auto signal = testing::random_signal(kSteps);
  for (const double resolution : {1.0, 0.25}) {
    const fs::path net = directory / std::to_string(resolution);
    const Conversion written =
        export_network(format("pynest"), quiet_network(), net, {true, resolution, 0});
    spiking::Options options{1};
    options.dt_ms = resolution;
    spiking::Simulation verified(written.to_verify(), options);
    verified.set_signal("input", signal);
    verified.run_until(kSteps);
    auto read = read_arrays(net / "net.h5");
    add_step_currents(read, io::Hdf5File(net / "net.h5"), signal, resolution);
    spiking::Simulation nest(read, options);
    nest.run_until(kSteps + resolution);
    std::vector<Key> expected, found;
    for (const spiking::Spike& spike : verified.spikes()) {
      expected.emplace_back(std::llround(spike.time_ms / resolution), 0, spike.neuron);
    }
    for (const spiking::Spike& spike : nest.spikes()) {
      found.emplace_back(std::llround(spike.time_ms / resolution) - 1, 0, spike.neuron);
    }
    EXPECT_EQ(found, expected) << resolution;
    EXPECT_GT(found.size(), 200u);
  }
}

TEST(Pynest, NeuronsThatDoNotWaitForTheirInputAreListed) {
  const auto network = glifr_network({{"constant_current", {0, 0}}, {"threshold", {-0.3, 0.6}}});
  const auto& thresholds = network.populations[0].columns.at("threshold");
  const auto below = std::count_if(thresholds.begin(), thresholds.end(),
                                   [](double threshold) { return threshold < 0; });
  ASSERT_GT(below, 0);
  const Conversion conversion = format("pynest").convert(network, {});
  std::int64_t restless = 0, currents = 0;
  for (const Deviation& each : conversion.deviations) {
    if (each.what.starts_with("a start that is not at rest")) restless += each.values;
    if (each.what.starts_with("values of an analog source")) currents += each.values;
  }
  EXPECT_EQ(restless, below);
  EXPECT_EQ(currents, 48);
}

TEST(Pynest, AnInputThatChangesWithinAStepIsRefused) {
  const auto network = glifr_network({{"constant_current", {0, 0}}});
  const double step = network.time_step_ms;
  for (const double resolution : {0.3 * step, 0.999 * step, 2 * step}) {
    expect_error(ErrorKind::config, {"resolution: found", "the step of the network's input"}, [&] {
      format("pynest").convert(network, {true, resolution, 0});
    });
  }
  for (const double resolution : {step, 0.5 * step, 0.1 * step}) {
    EXPECT_NO_THROW(format("pynest").convert(network, {true, resolution, 0})) << resolution;
  }
}

}  // namespace
}  // namespace afterspike::formats
