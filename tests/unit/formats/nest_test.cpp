// NEST's formats: what they hold, and that it is the network that our core runs.

#include <algorithm>
#include <cmath>

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "afterspike/base/registry.hpp"
#include "afterspike/formats/conversion.hpp"
#include "afterspike/formats/importer.hpp"
#include "afterspike/io/json.hpp"
#include "afterspike/spiking/simulation.hpp"
#include "glifr_network.hpp"
#include "nest_networks.hpp"
#include "nest_rules.hpp"
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

TEST(Sonata, WhatIsWrittenIsTheNetworkThatOurCoreRuns) {
  const TempDir directory;
  const Conversion written =
      export_network(format("sonata"), spiking_network(), directory / "net", {true, 0.1, 0.1});
  const Import import = import_sonata(directory / "net");
  EXPECT_EQ(import.network.time_step_ms, 0.1);
  EXPECT_EQ(import.nodes.at("hidden").size(), 12u);
  const auto expected = spikes_of(written.network, 0.1, 300);
  EXPECT_GT(expected.size(), 300u);
  EXPECT_EQ(spikes_of(import.network, 0.1, 300), expected);
}

/// NEST's reader needs this layout to the letter.
TEST(Sonata, FilesAreOfTheDocumentedLayout) {
  const TempDir directory;
  export_network(format("sonata"), spiking_network(), directory / "net", {true, 0.1, 0.1});
  const fs::path net = directory / "net";
  const io::Json config = io::read_json(net / "config.json", ErrorKind::data);
  EXPECT_EQ(config["target_simulator"], "NEST");
  EXPECT_EQ(config["networks"]["nodes"].size(), 2u);
  EXPECT_EQ(config["inputs"]["input"]["module"], "h5");
  const io::Hdf5File nodes(net / "hidden_nodes.h5"), edges(net / "hidden_hidden_1_edges.h5");
  for (const auto* file : {&nodes, &edges}) {
    EXPECT_EQ(file->attribute<std::int64_t>("/", "magic").values.at(0), 0x0A7A);
    EXPECT_EQ(file->attribute<std::int64_t>("/", "version").values,
              (std::vector<std::int64_t>{0, 1}));
  }
  EXPECT_TRUE(nodes.is_group("/nodes/hidden/0"));
  for (const char* name : {"node_id", "node_type_id", "node_group_id", "node_group_index"}) {
    EXPECT_EQ(nodes.shape(std::string("/nodes/hidden/") + name).at(0), 12) << name;
  }
  const std::string group = "/edges/hidden_to_hidden";
  for (const char* name : {"source_node_id", "target_node_id", "edge_type_id", "edge_group_id",
                           "edge_group_index", "0/syn_weight", "0/delay"}) {
    EXPECT_EQ(edges.shape(group + "/" + name).at(0), 144) << name;
  }
  EXPECT_EQ(edges.text_attribute(group + "/source_node_id", "node_population"), "hidden");
  EXPECT_EQ(testing::slurp(net / "input_node_types.csv"), "node_type_id model_type\n0 virtual\n");
  EXPECT_THAT(testing::slurp(net / "hidden_node_types.csv"),
              HasSubstr("node_type_id model_type model_template dynamics_params\n"
                        "0 point_neuron nest:glif_psc hidden_0.json\n"));
  const io::Json port = io::read_json(net / "components/syn/port1.json", ErrorKind::data);
  EXPECT_EQ(port["receptor_type"], 1);
  const io::Json cell = io::read_json(net / "components/cells/hidden_0.json", ErrorKind::data);
  EXPECT_EQ(cell["ASCurrents"].size(), 2u);
  EXPECT_FALSE(cell.contains("I_e"));
}

/// NEST: "Could not find an input file for population input in config file".
TEST(Sonata, VirtualNodesThatAreToldNoSpikesHaveAFileOfNone) {
  const TempDir directory;
  export_network(format("sonata"), glifr_network(), directory / "net", {true});
  const io::Json config = io::read_json(directory / "net/config.json", ErrorKind::data);
  ASSERT_TRUE(config["inputs"].contains("input"));
  EXPECT_EQ(config["inputs"]["input"]["node_set"], "input");
  EXPECT_EQ(config["inputs"]["input"]["input_file"], "$BASE_DIR/input_spikes.h5");
  const io::Hdf5File spikes(directory / "net/input_spikes.h5");
  for (const char* name : {"timestamps", "node_ids"}) {
    EXPECT_EQ(spikes.shape(std::string("/spikes/input/") + name), std::vector<std::int64_t>{0});
  }
  const auto import = import_sonata(directory / "net");
  EXPECT_EQ(import.network.populations.at(1).trains.offsets, std::vector<std::int64_t>(5, 0));
}

