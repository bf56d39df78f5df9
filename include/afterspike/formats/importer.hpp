#pragma once

#include <cstdint>
#include <filesystem>
#include <map>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "afterspike/spiking/network.hpp"

/// Networks of GLIF neurons from the files of others.
namespace afterspike::formats {

/// A network, and where the nodes of its file are in it.
struct Import {
  spiking::Network network;
  /// By name of the node population, for each node: population and neuron within it.
  std::map<std::string, std::vector<std::pair<std::int64_t, std::int64_t>>> nodes;
};

/// Reads a SONATA network of point neurons: NEST's glif_psc (templates nest:glif_psc, or BMTK's, as
/// nest:glif_lif_psc, for files of the Allen Institute), and iaf_psc_alpha, iaf_psc_exp and
/// iaf_psc_delta as model lif; with static synapses and virtual nodes. `path` is a configuration,
/// or a directory that holds config.json. The files that it names as "network" and "simulation" are
/// read too; the manifest may say "${configdir}".
///
/// Absent parameters of neurons have NEST's defaults, but V_m is E_L; absent delays are 1 ms. An
/// edge of nsyns synapses becomes that many. Nodes and edges come in any order and in several
/// groups. Spikes of virtual nodes are those of all inputs of type "spikes" together, from HDF5 or
/// text files (spiking/spike_trains.hpp); an input of type "current_clamp" becomes a step current
/// in pA. A node_set is the name of a population or node set, "all", or an object of population,
/// node_id and columns of the node types. Edges and inputs with "enabled": false are left out.
/// Populations of several models become one for each, "name_glif1", "name_iaf_psc_alpha", ...;
/// provenance "nodes" says where each node went (JSON, as Import::nodes). The time step is that of
/// the run, 0.1 ms by default.
///
/// Throws Error(data) that names the file and what is wrong in it, also for what it would take
/// otherwise than the format means it: weight functions other than wmax and default_weight_fnc,
/// model_processing, parameters of single nodes or edges, synapses with a state, populations of
/// neurons and virtual nodes, spikes for neurons; neurons whose after-spike currents, or moving
/// parts of the threshold, do not start from 0; files of the Institute that BMTK would not take as
/// they are.
Import import_sonata(const std::filesystem::path& path);

/// Ending of the names of the Allen Institute's files.
inline constexpr std::string_view kAllenConfig = "neuron_config.json";

/// The files of a directory, not of those in it, whose names end with kAllenConfig; by name, with
/// numbers in their order: "cell_2" before "cell_10". Throws Error(data) for a directory that
/// cannot be read.
std::vector<std::filesystem::path> allen_configs(const std::filesystem::path& directory);

/// Reads neurons of the Allen Institute's neuron_config.json files, one population for each,
/// without synapses, with ports for alpha synapses of 5.5, 8.5, 2.8 and 5.8 ms as BMTK has them. A
/// file may also hold an object of several by id, a list of several, or the parameters of NEST's
/// glif_psc, as BMTK's components have them. A population is called "cell" if its file is
/// cell_neuron_config.json, cell.json or cell/neuron_config.json, by its id if it has one, and
/// "cell_2", ... if others are called so before it. The level is in the names of the methods; the
/// network's time step is that of the Institute's files, which must agree in it, else 0.1 ms.
///
/// Throws Error(data) for methods that no level has, for after-spike currents that do not start
/// from 0, and for thresholds whose a_spike or b_spike differ between dynamics and reset.
spiking::Network import_allen(const std::vector<std::filesystem::path>& paths);

}  // namespace afterspike::formats
