#include "afterspike/analysis/silencing_files.hpp"

#include <gtest/gtest.h>

namespace afterspike::analysis {
namespace {

/// Returns measurements of runs with `trials` each at fractions 0, 0.5 and 1; accuracy falls along
/// a line and is slightly higher in later trials and runs.
std::vector<Measurement> measurements(std::int64_t runs, std::int64_t trials) {
  std::vector<Measurement> all;
  for (std::int64_t run = 0; run < runs; ++run) {
    for (const double level : {0.0, 0.5, 1.0}) {
      for (std::int64_t trial = 0; trial < trials; ++trial) {
        Measurement own{run, -1, false, level, trial, static_cast<std::int64_t>(10 * level)};
        own.accuracy =
            0.9 - 0.8 * level + 0.01 * static_cast<double>(trial) + 0.02 * static_cast<double>(run);
        own.loss = 1 - own.accuracy;
        all.push_back(own);
      }
    }
  }
  return all;
}

StudyNames names_of(const std::vector<std::size_t>& group_sizes) {
  StudyNames names;
  std::size_t run = 0;
  for (std::size_t i = 0; i < group_sizes.size(); ++i) {
    RunGroup group{"group " + std::to_string(i), {}};
    for (std::size_t j = 0; j < group_sizes[i]; ++j) {
      group.paths.emplace_back("run " + std::to_string(run++));
    }
    names.groups.push_back(std::move(group));
  }
  return names;
}

TEST(SilencingTable, GivesTheMeasurementsBack) {
  const StudyNames names = names_of({2});
  const std::vector<Measurement> measured = measurements(2, 3);
  const io::Table table = silencing_table(names, measured);
  EXPECT_EQ(table.columns, (std::vector<std::string>{"run", "fraction", "trial", "seed", "neurons",
                                                     "loss", "accuracy"}));
  std::vector<Measurement> planned = measured;
  for (Measurement& own : planned) own.loss = own.accuracy = 0;
  const auto again = read_measurements(table, names, planned, "file");
  ASSERT_EQ(again.size(), measured.size());
  for (std::size_t i = 0; i < again.size(); ++i) {
    EXPECT_EQ(again[i].loss, measured[i].loss);
    EXPECT_EQ(again[i].accuracy, measured[i].accuracy);
    EXPECT_EQ(again[i].trial, measured[i].trial);
  }
}

TEST(SilencingSummary, HasMeanDeviationIntervalAndArea) {
  const io::Json summary = to_json(silencing_summary(names_of({1}), measurements(1, 5)));
  const io::Json& run = summary["runs"][0];
  EXPECT_EQ(run["path"], "run 0");
  const io::Json& half = run["levels"][1];
  EXPECT_EQ(half["fraction"], 0.5);
  EXPECT_EQ(half["neurons"], 5);
  EXPECT_EQ(half["trials"], 5);
  EXPECT_NEAR(half["accuracy"]["mean"].get<double>(), 0.52, 1e-12);
  EXPECT_NEAR(half["accuracy"]["sd"].get<double>(), 0.01 * std::sqrt(2.5), 1e-12);
  EXPECT_LT(half["accuracy"]["low"].get<double>(), 0.52);
  EXPECT_GT(half["accuracy"]["high"].get<double>(), 0.52);
  EXPECT_LT(half["accuracy"]["high"].get<double>(), 0.54);
  // The mean of a line is its middle.
  EXPECT_NEAR(run["mean_height"]["accuracy"]["mean"].get<double>(), 0.52, 1e-12);
  EXPECT_TRUE(summary["comparisons"].empty());
}

TEST(SilencingSummary, OneTrialHasNoSpread) {
  const io::Json summary = to_json(silencing_summary(names_of({1}), measurements(1, 1)));
  const io::Json& accuracy = summary["runs"][0]["levels"][1]["accuracy"];
  EXPECT_NEAR(accuracy["mean"].get<double>(), 0.5, 1e-12);
  for (const char* part : {"sd", "low", "high"}) EXPECT_TRUE(accuracy[part].is_null()) << part;
  const SilencingSummary single = silencing_summary(names_of({1}), measurements(1, 1));
  EXPECT_EQ(single.runs[0].levels[1].values.find("accuracy")->text("+-"), "0.5000");
  const io::Table table = summary_table(names_of({1}), measurements(1, 1));
  EXPECT_EQ(table.columns.back(), "accuracy_mean");
  EXPECT_EQ(table.rows[0].size(), table.columns.size());
  const io::Table spread = summary_table(names_of({1}), measurements(1, 5));
  EXPECT_EQ(spread.columns.back(), "accuracy_high");
  EXPECT_EQ(spread.rows[0].size(), spread.columns.size());
}

TEST(SilencingSummary, ComparesTwoRunsByTheirTrials) {
  const io::Json summary = to_json(silencing_summary(names_of({1, 1}), measurements(2, 5)));
  ASSERT_EQ(summary["comparisons"].size(), 1U);
  const io::Json& test = summary["comparisons"][0];
  EXPECT_EQ(test["pairs"], "trials");
  EXPECT_NEAR(test["mean_height"]["accuracy"]["difference"].get<double>(), -0.02, 1e-12);
  // Five pairs, all in one direction.
  EXPECT_DOUBLE_EQ(test["mean_height"]["accuracy"]["p"].get<double>(), 2.0 / 32);
  EXPECT_NEAR(test["levels"][1]["loss"]["difference"].get<double>(), 0.02, 1e-12);
}

TEST(SilencingSummary, ComparesGroupsOfSeedsByTheirRuns) {
  const io::Json summary = to_json(silencing_summary(names_of({2, 2}), measurements(4, 3)));
  const io::Json& group = summary["groups"][0];
  EXPECT_EQ(group["runs"], 2);
  EXPECT_NEAR(group["levels"][0]["accuracy"]["mean"].get<double>(), 0.92, 1e-12);
  EXPECT_NEAR(group["levels"][0]["accuracy"]["sd"].get<double>(), 0.02 / std::sqrt(2), 1e-12);
  const io::Json& test = summary["comparisons"][0];
  EXPECT_EQ(test["pairs"], "runs");
  EXPECT_NEAR(test["levels"][0]["accuracy"]["difference"].get<double>(), -0.04, 1e-12);
  EXPECT_DOUBLE_EQ(test["levels"][0]["accuracy"]["p"].get<double>(), 2.0 / 4);
}

TEST(SilencingSummary, DoesNotCompareWhatMakesNoPairs) {
  const io::Json summary = to_json(silencing_summary(names_of({1, 2}), measurements(3, 3)));
  EXPECT_TRUE(summary["comparisons"][0]["pairs"].is_null());
  EXPECT_EQ(summary["comparisons"][0]["reason"], "1 runs and 2 do not make pairs");
}

TEST(SilencingSummary, KeepsClustersApart) {
  std::vector<Measurement> measured = measurements(1, 2);
  for (Measurement& own : measured) own.cluster = 0;
  const std::size_t count = measured.size();
  for (std::size_t i = 0; i < count; ++i) {
    measured.push_back(measured[i]);
    measured.back().control = true;
    measured.back().accuracy += 0.05;
  }
  StudyNames names = names_of({1});
  names.by_cluster = true;
  const io::Json summary = to_json(silencing_summary(names, measured));
  ASSERT_EQ(summary["runs"].size(), 2U);
  EXPECT_EQ(summary["runs"][1]["cluster"], 0);
  EXPECT_EQ(summary["runs"][1]["control"], true);
  EXPECT_FALSE(summary.contains("groups"));
  EXPECT_EQ(summary_table(names, measured).rows.size(), 6U);
  EXPECT_EQ(silencing_table(names, measured).columns[2], "control");
}

}  // namespace
}  // namespace afterspike::analysis