TEST(Sonata, TheNetworkThatTakesValuesIsTheOneThatIsVerified) {
  auto network = glifr_network();
  network.readout = {0, 2, 1, std::vector<double>(12, 1), {0}};
  const Conversion written = format("sonata").convert(network, {});
  EXPECT_EQ(written.network.populations[1].model, "spike_source");
  EXPECT_EQ(written.network.readout.population, -1);
  const spiking::Network& shown = written.to_verify();
  EXPECT_EQ(shown.populations[1], network.populations[1]);
  EXPECT_EQ(shown.readout, network.readout);
  // All else is what is written.
  EXPECT_EQ(shown.populations[0], written.network.populations[0]);
  EXPECT_EQ(shown.projections, written.network.projections);
  // Without values there is nothing to take out.
  const Conversion spikes = format("sonata").convert(spiking_network(), {});
  EXPECT_EQ(&spikes.to_verify(), &spikes.network);
}

TEST(Nest, NothingIsChangedInSilence) {
  const TempDir directory;
  const auto network = spiking_network();
  for (const char* name : {"pynest", "sonata"}) {
    expect_error(ErrorKind::config,
                 {"expected --approximate", "multiplier of an after-spike current above 1",
                  "no refractory period", "delta synapses", "V_reset is not below V_th"},
                 [&] { export_network(format(name), network, directory / "no", {}); });
    EXPECT_FALSE(fs::exists(directory / "no"));
  }
  const Conversion conversion = as_nest(network, {});
  const auto& columns = conversion.network.populations[0].columns;
  const auto exact = as_glif3(network).network.populations[0].columns.at("after_spike_multiplier");
  const auto beyond =
      std::count_if(exact.begin(), exact.end(), [](double r) { return r > 1 || r < 0; });
  std::int64_t listed = 0;
  for (const Deviation& deviation : conversion.deviations) {
    if (deviation.what.starts_with("multiplier")) listed += deviation.values;
  }
  EXPECT_EQ(listed, beyond);
  EXPECT_GT(listed, 3);
  for (std::size_t at = 0; at < exact.size(); ++at) {
    EXPECT_EQ(columns.at("after_spike_multiplier")[at], std::clamp(exact[at], 0.0, 1.0));
  }
  for (std::size_t n = 0; n < 12; ++n) {
    EXPECT_LT(columns.at("reset")[n], columns.at("threshold")[n]);
    EXPECT_GT(columns.at("refractory")[n], 0);
  }
}

/// hom, lhet, fhet and rhet have no after-spike currents, and files may have any number.
TEST(Nest, TakesNeuronsOfAnyNumberOfAfterSpikeCurrents) {
  const TempDir directory;
  for (const std::int64_t currents : {0, 1, 2, 3}) {
    const auto network = glifr_network({}, 3, 1, 1, currents);
    for (const char* name : {"pynest", "sonata"}) {
      const fs::path net = directory / (name + std::to_string(currents));
      export_network(format(name), network, net, {true});
      const bool sonata = fs::exists(net / "config.json");
      const io::Json cell =
          sonata ? io::read_json(net / "components/cells/hidden_0.json", ErrorKind::data)
                 : io::Json::parse(io::Hdf5File(net / "net.h5").text_attribute("/", "params"))[0];
      EXPECT_EQ(testing::nest_refusal(cell), "") << name << " " << currents << cell;
      EXPECT_EQ(cell["after_spike_currents"], currents > 0);
      EXPECT_EQ(cell.contains("asc_r") ? cell["asc_r"].size() : 0, currents);
    }
  }
}

/// NEST: "Resolution must be a multiple of the tic length", to 4 units in the last place.
TEST(Nest, AStepIsWholeTics) {
  for (const double step : {0.1, 1.0}) {
    const auto network = glifr_network({{"constant_current", {0, 0}}}, 12, 4, step);
    for (const char* name : {"pynest", "sonata"}) {
      for (const double resolution : {step / 3, step / 1.5, 0.0005, 0.1 * (1 + 1e-7)}) {
        expect_error(ErrorKind::config,
                     {"resolution: found 0.", "expected a multiple of 0.001 ms, NEST's tic"}, [&] {
                       format(name).convert(network, {true, resolution, 0});
                     });
      }
      // Rounding, such as that of a tenth times three, is taken out.
      const double tenth = step / 10;
      EXPECT_EQ(format(name).convert(network, {true, tenth * (1 + 4e-16), 0}).resolution_ms, tenth);
    }
  }
}

