#include <algorithm>
#include <cstddef>
#include <set>

#include <fmt/format.h>

#include "afterspike/base/error.hpp"
#include "afterspike/exporters/importer.hpp"
#include "afterspike/io/json.hpp"
#include "nest.hpp"
#include "sonata.hpp"

namespace afterspike::exporters {
namespace {

namespace fs = std::filesystem;

using glifnet::Population;

constexpr ErrorKind kKind = ErrorKind::data;

/// The configuration with its variables replaced.
class Configuration {
 public:
  explicit Configuration(const fs::path& given)
      : path_(fs::is_directory(given) ? given / "config.json" : given) {
    content_ = io::read_json(path_, kKind);
    const auto manifest = content_.find("manifest");
    if (manifest == content_.end()) return;
    require(manifest->is_object(), kKind, "'{}': 'manifest': expected an object", path_.string());
    for (const auto& [name, value] : manifest->items()) {
      require(value.is_string(), kKind, "'{}': 'manifest': '{}': expected a text", path_.string(),
              name);
      variables_[name] = value.get<std::string>();
    }
  }

  const io::Json& part(const io::Json& object, const char* key) const {
    const auto found = object.is_object() ? object.find(key) : object.end();
    require(object.is_object() && found != object.end(), kKind, "'{}': '{}' is missing",
            path_.string(), key);
    return *found;
  }
  const io::Json& content() const { return content_; }
  std::string name() const { return path_.string(); }

  /// A file that a member of an object names.
  fs::path file(const io::Json& object, const char* key) const {
    std::string text = io::member<std::string>(object, key, name(), kKind);
    constexpr int kDeepest = 16;  // Variables may name variables.
    for (int depth = 0; depth < kDeepest && text.find('$') != std::string::npos; ++depth) {
      for (const auto& [variable, value] : variables_) {
        const auto at = text.find(variable);
        if (at != std::string::npos) text.replace(at, variable.size(), value);
      }
    }
    require(text.find('$') == std::string::npos, kKind,
            "'{}': '{}': found '{}', whose variables the manifest does not know", name(), key,
            text);
    return path_.parent_path() / text;
  }

 private:
  fs::path path_;
  io::Json content_;
  std::map<std::string, std::string> variables_;
};

/// The one member of a group that holds populations.
std::vector<std::string> populations_of(const io::Hdf5File& file, const std::string& group) {
  require(file.exists(group), kKind, "SONATA file without '{}'", group);
  return file.members(group);
}

class Reader {
 public:
  explicit Reader(const fs::path& path) : configuration_(path) {}

  Import run();

 private:
  using Place = std::pair<std::int64_t, std::int64_t>;

  void read_nodes(const io::Json& entry);
  void read_population(const io::Hdf5File& file, const std::string& name, const TextTable& types);
  void add_virtual(const std::string& name, std::int64_t size);
  void add_neurons(const std::string& name, const std::vector<const io::Json*>& parameters);
  io::Json cell_parameters(const TextTable& types, std::size_t row) const;
  void read_edges(const io::Json& entry);
  void add_edges(const io::Hdf5File& file, const std::string& group, const TextTable& types);
  std::uint8_t receptor_of(const TextTable& types, std::size_t row) const;
  void read_inputs();
  std::int64_t add(Population population);

  Configuration configuration_;
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
          "'{}': found model_template '{}', expected nest:glif_psc", configuration_.name(), model);
  const io::Json& components = configuration_.part(configuration_.content(), "components");
  return io::read_json(configuration_.file(components, "point_neuron_models_dir") /
                           types.cell(row, "dynamics_params"),
                       kKind);
}

void Reader::read_population(const io::Hdf5File& file, const std::string& name,
                             const TextTable& types) {
  const std::string group = "/nodes/" + name;
  require(file.exists(group + "/node_type_id"), kKind, "'{}/node_type_id' is missing", group);
  const auto ids = file.read<std::int64_t>(group + "/node_type_id").values;
  require(!ids.empty(), kKind, "'{}': expected nodes, found none", group);
  require(!file.exists(group + "/0/dynamics_params"), kKind,
          "'{}/0/dynamics_params': parameters of single nodes are not read, expected a node type"
          " for each",
          group);
  std::map<std::int64_t, std::size_t> rows;
  for (std::size_t row = 0; row < types.rows.size(); ++row) {
    rows[std::stoll(types.cell(row, "node_type_id", "-1"))] = row;
  }
  std::map<std::int64_t, io::Json> known;
  std::vector<const io::Json*> parameters;
  for (const std::int64_t id : ids) {
    require(rows.contains(id), kKind, "'{}': found node type {}, which the table does not have",
            group, id);
    if (types.cell(rows[id], "model_type") == "virtual") {
      return add_virtual(name, static_cast<std::int64_t>(ids.size()));
    }
    if (!known.contains(id)) known[id] = cell_parameters(types, rows[id]);
    parameters.push_back(&known[id]);
  }
  add_neurons(name, parameters);
}

void Reader::read_nodes(const io::Json& entry) {
  const io::Hdf5File file(configuration_.file(entry, "nodes_file"));
  const TextTable types = read_text_table(configuration_.file(entry, "node_types_file"));
  for (const std::string& name : populations_of(file, "/nodes")) {
    read_population(file, name, types);
  }
}

std::uint8_t Reader::receptor_of(const TextTable& types, std::size_t row) const {
  const std::string name = types.cell(row, "dynamics_params");
  if (name.empty()) return 0;
  const io::Json& components = configuration_.part(configuration_.content(), "components");
  const fs::path path = configuration_.file(components, "synaptic_models_dir") / name;
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
    const std::string text = types.cell(row, name);
    require(!text.empty(), kKind, "'{}': neither edges nor their types have '{}'", group, name);
    values.push_back(std::stod(text));
  }
  return values;
}

