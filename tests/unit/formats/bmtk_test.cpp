// SONATA networks as BMTK's builder and its users write them.

#include <algorithm>
#include <map>

#include <fmt/format.h>
#include <gtest/gtest.h>

#include "afterspike/formats/importer.hpp"
#include "afterspike/io/hdf5.hpp"
#include "afterspike/io/json.hpp"
#include "support/expect_error.hpp"
#include "support/temp_dir.hpp"

namespace afterspike::formats {
namespace {

namespace fs = std::filesystem;

using spiking::Network;
using spiking::Population;
using spiking::Projection;
using testing::expect_error;
using testing::TempDir;

using Values = std::vector<double>;
using Ids = std::vector<std::int64_t>;

/// A network of four neurons, "v1", and three virtual nodes, "lgn". Members are written by write();
/// a test changes them before.
struct Net {
  std::string node_types =
      "node_type_id model_type model_template dynamics_params ei\n"
      "10 point_neuron nest:glif_psc glif.json e\n"
      "11 point_neuron nest:glif_psc glif.json i\n";
  Ids node_ids = {0, 1, 2, 3}, node_types_of = {10, 10, 11, 11}, node_groups, node_rows;
  std::string edge_types =
      "edge_type_id target_query source_query model_template syn_weight dynamics_params delay\n"
      "20 * * static_synapse 7.5 port2.json 1.5\n";
  Ids sources = {0, 1, 2}, targets = {1, 2, 3}, edge_groups, edge_rows;
  std::map<std::string, Values> edge_values;
  io::Json glif = {{"V_th", -50},
                   {"E_L", -71},
                   {"after_spike_currents", true},
                   {"asc_decay", {0.01, 0.1}},
                   {"asc_amps", {-5.0, -20.0}},
                   {"tau_syn", {5.5, 8.5}}};
  io::Json config = {
      {"manifest", {{"$BASE", "${configdir}"}}},
      {"run", {{"dt", 0.25}, {"tstop", 50}}},
      {"components",
       {{"point_neuron_models_dir", "$BASE/models"}, {"synaptic_models_dir", "$BASE/models"}}},
      {"networks",
       {{"nodes",
         {{{"nodes_file", "$BASE/v1.h5"}, {"node_types_file", "$BASE/v1.csv"}},
          {{"nodes_file", "$BASE/lgn.h5"}, {"node_types_file", "$BASE/lgn.csv"}}}},
        {"edges", {{{"edges_file", "$BASE/edges.h5"}, {"edge_types_file", "$BASE/edges.csv"}}}}}},
      {"inputs",
       {{"spikes",
         {{"input_type", "spikes"},
          {"module", "sonata"},
          {"input_file", "$BASE/spikes.h5"},
          {"node_set", "lgn"}}}}}};