TEST(Nest, AnAlphaCurrentBringsTheChargeOfTheJump) {
  // One synapse, no threshold: the voltage comes to w but for what leaks meanwhile.
  auto network = glifr_network(
      {{"threshold", {1e6, 1e6}}, {"membrane_decay", {1e-6, 1e-6}}, {"constant_current", {0, 0}}},
      1, 1);
  network.populations[1].model = "spike_source";
  network.populations[1].trains = {{0, 1}, {1.0}};
  network.projections[0].weights = {0.7};
  spiking::Options options{1};
  options.dt_ms = 0.1;
  spiking::Simulation simulation(as_nest(network, {false, 0.1, 0.1}).network, options);
  simulation.record("hidden", "V", 10);
  simulation.run_until(10);
  EXPECT_NEAR(simulation.recording(0).values.at(0), 0.7, 1e-4);
}

TEST(Nest, TakesNeuronsWhateverTheyWereBefore) {
  const TempDir directory;
  for (const char* level : {"glif1", "glif2", "glif3", "glif4", "glif5"}) {
    spiking::Network network;
    network.populations = {
        testing::make_population("cells", level, 4, spiking::SynapseShape::alpha, {2}, Rng(1))};
    auto& columns = network.populations[0].columns;
    columns["refractory"] = {0, 0, 1, 2};
    columns["reset"] = {-40, -52, -80, -71};
    columns["threshold"] = {-50, -52, -90, -60};
    if (columns.contains("reset_fraction")) columns["reset_fraction"] = {-1, 0, 1, 1.5};
    if (columns.contains("after_spike_multiplier")) {
      columns["after_spike_multiplier"] = {-1, 0, 1, 1.5, 0.5, 1e9, -1e-9, 1 + 1e-9};
    }
    const fs::path net = directory / level;
    export_network(format("sonata"), network, net, {true});
    for (int type = 0; type < 4; ++type) {
      const io::Json cell =
          io::read_json(net / fmt::format("components/cells/cells_{}.json", type), ErrorKind::data);
      EXPECT_EQ(testing::nest_refusal(cell), "") << level << " " << cell;
    }
  }
}

TEST(Nest, SynapsesAreListedByTheNeuronsThatTheyReach) {
  auto network = glifr_network({}, 12, 4);
  network.projections = {make_projection(
      network.populations, 0, 0,
      std::vector<spiking::Synapse>{{0, 11, 1, 1, 0}, {3, 2, 1, 2.3, 0}, {4, 11, 1, 0.2, 0}})};
  std::map<std::string, std::vector<std::int64_t>> neurons;
  for (const Deviation& each : as_nest(network, {}).deviations) neurons[each.what] = each.neurons;
  using List = std::vector<std::int64_t>;
  EXPECT_EQ(neurons.at("delta synapses"), (List{2, 11}));
  EXPECT_EQ(neurons.at("delays, which alpha synapses lengthen by 0.5 ms"), List{2});
  EXPECT_EQ(neurons.at("delays shorter than the lag of alpha synapses and a step"), List{11});
}

TEST(Nest, EveryNeuronIsInTheJson) {
  auto network = glifr_network({{"after_spike_multiplicative", {0.1, 0.4}}}, 40, 1);
  for (const Deviation& each : as_nest(network, {}).deviations) {
    if (!each.what.starts_with("multiplier")) continue;
    EXPECT_THAT(text_of(each), HasSubstr("80 values of 40 neurons: 0, 1, 2, 3, 4, 5, 6, 7, ..."));
    const io::Json json = json_of(each);
    EXPECT_EQ(json["neurons"].size(), 40u);
    EXPECT_EQ(json["values"], 80);
    EXPECT_EQ(json["population"], "hidden");
    EXPECT_EQ(json["replacement"], "1");
    return;
  }
  ADD_FAILURE() << "expected multipliers above 1";
}

