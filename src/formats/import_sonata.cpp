#include <cstddef>
#include <map>
#include <utility>

#include <fmt/format.h>

#include "afterspike/base/error.hpp"
#include "afterspike/formats/importer.hpp"
#include "allen.hpp"
#include "nest.hpp"
#include "sonata.hpp"
#include "sonata_config.hpp"
#include "sonata_edges.hpp"
#include "sonata_inputs.hpp"
#include "sonata_nodes.hpp"

namespace afterspike::formats {
namespace {

namespace fs = std::filesystem;

using spiking::Population;

/// The one member of a group that holds populations.
std::vector<std::string> populations_of(const io::Hdf5File& file, const fs::path& path,
                                        const std::string& group) {
  require(file.exists(group), ErrorKind::data, "'{}': '{}' is missing", path.string(), group);
  return file.members(group);
}

/// A neuron of a node type: its model, "glif1" to "glif5" or NEST's iaf_psc_..., and NEST's
/// parameters.
struct Cell {
  std::string model;
  io::Json parameters;
};

class Reader {
 public:
  explicit Reader(const fs::path& path) : config_(path) {}

  Import run();

 private:
  using Place = std::pair<std::int64_t, std::int64_t>;

  void read_nodes(const ConfigPart& entry);
  void read_population(const io::Hdf5File& file, const std::string& name, const TextTable& types);
  void add_virtual(const std::string& name, std::int64_t size);
  void add_neurons(const std::string& name, const std::vector<const Cell*>& cells);
  Cell read_cell(const TextTable& types, std::size_t row) const;
  void read_edges(const ConfigPart& entry);
  void add_edges(const SonataEdges& edges, const std::string& group);
  static std::uint8_t receptor(const SonataEdges& edges, std::size_t edge, const Population& target,
                               const std::string& group);
  std::int64_t add(Population population);
  Population& population(std::int64_t index) {
    return result_.network.populations[static_cast<std::size_t>(index)];
  }

