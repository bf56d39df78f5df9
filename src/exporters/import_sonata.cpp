#include <algorithm>
#include <cmath>
#include <cstddef>

#include <fmt/format.h>

#include "afterspike/base/error.hpp"
#include "afterspike/exporters/importer.hpp"
#include "nest.hpp"
#include "sonata.hpp"
#include "sonata_config.hpp"

namespace afterspike::exporters {
namespace {

namespace fs = std::filesystem;

using glifnet::Population;

constexpr ErrorKind kKind = ErrorKind::data;

/// The one member of a group that holds populations.
std::vector<std::string> populations_of(const io::Hdf5File& file, const fs::path& path,
                                        const std::string& group) {
  require(file.exists(group), kKind, "'{}': '{}' is missing", path.string(), group);
  return file.members(group);
}

/// A data set of numbers that, where it is there, is 0, 1, 2, ..., or always 0: what comes in
/// another order, or in several groups, is not read.
void require_plain(const io::Hdf5File& file, const std::string& name, std::size_t count,
                   bool counts) {
  if (!file.exists(name)) return;
  const auto values = file.read<std::int64_t>(name).values;
  require(values.size() == count, kKind, "'{}': found {} values, expected {}", name, values.size(),
          count);
  for (std::size_t at = 0; at < count; ++at) {
    const std::int64_t expected = counts ? static_cast<std::int64_t>(at) : 0;
    require(values[at] == expected, kKind, "'{}': value {}: found {}, expected {}: {}", name, at,
            values[at], expected, counts ? "0, 1, 2, ... in order" : "one group");
  }
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
  void add_edges(const io::Hdf5File& file, const std::string& group, const TextTable& types);
  std::uint8_t receptor_of(const TextTable& types, std::size_t row) const;
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
  require(model == "nest:glif_psc", kKind,
          "'{}': found model_template '{}', expected nest:glif_psc", types.path, model);
  return io::read_json(
      config_.at("components").path("point_neuron_models_dir") / types.cell(row, "dynamics_params"),
      kKind);
}

/// The row of the table that each entry's type is in.
std::vector<std::size_t> rows_of(const std::vector<std::int64_t>& ids, const TextTable& types,
                                 const char* column, const std::string& group) {
  std::map<std::int64_t, std::size_t> known;
  for (std::size_t row = 0; row < types.rows.size(); ++row) known[types.integer(row, column)] = row;
  std::vector<std::size_t> rows;
  for (const std::int64_t id : ids) {
    const auto found = known.find(id);
    require(found != known.end(), kKind, "'{}': found {} {}, which '{}' does not have", group,
            column, id, types.path);
    rows.push_back(found->second);
  }
  return rows;
}

void Reader::read_population(const io::Hdf5File& file, const std::string& name,
                             const TextTable& types) {
  const std::string group = "/nodes/" + name;
  const auto ids = file.read<std::int64_t>(group + "/node_type_id").values;
  require(!ids.empty(), kKind, "'{}': expected nodes, found none", group);
  require_plain(file, group + "/node_id", ids.size(), true);
  require_plain(file, group + "/node_group_id", ids.size(), false);
  require_plain(file, group + "/node_group_index", ids.size(), true);
  require(!file.exists(group + "/0/dynamics_params"), kKind,
          "'{}/0/dynamics_params': parameters of single nodes are not read, expected a node type"
          " for each",
          group);
  const std::vector<std::size_t> rows = rows_of(ids, types, "node_type_id", group);
  std::map<std::size_t, io::Json> known;
  std::vector<const io::Json*> parameters;
  for (const std::size_t row : rows) {
    const std::string kind = types.cell(row, "model_type"),
                      first = types.cell(rows.front(), "model_type");
    require(kind == first, kKind,
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

std::uint8_t Reader::receptor_of(const TextTable& types, std::size_t row) const {
  const std::string model = types.cell(row, "model_template", "static_synapse");
  require(model == "static_synapse", kKind,
          "'{}': found model_template '{}', expected static_synapse", types.path, model);
  require(!types.has(row, "nsyns") || types.integer(row, "nsyns") == 1, kKind,
          "'{}': row {}: found nsyns {}, expected 1: an edge for each synapse", types.path, row + 1,
          types.cell(row, "nsyns"));
  const std::string name = types.cell(row, "dynamics_params");
  if (name.empty()) return 0;
  const fs::path path = config_.at("components").path("synaptic_models_dir") / name;
  const io::Json parameters = io::read_json(path, kKind);
  const auto port =
      parameters.contains("receptor_type")
          ? io::member<std::int64_t>(parameters, "receptor_type", path.string(), kKind)
          : 1;
  require(port >= 1 && port <= 255, kKind, "'{}': found receptor_type {}, expected 1 to 255",
          path.string(), port);
  return static_cast<std::uint8_t>(port - 1);
}

/// What an edge has of its own, or of its type.
std::vector<double> edge_values(const io::Hdf5File& file, const std::string& group,
                                const TextTable& types, const std::vector<std::size_t>& rows,
                                const std::string& name) {
  const std::string own = fmt::format("{}/0/{}", group, name);
  if (file.exists(own)) return file.read<double>(own).values;
  std::vector<double> values;
  for (const std::size_t row : rows) {
    require(types.has(row, name), kKind, "'{}': neither edges nor their types have '{}'", group,
            name);
    values.push_back(types.number(row, name));
  }
  return values;
}

/// What would make of edges something else than a synapse each, in their order.
void check_edges(const io::Hdf5File& file, const std::string& group, std::size_t count) {
  require_plain(file, group + "/edge_group_id", count, false);
  require_plain(file, group + "/edge_group_index", count, true);
  require(!file.exists(group + "/0/dynamics_params"), kKind,
          "'{}/0/dynamics_params': parameters of single edges are not read, expected an edge type"
          " for each",
          group);
  const std::string number = group + "/0/nsyns";
  if (!file.exists(number)) return;
  for (const double synapses : file.read<double>(number).values) {
    require(synapses == 1, kKind, "'{}': found {}, expected 1: an edge for each synapse", number,
            synapses);
  }
}

void Reader::add_edges(const io::Hdf5File& file, const std::string& group, const TextTable& types) {
  const auto sources = file.read<std::int64_t>(group + "/source_node_id").values;
  const auto targets = file.read<std::int64_t>(group + "/target_node_id").values;
  const auto ids = file.read<std::int64_t>(group + "/edge_type_id").values;
  check_edges(file, group, ids.size());
  const auto node_population = [&](const char* name) {
    const std::string population = file.text_attribute(group + name, "node_population");
    require(result_.nodes.contains(population), kKind, "'{}': there are no nodes '{}'", group,
            population);
    return &result_.nodes.at(population);
  };
  const auto *from = node_population("/source_node_id"), *to = node_population("/target_node_id");
  const std::vector<std::size_t> rows = rows_of(ids, types, "edge_type_id", group);
  std::vector<std::uint8_t> receptors(types.rows.size());
  std::vector<bool> is_used(types.rows.size());  // A table may have types of other edges.
  for (const std::size_t row : rows) is_used[row] = true;
  for (std::size_t row = 0; row < types.rows.size(); ++row) {
    if (is_used[row]) receptors[row] = receptor_of(types, row);
  }
  const auto weights = edge_values(file, group, types, rows, "syn_weight");
  const auto delays = edge_values(file, group, types, rows, "delay");
  const std::size_t count = ids.size();
  require(sources.size() == count && targets.size() == count && weights.size() == count &&
              delays.size() == count,
          kKind, "'{}': expected as many sources, targets, weights and delays as types, {}", group,
          count);
  for (std::size_t edge = 0; edge < count; ++edge) {
    const auto place = [&](const auto& nodes, std::int64_t node) {
      require(node >= 0 && node < static_cast<std::int64_t>(nodes.size()), kKind,
              "'{}': edge {}: found node {}, expected 0 to {}", group, edge, node,
              nodes.size() - 1);
      return nodes[static_cast<std::size_t>(node)];
    };
    const Place source = place(*from, sources[edge]), target = place(*to, targets[edge]);
    synapses_[{source.first, target.first}].push_back(
        {source.second, target.second, weights[edge], delays[edge], receptors[rows[edge]]});
  }
}

void Reader::read_edges(const ConfigPart& entry) {
  const fs::path path = entry.path("edges_file");
  const io::Hdf5File file(path);
  const TextTable types = read_text_table(entry.path("edge_types_file"));
  for (const std::string& name : populations_of(file, path, "/edges")) {
    add_edges(file, "/edges/" + name, types);
  }
}

/// Spikes of each node, by time.
std::vector<std::vector<double>> read_spikes(const fs::path& path, const std::string& group,
                                             std::size_t nodes) {
  const io::Hdf5File file(path);
  const std::string where = fmt::format("'{}': '{}'", path.string(), group);
  const auto times = file.read<double>(group + "/timestamps").values;
  const auto ids = file.read<std::int64_t>(group + "/node_ids").values;
  require(times.size() == ids.size(), kKind, "{}: found {} times of {} nodes", where, times.size(),
          ids.size());
  if (file.has_attribute(group + "/timestamps", "units")) {
    const std::string units = file.text_attribute(group + "/timestamps", "units");
    require(units == "milliseconds" || units == "ms", kKind,
            "{}: found timestamps in {}, expected milliseconds", where, units);
  }
  std::vector<std::vector<double>> trains(nodes);
  for (std::size_t at = 0; at < ids.size(); ++at) {
    require(ids[at] >= 0 && ids[at] < static_cast<std::int64_t>(nodes), kKind,
            "{}: found node {}, expected 0 to {}", where, ids[at], nodes - 1);
    require(std::isfinite(times[at]) && times[at] >= 0, kKind,
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
    require(type == "spikes", kKind, "{}: input '{}': found input_type '{}', expected spikes",
            entry.name(), name, type);
    const auto target = entry.get<std::string>("node_set");
    require(result_.nodes.contains(target), kKind, "{}: input '{}': there are no nodes '{}'",
            entry.name(), name, target);
    const auto& nodes = result_.nodes.at(target);
    Population& population =
        result_.network.populations[static_cast<std::size_t>(nodes.front().first)];
    require(population.model == "spike_source", kKind,
            "{}: input '{}': found nodes '{}', which are neurons; expected virtual ones",
            entry.name(), name, target);
    require(population.trains.offsets.empty(), kKind,
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
  return Reader(path).run();
}

}  // namespace afterspike::exporters