TEST(Nest, AResetThatLeavesMoreOrLessThanTheVoltageIsListed) {
  spiking::Network network;
  network.populations = {
      testing::make_population("cells", "glif2", 4, spiking::SynapseShape::alpha, {2}, Rng(1))};
  network.populations[0].columns["reset_fraction"] = {1.2, 0.3, -0.1, -2};
  const Conversion conversion = as_nest(network, {});
  ASSERT_EQ(conversion.deviations.size(), 2u);
  EXPECT_THAT(
      text_of(conversion.deviations[0]),
      HasSubstr("fraction of the voltage that a reset leaves above 1 (1 values of 1 neurons:"
                " 0): replaced by 1"));
  EXPECT_EQ(conversion.deviations[1].neurons, (std::vector<std::int64_t>{2, 3}));
  EXPECT_EQ(conversion.network.populations[0].columns.at("reset_fraction"),
            (std::vector<double>{1, 0.3, 0, 0}));
}

TEST(Nest, NetworksOfGlifNeuronsNeedNoApproximation) {
  const TempDir directory;
  spiking::Network network;
  network.populations = {
      testing::make_population("cells", "glif4", 6, spiking::SynapseShape::alpha, {2, 5}, Rng(1))};
  for (double& current : network.populations[0].columns["constant_current"]) current = 0;
  network.projections = {
      make_projection(network.populations, 0, 0,
                      testing::random_synapses(network.populations[0], network.populations[0], 3,
                                               60, 0.1, 20, Rng(2)))};
  for (const char* name : {"pynest", "sonata"}) {
    EXPECT_TRUE(export_network(format(name), network, directory / name, {}).deviations.empty());
  }
  const Import import = import_sonata(directory / "sonata");
  EXPECT_EQ(import.network.populations[0].columns, network.populations[0].columns);
  EXPECT_EQ(import.network.projections, network.projections);
}

/// Returns NEST's run of a directory sonata_NAME: golden_NAME_net.h5, NAME with or without its end.
fs::path golden_of(const fs::path& directory) {
  std::string name = directory.filename().string().substr(std::string("sonata_").size());
  for (;;) {
    const fs::path file = directory.parent_path() / fmt::format("golden_{}_net.h5", name);
    const auto end = name.rfind('_');
    if (fs::exists(file)) return file;
    if (end == std::string::npos) return {};
    name.resize(end);
  }
}

/// Where the neurons are that the numbers of the file mean: all nodes that are no source.
std::vector<std::pair<std::int64_t, std::int64_t>> neurons_of(const Import& import) {
  std::vector<std::pair<std::int64_t, std::int64_t>> neurons;
  for (const auto& [name, places] : import.nodes) {
    const auto first = static_cast<std::size_t>(places.at(0).first);
    if (spiking::model(import.network.populations.at(first).model).is_source()) continue;
    EXPECT_TRUE(neurons.empty()) << "several populations of neurons: " << name;
    neurons = places;
  }
  return neurons;
}

void expect_golden_spikes(const fs::path& directory, const fs::path& golden) {
  const Import import = import_sonata(directory);
  const io::Hdf5File file(golden);
  const auto number = [&](const char* name) {
    return file.attribute<double>("/", name).values.at(0);
  };
  const double step = number("dt");
  EXPECT_EQ(import.network.time_step_ms, step);
  const auto ids = file.read<double>("/spike_ids").values;
  const auto times = file.read<double>("/spike_times").values;
  const auto neurons = neurons_of(import);
  std::vector<Key> expected;
  for (std::size_t at = 0; at < ids.size(); ++at) {
    const auto [population, neuron] = neurons.at(static_cast<std::size_t>(ids[at]));
    expected.emplace_back(std::llround(times[at] / step), population, neuron);
  }
  std::sort(expected.begin(), expected.end());
  EXPECT_EQ(spikes_of(import.network, step, number("T")), expected);
  EXPECT_GT(expected.size(), 0u);
}

/// Every golden directory there is, as NEST ran its network.
TEST(Sonata, GoldenNetworksGiveTheirSpikes) {
  int compared = 0;
  const fs::path all = testing::golden_spiking("sonata_glif").parent_path();
  for (const auto& entry : fs::directory_iterator(all)) {
    const std::string name = entry.path().filename().string();
    if (!name.starts_with("sonata_") || !entry.is_directory()) continue;
    const fs::path golden = golden_of(entry.path());
    if (golden.empty()) continue;
    SCOPED_TRACE(name);
    expect_golden_spikes(entry.path(), golden);
    ++compared;
  }
  EXPECT_GE(compared, 1);
}

}  // namespace
}  // namespace afterspike::formats
