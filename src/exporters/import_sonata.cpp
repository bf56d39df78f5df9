#include <algorithm>
#include <cmath>
#include <cstddef>

#include <fmt/format.h>

#include "afterspike/base/error.hpp"
#include "afterspike/exporters/importer.hpp"
#include "allen.hpp"
#include "nest.hpp"
#include "sonata.hpp"
#include "sonata_config.hpp"
#include "sonata_edges.hpp"

namespace afterspike::exporters {
namespace {

namespace fs = std::filesystem;

using glifnet::Population;

/// The one member of a group that holds populations.
std::vector<std::string> populations_of(const io::Hdf5File& file, const fs::path& path,
                                        const std::string& group) {
  require(file.exists(group), ErrorKind::data, "'{}': '{}' is missing", path.string(), group);
  return file.members(group);
}

class Reader {
 public:
  explicit Reader(const fs::path& path) : config_(path) {}

  Import run();

 private:
  using Place = std::pair<std::int64_t, std::int64_t>;

  void read_nodes(const ConfigPart& entry);
  void read_population(const io::Hdf5File& file, const std::string& name, const TextTable& types);
  void add_virtual(const std::string& name, std::int64_t size);
  void add_neurons(const std::string& name, const std::vector<const io::Json*>& parameters);
  io::Json cell_parameters(const TextTable& types, std::size_t row) const;
  void read_edges(const ConfigPart& entry);
  void add_edges(const SonataEdges& edges, const std::string& group);
  void read_inputs();
  std::int64_t add(Population population);

