// NIR files: the documented layout, and what a LIF node of theirs would do.

#include <algorithm>
#include <set>

#include <gtest/gtest.h>

#include "afterspike/base/registry.hpp"
#include "afterspike/formats/exporter.hpp"
#include "afterspike/io/hdf5.hpp"
#include "glifr_network.hpp"
#include "support/expect_error.hpp"
#include "support/temp_dir.hpp"
#include "unit/spiking/sample_networks.hpp"

namespace afterspike::formats {
namespace {

using testing::expect_error;
using testing::TempDir;

const ExporterEntry& nir() {
  return find_entry<ExporterEntry>(entries(), "nir", "format");
}

/// The reader of the reference fails on any other name.
const std::set<std::string> kPrimitives = {"Input", "Output", "Affine", "Linear",
                                           "Delay", "LIF",    "CubaLIF"};

void expect_layout(const io::Hdf5File& file) {
  EXPECT_EQ(file.read_texts("/node/type").values.at(0), "NIRGraph");
  EXPECT_TRUE(file.read_texts("/version").shape.empty());
  std::set<std::string> names;
  for (const std::string& name : file.members("/node/nodes")) {
    names.insert(name);
    const std::string type = file.read_texts("/node/nodes/" + name + "/type").values.at(0);
    EXPECT_TRUE(kPrimitives.contains(type)) << type;
  }
  const auto edges = file.read_texts("/node/edges");
  ASSERT_EQ(edges.shape.size(), 2u);
  EXPECT_EQ(edges.shape[1], 2);
  for (const std::string& end : edges.values) EXPECT_TRUE(names.contains(end)) << end;
}

TEST(Nir, ALeakyNeuronWithoutRefractorinessIsSaidExactly) {
  const TempDir directory;
  for (const auto shape : {spiking::SynapseShape::delta, spiking::SynapseShape::exponential}) {
    spiking::Network network;
    network.populations = {testing::make_population("cells", "glif1", 4, shape, {5}, Rng(1))};
    auto& columns = network.populations[0].columns;
    for (double& each : columns["refractory"]) each = 0;
    columns["initial_potential"] = columns["resting_potential"];
    network.projections = {make_projection(
        network.populations, 0, 0,
        std::vector<spiking::Synapse>{{0, 1, 2.5, 1, 0}, {0, 3, -1, 1, 0}, {2, 0, 4, 3, 0}})};
    const bool jumps = shape == spiking::SynapseShape::delta;
    const auto path = directory / (jumps ? "lif.nir" : "cuba.nir");
    EXPECT_TRUE(export_network(nir(), network, path, {}).deviations.empty());
    const io::Hdf5File file(path);
    expect_layout(file);
    const std::string node = "/node/nodes/cells";
    EXPECT_EQ(file.read_texts(node + "/type").values.at(0), jumps ? "LIF" : "CubaLIF");
    const auto values = [&](const char* name) {
      return file.read<double>(node + "/" + name).values;
    };
    for (std::size_t n = 0; n < 4; ++n) {
      const double tau = values(jumps ? "tau" : "tau_mem")[n], R = 1 / columns["conductance"][n];
      EXPECT_NEAR(tau, 1e-3 * columns["capacitance"][n] * R, 1e-12);
      EXPECT_NEAR(values("v_leak")[n],
                  columns["resting_potential"][n] + R * columns["constant_current"][n], 1e-9);
      // tau V' = r I: an impulse of area w moves V by r w / tau; a current of w pA by R w at rest.
      EXPECT_NEAR(jumps ? values("r")[n] / tau : values("r")[n], jumps ? 1 : R, 1e-12);
      // tau I' = w_in S: an impulse moves I by w_in / tau.
      if (!jumps) {
        EXPECT_NEAR(values("w_in")[n] / values("tau_syn")[n], 1, 1e-12);
      }
    }
    const auto matrix = file.read<double>("/node/nodes/linear_0/weight");
    EXPECT_EQ(matrix.shape, (std::vector<std::int64_t>{4, 4}));
    EXPECT_EQ(matrix.values[1 * 4 + 0], 2.5);
    EXPECT_EQ(matrix.values[0 * 4 + 2], 4);
    EXPECT_EQ(file.read<double>("/node/nodes/delay_0/delay").values[2], 3e-3);
  }
}

TEST(Nir, WhatIsVerifiedIsWhatIsWritten) {
  const auto network = testing::glifr_network();
  const Conversion conversion = nir().convert(network, {});
  EXPECT_NO_THROW(validate(conversion.network));
  const auto& neurons = conversion.network.populations[0];
  EXPECT_EQ(neurons.model, "glif1");
  EXPECT_FALSE(neurons.columns.contains("after_spike_amplitude"));
  EXPECT_EQ(neurons.columns.at("refractory"), std::vector<double>(12, 0.0));
  EXPECT_EQ(neurons.columns.at("initial_potential"), neurons.columns.at("resting_potential"));
  EXPECT_EQ(conversion.metadata[0].front(), network.populations[0]);
  EXPECT_EQ(conversion.metadata[0].back().model, "glif3");
  // Its input is an analog one still: samples can be shown to it.
  EXPECT_EQ(conversion.network.populations[1], network.populations[1]);
}

TEST(Nir, WhatItHasNoWordsForIsListedAndKeptInMetadata) {
  const TempDir directory;
  const auto network = testing::glifr_network();
  expect_error(ErrorKind::config, {"after-spike currents (72 values)", "expected --approximate"},
               [&] { export_network(nir(), network, directory / "no.nir", {}); });
  EXPECT_FALSE(std::filesystem::exists(directory / "no.nir"));
  export_network(nir(), network, directory / "net.nir", {true});
  const io::Hdf5File file(directory / "net.nir");
  expect_layout(file);
  const std::string metadata = "/node/nodes/hidden/metadata/";
  EXPECT_EQ(file.read<double>(metadata + "glif/after_spike_multiplier").values.size(), 24u);
  EXPECT_EQ(file.read_texts(metadata + "glif_units/after_spike_amplitude").values.at(0), "pA");
  EXPECT_EQ(file.read<std::int64_t>("/node/nodes/input/shape").values.at(0), 4);
}

TEST(Nir, AsTheyWereTrainedNeuronsAreInTheMetadataToTheBit) {
  const TempDir directory;
  const auto network = testing::glifr_network();
  export_network(nir(), network, directory / "net.nir", {true});
  const io::Hdf5File file(directory / "net.nir");
  for (const spiking::Parameter& column : spiking::model("glifr").parameters) {
    const std::string name(column.name), metadata = "/node/nodes/hidden/metadata/";
    EXPECT_EQ(file.read<double>(metadata + "glifr/" + name).values,
              network.populations[0].columns.at(name));
    EXPECT_EQ(file.read_texts(metadata + "glifr_units/" + name).values.at(0), column.unit);
  }
}

TEST(Nir, SynapsesAreInTheMetadataAsTheyWere) {
  const TempDir directory;
  spiking::Network network;
  network.populations = {
      testing::make_population("cells", "glif5", 3, spiking::SynapseShape::alpha, {2, 5}, Rng(1))};
  export_network(nir(), network, directory / "net.nir", {true});
  const io::Hdf5File file(directory / "net.nir");
  const std::string glif = "/node/nodes/cells/metadata/glif/";
  EXPECT_EQ(file.read_texts(glif + "synapse").values.at(0), "alpha");
  EXPECT_EQ(file.read<double>(glif + "synapse_time_constants_ms").values,
            network.populations[0].synapse_time_constants_ms);
}

TEST(Nir, AReadoutOverAWindowIsListed) {
  const TempDir directory;
  auto network = testing::glifr_network();
  const auto windows = [&](double window_ms) {
    network.readout = {0, window_ms, 1, std::vector<double>(12, 1), {0}};
    const auto deviations = nir().convert(network, {}).deviations;
    return std::count_if(deviations.begin(), deviations.end(), [](const Deviation& each) {
      return each.what.starts_with("a readout of the spikes of the last");
    });
  };
  EXPECT_EQ(windows(1), 0);  // The step of this network.
  EXPECT_EQ(windows(14), 1);
  expect_error(ErrorKind::config, {"a readout of the spikes of the last 14 ms: replaced by one of"},
               [&] { export_network(nir(), network, directory / "no.nir", {}); });
  EXPECT_FALSE(std::filesystem::exists(directory / "no.nir"));
}

}  // namespace
}  // namespace afterspike::formats