  SonataConfig config_;
  NodeTables tables_;
  Import result_;
  std::map<Place, std::vector<spiking::Synapse>> synapses_;  ///< By source and target.
};

std::int64_t Reader::add(Population population) {
  result_.network.populations.push_back(std::move(population));
  return static_cast<std::int64_t>(result_.network.populations.size()) - 1;
}

void Reader::add_virtual(const std::string& name, std::int64_t size) {
  Population population;
  population.name = name;
  population.model = "spike_source";
  population.size = size;
  population.receptors = 0;
  population.synapse = spiking::SynapseShape::delta;
  const std::int64_t index = add(std::move(population));
  for (std::int64_t node = 0; node < size; ++node) result_.nodes[name].emplace_back(index, node);
}

void Reader::add_neurons(const std::string& name, const std::vector<const Cell*>& cells) {
  std::map<std::string, std::int64_t> places;
  for (const Cell* cell : cells) places[cell->model] = 0;
  for (auto& [model, place] : places) {
    Population own;
    own.name = places.size() == 1 ? name : fmt::format("{}_{}", name, model);
    own.model = is_iaf(model) ? "lif" : model;
    place = add(std::move(own));
  }
  for (std::size_t node = 0; node < cells.size(); ++node) {
    const auto& [model, parameters] = *cells[node];
    const std::int64_t place = places.at(model);
    const std::string where = fmt::format("node {} of '{}'", node, name);
    if (is_iaf(model)) {
      append_iaf_neuron(population(place), model, parameters, where);
    } else {
      append_nest_neuron(population(place), parameters, where);
    }
    result_.nodes[name].emplace_back(place, population(place).size - 1);
  }
  for (const auto& [model, place] : places) finish_nest_population(population(place));
}

Cell Reader::read_cell(const TextTable& types, std::size_t row) const {
  const std::string name = types.cell(row, "model_template"),
                    processing = types.cell(row, "model_processing"),
                    file = types.cell(row, "dynamics_params");
  require(processing.empty(), ErrorKind::data,
          "'{}': row {}: found model_processing '{}', a Python function that changes the neuron."
          " Store its result as dynamics_params.",
          types.path, row + 1, processing);
  const auto level = bmtk_level(name);
  const std::string model = name.starts_with("nest:") ? name.substr(5) : "";
  require(model == "glif_psc" || level || is_iaf(model), ErrorKind::data,
          "'{}': found model_template '{}', expected nest:glif_psc, {}, nest:iaf_psc_alpha,"
          " nest:iaf_psc_exp or nest:iaf_psc_delta",
          types.path, name, bmtk_templates());
  const fs::path path =
      file.empty() ? fs::path() : config_.at("components").path("point_neuron_models_dir") / file;
  if (level) {
    require(!file.empty(), ErrorKind::data, "'{}': row {}: dynamics_params is missing", types.path,
            row + 1);
    return {*level, nest_parameters(import_bmtk_neuron(path, *level), 0)};
  }
  const io::Json parameters =
      file.empty() ? io::Json::object() : io::read_json(path, ErrorKind::data);
  require(parameters.is_object(), ErrorKind::data, "'{}': expected an object of parameters",
          path.string());
  return {is_iaf(model) ? model : nest_level(parameters, fmt::format("'{}'", path.string())),
          parameters};
}

void Reader::read_population(const io::Hdf5File& file, const std::string& name,
                             const TextTable& types) {
  require(!tables_.contains(name), ErrorKind::data, "'{}': nodes '{}' are in another file already",
          types.path, name);
  const NodeTable& table = tables_[name] = read_node_table(file, name, types);
  if (table.is_virtual) return add_virtual(name, static_cast<std::int64_t>(table.rows.size()));
  std::map<std::size_t, Cell> known;
  std::vector<const Cell*> cells;
  for (const std::size_t row : table.rows) {
    if (!known.contains(row)) known[row] = read_cell(types, row);
    cells.push_back(&known[row]);
  }
  add_neurons(name, cells);
}

void Reader::read_nodes(const ConfigPart& entry) {
  const fs::path path = entry.path("nodes_file");
  const io::Hdf5File file(path);
  const TextTable types = read_text_table(entry.path("node_types_file"));
  for (const std::string& name : populations_of(file, path, "/nodes")) {
    read_population(file, name, types);
  }
}

/// The receptor of an edge's target. glif_psc counts its ports from 1. The others have one for each
/// sign of the weight.
std::uint8_t Reader::receptor(const SonataEdges& edges, std::size_t edge, const Population& target,
                              const std::string& group) {
  const std::int64_t port = edges.ports[edge];
  if (target.model == "lif") {
    require(port <= 1, ErrorKind::data,
            "'{}': edge {}: found receptor_type {}, expected none: neurons '{}' take weights by"
            " their sign",
            group, edge, port, target.name);
    return edges.weights[edge] > 0 || target.receptors == 1 ? 0 : 1;
  }
  require(port >= 1, ErrorKind::data, "'{}': edge {}: found receptor_type 0, expected 1 to 255",
          group, edge);
  return static_cast<std::uint8_t>(port - 1);
}

void Reader::add_edges(const SonataEdges& edges, const std::string& group) {
  const auto nodes_called = [&](const std::string& name) {
    require(result_.nodes.contains(name), ErrorKind::data, "'{}': there are no nodes '{}'", group,
            name);
    return &result_.nodes.at(name);
  };
  const auto *from = nodes_called(edges.source), *to = nodes_called(edges.target);
  for (std::size_t edge = 0; edge < edges.sources.size(); ++edge) {
    const auto place = [&](const auto& nodes, std::int64_t node) {
      require(node >= 0 && node < static_cast<std::int64_t>(nodes.size()), ErrorKind::data,
              "'{}': edge {}: found node {}, expected 0 to {}", group, edge, node,
              nodes.size() - 1);
      return nodes[static_cast<std::size_t>(node)];
    };
    const Place source = place(*from, edges.sources[edge]),
                target = place(*to, edges.targets[edge]);
    const std::uint8_t port = receptor(edges, edge, population(target.first), group);
    auto& synapses = synapses_[{source.first, target.first}];
    synapses.insert(synapses.end(), static_cast<std::size_t>(edges.synapses[edge]),
                    {source.second, target.second, edges.weights[edge], edges.delays[edge], port});
  }
}

void Reader::read_edges(const ConfigPart& entry) {
  const fs::path path = entry.path("edges_file");
  const io::Hdf5File file(path);
  const TextTable types = read_text_table(entry.path("edge_types_file"));
  for (const std::string& name : populations_of(file, path, "/edges")) {
    const std::string group = "/edges/" + name;
    add_edges(read_sonata_edges(file, group, types, config_), group);
  }
}

Import Reader::run() {
  const ConfigPart networks = config_.at("networks");
  for (const ConfigPart& entry : networks.at("nodes").items()) read_nodes(entry);
  if (networks.has("edges")) {
    for (const ConfigPart& entry : networks.at("edges").items()) {
      if (!is_disabled(entry)) read_edges(entry);
    }
  }
  read_sonata_inputs(config_, tables_, result_);
  auto& network = result_.network;
  for (const auto& [ends, synapses] : synapses_) {
    network.projections.push_back(
        make_projection(network.populations, ends.first, ends.second, synapses));
  }
  if (config_.has("run")) network.time_step_ms = config_.at("run").get<double>("dt");
  network.provenance["source"] = "sonata";
  network.provenance["nodes"] = io::Json(result_.nodes).dump();
  validate(network);
  return std::move(result_);
}

}  // namespace

Import import_sonata(const std::filesystem::path& path) {
  try {
    return Reader(path).run();
  } catch (const Error& error) {
    // Errors found in the network as a whole name no file.
    const std::string message = error.what();
    if (message.find(path.string()) != message.npos) throw;
    throw Error(error.kind(), fmt::format("'{}': {}", path.string(), message));
  }
}

}  // namespace afterspike::formats