  SonataConfig config_;
  Import result_;
  std::map<Place, std::vector<glifnet::Synapse>> synapses_;  ///< By source and target.
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
  population.synapse = glifnet::SynapseShape::delta;
  const std::int64_t index = add(std::move(population));
  for (std::int64_t node = 0; node < size; ++node) result_.nodes[name].emplace_back(index, node);
}

void Reader::add_neurons(const std::string& name, const std::vector<const io::Json*>& parameters) {
  std::map<std::string, std::int64_t> places;
  std::vector<std::string> levels;
  for (const io::Json* own : parameters) {
    levels.push_back(nest_level(*own, fmt::format("nodes '{}'", name)));
    places[levels.back()] = 0;
  }
  for (auto& [level, place] : places) {
    Population population;
    population.name = places.size() == 1 ? name : fmt::format("{}_{}", name, level);
    population.model = level;
    place = add(std::move(population));
  }
  for (std::size_t node = 0; node < parameters.size(); ++node) {
    const std::int64_t place = places.at(levels[node]);
    Population& population = result_.network.populations[static_cast<std::size_t>(place)];
    append_nest_neuron(population, *parameters[node], fmt::format("node {} of '{}'", node, name));
    result_.nodes[name].emplace_back(place, population.size - 1);
  }
  for (const auto& [level, place] : places) {
    finish_nest_population(result_.network.populations[static_cast<std::size_t>(place)]);
  }
}

io::Json Reader::cell_parameters(const TextTable& types, std::size_t row) const {
  const std::string model = types.cell(row, "model_template");
  const auto level = bmtk_level(model);
  require(model == "nest:glif_psc" || level, ErrorKind::data,
          "'{}': found model_template '{}', expected nest:glif_psc or {}", types.path, model,
          bmtk_templates());
  const fs::path path =
      config_.at("components").path("point_neuron_models_dir") / types.cell(row, "dynamics_params");
  if (!level) return io::read_json(path, ErrorKind::data);
  return nest_parameters(import_bmtk_neuron(path, *level), 0);
}

void Reader::read_population(const io::Hdf5File& file, const std::string& name,
                             const TextTable& types) {
  const std::string group = "/nodes/" + name;
  const auto ids = file.read<std::int64_t>(group + "/node_type_id").values;
  require(!ids.empty(), ErrorKind::data, "'{}': expected nodes, found none", group);
  require_plain(file, group + "/node_id", ids.size(), true);
  require_plain(file, group + "/node_group_id", ids.size(), false);
  require_plain(file, group + "/node_group_index", ids.size(), true);
  require(!file.exists(group + "/0/dynamics_params"), ErrorKind::data,
          "'{}/0/dynamics_params': parameters of single nodes are not read, expected a node type"
          " for each",
          group);
  const std::vector<std::size_t> rows = rows_of(ids, types, "node_type_id", group);
  std::map<std::size_t, io::Json> known;
  std::vector<const io::Json*> parameters;
  for (const std::size_t row : rows) {
    const std::string kind = types.cell(row, "model_type"),
                      first = types.cell(rows.front(), "model_type");
    require(kind == first, ErrorKind::data,
            "'{}': found nodes of model_type '{}' and '{}', expected one for all", group, first,
            kind);
    if (kind == "virtual") continue;
    if (!known.contains(row)) known[row] = cell_parameters(types, row);
    parameters.push_back(&known[row]);
  }
  if (parameters.empty()) return add_virtual(name, static_cast<std::int64_t>(ids.size()));
  add_neurons(name, parameters);
}

void Reader::read_nodes(const ConfigPart& entry) {
  const fs::path path = entry.path("nodes_file");
  const io::Hdf5File file(path);
  const TextTable types = read_text_table(entry.path("node_types_file"));
  for (const std::string& name : populations_of(file, path, "/nodes")) {
    read_population(file, name, types);
  }
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
    auto& synapses = synapses_[{source.first, target.first}];
    synapses.insert(synapses.end(), static_cast<std::size_t>(edges.synapses[edge]),
                    {source.second, target.second, edges.weights[edge], edges.delays[edge],
                     edges.receptors[edge]});
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

/// Spikes of each node, by time.
std::vector<std::vector<double>> read_spikes(const fs::path& path, const std::string& group,
                                             std::size_t nodes) {
  const io::Hdf5File file(path);
  const std::string where = fmt::format("'{}': '{}'", path.string(), group);
  const auto times = file.read<double>(group + "/timestamps").values;
  const auto ids = file.read<std::int64_t>(group + "/node_ids").values;
  require(times.size() == ids.size(), ErrorKind::data, "{}: found {} times of {} nodes", where,
          times.size(), ids.size());
  if (file.has_attribute(group + "/timestamps", "units")) {
    const std::string units = file.text_attribute(group + "/timestamps", "units");
    require(units == "milliseconds" || units == "ms", ErrorKind::data,
            "{}: found timestamps in {}, expected milliseconds", where, units);
  }
  std::vector<std::vector<double>> trains(nodes);
  for (std::size_t at = 0; at < ids.size(); ++at) {
    require(ids[at] >= 0 && ids[at] < static_cast<std::int64_t>(nodes), ErrorKind::data,
            "{}: found node {}, expected 0 to {}", where, ids[at], nodes - 1);
    require(std::isfinite(times[at]) && times[at] >= 0, ErrorKind::data,
            "{}: found {} ms, expected a time of 0 or later", where, times[at]);
    trains[static_cast<std::size_t>(ids[at])].push_back(times[at]);
  }
  for (std::vector<double>& train : trains) std::sort(train.begin(), train.end());
  return trains;
}

void Reader::read_inputs() {
  if (!config_.has("inputs")) return;
  const ConfigPart inputs = config_.at("inputs");
  for (const auto& [name, ignored] : inputs.json().items()) {
    const ConfigPart entry = inputs.at(name.c_str());
    const auto type = entry.get<std::string>("input_type");
    require(type == "spikes", ErrorKind::data,
            "{}: input '{}': found input_type '{}', expected spikes", entry.name(), name, type);
    const auto target = entry.get<std::string>("node_set");
    require(result_.nodes.contains(target), ErrorKind::data,
            "{}: input '{}': there are no nodes '{}'", entry.name(), name, target);
    const auto& nodes = result_.nodes.at(target);
    Population& population =
        result_.network.populations[static_cast<std::size_t>(nodes.front().first)];
    require(population.model == "spike_source", ErrorKind::data,
            "{}: input '{}': found nodes '{}', which are neurons; expected virtual ones",
            entry.name(), name, target);
    require(population.trains.offsets.empty(), ErrorKind::data,
            "{}: input '{}': nodes '{}' have an input already, expected one", entry.name(), name,
            target);
    population.trains.offsets = {0};
    auto& all = population.trains.times_ms;
    for (const auto& train :
         read_spikes(entry.path("input_file"), "/spikes/" + target, nodes.size())) {
      all.insert(all.end(), train.begin(), train.end());
      population.trains.offsets.push_back(static_cast<std::int64_t>(all.size()));
    }
  }
}

Import Reader::run() {
  const ConfigPart networks = config_.at("networks");
  for (const ConfigPart& entry : networks.at("nodes").items()) read_nodes(entry);
  for (const ConfigPart& entry : networks.at("edges").items()) read_edges(entry);
  read_inputs();
  auto& network = result_.network;
  for (const auto& [ends, synapses] : synapses_) {
    network.projections.push_back(
        make_projection(network.populations, ends.first, ends.second, synapses));
  }
  network.time_step_ms = config_.at("run").get<double>("dt");
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
    // What is only seen in the network as a whole names no file.
    const std::string message = error.what();
    if (message.find(path.string()) != message.npos) throw;
    throw Error(error.kind(), fmt::format("'{}': {}", path.string(), message));
  }
}

}  // namespace afterspike::exporters