void Reader::add_edges(const io::Hdf5File& file, const std::string& group, const TextTable& types) {
  const auto sources = file.read<std::int64_t>(group + "/source_node_id").values;
  const auto targets = file.read<std::int64_t>(group + "/target_node_id").values;
  const auto ids = file.read<std::int64_t>(group + "/edge_type_id").values;
  const auto node_population = [&](const char* name) {
    const std::string population = file.text_attribute(group + name, "node_population");
    require(result_.nodes.contains(population), kKind, "'{}': there are no nodes '{}'", group,
            population);
    return &result_.nodes.at(population);
  };
  const auto *from = node_population("/source_node_id"), *to = node_population("/target_node_id");
  std::map<std::int64_t, std::pair<std::size_t, std::uint8_t>> known;
  for (std::size_t row = 0; row < types.rows.size(); ++row) {
    known[std::stoll(types.cell(row, "edge_type_id", "-1"))] = {row, receptor_of(types, row)};
  }
  std::vector<std::size_t> rows;
  for (const std::int64_t id : ids) {
    require(known.contains(id), kKind, "'{}': found edge type {}, which the table does not have",
            group, id);
    rows.push_back(known.at(id).first);
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
        {source.second, target.second, weights[edge], delays[edge], known.at(ids[edge]).second});
  }
}

void Reader::read_edges(const io::Json& entry) {
  const io::Hdf5File file(configuration_.file(entry, "edges_file"));
  const TextTable types = read_text_table(configuration_.file(entry, "edge_types_file"));
  for (const std::string& name : populations_of(file, "/edges")) {
    add_edges(file, "/edges/" + name, types);
  }
}

/// Spikes of virtual nodes, in the order of their times.
void Reader::read_inputs() {
  const auto inputs = configuration_.content().find("inputs");
  if (inputs == configuration_.content().end()) return;
  for (const auto& [name, entry] : inputs->items()) {
    if (io::member<std::string>(entry, "input_type", name, kKind) != "spikes") continue;
    const auto target = io::member<std::string>(entry, "node_set", name, kKind);
    require(result_.nodes.contains(target), kKind, "input '{}': there are no nodes '{}'", name,
            target);
    const auto& nodes = result_.nodes.at(target);
    const io::Hdf5File file(configuration_.file(entry, "input_file"));
    const std::string group = "/spikes/" + target;
    const auto times = file.read<double>(group + "/timestamps").values;
    const auto ids = file.read<std::int64_t>(group + "/node_ids").values;
    require(times.size() == ids.size(), kKind, "'{}': found {} times of {} nodes", group,
            times.size(), ids.size());
    std::vector<std::vector<double>> trains(nodes.size());
    for (std::size_t at = 0; at < ids.size(); ++at) {
      require(ids[at] >= 0 && ids[at] < static_cast<std::int64_t>(nodes.size()), kKind,
              "'{}': found node {}, expected 0 to {}", group, ids[at], nodes.size() - 1);
      trains[static_cast<std::size_t>(ids[at])].push_back(times[at]);
    }
    Population& population =
        result_.network.populations[static_cast<std::size_t>(nodes.front().first)];
    population.trains.offsets = {0};
    for (std::vector<double>& train : trains) {
      std::sort(train.begin(), train.end());
      auto& all = population.trains.times_ms;
      all.insert(all.end(), train.begin(), train.end());
      population.trains.offsets.push_back(static_cast<std::int64_t>(all.size()));
    }
  }
}

Import Reader::run() {
  const io::Json& networks = configuration_.part(configuration_.content(), "networks");
  for (const io::Json& entry : configuration_.part(networks, "nodes")) read_nodes(entry);
  for (const io::Json& entry : configuration_.part(networks, "edges")) read_edges(entry);
  read_inputs();
  auto& network = result_.network;
  for (const auto& [ends, synapses] : synapses_) {
    network.projections.push_back(
        make_projection(network.populations, ends.first, ends.second, synapses));
  }
  network.time_step_ms = io::member<double>(configuration_.part(configuration_.content(), "run"),
                                            "dt", configuration_.name(), kKind);
  network.provenance["source"] = "sonata";
  network.provenance["nodes"] = io::Json(result_.nodes).dump();
  validate(network);
  return std::move(result_);
}

}  // namespace

Import import_sonata(const std::filesystem::path& path) {
  try {
    return Reader(path).run();
  } catch (const std::logic_error&) {
    // Of std::stoll and std::stod.
    fail(kKind, "'{}': a table has text where a number belongs", path.string());
  }
}

}  // namespace afterspike::exporters
