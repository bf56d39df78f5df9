#include "afterspike/analysis/cluster_files.hpp"

#include <cmath>
#include <limits>

#include <gtest/gtest.h>

#include "support/expect_error.hpp"
#include "unit/analysis/subjects.hpp"

namespace afterspike::analysis {
namespace {

using testing::expect_error;
using testing::TempDir;

/// Three kinds of neurons by two parameters, 8 of each kind in every run.
std::string kinds_csv(std::int64_t runs) {
  std::string text = "run,layer,neuron,threshold_mV,k_m_per_ms\n";
  Rng rng(1);
  for (std::int64_t run = 0; run < runs; ++run) {
    for (std::int64_t i = 0; i < 24; ++i) {
      const auto kind = static_cast<double>(i % 3);
      text += fmt::format("{},0,{},{},{}\n", run, i, 5 * kind + 0.1 * rng.normal(),
                          (kind == 1 ? 9 : 0) + 0.1 * rng.normal());
    }
  }
  return text;
}

struct Found {
  ClusterStudy study;
  statistics::Clustering clustering;
  ClusterReport result;
  io::Json report;  ///< The result as clustering.json has it.
};

Found run(ClusterStudy study) {
  ThreadPool pool(1);
  study.options.replicates = 10;
  statistics::Clustering clustering = cluster_population(study, pool);
  ClusterReport result = cluster_report(study, clustering, pool);
  io::Json report = to_json(result);
  return {std::move(study), std::move(clustering), std::move(result), std::move(report)};
}

ClusterStudy study_of(const TempDir& directory, const std::string& csv) {
  testing::spill(directory / "neurons.csv", csv);
  ClusterStudy study;
  study.population = read_population(directory / "neurons.csv");
  return study;
}

TEST(Clusters, OfAFileAreFoundAndDescribedInTheirUnits) {
  const TempDir directory;
  const Found found = run(study_of(directory, kinds_csv(1)));
  const io::Json& report = found.report;
  EXPECT_EQ(report["parameters"], (std::vector<std::string>{"threshold_mV", "k_m_per_ms"}));
  EXPECT_EQ(report["clusters"], 3);
  EXPECT_EQ(report["by_authors_rule"], 3);
  EXPECT_EQ(report["scores"].size(), 10U);
  const auto labels = report["scores"][1]["labels"].get<statistics::Labels>();
  for (std::size_t i = 0; i < labels.size(); ++i) EXPECT_EQ(labels[i], labels[i % 3]);
  const auto kind = static_cast<std::size_t>(labels[2]);
  const io::Json& third = report["cluster_parameters"][kind];
  EXPECT_NEAR(third["parameters"]["threshold_mV"]["mean"].get<double>(), 10, 0.2);
  EXPECT_EQ(third["neurons"], 8);
  EXPECT_FALSE(report.contains("runs_compared"));
}

TEST(Clusters, OfSeveralRunsAreCompared) {
  const TempDir directory;
  const Found found = run(study_of(directory, kinds_csv(3)));
  const io::Json& compared = found.report["runs_compared"];
  EXPECT_EQ(compared["k"], 3);
  ASSERT_EQ(compared["runs"].size(), 3U);
  for (const io::Json& own : compared["runs"]) {
    EXPECT_EQ(own["neurons"], 24);
    EXPECT_EQ(own["agreement_with_all"], 1);
  }
  for (const io::Json& row : compared["agreement"]) {
    for (const io::Json& value : row) EXPECT_EQ(value, 1);
  }
  EXPECT_EQ(found.report["cluster_parameters"][0]["neurons_of_run"], (std::vector<int>{8, 8, 8}));
}

TEST(Clusters, OfRunsWithFewNeuronsAreFoundButNotCompared) {
  const TempDir directory;
  const Found found = run(
      study_of(directory, "run,a\n0,1\n0,2\n0,9\n0,10\n1,1.5\n1,9.5\n1,20\n1,21\n1,22\n1,30\n"));
  ASSERT_GE(found.report["clusters"], 4);
  EXPECT_EQ(found.report["runs_compared"]["reason"],
            fmt::format("a run of 4 neurons cannot be put into {} clusters",
                        found.report["clusters"].get<int>()));
}

TEST(Clusters, AreWrittenAsTablesThatFitEachOther) {
  const TempDir directory;
  const Found found = run(study_of(directory, kinds_csv(2)));
  write_clustering(directory / "out", found.study, found.clustering, found.result);
  const io::Table clusters = io::read_csv(directory / "out" / "clusters.csv");
  EXPECT_EQ(clusters.columns[3], "cluster");
  EXPECT_EQ(clusters.columns[4], "k_2");
  EXPECT_EQ(clusters.columns[13], "k_11");
  EXPECT_EQ(clusters.columns.back(), "component_2");
  ASSERT_EQ(clusters.rows.size(), 48U);
  for (const auto& row : clusters.rows) EXPECT_EQ(row[3], row[5]) << "k = 3 was chosen";
  const io::Table linkage = io::read_csv(directory / "out" / "linkage.csv");
  ASSERT_EQ(linkage.rows.size(), 47U);
  EXPECT_EQ(linkage.rows.back()[3], 48);
  EXPECT_EQ(io::read_csv(directory / "out" / "scores.csv").rows.size(), 10U);
  EXPECT_EQ(io::read_csv(directory / "out" / "summary.csv").rows.size(), 3U);
  EXPECT_EQ(io::read_json(directory / "out" / "clustering.json", ErrorKind::data), found.report);
  // The written file reads back as the same parameters.
  const Population again = read_population(directory / "out" / "parameters.csv");
  EXPECT_EQ(again.table.columns, found.study.population.table.columns);
  EXPECT_EQ(again.table.values, found.study.population.table.values);
  EXPECT_EQ(again.run, found.study.population.run);
  expect_error(ErrorKind::data, {(directory / "out").string()}, [&] {
    write_clustering(directory / "out", found.study, found.clustering, found.result);
  });
}

TEST(Clusters, OfRunsAreThoseOfTheirParameters) {
  const TempDir directory;
  testing::write_run(directory / "a", "glifr", {}, 1, testing::vary);
  testing::write_run(directory / "b", "glifr", {{"network.hidden", "14"}}, 2, testing::vary);
  ClusterStudy study;
  study.population = gather_population(
      {find_runs((directory / "a").string()), find_runs((directory / "b").string())});
  EXPECT_EQ(study.population.run.size(), 24U);
  EXPECT_EQ(study.population.table.neurons[12].neuron, 2);
  study.chosen = 4;
  const Found found = run(study);
  EXPECT_EQ(found.report["clusters"], 4);
  EXPECT_EQ(found.report["cluster_parameters"].size(), 4U);
  EXPECT_EQ(found.report["runs_compared"]["k"], 4);
}

TEST(Clusters, OfOtherParametersAreNotMixed) {
  const TempDir directory;
  testing::write_run(directory / "a");
  testing::write_run(directory / "b", "glifr", {{"neuron.after_spike_currents", "0"}});
  expect_error(
      ErrorKind::config, {(directory / "b").string(), "found parameters threshold_mV"}, [&] {
        gather_population(
            {find_runs((directory / "a").string()), find_runs((directory / "b").string())});
      });
  testing::write_run(directory / "c", "lstm");
  expect_error(ErrorKind::config, {(directory / "c").string(), "no intrinsic parameters"},
               [&] { gather_population({find_runs((directory / "c").string())}); });
}

TEST(Clusters, OfFilesThatAreDamagedAreRefused) {
  const TempDir directory;
  struct Case {
    std::string content, message;
  };
  const std::vector<Case> cases = {
      {"a,b\n", "expected a row for each neuron"},
      {"", "expected a line with the names"},
      {"run,neuron\n0,0\n", "expected a column for each parameter"},
      {"a,b\n1,fast\n", "found 'fast', expected a number"},
      {"a,b\n1,nan\n", "found 'nan', expected a number"},
      {"a,b\n1\n", "found 1 columns"},
      {"a,layer\n1,0.5\n", "line 2: layer is 0.5"},
      {"a,run\n1,7\n", "run is 7"},
  };
  for (const Case& c : cases) {
    expect_error(ErrorKind::data, {c.message}, [&] { study_of(directory, c.content); });
  }
}

TEST(Clusters, NeedMoreThanOneNeuronAndFiniteValues) {
  const TempDir directory;
  expect_error(ErrorKind::data, {"found 1 point, expected more than 2"},
               [&] { run(study_of(directory, "a,b\n1,2\n")); });
  ClusterStudy study = study_of(directory, kinds_csv(1));
  study.population.table.values(7, 1) = std::numeric_limits<double>::quiet_NaN();
  expect_error(ErrorKind::numeric, {"layer 0, neuron 7: k_m_per_ms is nan"}, [&] { run(study); });
  study = study_of(directory, kinds_csv(1));
  study.chosen = 12;
  expect_error(ErrorKind::config, {"12 clusters were chosen", "2 to 11"}, [&] { run(study); });
}

TEST(Clusters, APValueAtItsFloorIsShownAsOne) {
  EXPECT_EQ(p_text(1.0 / 21, 20), "< 1/21");
  EXPECT_EQ(p_text(2.0 / 21, 20), "0.095");
  EXPECT_EQ(p_text(0.48, 100), "0.48");
}

TEST(Clusters, OneSentenceSaysWhetherThereAreKinds) {
  const auto sentence = [](int replicates, double p, int gap) {
    ClusterReport report;
    report.options.replicates = replicates;
    report.one_cluster.replicated = OneCluster::Replicated{0, 0, gap, p};
    return kinds_sentence(report);
  };
  EXPECT_EQ(sentence(20, 0.48, 1),
            "No evidence for more than one kind of neuron (p = 0.48, gap: 1).");
  EXPECT_EQ(sentence(20, 1.0 / 21, 3), "Evidence for 3 kinds of neurons (p < 1/21, gap: 3).");
  EXPECT_NE(sentence(100, 0.01, 1).find("finds no separate kinds"), std::string::npos);
  EXPECT_NE(sentence(10, 1.0 / 11, 3).find("10 replicates are too few"), std::string::npos);
  ClusterReport untested;
  untested.options.replicates = 0;
  EXPECT_NE(kinds_sentence(untested).find("was not tested"), std::string::npos);
}

}  // namespace
}  // namespace afterspike::analysis
