#include "sonata_edges.hpp"

#include <cmath>
#include <cstddef>
#include <filesystem>

#include <fmt/format.h>

#include "afterspike/base/error.hpp"

namespace afterspike::exporters {
namespace {

std::uint8_t receptor_of(const TextTable& types, std::size_t row, const SonataConfig& config) {
  const std::string model = types.cell(row, "model_template", "static_synapse");
  require(model == "static_synapse", ErrorKind::data,
          "'{}': found model_template '{}', expected static_synapse", types.path, model);
  const std::string name = types.cell(row, "dynamics_params");
  if (name.empty()) return 0;
  const std::filesystem::path path = config.at("components").path("synaptic_models_dir") / name;
  const io::Json parameters = io::read_json(path, ErrorKind::data);
  const auto port =
      parameters.contains("receptor_type")
          ? io::member<std::int64_t>(parameters, "receptor_type", path.string(), ErrorKind::data)
          : 1;
  require(port >= 1 && port <= 255, ErrorKind::data,
          "'{}': found receptor_type {}, expected 1 to 255", path.string(), port);
  return static_cast<std::uint8_t>(port - 1);
}

/// Of each edge, by the row of its type. A table may have types of other edges, which say anything.
std::vector<std::uint8_t> receptors_of(const TextTable& types, const std::vector<std::size_t>& rows,
                                       const SonataConfig& config) {
  std::vector<bool> is_known(types.rows.size());
  std::vector<std::uint8_t> known(types.rows.size()), receptors;
  for (const std::size_t row : rows) {
    if (!is_known[row]) known[row] = receptor_of(types, row, config);
    is_known[row] = true;
    receptors.push_back(known[row]);
  }
  return receptors;
}

/// What an edge has of its own, or of its type; all have `fallback` where neither says anything.
std::vector<double> edge_values(const io::Hdf5File& file, const std::string& group,
                                const TextTable& types, const std::vector<std::size_t>& rows,
                                const std::string& name, const double* fallback = nullptr) {
  const std::string own = fmt::format("{}/0/{}", group, name);
  if (file.exists(own)) return file.read<double>(own).values;
  std::vector<double> values;
  for (const std::size_t row : rows) {
    require(fallback != nullptr || types.has(row, name), ErrorKind::data,
            "'{}': neither edges nor their types have '{}'", group, name);
    values.push_back(types.has(row, name) ? types.number(row, name) : *fallback);
  }
  return values;
}

std::vector<std::int64_t> numbers_of_synapses(const std::vector<double>& values,
                                              const std::string& group) {
  constexpr double kMost = 1000;  // More is a mistake, and might not fit into memory.
  std::vector<std::int64_t> numbers;
  for (const double value : values) {
    require(value >= 1 && value <= kMost && value == std::trunc(value), ErrorKind::data,
            "'{}': found nsyns {}, expected a whole number from 1 to {}", group, value, kMost);
    numbers.push_back(static_cast<std::int64_t>(value));
  }
  return numbers;
}

}  // namespace

SonataEdges read_sonata_edges(const io::Hdf5File& file, const std::string& group,
                              const TextTable& types, const SonataConfig& config) {
  const auto ids = file.read<std::int64_t>(group + "/edge_type_id").values;
  const std::size_t count = ids.size();
  require_plain(file, group + "/edge_group_id", count, false);
  require_plain(file, group + "/edge_group_index", count, true);
  require(!file.exists(group + "/0/dynamics_params"), ErrorKind::data,
          "'{}/0/dynamics_params': parameters of single edges are not read, expected an edge type"
          " for each",
          group);
  const std::vector<std::size_t> rows = rows_of(ids, types, "edge_type_id", group);
  constexpr double kOne = 1;
  SonataEdges edges = {
      file.text_attribute(group + "/source_node_id", "node_population"),
      file.text_attribute(group + "/target_node_id", "node_population"),
      file.read<std::int64_t>(group + "/source_node_id").values,
      file.read<std::int64_t>(group + "/target_node_id").values,
      numbers_of_synapses(edge_values(file, group, types, rows, "nsyns", &kOne), group),
      edge_values(file, group, types, rows, "syn_weight"),
      edge_values(file, group, types, rows, "delay"),
      receptors_of(types, rows, config)};
  const bool alike = edges.sources.size() == count && edges.targets.size() == count &&
                     edges.weights.size() == count && edges.delays.size() == count &&
                     edges.synapses.size() == count;
  require(alike, ErrorKind::data,
          "'{}': expected as many sources, targets, weights, delays and nsyns as types, {}", group,
          count);
  return edges;
}

}  // namespace afterspike::exporters
