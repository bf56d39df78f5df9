#include <charconv>
#include <filesystem>

#include <fmt/format.h>

#include "afterspike/analysis/cluster_files.hpp"
#include "afterspike/base/log.hpp"
#include "command.hpp"
#include "environment.hpp"

namespace afterspike::cli {
namespace {

constexpr std::int64_t kMaxClusters = 1000;

Arguments cluster_arguments() {
  Arguments arguments(
      "cluster",
      "Clusters neurons by their learned intrinsic parameters, and tests whether there are "
      "clusters.\n"
      "Several runs, or a directory of several seeds, are clustered together and compared.",
      "RUN... | --csv FILE [--out DIR] [--standardise zscore|none] [--k 2:11] [--json]");
  arguments.example("afterspike cluster runs/a --k 2:8 --out runs/clusters")
      .any_number("RUN... or --csv FILE", 0)
      .value("csv", "FILE", "A table instead of runs: a row per neuron, a column per parameter.")
      .value("out", "DIR", "New directory for tables.")
      .value("standardise", "HOW",
             "zscore: mean 0 and sd 1 for every parameter; none: its own unit, as the authors of "
             "GLIFR did.",
             "zscore")
      .value("k", "LOW:HIGH", "Numbers of clusters to try.", "2:11")
      .value("clusters", "K",
             "Number of clusters to describe (default: best by Calinski-Harabasz).")
      .group("Tests")
      .value("replicates", "N", "Replicates of bootstrap, null test and gap each; 0 omits these.",
             "100")
      .value("exact-limit", "N", "Max number of neurons with exact Ward linkage.",
             std::to_string(statistics::ClusteringOptions().exact_limit))
      .value("seed", "N", "Seed of the replicates.", "1")
      .group("Output")
      .flag("json", "Prints the report as one JSON object.");
  return add_threads(arguments);
}

/// Parses "2:11".
void read_range(const std::string& text, statistics::ClusteringOptions& options) {
  const auto colon = text.find(':');
  const auto number = [&](std::string_view part, std::int64_t& value) {
    const auto [end, error] = std::from_chars(part.data(), part.data() + part.size(), value);
    return error == std::errc() && end == part.data() + part.size();
  };
  const bool fine = colon != std::string::npos &&
                    number(std::string_view(text).substr(0, colon), options.least) &&
                    number(std::string_view(text).substr(colon + 1), options.most);
  require(
      fine && options.least >= 2 && options.most >= options.least && options.most <= kMaxClusters,
      ErrorKind::usage, "--k: found '{}', expected two numbers such as 2:11, 2 to {}", text,
      kMaxClusters);
}

analysis::Population load_population(const Arguments& arguments) {
  require(arguments.words().empty() == arguments.has("csv"), ErrorKind::usage,
          "cluster: expected RUN... or --csv FILE, found {}; see afterspike cluster --help",
          arguments.has("csv") ? "both" : "neither");
  if (arguments.has("csv")) return analysis::read_population(arguments.text("csv"));
  std::vector<analysis::RunGroup> groups;
  for (const std::string& word : arguments.words()) groups.push_back(analysis::find_runs(word));
  return analysis::gather_population(groups);
}

analysis::ClusterStudy make_study(const Arguments& arguments) {
  analysis::ClusterStudy study;
  read_range(arguments.text("k"), study.options);
  const std::string standardise = arguments.text("standardise");
  require(standardise == "zscore" || standardise == "none", ErrorKind::usage,
          "--standardise: found '{}', expected zscore or none", standardise);
  study.options.standardise =
      standardise == "none" ? statistics::Standardise::none : statistics::Standardise::zscore;
  study.options.replicates = static_cast<int>(arguments.integer("replicates", 0, 100000));
  study.options.exact_limit = arguments.integer("exact-limit", study.options.least_exact_limit());
  study.seed = static_cast<std::uint64_t>(arguments.integer("seed", 0));
  if (arguments.has("clusters")) study.chosen = arguments.integer("clusters", 2, kMaxClusters);
  study.population = load_population(arguments);
  return study;
}

void print_scores(const analysis::ClusterReport& report) {
  const int replicates = report.options.replicates;
  fmt::print("{:>3} {:>12} {:>10} {:>12}", "k", "Calinski-H.", "silhouette", "BIC");
  if (replicates > 0) fmt::print(" {:>20} {:>16} {:>8}", "stability (ARI)", "gap", "p");
  fmt::print("  sizes\n");
  for (const analysis::ClusterScore& row : report.scores) {
    const double score = row.calinski_harabasz;
    fmt::print("{:>3} {:>12} {:>10.4f} {:>12.1f}", row.k(),
               score < 1e9 ? fmt::format("{:.2f}", score) : fmt::format("{:.3g}", score),
               row.silhouette, row.mixture_bic);
    if (row.replicated) {
      const statistics::Stability& stability = row.replicated->stability;
      fmt::print(" {:>6.2f} [{:5.2f}, {:4.2f}] {:>8.3f} +- {:.3f} {:>8}", stability.mean,
                 stability.low, stability.high, row.replicated->gap, row.replicated->gap_error,
                 analysis::p_text(row.replicated->p, replicates));
    }
    fmt::print("  {}\n", fmt::join(row.sizes, " "));
  }
}

void print_choices(const analysis::ClusterReport& report) {
  const analysis::OneCluster& one = report.one_cluster;
  fmt::print(
      "\nbest k: Calinski-Harabasz {}, silhouette {}, mixtures by BIC {} (BIC of one: {:.1f})",
      report.by_calinski_harabasz, report.by_silhouette, one.mixture_components, one.mixture_bic);
  if (one.replicated) fmt::print(", gap {}", one.replicated->gap_clusters);
  fmt::print("\n");
}

void print_clusters(const analysis::ClusterReport& report) {
  fmt::print("\n{:24}", "mean in cluster");
  for (std::size_t i = 0; i < report.cluster_parameters.size(); ++i) fmt::print(" {:>12}", i);
  fmt::print("\n{:24}", "neurons");
  for (const auto& cluster : report.cluster_parameters) fmt::print(" {:>12}", cluster.neurons);
  for (std::size_t column = 0; column < report.parameters.size(); ++column) {
    fmt::print("\n{:24}", report.parameters[column]);
    for (const auto& cluster : report.cluster_parameters) {
      fmt::print(" {:>12.4g}", cluster.columns[column].mean);
    }
  }
  fmt::print("\n");
}

void print_runs(const analysis::ClusterReport& report) {
  if (!report.runs_compared) return;
  const analysis::RunComparison& compared = *report.runs_compared;
  if (!compared.reason.empty()) {
    fmt::print("\nruns are not compared: {}\n", compared.reason);
    return;
  }
  fmt::print(
      "\nDo the runs agree? Adjusted Rand index of {} clusters of each run alone with the joint"
      " clusters, and with each run\n",
      compared.k);
  for (std::size_t i = 0; i < compared.runs.size(); ++i) {
    const analysis::RunComparison::Run& run = compared.runs[i];
    fmt::print("  {} {}: {:.2f}; {:.2f}; best number of clusters {}\n", i, run.path,
               run.agreement_with_all, fmt::join(compared.agreement[i], " "),
               run.by_calinski_harabasz);
  }
}

int run_cluster(std::span<const std::string> words) {
  Arguments arguments = cluster_arguments();
  if (!arguments.parse(words)) return 0;
  if (arguments.has("out")) {
    const std::filesystem::path out = arguments.text("out");
    require(!out.empty() && !std::filesystem::exists(out), ErrorKind::usage,
            "--out: '{}' exists already, expected a new directory", out.string());
  }
  ThreadPool pool(threads(arguments));
  const analysis::ClusterStudy study = make_study(arguments);
  const statistics::Clustering clustering = analysis::cluster_population(study, pool);
  const analysis::ClusterReport report = analysis::cluster_report(study, clustering, pool);
  for (const auto& note : clustering.notes) log::info("{}", note);
  if (arguments.has("out")) {
    analysis::write_clustering(arguments.text("out"), study, clustering, report);
    log::info("everything is in {}", arguments.text("out"));
  }
  if (arguments.has("json")) {
    fmt::print("{}\n", analysis::to_json(report).dump());
    return 0;
  }
  print_scores(report);
  print_choices(report);
  print_clusters(report);
  print_runs(report);
  fmt::print("\n{}\n", analysis::kinds_sentence(report));
  return 0;
}

}  // namespace

CommandEntry entry_cluster() {
  return {"cluster", "cluster neurons by their learned parameters", run_cluster};
}

}  // namespace afterspike::cli
