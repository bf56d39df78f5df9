#pragma once

#include <cstdint>
#include <filesystem>
#include <map>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "afterspike/glifnet/network.hpp"

/// Networks of GLIF neurons from the files of others.
namespace afterspike::exporters {

/// A network, and where the nodes of its file are in it.
struct Import {
  glifnet::Network network;
  /// By name of the node population, for each node: population and neuron within it.
  std::map<std::string, std::vector<std::pair<std::int64_t, std::int64_t>>> nodes;
};

/// A SONATA network of NEST's glif_psc neurons (templates nest:glif_psc, or BMTK's, as
/// nest:glif_lif_psc, for files of the Allen Institute) with static synapses and of virtual nodes,
/// whose spikes are those of the inputs of its configuration, a file or a directory that holds
/// config.json. What that names as "network" and "simulation", files of their own, is read too; the
/// manifest may say "${configdir}". An edge of several synapses becomes so many. Populations of
/// neurons of several levels become one for each level, "name_glif1", ...; provenance "nodes" says
/// where each node went (JSON, as Import::nodes). The time step is that of the run.
///
/// Throws Error(data) that names the file and what is wrong in it, also for what it would take
/// otherwise than the format means it: nodes and edges that do not come in the order of their
/// numbers, or in several groups; populations of neurons and virtual nodes; inputs other than
/// spikes, or to neurons; parameters of single nodes, which NEST would ignore; neurons whose
/// after-spike currents, or moving parts of the threshold, do not start from 0; files of the
/// Institute that BMTK would not take as they are.
Import import_sonata(const std::filesystem::path& path);

/// What the names of the Allen Institute's files end with.
inline constexpr std::string_view kAllenConfig = "neuron_config.json";

/// The files of a directory, not of those in it, whose names end with kAllenConfig; by name, with
/// numbers in their order: "cell_2" before "cell_10". Throws Error(data) for a directory that
/// cannot be read.
std::vector<std::filesystem::path> allen_configs(const std::filesystem::path& directory);

/// Neurons of the Allen Institute's neuron_config.json files, one population for each file, without
/// synapses, with ports for alpha synapses of 5.5, 8.5, 2.8 and 5.8 ms as BMTK has them. A
/// population is called "cell" where its file is cell_neuron_config.json, cell.json or
/// cell/neuron_config.json, and "cell_2", ... where others are called so before it. The level is in
/// the names of their methods, the network's time step that of the files, which must agree in it.
/// Throws Error(data) for methods that no level has, for after-spike currents that do not start
/// from 0, and for thresholds whose a_spike or b_spike differ between dynamics and reset.
glifnet::Network import_allen(const std::vector<std::filesystem::path>& paths);

}  // namespace afterspike::exporters
