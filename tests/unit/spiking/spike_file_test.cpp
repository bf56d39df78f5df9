#include "afterspike/spiking/spike_file.hpp"

#include <fmt/format.h>
#include <gtest/gtest.h>

#include "networks.hpp"
#include "support/expect_error.hpp"
#include "support/temp_dir.hpp"

namespace afterspike::spiking {
namespace {

using testing::expect_error;
using testing::random_network;
using testing::TempDir;

TEST(SpikeFile, SpikesComeBack) {
  const TempDir directory;
  const Network network = random_network(3);
  Simulation simulation(network, {1, Engine::exact});
  simulation.run_until(100);
  write_spikes_csv(directory / "spikes.csv", simulation.spikes());
  write_spikes_sonata(directory / "spikes.h5", network, simulation.spikes());
  const auto from_csv = read_trains(directory / "spikes.csv", "glif4", 3, 3);
  EXPECT_EQ(from_csv, read_trains(directory / "spikes.h5", "glif4", 3, 3));
  std::vector<double> expected;
  for (std::int64_t neuron = 0; neuron < 3; ++neuron) {
    for (const Spike& spike : simulation.spikes()) {
      if (spike.population == 3 && spike.neuron == neuron) expected.push_back(spike.time_ms);
    }
  }
  EXPECT_EQ(from_csv.times_ms, expected);
  expect_error(ErrorKind::data, {"spikes.csv", "line ", "expected a whole number, 0 to 1"},
               [&] { read_trains(directory / "spikes.csv", "glif4", 3, 2); });
  // Who is silent is there, too.
  write_spikes_sonata(directory / "none.h5", network, {});
  EXPECT_EQ(read_trains(directory / "none.h5", "glif4", 3, 3), (SpikeTrains{{0, 0, 0, 0}, {}}));
  // Who is a source is not: nothing is known of its spikes.
  for (const char* name : {"input", "glif9"}) {
    expect_error(ErrorKind::data, {"spikes.h5", "found no '/spikes/", name},
                 [&] { read_trains(directory / "spikes.h5", name, 6, 5); });
  }
  for (const char* row : {"1,0.5,0", "1,-1,0", "1,3,0.5", "1,3,1e300"}) {
    testing::spill(directory / "bad.csv", fmt::format("time_ms,population,neuron\n{}\n", row));
    expect_error(ErrorKind::data, {"bad.csv", "line 2", "expected a whole number"},
                 [&] { read_trains(directory / "bad.csv", "glif4", 3, 3); });
  }
  testing::spill(directory / "bad.csv", "time_ms,population,neuron\n1,7,0\n");
  expect_error(ErrorKind::data, {"bad.csv", "of other populations only"},
               [&] { read_trains(directory / "bad.csv", "glif4", 3, 3); });
  testing::spill(directory / "bad.csv", "time,neuron\n1,2\n");
  expect_error(ErrorKind::data, {"bad.csv", "found the columns time, neuron"},
               [&] { read_trains(directory / "bad.csv", "glif4", 3, 3); });
}

TEST(SpikeFile, SpikesWrittenAsTheyComeMakeTheSameFiles) {
  const TempDir directory;
  const Network network = random_network(3);
  Simulation simulation(network, {1, Engine::exact});
  simulation.run_until(100);
  const std::span<const Spike> spikes = simulation.spikes();
  ASSERT_GT(spikes.size(), 20u);
  write_spikes_csv(directory / "whole.csv", spikes);
  SpikeWriter writer(directory / "parts.csv", directory / "parts.h5", network);
  writer.append(spikes.first(7));
  writer.append({});
  writer.append(spikes.subspan(7));
  writer.close();
  EXPECT_EQ(testing::slurp(directory / "parts.csv"), testing::slurp(directory / "whole.csv"));
  for (std::int64_t index = 0; index < 6; ++index) {
    const Population& population = network.populations[static_cast<std::size_t>(index)];
    const auto trains = read_trains(directory / "parts.h5", population.name, index, 3);
    if (trains.times_ms.empty()) continue;
    EXPECT_EQ(trains, read_trains(directory / "whole.csv", population.name, index, 3));
  }
}

TEST(SpikeFile, TablesOfBmtkAreReadByNameOfThePopulation) {
  const TempDir directory;
  testing::spill(directory / "spikes.csv",
                 "timestamps population node_ids\n4.5 lgn 2\n3 v1 0\n1.5 lgn 2\n");
  EXPECT_EQ(read_trains(directory / "spikes.csv", "lgn", 0, 3),
            (SpikeTrains{{0, 0, 0, 2}, {1.5, 4.5}}));
  expect_error(ErrorKind::data, {"spikes.csv", "expected spikes of population 'lgx'"},
               [&] { read_trains(directory / "spikes.csv", "lgx", 0, 3); });
  testing::spill(directory / "other.csv", "when;who\n1;2\n");
  expect_error(ErrorKind::data, {"other.csv", "semicolons"},
               [&] { read_trains(directory / "other.csv", "lgn", 0, 3); });
}

TEST(SpikeFile, NeuronsAreNumberedWithoutSignAsInSonata) {
  const TempDir directory;
  write_spikes_sonata(directory / "spikes.h5", random_network(3), {});
  const std::string bytes = testing::slurp(directory / "spikes.h5");
  // An integer of 8 bytes in HDF5: version and class, bits of which 8 means a sign, size, offset,
  // precision.
  const auto integer = [](char bits) {
    return std::string{0x10, bits, 0, 0, 8, 0, 0, 0, 0, 0, 64, 0};
  };
  EXPECT_NE(bytes.find(integer(0)), std::string::npos);
  EXPECT_EQ(bytes.find(integer(8)), std::string::npos);
}

}  // namespace
}  // namespace afterspike::spiking
