#include "afterspike/analysis/clusters.hpp"
#include "afterspike/io/atomic.hpp"

namespace afterspike::analysis {
namespace {

namespace fs = std::filesystem;

constexpr std::int64_t kComponents = 3;

/// Returns the columns run, layer, neuron, the start of every row about a neuron.
io::Table identity_table(const Population& population) {
  io::Table table{{"run", "layer", "neuron"}, {}};
  for (std::size_t i = 0; i < population.run.size(); ++i) {
    const NeuronId& neuron = population.table.neurons[i];
    table.rows.push_back({static_cast<double>(population.run[i]), static_cast<double>(neuron.layer),
                          static_cast<double>(neuron.neuron)});
  }
  return table;
}

void append_column(io::Table& table, const std::string& name, const statistics::Labels& values) {
  table.columns.push_back(name);
  for (std::size_t i = 0; i < values.size(); ++i) {
    table.rows[i].push_back(static_cast<double>(values[i]));
  }
}

void append_columns(io::Table& table, const std::vector<std::string>& names,
                    const statistics::Points& values) {
  table.columns.insert(table.columns.end(), names.begin(), names.end());
  for (std::size_t i = 0; i < table.rows.size(); ++i) {
    const auto row = values.row(static_cast<Eigen::Index>(i));
    table.rows[i].insert(table.rows[i].end(), row.begin(), row.end());
  }
}

io::Table clusters_table(const ClusterStudy& study, const statistics::Clustering& clustering,
                         std::int64_t chosen) {
  io::Table table = identity_table(study.population);
  append_column(table, "cluster", clustering.division(chosen).labels);
  for (const statistics::Division& division : clustering.divisions) {
    append_column(table, fmt::format("k_{}", statistics::cluster_sizes(division.labels).size()),
                  division.labels);
  }
  const statistics::Components components =
      statistics::principal_components(clustering.features, kComponents);
  std::vector<std::string> names;
  for (Eigen::Index i = 1; i <= components.axes.rows(); ++i) {
    names.push_back(fmt::format("component_{}", i));
  }
  append_columns(table, names, components.project(clustering.features));
  if (!clustering.leaf.empty()) append_column(table, "leaf", clustering.leaf);
  return table;
}

/// Returns the numbers of each row of the report's scores, without labels and sizes.
io::Table scores_table(const io::Json& scores) {
  io::Table table;
  for (const io::Json& score : scores) {
    table.columns.clear();
    std::vector<double> row;
    const auto add = [&](const std::string& name, const io::Json& value) {
      table.columns.push_back(name);
      row.push_back(value.get<double>());
    };
    for (const auto& [name, value] : score.items()) {
      if (value.is_number()) add(name, value);
      if (!value.is_object()) continue;
      for (const auto& [part, part_value] : value.items()) add(name + "_" + part, part_value);
    }
    table.rows.push_back(std::move(row));
  }
  return table;
}

io::Table linkage_table(const statistics::Linkage& linkage) {
  io::Table table{{"first", "second", "distance", "size"}, {}};
  for (const statistics::Merge& merge : linkage) {
    table.rows.push_back({static_cast<double>(merge.first), static_cast<double>(merge.second),
                          merge.distance, static_cast<double>(merge.size)});
  }
  return table;
}

io::Table summary_table(const io::Json& clusters) {
  io::Table table;
  for (const io::Json& cluster : clusters) {
    table.columns = {"cluster", "neurons"};
    std::vector<double> row = {cluster["cluster"].get<double>(), cluster["neurons"].get<double>()};
    for (const auto& [name, values] : cluster["parameters"].items()) {
      for (const auto& [what, value] : values.items()) {
        table.columns.push_back(fmt::format("{}_{}", name, what));
        row.push_back(value.get<double>());
      }
    }
    table.rows.push_back(std::move(row));
  }
  return table;
}

}  // namespace

void write_clustering(const fs::path& directory, const ClusterStudy& study,
                      const statistics::Clustering& clustering, const io::Json& report) {
  io::AtomicDirectory target(directory);
  const fs::path& to = target.staging();
  io::Table parameters = identity_table(study.population);
  append_columns(parameters, study.population.table.columns, study.population.table.values);
  io::write_csv(to / "parameters.csv", parameters);
  io::write_csv(to / "clusters.csv",
                clusters_table(study, clustering, report["clusters"].get<std::int64_t>()));
  io::write_csv(to / "scores.csv", scores_table(report["scores"]));
  io::write_csv(to / "linkage.csv", linkage_table(clustering.linkage));
  io::write_csv(to / "summary.csv", summary_table(report["cluster_parameters"]));
  io::write_file(to / "clustering.json", report.dump(2) + "\n");
  target.commit();
}

}  // namespace afterspike::analysis
