#include "afterspike/analysis/cluster_files.hpp"
#include "afterspike/base/error.hpp"
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
io::Table scores_table(const std::vector<ClusterScore>& scores) {
  io::Table table{{"k", "calinski_harabasz", "silhouette", "mixture_bic"}, {}};
  if (!scores.empty() && scores.front().replicated) {
    table.columns.insert(table.columns.end(), {"stability_mean", "stability_low", "stability_high",
                                               "gap", "gap_error", "null_mean", "p"});
  }
  for (const ClusterScore& score : scores) {
    std::vector<double> row = {static_cast<double>(score.k()), score.calinski_harabasz,
                               score.silhouette, score.mixture_bic};
    if (score.replicated) {
      const auto& [stability, gap, gap_error, null_mean, p] = *score.replicated;
      row.insert(row.end(),
                 {stability.mean, stability.low, stability.high, gap, gap_error, null_mean, p});
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

io::Table summary_table(const ClusterReport& report) {
  io::Table table{{"cluster", "neurons"}, {}};
  for (const std::string& name : report.parameters) {
    for (const char* what : {"mean", "sd", "min", "max"}) {
      table.columns.push_back(fmt::format("{}_{}", name, what));
    }
  }
  for (const ClusterParameters& cluster : report.cluster_parameters) {
    std::vector<double> row = {static_cast<double>(table.rows.size()),
                               static_cast<double>(cluster.neurons)};
    for (const auto& [mean, sd, min, max] : cluster.columns) {
      row.insert(row.end(), {mean, sd, min, max});
    }
    table.rows.push_back(std::move(row));
  }
  return table;
}

io::Json describe(const ClusterScore& score) {
  io::Json row = {{"k", score.k()},
                  {"calinski_harabasz", score.calinski_harabasz},
                  {"silhouette", score.silhouette},
                  {"mixture_bic", score.mixture_bic},
                  {"mixture_converged", score.mixture_converged}};
  if (score.replicated) {
    const auto& [stability, gap, gap_error, null_mean, p] = *score.replicated;
    row["stability"] = {{"mean", stability.mean}, {"low", stability.low}, {"high", stability.high}};
    row["gap"] = gap;
    row["gap_error"] = gap_error;
    row["null_mean"] = null_mean;
    row["p"] = p;
  }
  row["sizes"] = score.sizes;
  row["labels"] = score.labels;
  return row;
}

io::Json describe(const OneCluster& one) {
  io::Json result = {{"mixture_bic", one.mixture_bic},
                     {"mixture_components", one.mixture_components}};
  if (!one.replicated) return result;
  result["gap"] = one.replicated->gap;
  result["gap_error"] = one.replicated->gap_error;
  result["gap_clusters"] = one.replicated->gap_clusters;
  result["p"] = one.replicated->p;
  return result;
}

io::Json describe_clusters(const ClusterReport& report) {
  io::Json clusters = io::Json::array();
  for (const ClusterParameters& cluster : report.cluster_parameters) {
    io::Json parameters;
    for (std::size_t i = 0; i < cluster.columns.size(); ++i) {
      const auto& [mean, sd, min, max] = cluster.columns[i];
      parameters[report.parameters[i]] = {{"mean", mean}, {"sd", sd}, {"min", min}, {"max", max}};
    }
    clusters.push_back({{"cluster", clusters.size()},
                        {"neurons", cluster.neurons},
                        {"neurons_of_run", cluster.neurons_of_run},
                        {"parameters", std::move(parameters)}});
  }
  return clusters;
}

io::Json describe(const RunComparison& compared) {
  if (!compared.reason.empty()) return {{"k", compared.k}, {"reason", compared.reason}};
  io::Json runs = io::Json::array();
  for (const RunComparison::Run& run : compared.runs) {
    runs.push_back({{"run", runs.size()},
                    {"path", run.path},
                    {"neurons", run.neurons},
                    {"by_calinski_harabasz", run.by_calinski_harabasz},
                    {"by_silhouette", run.by_silhouette},
                    {"by_bic", run.by_bic},
                    {"calinski_harabasz", run.calinski_harabasz},
                    {"agreement_with_all", run.agreement_with_all}});
  }
  return {{"k", compared.k}, {"runs", std::move(runs)}, {"agreement", compared.agreement}};
}

}  // namespace

io::Json to_json(const ClusterReport& report) {
  const bool standardised = report.options.standardise == statistics::Standardise::zscore;
  io::Json scores = io::Json::array();
  for (const ClusterScore& score : report.scores) scores.push_back(describe(score));
  io::Json result = {{"runs", report.runs},
                     {"neurons", report.neurons},
                     {"parameters", report.parameters},
                     {"standardise", standardised ? "zscore" : "none"},
                     {"seed", report.seed},
                     {"replicates", report.options.replicates},
                     {"exact_limit", report.options.exact_limit},
                     {"clusters", report.clusters},
                     {"by_calinski_harabasz", report.by_calinski_harabasz},
                     {"by_authors_rule", report.by_authors_rule()},
                     {"by_silhouette", report.by_silhouette},
                     {"one_cluster", describe(report.one_cluster)},
                     {"notes", report.notes},
                     {"cluster_parameters", describe_clusters(report)},
                     {"scores", std::move(scores)}};
  if (report.runs_compared) result["runs_compared"] = describe(*report.runs_compared);
  return result;
}

void write_clustering(const fs::path& directory, const ClusterStudy& study,
                      const statistics::Clustering& clustering, const ClusterReport& report) {
  io::AtomicDirectory target(directory);
  const fs::path& to = target.staging();
  io::Table parameters = identity_table(study.population);
  append_columns(parameters, study.population.table.columns, study.population.table.values);
  io::write_csv(to / "parameters.csv", parameters);
  io::write_csv(to / "clusters.csv", clusters_table(study, clustering, report.clusters));
  io::write_csv(to / "scores.csv", scores_table(report.scores));
  io::write_csv(to / "linkage.csv", linkage_table(clustering.linkage));
  io::write_csv(to / "summary.csv", summary_table(report));
  io::write_file(to / "clustering.json", to_json(report).dump(2) + "\n");
  target.commit();
}

bool has_clustering(const fs::path& directory) {
  return fs::exists(directory / "clustering.json");
}

ClusterSettings read_cluster_settings(const fs::path& directory) {
  const fs::path file = directory / "clustering.json";
  const io::Json report = io::read_json(file, ErrorKind::data);
  const std::string where = "'" + file.string() + "'";
  const auto get = [&]<typename T>(const io::Json& object, const char* key, T& target) {
    target = io::member<T>(object, key, where, ErrorKind::data);
  };
  ClusterSettings settings;
  get(report, "runs", settings.runs);
  const auto text = io::member<std::string>(report, "standardise", where, ErrorKind::data);
  settings.options.standardise =
      text == "none" ? statistics::Standardise::none : statistics::Standardise::zscore;
  get(report, "replicates", settings.options.replicates);
  settings.has_exact_limit = report.contains("exact_limit");
  if (settings.has_exact_limit) get(report, "exact_limit", settings.options.exact_limit);
  get(report, "seed", settings.seed);
  get(report, "clusters", settings.clusters);
  const auto scores = io::member<io::Json>(report, "scores", where, ErrorKind::data);
  require(scores.is_array() && !scores.empty(), ErrorKind::data, "{}: no scores", where);
  get(scores.front(), "k", settings.options.least);
  get(scores.back(), "k", settings.options.most);
  return settings;
}

}  // namespace afterspike::analysis
