// SONATA directories of others: what is read, and what is refused.

#include <functional>
#include <map>

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "afterspike/base/registry.hpp"
#include "afterspike/formats/exporter.hpp"
#include "afterspike/formats/importer.hpp"
#include "afterspike/io/hdf5.hpp"
#include "afterspike/io/json.hpp"
#include "sonata_files.hpp"
#include "support/expect_error.hpp"
#include "support/temp_dir.hpp"
#include "unit/spiking/sample_networks.hpp"

namespace afterspike::formats {
namespace {

namespace fs = std::filesystem;

using testing::change;
using testing::edit;
using ::testing::HasSubstr;
using testing::TempDir;
using testing::write_net;

struct Damage {
  std::string what;
  std::function<void(const fs::path&)> apply;
  std::vector<std::string> parts;
};

Damage number(const char* file, const std::string& dataset, const std::vector<double>& values,
              const std::vector<std::string>& parts) {
  return {dataset, [=](const fs::path& net) { change(net / file, dataset, values); }, parts};
}
Damage text(const char* file, const std::string& from, const std::string& to,
            const std::vector<std::string>& parts) {
  return {from, [=](const fs::path& net) { edit(net / file, from, to); }, parts};
}
Damage content(const char* file, const std::string& whole, const std::vector<std::string>& parts) {
  return {file, [=](const fs::path& net) { testing::spill(net / file, whole); }, parts};
}

std::vector<Damage> damages() {
  constexpr const char *kNodes = "cells_nodes.h5", *kEdges = "input_cells_0_edges.h5",
                       *kSpikes = "input_spikes.h5", *kEdgeTypes = "input_cells_0_edge_types.csv";
  const std::string edges = "/edges/input_to_cells/", nodes = "/nodes/cells/";
  return {
      content("config.json", "{}", {"config.json", "'networks' is missing"}),
      content("config.json", "{\"networks\": {\"nodes\": [{\"nodes_file\": \"$HOME/x\"}]}}",
              {"config.json", "whose variables the manifest does not know"}),
      content("cells_node_types.csv", "node_type_id model_type\n0 point_neuron extra\n",
              {"cells_node_types.csv", "line 2", "found 3 columns, expected 2"}),
      content("cells_node_types.csv", "node_type_id model_type model_template\n77 virtual NULL\n",
              {"found node_type_id 0, which", "cells_node_types.csv", "does not have"}),
      content("cells_node_types.csv", "node_type_id model_type model_template\nx virtual NULL\n",
              {"cells_node_types.csv", "row 1", "column 'node_type_id'", "found 'x'",
               "expected a whole number"}),
      content("components/cells/cells_0.json", "{\"spike_dependent_threshold\": 1}",
              {"spike_dependent_threshold", "of another type"}),
      text("components/cells/cells_0.json", "\"ASCurrents\":", "\"ASCurrents\": [0, 1.5], \"was\":",
           {"node 0 of 'cells'", "member 'ASCurrents': found 1.5 pA, expected 0"}),
      text("components/cells/cells_0.json", "{", "{\"threshold_spike\": 3,",
           {"node 0 of 'cells'", "member 'threshold_spike': found 3 mV, expected 0"}),
      text("components/cells/cells_0.json", "{", "{\"threshold_voltage\": -0.5,",
           {"node 0 of 'cells'", "member 'threshold_voltage': found -0.5 mV, expected 0"}),
      content("components/syn/port1.json", "{\"receptor_type\": 0}", {"expected 1 to 255"}),
      text("cells_node_types.csv", "1 point_neuron nest:glif_psc cells_1.json",
           "1 virtual NULL NULL", {"model_type 'point_neuron' and 'virtual'", "one for all"}),
      text(kEdgeTypes, "static_synapse", "tsodyks_synapse",
           {"found model_template 'tsodyks_synapse'", "expected static_synapse",
            "constant weights"}),
      content(kEdgeTypes,
              "edge_type_id model_template dynamics_params nsyns\n1 static_synapse port1.json 0\n"
              "2 static_synapse port2.json 1\n",
              {"input_to_cells", "found nsyns 0, expected a whole number from 1 to 1000"}),
      content("cells_node_types.csv",
              "node_type_id model_type model_template dynamics_params\n"
              "0 point_neuron nest:iaf_cond_alpha cells_0.json\n"
              "1 point_neuron nest:glif_psc cells_1.json\n",
              {"cells_node_types.csv",
               "found model_template 'nest:iaf_cond_alpha', expected"
               " nest:glif_psc, nest:glif_lif_psc, nest:glif_lif_r_psc"}),
      text("config.json", "\"spikes\"", "\"replay\"",
           {"input 'input'", "found input_type 'replay', expected spikes or current_clamp"}),
      text("config.json", "\"node_set\": \"input\"", "\"node_set\": \"cells\"",
           {"found nodes 'cells', which are neurons"}),
      {"units",
       [=](const fs::path& net) { change(net / kSpikes, "", {}, "seconds"); },
       {"input_spikes.h5", "found timestamps in seconds, expected milliseconds"}},
      number(kSpikes, "/spikes/input/timestamps", {-1, 2, 3}, {"found -1 ms"}),
      number(kNodes, nodes + "node_id", {1, 1},
             {"node_id': value 1: found 1, expected each of 0 to 1 once"}),
      number(kNodes, nodes + "node_group_id", {0, 1},
             {"value 1: found 1, but the file has no group"}),
      number(kNodes, nodes + "node_group_index", {0, 0}, {"node_group_index': value 1: found 0"}),
      number(kEdges, edges + "edge_group_id", {0, 1}, {"edge_group_id': value 1: found 1"}),
      number(kEdges, edges + "edge_group_index", {1, 1}, {"edge_group_index': value 1: found 1"}),
      number(kEdges, edges + "edge_group_index", {0}, {"found 1 values, expected 2"}),
      number(kEdges, edges + "0/nsyns", {1, -2}, {"input_to_cells': found nsyns -2"}),
      number(kEdges, edges + "0/nsyns", {1}, {"0/nsyns': found 1 values, but edge 1 is row 1"}),
      number(kEdges, edges + "source_node_id", {0, 9}, {"edge 1: found node 9, expected 0 to 1"})};
}

TEST(Sonata, WhatWouldBeTakenOtherwiseThanItIsMeantIsRefused) {
  const TempDir directory;
  write_net(directory / "whole");
  int at = 0;
  for (const Damage& damage : damages()) {
    SCOPED_TRACE(damage.what);
    const fs::path net = directory / std::to_string(at++);
    fs::copy(directory / "whole", net, fs::copy_options::recursive);
    damage.apply(net);
    try {
      import_sonata(net);
      ADD_FAILURE() << "expected an error";
    } catch (const Error& error) {
      EXPECT_EQ(error.kind(), ErrorKind::data);
      for (const auto& part : damage.parts) EXPECT_THAT(error.what(), HasSubstr(part));
    }
  }
}

TEST(Sonata, TypesOfOtherEdgesDoNotMatter) {
  const TempDir directory;
  write_net(directory / "net");
  const spiking::Network before = import_sonata(directory / "net").network;
  const fs::path types = directory / "net/input_cells_0_edge_types.csv";
  std::string table = testing::slurp(types);
  const auto last = table.rfind('\n', table.size() - 2) + 1;
  std::string other = "99" + table.substr(table.find(' ', last));
  other.replace(other.find("static_synapse"), 14, "tsodyks_synapse");
  testing::spill(types, table + other);
  EXPECT_EQ(import_sonata(directory / "net").network, before);
}

TEST(Sonata, FilesThatAreWrittenAnewReadTheSame) {
  // Baseline of the damages above: a data set is replaced, and nothing else.
  const TempDir directory;
  write_net(directory / "net");
  const spiking::Network before = import_sonata(directory / "net").network;
  for (const char* file : {"cells_nodes.h5", "input_cells_0_edges.h5", "input_spikes.h5"}) {
    change(directory / "net" / file, "", {});
  }
  EXPECT_EQ(import_sonata(directory / "net").network, before);
}

TEST(Sonata, AnEdgeMayStandForSeveralSynapses) {
  const TempDir directory;
  write_net(directory / "net");
  const spiking::Projection before = import_sonata(directory / "net").network.projections.at(0);
  change(directory / "net/input_cells_0_edges.h5", "/edges/input_to_cells/0/nsyns", {1, 3});
  const spiking::Projection after = import_sonata(directory / "net").network.projections.at(0);
  EXPECT_EQ(after.offsets, (std::vector<std::int64_t>{0, 1, 4}));
  for (std::size_t at = 1; at < 4; ++at) {
    EXPECT_EQ(after.targets.at(at), before.targets.at(1));
    EXPECT_EQ(after.weights.at(at), before.weights.at(1));
  }
  // The same, said by the type of the second edge.
  change(directory / "net/input_cells_0_edges.h5", "/edges/input_to_cells/0/nsyns", {1, 1});
  write_net(directory / "other");
  testing::spill(directory / "other/input_cells_0_edge_types.csv",
                 "edge_type_id model_template dynamics_params nsyns\n"
                 "1 static_synapse port1.json NULL\n2 static_synapse port2.json 3\n");
  EXPECT_EQ(import_sonata(directory / "other").network.projections.at(0), after);
}

/// A directory whose cells are files of the Allen Institute, as BMTK takes them.
void write_bmtk_net(const fs::path& net,
                    const std::vector<std::pair<std::string, io::Json>>& cells) {
  write_net(net);
  std::string table = "node_type_id model_type model_template dynamics_params\n";
  for (std::size_t type = 0; type < cells.size(); ++type) {
    const auto& [model, config] = cells[type];
    table += fmt::format("{} point_neuron {} {}_{}\n", type, model, type, kAllenConfig);
    testing::spill(net / fmt::format("components/cells/{}_{}", type, kAllenConfig), config.dump());
  }
  testing::spill(net / "cells_node_types.csv", table);
}

/// A neuron of a level as a file of the Allen Institute, which has multipliers of 1.
io::Json allen_cell(const std::string& level) {
  const TempDir directory;
  spiking::Network network;
  network.populations = {
      testing::make_population("cell", level, 1, spiking::SynapseShape::alpha, {2}, Rng(5))};
  auto& columns = network.populations[0].columns;
  columns["constant_current"] = {0};
  if (columns.contains("after_spike_multiplier")) columns["after_spike_multiplier"] = {1, 1};
  export_network(find_entry<ExporterEntry>(entries(), "allen", "format"), network,
                 directory / "cells", {true});
  return io::read_json(directory / "cells/cell_0_neuron_config.json", ErrorKind::data);
}

TEST(Sonata, CellsMayBeAllensFilesWithBmtksTemplates) {
  const std::vector<std::pair<std::string, std::string>> templates = {
      {"nest:glif_lif_psc", "glif1"},
      {"nest:glif_lif_r_psc", "glif2"},
      {"nest:glif_lif_asc_psc", "glif3"},
      {"nest:glif_lif_r_asc_psc", "glif4"},
      {"nest:glif_lif_r_asc_a_psc", "glif5"}};
  for (const auto& [model, level] : templates) {
    SCOPED_TRACE(model);
    const TempDir directory;
    const io::Json cell = allen_cell(level);
    write_bmtk_net(directory / "net", {{model, cell}, {model, cell}});
    const auto found = import_sonata(directory / "net").network.populations.at(0);
    EXPECT_EQ(found.size, 2);
    EXPECT_EQ(found.model, level);
    EXPECT_EQ(found.receptors, 4);
    testing::spill(directory / "cell.json", cell.dump());
    const auto alone = import_allen({directory / "cell.json"}).populations.at(0);
    for (const auto& [name, values] : alone.columns) {
      for (std::size_t at = 0; at < values.size(); ++at) {
        EXPECT_EQ(found.columns.at(name).at(2 * at), values[at]) << name;
        EXPECT_EQ(found.columns.at(name).at(2 * at + 1), values[at]) << name;
      }
    }
  }
}

TEST(Sonata, WhatBmtkWouldMakeSomethingElseOfIsRefused) {
  const auto refuse = [](const char* model, const char* level, const char* pointer,
                         const io::Json& value, const char* part) {
    const TempDir directory;
    io::Json cell = allen_cell(level);
    if (*pointer != '\0') cell[io::Json::json_pointer(pointer)] = value;
    write_bmtk_net(directory / "net", {{model, cell}, {model, cell}});
    testing::expect_error(ErrorKind::data, {"0_neuron_config.json", part},
                          [&] { import_sonata(directory / "net"); });
  };
  refuse("nest:glif_lif_psc", "glif3", "", {}, "found methods of glif3, expected those of glif1");
  refuse("nest:glif_lif_asc_psc", "glif3", "/AScurrent_reset_method/params/r/1", 0.5,
         "found r of AScurrent_reset_method 0.5, expected 1");
  refuse("nest:glif_lif_r_psc", "glif2", "/El", 0.001, "found El other than 0, expected 0");
  refuse("nest:glif_lif_r_psc", "glif2", "/type", "LIF", "found type 'LIF'");
}

TEST(Sonata, AManifestMayStartFromTheFolderOfItsFile) {
  const TempDir directory;
  write_net(directory / "net");
  const spiking::Network before = import_sonata(directory / "net").network;
  edit(directory / "net/config.json", "\"$BASE_DIR\": \".\"", "\"$BASE_DIR\": \"${configdir}\"");
  EXPECT_EQ(import_sonata(directory / "net").network, before);
  edit(directory / "net/config.json", "$BASE_DIR/cells_nodes.h5", "${BASE_DIR}/cells_nodes.h5");
  EXPECT_EQ(import_sonata(directory / "net").network, before);
  edit(directory / "net/config.json", "${configdir}", "${workingdir}");
  testing::expect_error(ErrorKind::data, {"config.json", "whose variables the manifest does not"},
                        [&] { import_sonata(directory / "net"); });
}

TEST(Sonata, NetworkAndSimulationMayBeFilesOfTheirOwn) {
  const TempDir directory;
  write_net(directory / "net");
  const spiking::Network before = import_sonata(directory / "net").network;
  io::Json whole = io::read_json(directory / "net/config.json", ErrorKind::data);
  fs::create_directory(directory / "runs");
  io::Json simulation = {{"run", whole["run"]}, {"inputs", whole["inputs"]}};
  // One variable's name is the beginning of another's.
  simulation["manifest"] = {{"$NET", "nowhere"}, {"$NET_DIR", "../net"}};
  simulation["inputs"]["input"]["input_file"] = "$NET_DIR/input_spikes.h5";
  whole.erase("run");
  whole.erase("inputs");
  testing::spill(directory / "net/circuit_config.json", whole.dump());
  testing::spill(directory / "runs/simulation_config.json", simulation.dump());
  testing::spill(directory / "net/config.json",
                 R"({"manifest": {"$RUNS": "../runs"}, "network": "./circuit_config.json",
                     "simulation": "$RUNS/simulation_config.json"})");
  EXPECT_EQ(import_sonata(directory / "net").network, before);
}

}  // namespace
}  // namespace afterspike::formats
