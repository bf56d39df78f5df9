#include "afterspike/spiking/network_file.hpp"

#include <cmath>
#include <cstring>
#include <functional>
#include <limits>

#include <gtest/gtest.h>

#include "afterspike/io/bytes.hpp"
#include "afterspike/io/hdf5.hpp"
#include "networks.hpp"
#include "support/expect_error.hpp"
#include "support/temp_dir.hpp"

namespace afterspike::spiking {
namespace {

using testing::expect_error;
using testing::make_population;
using testing::random_synapses;
using testing::TempDir;

/// A network with a population of every leaky model and one of every source.
Network everything() {
  const Rng rng(7);
  Network network;
  network.time_step_ms = 0.05;
  for (const char* name : {"glif1", "glif2", "glif3", "glif4", "glif5", "lif"}) {
    network.populations.push_back(
        make_population(name, name, 6, SynapseShape::alpha, {2.0, 5.5}, rng.stream(name)));
  }
  network.populations.push_back(
      make_population("input", "spike_source", 4, SynapseShape::delta, {}, rng));
  network.populations.back().trains = {{0, 2, 2, 3, 3}, {1.25, 7, 0.1}};
  network.populations.push_back(
      make_population("noise", "poisson_source", 4, SynapseShape::delta, {}, rng));
  for (std::int64_t source : {0, 2, 6, 7}) {
    const auto& from = network.populations[static_cast<std::size_t>(source)];
    network.projections.push_back(make_projection(
        network.populations, source, 1,
        random_synapses(from, network.populations[1], 3, 20, 0.1, 30, rng.stream("s"))));
  }
  network.step_currents.push_back({2, {0, 3}, {1.5, 20}, {100, -1.0 / 3}});
  network.noise_currents.push_back({3, 1, 40, 0.5});
  network.electrical_synapses.push_back({0, 1, {0, 3}, {5, 2}, {1.5, 0}});
  network.sinusoid_currents.push_back({0, {1, 4}, 20, 55.5, 8, 90, 2.5, 1e3});
  network.ornstein_uhlenbeck_currents.push_back({1, 12, 30, 5, 0.1});
  network.readout = {4, 7.0, 1.0 / 14, std::vector<double>(12, 0.1), {0.5, -0.5}};
  network.provenance = {{"checkpoint", "sha256:ab"}, {"task", "line_mnist \"n\""}};
  return network;
}

TEST(GlifnetFile, ReadsBackEqual) {
  const TempDir directory;
  const Network network = everything();
  write_network(directory / "net.h5", network);
  EXPECT_EQ(read_network(directory / "net.h5"), network);
  write_network(directory / "empty.h5", Network{});
  EXPECT_EQ(read_network(directory / "empty.h5"), Network{});
}

TEST(GlifnetFile, NothingIsLeftOfAFileThatCannotBeWritten) {
  const TempDir directory;
  Network network = everything();
  network.populations[0].size = 7;
  expect_error(ErrorKind::data, {"population 'glif1'", "found 6 values, expected 7"},
               [&] { write_network(directory / "net.h5", network); });
  EXPECT_TRUE(std::filesystem::is_empty(directory.path()));
}

struct Fault {
  std::string what;
  std::function<void(Network&)> apply;
  std::string message;
};

const double kNan = std::numeric_limits<double>::quiet_NaN();

std::vector<Fault> faults() {
  return {
      {"time step", [](Network& n) { n.time_step_ms = 0; }, "time step: value 0: found 0 ms"},
      {"names", [](Network& n) { n.populations[1].name = "glif1"; }, "a name that no other has"},
      {"model", [](Network& n) { n.populations[0].model = "glif6"; }, "did you mean 'glif1'?"},
      {"missing", [](Network& n) { n.populations[0].columns.erase("threshold"); },
       "threshold: missing"},
      {"foreign", [](Network& n) { n.populations[0].columns["reset_add"] = {1, 1, 1, 1, 1, 1}; },
       "model 'glif1' has no parameter 'reset_add'"},
      {"nan", [](Network& n) { n.populations[2].columns["threshold"][3] = kNan; },
       "population 'glif3': threshold: value 3: found nan mV, expected a finite number"},
      {"negative", [](Network& n) { n.populations[0].columns["capacitance"][0] = -1; },
       "found -1 pF, expected above 0"},
      {"currents", [](Network& n) { n.populations[2].columns["after_spike_amplitude"].pop_back(); },
       "after_spike_amplitude: found 11 values, expected 12"},
      {"tau", [](Network& n) { n.populations[0].synapse_time_constants_ms[1] = 0; },
       "synapse_time_constants_ms: value 1: found 0 ms"},
      {"receptors", [](Network& n) { n.populations[0].receptors = 3; },
       "found 12 values, expected 18"},
      {"trains",
       [](Network& n) {
         n.populations[6].trains.times_ms = {7, 1.25, 0.1};
       },
       "spike train 0: found 1.25 ms after 7 ms"},
      {"train offsets",
       [](Network& n) {
         n.populations[6].trains.offsets = {0, 3, 2, 3, 3};
       },
       "offsets of spike trains: found 2 after 3"},
      {"copies", [](Network& n) { n.populations[0].copies = 4; }, "found 4 copies"},
      {"glifr receptors",
       [](Network& n) {
         n.populations[0].model = "glifr";
         n.populations[0].synapse = SynapseShape::delta;
         n.populations[0].receptors = 2;
       },
       "found 2 receptors, expected 1 to 1"},
      {"source", [](Network& n) { n.projections[0].source = 8; },
       "projection 0: source: found population 8, expected 0 to 7"},
      {"to source", [](Network& n) { n.projections[0].target = 7; }, "takes no spikes"},
      {"offsets", [](Network& n) { n.projections[0].offsets[1] = 100; },
       "offsets: found 6 after 100"},
      {"target", [](Network& n) { n.projections[1].targets[2] = 6; },
       "projection 1: targets: found 6, expected less than 6"},
      {"receptor", [](Network& n) { n.projections[0].receptors[0] = 2; },
       "receptors: found 2, expected less than 2"},
      {"weights", [](Network& n) { n.projections[0].weights.push_back(0); },
       "weights: found 19 values, expected 18"},
      {"delay", [](Network& n) { n.projections[0].delays_ms[4] = 0; },
       "delays_ms: value 4: found 0 ms, expected above 0"},
      {"current",
       [](Network& n) {
         n.step_currents[0].times_ms = {20, 1.5};
       },
       "step current 0: times: found 1.5 ms after 20 ms"},
      {"current to", [](Network& n) { n.step_currents[0].neurons[0] = 6; },
       "neurons: found 6, expected 0 to 5"},
      {"current into", [](Network& n) { n.noise_currents[0].population = 6; },
       "noise current 0: population 'input' takes no currents"},
      {"readout", [](Network& n) { n.readout.weights.pop_back(); },
       "readout: weights: found 11 values, expected 12"}};
}

TEST(GlifnetFile, WhatIsWrongInANetworkIsNamed) {
  for (const Fault& fault : faults()) {
    SCOPED_TRACE(fault.what);
    Network network = everything();
    fault.apply(network);
    expect_error(ErrorKind::data, {fault.message}, [&] { validate(network); });
  }
}

TEST(GlifnetFile, DamagedFilesAreRefused) {
  const TempDir directory;
  const auto path = directory / "net.h5";
  testing::spill(path, "no HDF5");
  expect_error(ErrorKind::data, {"net.h5", "not a readable HDF5 file"},
               [&] { read_network(path); });
  { io::Hdf5File file(path, io::Hdf5File::Mode::create); }
  expect_error(ErrorKind::data, {"net.h5", "not a network of afterspike"},
               [&] { read_network(path); });
  {
    io::Hdf5File file(path, io::Hdf5File::Mode::create);
    file.write_text_attribute("/", "format", "afterspike-network");
    file.write_attribute<std::int64_t>("/", "version", {{}, {kFileVersionOfRules + 1}});
  }
  expect_error(ErrorKind::data, {"net.h5", "found version 5", "expected 1 to 4"},
               [&] { read_network(path); });
}

/// Length of the last line, "\nafterspike-network sha256 ...\n".
constexpr std::size_t kSealSize = 92;

/// The bytes of a file of an older version: an attribute of 8 bytes after its name, and no checksum
/// at the end.
void set_version(const std::filesystem::path& path, char version) {
  std::string bytes = testing::slurp(path);
  const std::string name = std::string("version") + '\0';
  const auto at = bytes.find(name);
  ASSERT_NE(at, std::string::npos);
  const std::string number = std::string(1, static_cast<char>(kFileVersion)) + std::string(7, '\0');
  const auto value = bytes.find(number, at + name.size() + 8);
  ASSERT_NE(value, std::string::npos);
  bytes[value] = version;
  testing::spill(path, bytes.substr(0, bytes.size() - kSealSize));
}

TEST(GlifnetFile, FilesOfVersionOneAreReadUnlessTheyHaveCopies) {
  const TempDir directory;
  const auto path = directory / "net.h5";
  Network network;
  Population glifr{"hidden", "glifr", 1, SynapseShape::delta, 1, {}, {}, {}, 1};
  for (const Parameter& column : model("glifr").parameters) {
    if (column.extent == Extent::current) {
      glifr.columns[std::string(column.name)] = {};
    } else {
      glifr.columns[std::string(column.name)] = {1};
    }
  }
  network.populations = {glifr};
  for (const std::int64_t copies : {1, 4}) {
    network.populations[0].copies = copies;
    write_network(path, network);
    set_version(path, 1);
    EXPECT_EQ(io::Hdf5File(path).attribute<std::int64_t>("/", "version").values.at(0), 1);
    if (copies == 1) {
      EXPECT_EQ(read_network(path), network);
    } else {
      expect_error(ErrorKind::data, {"net.h5", "population 'hidden': found 4 copies in version 1"},
                   [&] { read_network(path); });
    }
  }
}

TEST(GlifnetFile, NoTruncatedFileIsTakenForANetwork) {
  const TempDir directory;
  const auto path = directory / "net.h5";
  const Network network = everything();
  write_network(path, network);
  const std::string whole = testing::slurp(path);
  for (std::size_t part = 1; part < 24; ++part) {
    testing::spill(path, std::string_view(whole).substr(0, whole.size() * part / 24));
    expect_error(ErrorKind::data, {"net.h5"}, [&] { read_network(path); });
  }
}

TEST(GlifnetFile, NoFlippedBitIsReadAsAnotherNetwork) {
  const TempDir directory;
  const auto path = directory / "net.h5";
  write_network(path, everything());
  const std::string whole = testing::slurp(path);
  Rng rng(5);
  std::vector<std::size_t> places;
  for (int place = 0; place < 500; ++place) places.push_back(rng.below(whole.size()));
  for (std::size_t at = whole.size() - kSealSize; at < whole.size(); ++at) places.push_back(at);
  for (const std::size_t at : places) {
    SCOPED_TRACE(at);
    std::string damaged = whole;
    damaged[at] = static_cast<char>(damaged[at] ^ (1 << rng.below(8)));
    testing::spill(path, damaged);
    expect_error(ErrorKind::data, {"net.h5"}, [&] { read_network(path); });
  }
}

/// The bytes of a file in which the value of a column is another.
void change_number(const std::filesystem::path& path, double from, double to) {
  std::string bytes = testing::slurp(path);
  std::string old(sizeof from, '\0'), own(sizeof to, '\0');
  std::memcpy(old.data(), &from, sizeof from);
  std::memcpy(own.data(), &to, sizeof to);
  const auto at = bytes.find(old);
  ASSERT_NE(at, std::string::npos);
  testing::spill(path, bytes.replace(at, own.size(), own));
}

TEST(GlifnetFile, AChangedWeightIsRefusedSinceThereIsAChecksum) {
  const TempDir directory;
  const auto path = directory / "net.h5";
  Network network = everything();
  const double weight = network.projections[0].weights[3];
  write_network(path, network);
  change_number(path, weight, 2 * weight);
  expect_error(ErrorKind::data,
               {"net.h5", "found content of another SHA-256 than", "it is damaged"},
               [&] { read_network(path); });
  // Files of version 2 are read without; those of version 3 are not.
  const std::string sealed = testing::slurp(path);
  testing::spill(path, sealed.substr(0, sealed.size() - kSealSize));
  expect_error(ErrorKind::data, {"net.h5", "found no checksum at the end", "of version 3"},
               [&] { read_network(path); });
  testing::spill(path, sealed);
  set_version(path, 2);
  network.projections[0].weights[3] = 2 * weight;
  EXPECT_EQ(read_network(path), network);
}

TEST(GlifnetFile, TheLastLineIsTheChecksumOfAllBefore) {
  const TempDir directory;
  write_network(directory / "net.h5", everything());
  const std::string whole = testing::slurp(directory / "net.h5");
  const std::string before = whole.substr(0, whole.size() - kSealSize);
  const std::string sum =
      io::sha256({reinterpret_cast<const std::uint8_t*>(before.data()), before.size()});
  EXPECT_EQ(whole.substr(before.size()), "\nafterspike-network sha256 " + sum + "\n");
}

TEST(GlifnetNetwork, SynapsesAreSortedIntoRows) {
  const Network network = everything();
  const std::vector<Synapse> synapses = {{3, 1, 5, 0.5, 0}, {0, 2, -1, 0.5, 0}, {3, 0, 2, 0.5, 0}};
  const Projection made = make_projection(network.populations, 0, 1, synapses);
  EXPECT_EQ(made.offsets, (std::vector<std::int64_t>{0, 1, 1, 1, 3, 3, 3}));
  EXPECT_EQ(made.targets, (std::vector<std::uint32_t>{2, 1, 0}));
  EXPECT_EQ(made.weights, (std::vector<double>{-1, 5, 2}));
  EXPECT_EQ(made.delays_ms, (std::vector<double>{0.5}));
  EXPECT_EQ(made.receptors, (std::vector<std::uint8_t>{0}));
  const std::vector<Synapse> wrong = {{0, 6, 1, 1, 0}};
  expect_error(ErrorKind::data, {"from 0 to 6", "less than 6 and 6"},
               [&] { make_projection(network.populations, 0, 1, wrong); });
}

}  // namespace
}  // namespace afterspike::spiking
