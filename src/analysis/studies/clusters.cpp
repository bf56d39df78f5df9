#include "afterspike/analysis/clusters.hpp"

#include <algorithm>
#include <cmath>

#include "afterspike/base/error.hpp"
#include "afterspike/statistics/scores.hpp"

namespace afterspike::analysis {
namespace {

using statistics::Clustering;
using statistics::Labels;

/// Range of a file's values in which distances can be computed.
constexpr double kSmallest = 1e-100, kLargest = 1e100;

std::int64_t chosen_of(const ClusterStudy& study, const Clustering& clustering) {
  return study.chosen > 0 ? study.chosen : clustering.by_calinski_harabasz;
}

/// Describes the result for one number of clusters.
ClusterScore score_of(const Clustering& clustering, std::size_t index) {
  const statistics::Division& division = clustering.divisions[index];
  ClusterScore score;
  score.calinski_harabasz = division.calinski_harabasz;
  score.silhouette = division.silhouette;
  score.mixture_bic = clustering.mixtures[index + 1].bic;
  score.mixture_converged = clustering.mixtures[index + 1].converged;
  score.sizes = statistics::cluster_sizes(division.labels);
  score.labels = division.labels;
  if (clustering.stability.empty()) return score;
  const std::size_t k = score.sizes.size();
  score.replicated = ClusterScore::Replicated{
      clustering.stability[index], clustering.gap->gap[k - 1], clustering.gap->error[k - 1],
      clustering.one_cluster->null_mean[index], clustering.one_cluster->p[index]};
  return score;
}

OneCluster one_cluster_of(const Clustering& clustering) {
  OneCluster result{clustering.mixtures.front().bic, clustering.by_bic, std::nullopt};
  if (clustering.gap) {
    result.replicated =
        OneCluster::Replicated{clustering.gap->gap.front(), clustering.gap->error.front(),
                               clustering.gap->clusters, clustering.one_cluster->p_of_best};
  }
  return result;
}

/// Returns mean, standard deviation and range of a column over the neurons of a cluster.
ClusterParameters::Statistics statistics_of(const NeuronTable& table, Eigen::Index column,
                                            const Labels& labels, std::int64_t cluster) {
  std::vector<double> values;
  for (std::size_t i = 0; i < labels.size(); ++i) {
    if (labels[i] == cluster) {
      values.push_back(table.values(static_cast<Eigen::Index>(i), column));
    }
  }
  const auto array =
      Eigen::Map<const Eigen::ArrayXd>(values.data(), static_cast<Eigen::Index>(values.size()));
  const auto spread = static_cast<double>(std::max<std::size_t>(1, values.size() - 1));
  return {array.mean(), std::sqrt((array - array.mean()).square().sum() / spread), array.minCoeff(),
          array.maxCoeff()};
}

std::vector<ClusterParameters> describe_clusters(const ClusterStudy& study, const Labels& labels) {
  const Population& population = study.population;
  const std::vector<std::int64_t> sizes = statistics::cluster_sizes(labels);
  std::vector<ClusterParameters> clusters;
  for (std::size_t cluster = 0; cluster < sizes.size(); ++cluster) {
    const auto number = static_cast<std::int64_t>(cluster);
    ClusterParameters next;
    next.neurons = sizes[cluster];
    next.neurons_of_run.resize(population.runs.size());
    for (std::size_t i = 0; i < labels.size(); ++i) {
      if (labels[i] != number) continue;
      ++next.neurons_of_run[static_cast<std::size_t>(population.run[i])];
    }
    for (Eigen::Index column = 0; column < population.table.values.cols(); ++column) {
      next.columns.push_back(statistics_of(population.table, column, labels, number));
    }
    clusters.push_back(std::move(next));
  }
  return clusters;
}

/// A run clustered alone, on the scale of all.
struct SingleRun {
  std::vector<std::int64_t> rows;
  statistics::Points points;
  Clustering clustering;
};

SingleRun cluster_alone(const ClusterStudy& study, const Clustering& all, std::int64_t run,
                        ThreadPool& pool) {
  SingleRun alone;
  for (std::size_t i = 0; i < study.population.run.size(); ++i) {
    if (study.population.run[i] == run) alone.rows.push_back(static_cast<std::int64_t>(i));
  }
  alone.points = statistics::rows_of(all.features, alone.rows);
  statistics::ClusteringOptions options = study.options;
  options.standardise = statistics::Standardise::none;
  options.replicates = 0;
  options.most = std::max(options.most, chosen_of(study, all));
  const Rng rng = Rng(study.seed).stream("run", static_cast<std::uint64_t>(run));
  try {
    alone.clustering = statistics::cluster(alone.points, options, rng, pool);
  } catch (const Error& error) {
    throw error.within(study.population.runs[static_cast<std::size_t>(run)]);
  }
  return alone;
}

/// Describes the clusters of a single run; `labels` are those of all runs together.
RunComparison::Run describe_alone(const SingleRun& alone, const Labels& labels, std::int64_t k,
                                  const std::string& path) {
  Labels pooled;
  for (const std::int64_t row : alone.rows) pooled.push_back(labels[static_cast<std::size_t>(row)]);
  RunComparison::Run run;
  run.path = path;
  run.neurons = std::ssize(alone.rows);
  run.by_calinski_harabasz = alone.clustering.by_calinski_harabasz;
  run.by_silhouette = alone.clustering.by_silhouette;
  run.by_bic = alone.clustering.by_bic;
  for (const auto& division : alone.clustering.divisions) {
    run.calinski_harabasz.push_back(division.calinski_harabasz);
  }
  run.agreement_with_all =
      statistics::adjusted_rand_index(pooled, alone.clustering.division(k).labels);
  return run;
}

/// Returns the agreement of a run's clusters with those assigned by the cluster means of another
/// run.
double agreement(const SingleRun& alone, const SingleRun& other, std::int64_t k) {
  const statistics::Points means =
      statistics::cluster_means(other.points, other.clustering.division(k).labels);
  return statistics::adjusted_rand_index(statistics::nearest(alone.points, means),
                                         alone.clustering.division(k).labels);
}

/// Compares the runs in k clusters.
RunComparison compare_runs(const ClusterStudy& study, const Clustering& all, ThreadPool& pool) {
  RunComparison result;
  result.k = chosen_of(study, all);
  const std::vector<std::string>& paths = study.population.runs;
  std::vector<std::int64_t> neurons(paths.size());
  for (const std::int64_t run : study.population.run) ++neurons[static_cast<std::size_t>(run)];
  const std::int64_t fewest = *std::min_element(neurons.begin(), neurons.end());
  if (fewest <= result.k) {
    result.reason =
        fmt::format("a run of {} neurons cannot be put into {} clusters", fewest, result.k);
    return result;
  }
  std::vector<SingleRun> runs;
  for (std::size_t run = 0; run < paths.size(); ++run) {
    runs.push_back(cluster_alone(study, all, static_cast<std::int64_t>(run), pool));
  }
  for (std::size_t run = 0; run < runs.size(); ++run) {
    result.runs.push_back(
        describe_alone(runs[run], all.division(result.k).labels, result.k, paths[run]));
    result.agreement.emplace_back();
    for (const SingleRun& other : runs) {
      result.agreement.back().push_back(agreement(runs[run], other, result.k));
    }
  }
  return result;
}

void require_finite(const Population& population) {
  const NeuronTable& table = population.table;
  for (Eigen::Index i = 0; i < table.values.rows(); ++i) {
    for (Eigen::Index j = 0; j < table.values.cols(); ++j) {
      const auto at = static_cast<std::size_t>(i);
      require(std::isfinite(table.values(i, j)), ErrorKind::numeric,
              "{}: layer {}, neuron {}: {} is {}, expected a finite number",
              population.runs[static_cast<std::size_t>(population.run[at])],
              table.neurons[at].layer, table.neurons[at].neuron,
              table.columns[static_cast<std::size_t>(j)], table.values(i, j));
    }
  }
}

/// Returns the index of a column of a file; nullopt if it is missing.
std::optional<std::size_t> find(const io::Table& table, std::string_view name) {
  const auto found = std::find(table.columns.begin(), table.columns.end(), name);
  if (found == table.columns.end()) return std::nullopt;
  return static_cast<std::size_t>(found - table.columns.begin());
}

/// Returns a whole number of a row, or `otherwise` if the file has no such column.
std::int64_t whole_or(const io::Table& table, std::size_t row, std::string_view name,
                      std::int64_t otherwise, const std::string& file) {
  const auto place = find(table, name);
  if (!place) return otherwise;
  const double value = table.rows[row][*place];
  require(value >= 0 && value < 1e9 && value == std::floor(value), ErrorKind::data,
          "'{}': line {}: {} is {}, expected a whole number, 0 or more", file, row + 2, name,
          value);
  return static_cast<std::int64_t>(value);
}

}  // namespace

Population gather_population(const std::vector<RunGroup>& groups) {
  Population population;
  std::vector<NeuronTable> tables;
  for (const RunGroup& group : groups) {
    for (const auto& path : group.paths) {
      const experiment::Trained trained = load_run(path);
      try {
        tables.push_back(neuron_parameters(*trained.network));
      } catch (const Error& error) {
        throw error.within(path.string());
      }
      population.runs.push_back(path.string());
      require(tables.back().columns == tables.front().columns, ErrorKind::config,
              "{}: found parameters {}, expected those of {}: {}", path.string(),
              fmt::join(tables.back().columns, ", "), population.runs.front(),
              fmt::join(tables.front().columns, ", "));
      const auto number = static_cast<std::int64_t>(population.runs.size()) - 1;
      population.run.insert(population.run.end(), tables.back().neurons.size(), number);
    }
  }
  NeuronTable& all = population.table;
  all.columns = tables.front().columns;
  all.values.resize(static_cast<Eigen::Index>(population.run.size()),
                    static_cast<Eigen::Index>(all.columns.size()));
  Eigen::Index row = 0;
  for (const NeuronTable& table : tables) {
    all.neurons.insert(all.neurons.end(), table.neurons.begin(), table.neurons.end());
    all.values.middleRows(row, table.values.rows()) = table.values;
    row += table.values.rows();
  }
  return population;
}

Population read_population(const std::filesystem::path& path) {
  const std::string file = path.string();
  const io::Table table = io::read_csv(path);
  require(!table.rows.empty(), ErrorKind::data, "'{}': expected a row for each neuron, found none",
          file);
  Population population;
  std::vector<std::size_t> features;
  for (std::size_t i = 0; i < table.columns.size(); ++i) {
    if (is_identity(table.columns[i])) continue;
    features.push_back(i);
    population.table.columns.push_back(table.columns[i]);
  }
  require(!features.empty(), ErrorKind::data,
          "'{}': expected a column for each parameter, found {} only", file,
          fmt::join(table.columns, ", "));
  population.table.values.resize(static_cast<Eigen::Index>(table.rows.size()),
                                 static_cast<Eigen::Index>(features.size()));
  std::int64_t runs = 1;
  for (std::size_t row = 0; row < table.rows.size(); ++row) {
    const auto index = static_cast<std::int64_t>(row);
    population.run.push_back(whole_or(table, row, "run", 0, file));
    runs = std::max(runs, population.run.back() + 1);
    require(runs <= static_cast<std::int64_t>(table.rows.size()), ErrorKind::data,
            "'{}': line {}: run is {}, expected numbers from 0 on", file, row + 2, runs - 1);
    population.table.neurons.push_back(
        {whole_or(table, row, "layer", 0, file), whole_or(table, row, "neuron", index, file)});
    for (std::size_t i = 0; i < features.size(); ++i) {
      const double value = table.rows[row][features[i]];
      require(
          value == 0 || (std::abs(value) >= kSmallest && std::abs(value) <= kLargest),
          ErrorKind::data,
          "'{}': line {}: {} is {}, expected 0 or a size from {} to {}: squares beyond cannot be "
          "told apart",
          file, row + 2, table.columns[features[i]], value, kSmallest, kLargest);
      population.table.values(index, static_cast<Eigen::Index>(i)) = value;
    }
  }
  for (std::int64_t run = 0; run < runs; ++run) {
    require(std::find(population.run.begin(), population.run.end(), run) != population.run.end(),
            ErrorKind::data, "'{}': there is no row of run {}, expected runs 0 to {}", file, run,
            runs - 1);
    population.runs.push_back(runs == 1 ? file : fmt::format("{}, run {}", file, run));
  }
  return population;
}

statistics::Clustering cluster_population(const ClusterStudy& study, ThreadPool& pool) {
  require_finite(study.population);
  Clustering clustering = statistics::cluster(study.population.table.values, study.options,
                                              Rng(study.seed).stream("clustering"), pool);
  const auto most =
      study.options.least + static_cast<std::int64_t>(clustering.divisions.size()) - 1;
  require(study.chosen == 0 || (study.chosen >= study.options.least && study.chosen <= most),
          ErrorKind::config,
          "{} clusters were chosen; expected one of the numbers that are tried, "
          "{} to {}",
          study.chosen, study.options.least, most);
  return clustering;
}

std::vector<std::int64_t> usual_clusters(const std::vector<RunGroup>& groups, ThreadPool& pool) {
  ClusterStudy study;
  study.population = gather_population(groups);
  study.options.replicates = 0;  // Replicates do not change the choice.
  const Clustering clustering = cluster_population(study, pool);
  return clustering.division(chosen_of(study, clustering)).labels;
}

std::string p_text(double p, int replicates) {
  constexpr double kRounding = 1e-9;
  const bool at_floor = p * (replicates + 1) <= 1 + kRounding;
  return at_floor ? fmt::format("< 1/{}", replicates + 1) : fmt::format("{:.2g}", p);
}

std::string kinds_sentence(const ClusterReport& report) {
  constexpr double kSignificant = 0.05;
  const int replicates = report.options.replicates;
  if (!report.one_cluster.replicated) {
    return "Whether there is more than one kind of neuron was not tested; --replicates 100 tests "
           "it.";
  }
  const auto& [gap, gap_error, gap_clusters, p] = *report.one_cluster.replicated;
  const std::string text = p_text(p, replicates);
  const std::string figures =
      fmt::format("p {}{}, gap: {}", text.starts_with('<') ? "" : "= ", text, gap_clusters);
  if (1.0 / (replicates + 1) > kSignificant) {
    return fmt::format(
        "{} replicates are too few to tell whether there is more than one kind of neuron ({}); use"
        " --replicates 100.",
        replicates, figures);
  }
  if (p >= kSignificant) {
    return fmt::format("No evidence for more than one kind of neuron ({}).", figures);
  }
  if (gap_clusters > 1) {
    return fmt::format("Evidence for {} kinds of neurons ({}).", gap_clusters, figures);
  }
  return fmt::format(
      "The neurons are not one normal distribution, but the gap statistic finds no separate kinds"
      " ({}).",
      figures);
}

ClusterReport cluster_report(const ClusterStudy& study, const Clustering& clustering,
                             ThreadPool& pool) {
  ClusterReport report;
  report.runs = study.population.runs;
  report.neurons = std::ssize(study.population.run);
  report.parameters = study.population.table.columns;
  report.options = study.options;
  report.seed = study.seed;
  report.clusters = chosen_of(study, clustering);
  report.by_calinski_harabasz = clustering.by_calinski_harabasz;
  report.by_silhouette = clustering.by_silhouette;
  report.one_cluster = one_cluster_of(clustering);
  report.notes = clustering.notes;
  report.cluster_parameters = describe_clusters(study, clustering.division(report.clusters).labels);
  for (std::size_t i = 0; i < clustering.divisions.size(); ++i) {
    report.scores.push_back(score_of(clustering, i));
  }
  if (study.population.runs.size() > 1) {
    report.runs_compared = compare_runs(study, clustering, pool);
  }
  return report;
}

}  // namespace afterspike::analysis
