#include <algorithm>
#include <limits>

#include "afterspike/analysis/cluster_files.hpp"
#include "afterspike/base/error.hpp"
#include "dendrogram.hpp"
#include "measures.hpp"
#include "sections.hpp"

namespace afterspike::analysis {
namespace {

namespace fs = std::filesystem;

constexpr std::int64_t kMergesDrawn = 400;
constexpr double kGap = std::numeric_limits<double>::quiet_NaN();

/// The clustering of a study, computed again; or the default one.
struct Clusters {
  ClusterStudy study;
  statistics::Clustering clustering;
  ClusterReport report;
  std::string text;
  std::int64_t count = 0;
};

/// Takes the settings of a directory written by `cluster`, for the same neurons.
void take_settings(const fs::path& directory, ClusterStudy& study) {
  const ClusterSettings settings = read_cluster_settings(directory);
  study.options = settings.options;
  study.seed = settings.seed;
  study.chosen = settings.clusters;
  const Population found = read_population(directory / "parameters.csv");
  const Population& expected = study.population;
  require(found.table.columns == expected.table.columns && found.run == expected.run &&
              found.table.values == expected.table.values,
          ErrorKind::config,
          "'{}' holds clusters of other neurons, or of other checkpoints; expected those of this "
          "report",
          directory.string());
}

/// Returns the given directory of clusters.
std::optional<fs::path> study_of(const ReportRequest& request) {
  const auto found = std::find_if(request.studies.begin(), request.studies.end(), has_clustering);
  if (found == request.studies.end()) return std::nullopt;
  return *found;
}

Clusters make_clusters(const ReportData& data, Population population) {
  Clusters clusters;
  ClusterStudy& study = clusters.study;
  study.population = std::move(population);
  clusters.text = "Made for this report, with the defaults of afterspike cluster.";
  if (const auto directory = study_of(data.request)) {
    take_settings(*directory, study);
    clusters.text = fmt::format("With the settings of {}.", directory->string());
  }
  clusters.clustering = cluster_population(study, data.pool);
  clusters.report = cluster_report(study, clusters.clustering, data.pool);
  clusters.count = clusters.report.clusters;
  return clusters;
}

std::string cluster_name(std::int64_t cluster, const Clusters& clusters) {
  const auto sizes = statistics::cluster_sizes(clusters.clustering.division(clusters.count).labels);
  const auto size = sizes[static_cast<std::size_t>(cluster)];
  return fmt::format("cluster {} ({} neuron{})", cluster, size, size == 1 ? "" : "s");
}

report::Chart scatter(const Clusters& clusters, const ReportData& data) {
  const auto components = statistics::principal_components(clusters.clustering.features, 2);
  const statistics::Points places = components.project(clusters.clustering.features);
  const statistics::Labels& labels = clusters.clustering.division(clusters.count).labels;
  const Population& population = clusters.study.population;
  const bool flat = places.cols() < 2;
  report::Chart chart;
  chart.id = "clusters-scatter";
  chart.title = "Neurons by their parameters";
  chart.caption = "Each point is a neuron, along the principal components of what was clustered.";
  chart.x = {"first component"};
  chart.y = {flat ? "(there is one parameter only)" : "second component"};
  chart.tall = true;
  for (std::int64_t cluster = 0; cluster < clusters.count; ++cluster) {
    report::Series series;
    series.name = cluster_name(cluster, clusters);
    series.draw = report::Series::Draw::points;
    series.color = static_cast<int>(cluster);
    for (std::size_t i = 0; i < labels.size(); ++i) {
      if (labels[i] != cluster) continue;
      const auto row = static_cast<Eigen::Index>(i);
      series.x.push_back(places(row, 0));
      series.y.push_back(flat ? 0 : places(row, 1));
      const NeuronId& neuron = population.table.neurons[i];
      const std::string& run = data.runs[static_cast<std::size_t>(population.run[i])].label;
      series.names.push_back(fmt::format("{}layer {}, neuron {}",
                                         population.runs.size() > 1 ? run + ", " : "", neuron.layer,
                                         neuron.neuron));
    }
    chart.series.push_back(std::move(series));
  }
  return chart;
}

report::Chart tree(const Clusters& clusters) {
  const Dendrogram drawn = dendrogram(clusters.clustering, clusters.count, kMergesDrawn);
  report::Chart chart;
  chart.id = "clusters-tree";
  chart.title = "Dendrogram";
  chart.caption = "Ward's method: which neurons are joined at which distance.";
  if (static_cast<std::size_t>(drawn.leaves) <= clusters.clustering.linkage.size()) {
    chart.caption += fmt::format(" The last {} merges.", kMergesDrawn);
  }
  chart.x = {"neurons", "", false, true};
  chart.y = {"distance"};
  chart.tall = true;
  for (std::int64_t cluster = Dendrogram::kBetween; cluster < clusters.count; ++cluster) {
    report::Series series;
    series.name = cluster < 0 ? "between clusters" : cluster_name(cluster, clusters);
    series.color = static_cast<int>(cluster);
    for (const Dendrogram::Bracket& bracket : drawn.brackets) {
      if (bracket.cluster != cluster) continue;
      series.x.insert(series.x.end(),
                      {bracket.left, bracket.left, bracket.right, bracket.right, bracket.right});
      series.y.insert(series.y.end(), {bracket.left_foot, bracket.distance, bracket.distance,
                                       bracket.right_foot, kGap});
    }
    if (!series.x.empty()) chart.series.push_back(std::move(series));
  }
  return chart;
}

/// Returns the scores for each number of clusters.
report::Table scores(const ClusterReport& found) {
  const int replicates = found.options.replicates;
  report::Table table{
      "clusters-scores",
      "How many clusters?",
      "Largest Caliński-Harabasz score and silhouette, least BIC and stability near "
      "1 speak for a number; the chosen one is marked.",
      {"clusters", "Caliński-Harabasz", "silhouette", "mixture BIC"},
      {},
      {},
      false};
  if (replicates > 0) table.columns.insert(table.columns.end(), {"stability", "95 %", "gap", "p"});
  table.columns.emplace_back("sizes");
  for (const ClusterScore& score : found.scores) {
    std::vector<report::Cell> cells = {static_cast<double>(score.k()), score.calinski_harabasz,
                                       score.silhouette, score.mixture_bic};
    if (score.replicated) {
      const statistics::Stability& stability = score.replicated->stability;
      cells.insert(cells.end(),
                   {stability.mean, fmt::format("[{:.2f}, {:.2f}]", stability.low, stability.high),
                    score.replicated->gap, p_text(score.replicated->p, replicates)});
    }
    cells.emplace_back(fmt::format("{}", fmt::join(score.sizes, " ")));
    table.rows.push_back(std::move(cells));
    table.differs.push_back(score.k() == found.clusters);
  }
  return table;
}

report::Table means(const Clusters& clusters) {
  report::Table table{"clusters-means",
                      "What the clusters are",
                      "Mean ± sd of each parameter.",
                      {"parameter"},
                      {},
                      {},
                      false};
  for (std::int64_t cluster = 0; cluster < clusters.count; ++cluster) {
    table.columns.push_back(cluster_name(cluster, clusters));
  }
  const std::vector<std::string>& columns = clusters.report.parameters;
  for (std::size_t column = 0; column < columns.size(); ++column) {
    std::vector<report::Cell> row = {columns[column]};
    for (const ClusterParameters& cluster : clusters.report.cluster_parameters) {
      row.emplace_back(spread_text(cluster.columns[column].mean, cluster.columns[column].sd));
    }
    table.rows.push_back(std::move(row));
  }
  return table;
}

/// Returns a sentence on whether there is more than one kind of neuron.
std::string verdict(const ClusterReport& found) {
  const OneCluster& one = found.one_cluster;
  std::string text = fmt::format(
      "Best number of clusters: {} by Caliński-Harabasz, {} by silhouette, {} by mixtures (BIC)",
      found.by_calinski_harabasz, found.by_silhouette, one.mixture_components);
  if (one.replicated) text += fmt::format(", {} by gap", one.replicated->gap_clusters);
  return kinds_sentence(found) + " " + text + ".";
}

/// Gives each run the labels of its neurons.
void share_labels(const Clusters& clusters, ReportData& data) {
  data.labels.assign(data.runs.size(), {});
  const statistics::Labels& labels = clusters.clustering.division(clusters.count).labels;
  const std::vector<std::int64_t>& run = clusters.study.population.run;
  for (std::size_t i = 0; i < labels.size(); ++i) {
    data.labels[static_cast<std::size_t>(run[i])].push_back(labels[i]);
  }
}

}  // namespace

report::Section clusters_section(ReportData& data) {
  report::Section section{"clusters", "Kinds of neurons", {}, {}};
  try {
    std::vector<RunGroup> groups;
    for (const ReportRun& run : data.runs) groups.push_back({run.label, {run.path}});
    const Clusters clusters = make_clusters(data, gather_population(groups));
    share_labels(clusters, data);
    data.summary.push_back(kinds_sentence(clusters.report));
    section.text = {"Clusters of the neurons' intrinsic parameters. " + clusters.text + " " +
                    verdict(clusters.report)};
    for (const std::string& note : clusters.clustering.notes) section.text.push_back(note);
    section.blocks = {scatter(clusters, data), tree(clusters), scores(clusters.report),
                      means(clusters)};
  } catch (const Error& error) {
    // Units without parameters, runs of several models, too few neurons or all alike.
    const bool expected = error.kind() == ErrorKind::data || error.kind() == ErrorKind::config;
    if (!expected || study_of(data.request)) throw;
    section.blocks.emplace_back(
        report::Note{fmt::format("Neurons are not clustered: {}", error.what())});
  }
  return section;
}

}  // namespace afterspike::analysis
