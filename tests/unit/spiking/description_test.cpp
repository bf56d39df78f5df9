#include "afterspike/spiking/description.hpp"

#include <gtest/gtest.h>

#include "networks.hpp"

namespace afterspike::spiking {
namespace {

using testing::make_population;

/// Three neurons that hear one recorded source; two outputs.
Network small() {
  const Rng rng(3);
  Network network;
  network.time_step_ms = 0.25;
  network.populations = {
      make_population("cells", "glif3", 3, SynapseShape::exponential, {2, 5}, rng),
      make_population("input", "spike_source", 1, SynapseShape::delta, {}, rng)};
  network.populations[0].columns["threshold"] = {1, 2, 6};
  network.populations[0].columns["reset"] = {0.1, 0.1, 0.1};
  network.populations[1].trains = {{0, 2}, {1.25, 7}};
  const std::vector<Synapse> synapses = {{0, 0, 4, 0.5, 0}, {0, 2, -2, 1.5, 1}};
  network.projections = {make_projection(network.populations, 1, 0, synapses)};
  network.step_currents.push_back({0, {}, {1}, {100}});
  network.readout = {0, 7, 1.0 / 14, std::vector<double>(6, 0.1), {0.5, -0.5}};
  network.provenance = {{"task", "line_mnist"}};
  validate(network);
  return network;
}

io::Json parameter(const io::Json& population, std::string_view name) {
  for (const io::Json& each : population.at("parameters")) {
    if (each.at("name") == name) return each;
  }
  return nullptr;
}

TEST(GlifnetDescription, CountsAndNamesWhatANetworkIsMadeOf) {
  const io::Json network = describe(small());
  EXPECT_EQ(network.at("time_step_ms"), 0.25);
  EXPECT_EQ(network.at("neurons"), 3) << "a source is no neuron";
  EXPECT_EQ(network.at("synapses"), 2);
  EXPECT_EQ(network.at("step_currents"), 1);
  EXPECT_EQ(network.at("noise_currents"), 0);
  EXPECT_EQ(network.at("provenance"), (io::Json{{"task", "line_mnist"}}));
  const io::Json& cells = network.at("populations").at(0);
  EXPECT_EQ(cells.at("model"), "glif3");
  EXPECT_EQ(cells.at("receptors"), 2);
  EXPECT_EQ(cells.at("after_spike_currents"), 2);
  EXPECT_EQ(cells.at("synapse_time_constants_ms").at("max"), 5);
  EXPECT_EQ(parameter(cells, "after_spike_decay").at("values").at("n"), 6) << "two a neuron";
  EXPECT_EQ(network.at("populations").at(1).at("recorded_spikes"), 2);
  const io::Json& projection = network.at("projections").at(0);
  EXPECT_EQ(projection.at("source"), "input");
  EXPECT_EQ(projection.at("target"), "cells");
  EXPECT_EQ(projection.at("weight_unit"), "pA");
  EXPECT_EQ(projection.at("delays_ms").at("min"), 0.5);
  EXPECT_EQ(network.at("readout").at("outputs"), 2);
  EXPECT_EQ(network.at("readout").at("population"), "cells");
  EXPECT_TRUE(describe(Network{}).at("readout").is_null());
}

TEST(GlifnetDescription, GivesStatisticsInTheUnitOfTheColumn) {
  const io::Json description = describe(small());
  const io::Json& cells = description.at("populations").at(0);
  const io::Json threshold = parameter(cells, "threshold");
  EXPECT_EQ(threshold.at("unit"), "mV");
  EXPECT_EQ(threshold.at("values").at("mean"), 3);
  EXPECT_DOUBLE_EQ(threshold.at("values").at("sd").get<double>(), std::sqrt(7));
  EXPECT_EQ(threshold.at("values").at("max"), 6);
  const io::Json reset = parameter(cells, "reset").at("values");
  EXPECT_EQ(reset.at("mean"), 0.1) << "to the bit";
  EXPECT_EQ(reset.at("sd"), 0);
}

TEST(GlifnetDescription, CountsCopies) {
  Network network;
  Population& population = network.populations.emplace_back();
  population = {"hidden", "glifr", 5, SynapseShape::delta, 1, {}, {}, {}, 4};
  for (const Parameter& column : model("glifr").parameters) {
    population.columns[std::string(column.name)] =
        std::vector<double>(column.extent == Extent::current ? 0 : 5, 1);
  }
  validate(network);
  const io::Json description = describe(network);
  EXPECT_EQ(description.at("neurons"), 20);
  const io::Json& hidden = description.at("populations").at(0);
  EXPECT_EQ(hidden.at("copies"), 4);
  EXPECT_TRUE(parameter(hidden, "after_spike_decay").at("values").is_null()) << "it has none";
}

}  // namespace
}  // namespace afterspike::spiking
