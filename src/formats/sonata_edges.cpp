#include "sonata_edges.hpp"

#include <cmath>
#include <cstddef>
#include <filesystem>
#include <map>
#include <utility>

#include <fmt/format.h>

#include "afterspike/base/error.hpp"

namespace afterspike::formats {
namespace {

constexpr double kMaxPort = 255;

std::int64_t port_of(const TextTable& types, std::size_t row, const SonataConfig& config) {
  const std::string model = types.cell(row, "model_template", "static_synapse");
  require(model == "static_synapse", ErrorKind::data,
          "'{}': row {}: found model_template '{}', expected static_synapse. Weights that change"
          " (short-term plasticity, STDP) are not simulated; set model_template to static_synapse"
          " to import the network with constant weights.",
          types.path, row + 1, model);
  const std::string name = types.cell(row, "dynamics_params");
  if (name.empty()) return 1;
  const std::filesystem::path path = config.at("components").path("synaptic_models_dir") / name;
  const io::Json parameters = io::read_json(path, ErrorKind::data);
  if (!parameters.contains("receptor_type")) return 1;
  const auto port =
      io::member<std::int64_t>(parameters, "receptor_type", path.string(), ErrorKind::data);
  require(port >= 0 && static_cast<double>(port) <= kMaxPort, ErrorKind::data,
          "'{}': found receptor_type {}, expected 1 to {}", path.string(), port, kMaxPort);
  return port;
}

/// BMTK computes weights with the named function. These two return syn_weight as it is.
void require_plain_weight(const TextTable& types, std::size_t row) {
  const std::string function = types.cell(row, "weight_function", "wmax");
  require(function == "wmax" || function == "default_weight_fnc", ErrorKind::data,
          "'{}': row {}: found weight_function '{}', which computes weights from the nodes. Store"
          " the weights as syn_weight of the edges and set weight_function to NULL.",
          types.path, row + 1, function);
}

/// The port of each edge. Types that no edge has may say anything.
std::vector<std::int64_t> ports_of(const TextTable& types, const std::vector<std::size_t>& rows,
                                   const SonataConfig& config) {
  std::vector<bool> is_known(types.rows.size());
  std::vector<std::int64_t> known(types.rows.size()), ports;
  for (const std::size_t row : rows) {
    if (!is_known[row]) {
      require_plain_weight(types, row);
      known[row] = port_of(types, row, config);
    }
    is_known[row] = true;
    ports.push_back(known[row]);
  }
  return ports;
}

/// Reads the values of edges, wherever they are.
class EdgeValues {
 public:
  EdgeValues(const io::Hdf5File& file, std::string group, const TextTable& types,
             std::vector<std::size_t> rows, SonataGroups groups)
      : file_(file),
        group_(std::move(group)),
        types_(types),
        rows_(std::move(rows)),
        groups_(std::move(groups)) {}

  /// The edge's own value, else its type's, else `fallback`. Throws if there is none.
  std::vector<double> get(const std::string& name, const double* fallback = nullptr) const;

 private:
  std::map<std::int64_t, std::vector<double>> own_values(const std::string& name) const;

  const io::Hdf5File& file_;
  std::string group_;
  const TextTable& types_;
  std::vector<std::size_t> rows_;
  SonataGroups groups_;
};

/// Values of a name by group, for the groups that have it.
std::map<std::int64_t, std::vector<double>> EdgeValues::own_values(const std::string& name) const {
  std::map<std::int64_t, std::vector<double>> values;
  for (const std::int64_t id : groups_.distinct) {
    const std::string path = fmt::format("{}/{}/{}", group_, id, name);
    if (file_.exists(path)) values[id] = file_.read<double>(path).values;
  }
  return values;
}

std::vector<double> EdgeValues::get(const std::string& name, const double* fallback) const {
  const auto own = own_values(name);
  std::vector<double> values;
  for (std::size_t edge = 0; edge < rows_.size(); ++edge) {
    const auto found = own.find(groups_.ids[edge]);
    if (found != own.end()) {
      const auto row = static_cast<std::size_t>(groups_.rows[edge]);
      require(row < found->second.size(), ErrorKind::data,
              "'{}/{}/{}': found {} values, but edge {} is row {} of this group", group_,
              found->first, name, found->second.size(), edge, row);
      values.push_back(found->second[row]);
      continue;
    }
    require(fallback != nullptr || types_.has(rows_[edge], name), ErrorKind::data,
            "'{}': neither edges nor their types have '{}'", group_, name);
    values.push_back(types_.has(rows_[edge], name) ? types_.number(rows_[edge], name) : *fallback);
  }
  return values;
}

std::vector<std::int64_t> numbers_of_synapses(const std::vector<double>& values,
                                              const std::string& group) {
  constexpr double kMax = 1000;  // More is a mistake, and might not fit into memory.
  std::vector<std::int64_t> numbers;
  for (const double value : values) {
    require(value >= 1 && value <= kMax && value == std::trunc(value), ErrorKind::data,
            "'{}': found nsyns {}, expected a whole number from 1 to {}", group, value, kMax);
    numbers.push_back(static_cast<std::int64_t>(value));
  }
  return numbers;
}

}  // namespace

SonataEdges read_sonata_edges(const io::Hdf5File& file, const std::string& group,
                              const TextTable& types, const SonataConfig& config) {
  const auto ids = file.read<std::int64_t>(group + "/edge_type_id").values;
  const std::size_t count = ids.size();
  const std::vector<std::size_t> rows = rows_of(ids, types, "edge_type_id", group);
  const EdgeValues values(
      file, group, types, rows,
      read_sonata_groups(file, group, "edge", count,
                         {"dynamics_params", "model_template", "weight_function"}));
  constexpr double kOneSynapse = 1, kDelay_ms = 1;
  SonataEdges edges = {file.text_attribute(group + "/source_node_id", "node_population"),
                       file.text_attribute(group + "/target_node_id", "node_population"),
                       file.read<std::int64_t>(group + "/source_node_id").values,
                       file.read<std::int64_t>(group + "/target_node_id").values,
                       numbers_of_synapses(values.get("nsyns", &kOneSynapse), group),
                       values.get("syn_weight"),
                       values.get("delay", &kDelay_ms),
                       ports_of(types, rows, config)};
  require(edges.sources.size() == count && edges.targets.size() == count, ErrorKind::data,
          "'{}': found {} sources and {} targets, expected as many as types, {}", group,
          edges.sources.size(), edges.targets.size(), count);
  return edges;
}

}  // namespace afterspike::formats