  void write(const fs::path& path) const;
  Network import() const {
    const TempDir directory;
    write(directory / "net");
    return import_sonata(directory / "net").network;
  }
};

void put(io::Hdf5File& file, const std::string& name, const Ids& values) {
  if (!values.empty()) file.write_values(name, values);
}

void write_spikes(const fs::path& path, const Values& times, const Ids& nodes) {
  io::Hdf5File file(path, io::Hdf5File::Mode::create);
  file.write_values("/spikes/lgn/timestamps", times);
  file.write_values("/spikes/lgn/node_ids", nodes);
}

void Net::write(const fs::path& path) const {
  fs::create_directories(path / "models");
  testing::spill(path / "config.json", config.dump());
  testing::spill(path / "models/glif.json", glif.dump());
  testing::spill(path / "models/port2.json", R"({"receptor_type": 2})");
  testing::spill(path / "v1.csv", node_types);
  testing::spill(path / "lgn.csv", "node_type_id model_type\n1 virtual\n");
  testing::spill(path / "edges.csv", edge_types);
  io::Hdf5File v1(path / "v1.h5", io::Hdf5File::Mode::create);
  put(v1, "/nodes/v1/node_id", node_ids);
  put(v1, "/nodes/v1/node_type_id", node_types_of);
  put(v1, "/nodes/v1/node_group_id", node_groups);
  put(v1, "/nodes/v1/node_group_index", node_rows);
  v1.write_values("/nodes/v1/0/x", Values{1, 2});
  v1.write_values("/nodes/v1/1/tuning", Values{3, 4});
  io::Hdf5File lgn(path / "lgn.h5", io::Hdf5File::Mode::create);
  put(lgn, "/nodes/lgn/node_type_id", {1, 1, 1});
  io::Hdf5File edges(path / "edges.h5", io::Hdf5File::Mode::create);
  put(edges, "/edges/v1_v1/source_node_id", sources);
  put(edges, "/edges/v1_v1/target_node_id", targets);
  put(edges, "/edges/v1_v1/edge_type_id", Ids(sources.size(), 20));
  put(edges, "/edges/v1_v1/edge_group_id", edge_groups);
  put(edges, "/edges/v1_v1/edge_group_index", edge_rows);
  for (const auto& [name, values] : edge_values) {
    edges.write_values("/edges/v1_v1/" + name, values);
  }
  for (const char* end : {"source", "target"}) {
    edges.write_text_attribute(fmt::format("/edges/v1_v1/{}_node_id", end), "node_population",
                               "v1");
  }
  write_spikes(path / "spikes.h5", {5, 2, 8}, {1, 1, 2});
}

TEST(Bmtk, NodesOfSeveralGroupsAndInAnyOrderAreRead) {
  Net net;
  net.node_groups = {0, 1, 1, 0};
  net.node_rows = {0, 1, 0, 1};
  EXPECT_EQ(net.import(), Net().import());
  // Node 3 comes first and is of the first type.
  Net other = net;
  other.glif["after_spike_currents"] = false;
  other.node_types =
      "node_type_id model_type model_template dynamics_params\n"
      "10 point_neuron nest:iaf_psc_delta NULL\n11 point_neuron nest:glif_psc glif.json\n";
  other.edge_types = "edge_type_id syn_weight\n20 1\n";
  other.node_ids = {3, 1, 0, 2};
  const TempDir directory;
  other.write(directory / "net");
  const Import import = import_sonata(directory / "net");
  const auto& nodes = import.nodes.at("v1");
  const auto model_of = [&](std::size_t node) {
    return import.network.populations.at(static_cast<std::size_t>(nodes.at(node).first)).model;
  };
  EXPECT_EQ(model_of(0), "glif1");
  EXPECT_EQ(model_of(1), "lif");
  EXPECT_EQ(model_of(2), "glif1");
  EXPECT_EQ(model_of(3), "lif");
}

TEST(Bmtk, EdgesTakeTheirValuesByGroupAndIndex) {
  Net net;
  net.edge_values["0/syn_weight"] = {1, 2, 3};
  net.edge_rows = {2, 0, 1};
  EXPECT_EQ(net.import().projections.at(0).weights, (Values{3, 1, 2}));
  net.edge_groups = {1, 0, 1};
  net.edge_rows = {1, 0, 0};
  net.edge_values["0/syn_weight"] = {4};
  net.edge_values["1/syn_weight"] = {5, 6};
  net.edge_values["1/delay"] = {2, 3};
  const Projection projection = net.import().projections.at(0);
  EXPECT_EQ(projection.weights, (Values{6, 4, 5}));
  EXPECT_EQ(projection.delays_ms, (Values{3, 1.5, 2}));
  // A group that has no weights of its own: those of the type.
  net.edge_values.erase("0/syn_weight");
  EXPECT_EQ(net.import().projections.at(0).weights, (Values{6, 7.5, 5}));
}

TEST(Bmtk, AbsentMembersHaveNestsDefaults) {
  Net net;
  net.glif = {{"after_spike_currents", true}};
  net.edge_types = "edge_type_id syn_weight delay\n20 1 2\n";
  Population population = net.import().populations.at(0);
  EXPECT_EQ(population.model, "glif3");
  EXPECT_EQ(population.columns.at("capacitance"), Values(4, 58.72));
  EXPECT_EQ(population.columns.at("threshold"), Values(4, -51.68));
  EXPECT_EQ(population.columns.at("initial_potential"), Values(4, -78.85));
  EXPECT_EQ(population.columns.at("after_spike_amplitude"),
            (Values{-9.18, -9.18, -9.18, -9.18, -198.94, -198.94, -198.94, -198.94}));
  EXPECT_EQ(population.synapse_time_constants_ms, Values(4, 2));
  // Multipliers are 1, as many as there are currents.
  net.glif = {{"after_spike_currents", true}, {"asc_decay", {0.5}}, {"asc_amps", {-3.0}}};
  population = net.import().populations.at(0);
  EXPECT_EQ(population.columns.at("after_spike_multiplier"), Values(4, 1));
  // Parameters may be absent as a whole, and so may delays.
  net.node_types =
      "node_type_id model_type model_template dynamics_params\n"
      "10 point_neuron nest:glif_psc NULL\n11 point_neuron nest:glif_psc NULL\n";
  net.edge_types = "edge_type_id model_template syn_weight\n20 static_synapse 3\n";
  const Network network = net.import();
  EXPECT_EQ(network.populations.at(0).model, "glif1");
  EXPECT_EQ(network.projections.at(0).delays_ms, Values{1});
}

TEST(Bmtk, IafNeuronsAreReadBesideGlifNeurons) {
  Net net;
  net.node_types =
      "node_type_id model_type model_template dynamics_params\n"
      "10 point_neuron nest:glif_psc glif.json\n11 point_neuron nest:iaf_psc_alpha lif.json\n";
  net.edge_types =
      "edge_type_id model_template syn_weight dynamics_params delay\n"
      "20 static_synapse 7.5 NULL 1.5\n";
  net.edge_values["0/syn_weight"] = {1, 2, -3};
  const TempDir directory;
  net.write(directory / "net");
  const fs::path cell = directory / "net/models/lif.json";
  testing::spill(cell, R"({"tau_m": 20, "C_m": 200, "tau_syn_ex": 0.5, "I_e": 40})");
  const Network network = import_sonata(directory / "net").network;
  const Population& lif = network.populations.at(1);
  EXPECT_EQ(lif.name, "v1_iaf_psc_alpha");
  EXPECT_EQ(lif.model, "lif");
  EXPECT_EQ(lif.synapse, spiking::SynapseShape::alpha);
  EXPECT_EQ(lif.synapse_time_constants_ms, (Values{0.5, 0.5, 2, 2}));
  EXPECT_EQ(lif.columns.at("membrane_time_constant"), Values(2, 20));
  EXPECT_EQ(lif.columns.at("constant_current"), Values(2, 40));
  EXPECT_EQ(lif.columns.at("threshold"), Values(2, -55));
  // Positive weights go to tau_syn_ex, negative ones to tau_syn_in.
  std::map<double, int> receptors;
  for (const Projection& projection : network.projections) {
    if (projection.target != 1) continue;
    for (std::int64_t at = 0; at < projection.synapses(); ++at) {
      receptors[projection.weights[static_cast<std::size_t>(at)]] = projection.receptor(at);
    }
  }
  EXPECT_EQ(receptors, (std::map<double, int>{{2, 0}, {-3, 1}}));
  testing::spill(cell, R"({"V_min": -80})");
  expect_error(ErrorKind::data, {"node 2 of 'v1'", "'V_min': found -80"},
               [&] { import_sonata(directory / "net"); });
}

TEST(Bmtk, OtherIafModelsHaveTheirSynapses) {
  const std::map<std::string, spiking::SynapseShape> shapes = {
      {"iaf_psc_exp", spiking::SynapseShape::exponential},
      {"iaf_psc_delta", spiking::SynapseShape::delta}};
  for (const auto& [model, shape] : shapes) {
    Net net;
    net.node_types = fmt::format(
        "node_type_id model_type model_template dynamics_params\n"
        "10 point_neuron nest:{0} NULL\n11 point_neuron nest:{0} NULL\n",
        model);
    net.edge_types = "edge_type_id model_template syn_weight\n20 static_synapse -3\n";
    const Network network = net.import();
    EXPECT_EQ(network.populations.at(0).synapse, shape) << model;
    const bool delta = shape == spiking::SynapseShape::delta;
    EXPECT_EQ(network.projections.at(0).receptor(0), delta ? 0 : 1) << model;
  }
}

/// Times of the trains of "lgn".
std::map<std::int64_t, Values> trains(const Network& network) {
  const spiking::SpikeTrains& all =
      network.populations.at(static_cast<std::size_t>(network.population("lgn"))).trains;
  std::map<std::int64_t, Values> result;
  for (std::size_t node = 0; node + 1 < all.offsets.size(); ++node) {
    const Values own(all.times_ms.begin() + all.offsets[node],
                     all.times_ms.begin() + all.offsets[node + 1]);
    if (!own.empty()) result[static_cast<std::int64_t>(node)] = own;
  }
  return result;
}

using Trains = std::map<std::int64_t, Values>;

TEST(Bmtk, NodeSetsAreNamesObjectsAndLists) {
  const std::vector<std::pair<io::Json, Trains>> sets = {
      {"lgn", {{1, {2, 5}}, {2, {8}}}},
      {"all", {{1, {2, 5}}, {2, {8}}}},
      {{{"population", "lgn"}}, {{1, {2, 5}}, {2, {8}}}},
      {{{"population", "lgn"}, {"node_id", {0, 2}}}, {{2, {8}}}},
      {{{"model_type", "virtual"}, {"node_id", 1}}, {{1, {2, 5}}}},
      {{{"node_type_id", 1}}, {{1, {2, 5}}, {2, {8}}}},
      {{"left", {{"population", {"lgn"}}, {"node_id", 2}}}, {{1, {2, 5}}, {2, {8}}}},
      {"left", {{1, {2, 5}}}}};
  for (const auto& [set, expected] : sets) {
    Net net;
    net.config["node_sets"] = {{"left", {{"population", "lgn"}, {"node_id", {1}}}}};
    net.config["inputs"]["spikes"]["node_set"] = set;
    EXPECT_EQ(trains(net.import()), expected) << set.dump();
  }
  const std::vector<std::pair<io::Json, std::string>> refused = {
      {"v2", "there are no nodes 'v2'"},
      {{{"population", "v2"}}, "there are no nodes 'v2'"},
      {{{"population", "lgn"}, {"node_id", 9}}, "selects no nodes"},
      {{{"population", "lgn"}, {"layer", 4}}, "selects no nodes"},
      {{{"population", "v1"}, {"tuning", 4}}, "asks for 'tuning', a value of single nodes"},
      {{0, 1}, "found 0 in node_set"},
      {{{"ei", "e"}}, "which are neurons"},
      {"circle", "name each other without end"}};
  for (const auto& [set, part] : refused) {
    Net net;
    net.node_groups = {0, 1, 1, 0};
    net.config["node_sets"] = {{"circle", io::Json::array({"circle"})}};
    net.config["inputs"]["spikes"]["node_set"] = set;
    expect_error(ErrorKind::data, {"input 'spikes'", part}, [&] { net.import(); });
  }
}

TEST(Bmtk, InputsForTheSameNodesAddUp) {
  Net net;
  net.config["inputs"]["more"] = net.config["inputs"]["spikes"];
  net.config["inputs"]["more"]["input_file"] = "$BASE/more.h5";
  const TempDir directory;
  net.write(directory / "net");
  write_spikes(directory / "net/more.h5", {3, 1}, {1, 0});
  EXPECT_EQ(trains(import_sonata(directory / "net").network),
            (Trains{{0, {1}}, {1, {2, 3, 5}}, {2, {8}}}));
}

TEST(Bmtk, SpikesMayBeText) {
  const std::vector<std::string> files = {
      "timestamps population node_ids\n5.0 lgn 1\n2.0 lgn 1\n7 v1 0\n8.0 lgn 2\n",
      "node_ids,timestamps,population\r\n1,5,lgn\r\n2,8,lgn\r\n1,+2,lgn\r\n",
      "\xef\xbb\xbf"
      "timestamps\tnode_ids\n5\t1\n2\t1\n8\t2\n\n",
      "gid spike-times\n0 \"\"\n1 \"5.0, 2.0\"\n2 8.0\n"};
  for (const std::string& file : files) {
    Net net;
    net.config["inputs"]["spikes"]["module"] = "csv";
    net.config["inputs"]["spikes"]["input_file"] = "$BASE/spikes.txt";
    const TempDir directory;
    net.write(directory / "net");
    testing::spill(directory / "net/spikes.txt", file);
    EXPECT_EQ(trains(import_sonata(directory / "net").network), (Trains{{1, {2, 5}}, {2, {8}}}))
        << file;
  }
  const std::vector<std::pair<std::string, std::string>> refused = {
      {"time node\n1 2\n", "line 1: found 'time node', expected the columns timestamps"},
      {"timestamps node_ids\n1\n", "line 2: found 1 columns, expected 2"},
      {"timestamps node_ids\nx 1\n", "line 2: column 'timestamps': found 'x', expected a number"},
      {"timestamps node_ids\n1 7\n", "found neuron 7, expected 0 to 2"},
      {"timestamps population node_ids\n1 v1 0\n", "has no spikes of these nodes"}};
  for (const auto& [file, part] : refused) {
    Net net;
    net.config["inputs"]["spikes"]["input_file"] = "$BASE/spikes.csv";
    const TempDir directory;
    net.write(directory / "net");
    testing::spill(directory / "net/spikes.csv", file);
    expect_error(ErrorKind::data, {"spikes.csv", part}, [&] { import_sonata(directory / "net"); });
  }
}

TEST(Bmtk, ACurrentClampIsAStepCurrent) {
  Net net;
  net.config["inputs"]["clamp"] = {{"input_type", "current_clamp"},
                                   {"module", "IClamp"},
                                   {"node_set", {{"population", "v1"}, {"node_id", {3, 1}}}},
                                   {"amp", 150},
                                   {"delay", 10},
                                   {"duration", 30}};
  auto currents = net.import().step_currents;
  ASSERT_EQ(currents.size(), 1u);
  EXPECT_EQ(currents[0], (spiking::StepCurrent{0, {1, 3}, {10, 40}, {150, 0}}));
  // Steps of one clamp: the second begins where the first ends, the third later.
  auto& clamp = net.config["inputs"]["clamp"];
  clamp["amp"] = {150, -20, 30};
  clamp["delay"] = {10, 40, 100};
  clamp["duration"] = {30, 5, 1};
  currents = net.import().step_currents;
  EXPECT_EQ(currents.at(0).times_ms, (Values{10, 40, 45, 100, 101}));
  EXPECT_EQ(currents.at(0).amplitudes_pa, (Values{150, -20, 0, 30, 0}));
  clamp["duration"] = {30, 5};
  expect_error(ErrorKind::data, {"input 'clamp'", "expected as many"}, [&] { net.import(); });
  clamp["node_set"] = "lgn";
  clamp["duration"] = {30, 5, 1};
  expect_error(ErrorKind::data, {"input 'clamp'", "which are virtual"}, [&] { net.import(); });
}

TEST(Bmtk, DisabledPartsAreLeftOut) {
  Net net;
  net.config["networks"]["edges"][0]["enabled"] = false;
  net.config["inputs"]["spikes"]["enabled"] = false;
  const Network network = net.import();
  EXPECT_EQ(network.synapses(), 0);
  EXPECT_EQ(trains(network), Trains{});
  net.config["networks"]["edges"][0]["enabled"] = true;
  EXPECT_EQ(net.import().synapses(), 3);
  net.config["networks"].erase("edges");
  EXPECT_EQ(net.import().synapses(), 0);
}

TEST(Bmtk, FunctionsOfPythonAreRefused) {
  const auto with = [](const std::string& function) {
    Net net;
    net.edge_types =
        "edge_type_id model_template syn_weight weight_function delay\n"
        "20 static_synapse 2 " +
        function + " 1\n";
    return net;
  };
  for (const char* plain : {"NULL", "wmax", "default_weight_fnc"}) {
    EXPECT_EQ(with(plain).import().projections.at(0).weights, Values(3, 2)) << plain;
  }
  expect_error(ErrorKind::data, {"edges.csv", "row 1: found weight_function 'gaussianLL'"},
               [&] { with("gaussianLL").import(); });
  Net net = with("NULL");
  net.edge_values["0/weight_function"] = {1, 1, 1};
  expect_error(ErrorKind::data, {"/0/weight_function': values of single edges are not read"},
               [&] { net.import(); });
  net = Net();
  net.node_types =
      "node_type_id model_type model_template dynamics_params model_processing\n"
      "10 point_neuron nest:glif_psc glif.json scale\n"
      "11 point_neuron nest:glif_psc glif.json NULL\n";
  expect_error(ErrorKind::data, {"v1.csv", "row 1: found model_processing 'scale'"},
               [&] { net.import(); });
}

TEST(Bmtk, TypeTablesMayHaveAByteOrderMarkButNoOtherSeparator) {
  Net net;
  const Network before = net.import();
  const std::string table = net.node_types;
  net.node_types = "\xef\xbb\xbf" + table;
  EXPECT_EQ(net.import(), before);
  std::replace(net.node_types.begin(), net.node_types.end(), ' ', ';');
  expect_error(ErrorKind::data, {"v1.csv", "columns are separated by ';', expected blanks"},
               [&] { net.import(); });
  net.node_types = std::string("\xff\xfen\0o\0", 6);
  expect_error(ErrorKind::data, {"v1.csv", "found text in UTF-16", "expected UTF-8"},
               [&] { net.import(); });
}

}  // namespace
}  // namespace afterspike::formats
