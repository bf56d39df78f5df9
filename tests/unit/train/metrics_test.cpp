#include <algorithm>
#include <cmath>

#include <gtest/gtest.h>

#include "afterspike/io/table.hpp"
#include "small_run.hpp"

namespace afterspike::train {
namespace {

namespace fs = std::filesystem;

using testing::environment;
using testing::lines_of;
using testing::Settings;
using testing::sine_options;

class Metrics : public ::testing::Test {
 protected:
  fs::path create(const std::string& name, const Settings& settings = {{"train.epochs", "6"}}) {
    RunOptions options = sine_options(settings);
    create_run(directory_ / name, options, environment());
    return directory_ / name;
  }

  /// Expects the rows of both files to be epochs 1 to `epochs`, the same in both.
  static void expect_epochs(const fs::path& run, std::size_t epochs) {
    const io::Table table = io::read_csv(run / "metrics.csv");
    const std::vector<std::string> lines = lines_of(run / "metrics.jsonl");
    ASSERT_EQ(table.rows.size(), epochs);
    ASSERT_EQ(lines.size(), epochs);
    for (std::size_t i = 0; i < epochs; ++i) {
      const io::Json row = io::Json::parse(lines[i]);
      ASSERT_EQ(row.size(), table.columns.size());
      EXPECT_EQ(row.at("epoch"), i + 1);
      EXPECT_EQ(row.at("step"), i + 1) << "of one step each";
      for (std::size_t column = 0; column < table.columns.size(); ++column) {
        EXPECT_EQ(row.at(table.columns[column]).get<double>(), table.rows[i][column]);
      }
    }
  }

  /// Returns loss by epoch, which does not depend on the clock.
  static std::vector<double> losses(const fs::path& run) {
    std::vector<double> values;
    for (const std::string& line : lines_of(run / "metrics.jsonl")) {
      values.push_back(io::Json::parse(line).at("train_loss").get<double>());
    }
    return values;
  }

  testing::TempDir directory_;
  testing::Silence silence_;
};

TEST_F(Metrics, SayTheSameInBothFiles) {
  const fs::path run = create("run");
  continue_run(run, environment());
  expect_epochs(run, 6);
  const std::vector<double> values = losses(run);
  EXPECT_LT(values.back(), values.front()) << "it learns";
}

TEST_F(Metrics, OfAResumedRunAreThoseOfAnUninterruptedOne) {
  const fs::path whole = create("whole"), run = create("run");
  continue_run(whole, environment());
  continue_run(run, environment(2));
  expect_epochs(run, 2);
  continue_run(run, environment(4));
  continue_run(run, environment());
  expect_epochs(run, 6);
  EXPECT_EQ(losses(run), losses(whole));
}

TEST_F(Metrics, AfterTheLastCheckpointAreRemovedOnResume) {
  const fs::path whole = create("whole"), run = create("run");
  continue_run(whole, environment());
  continue_run(run, environment(3));
  // Killed after epochs 4 and 5 were recorded and before they were saved; the last line is
  // truncated.
  std::string csv = testing::slurp(run / "metrics.csv");
  std::string jsonl = testing::slurp(run / "metrics.jsonl");
  const auto whole_csv = lines_of(whole / "metrics.csv");
  const auto whole_jsonl = lines_of(whole / "metrics.jsonl");
  testing::spill(run / "metrics.csv", csv + whole_csv[4] + "\n" + whole_csv[5].substr(0, 3));
  testing::spill(run / "metrics.jsonl",
                 jsonl + whole_jsonl[3] + "\n" + whole_jsonl[4].substr(0, 9));
  continue_run(run, environment());
  expect_epochs(run, 6);
  EXPECT_EQ(losses(run), losses(whole));
}

/// Rows that a loss of power took are named; the rest stays.
TEST_F(Metrics, NamesEpochsWithoutARowWhereTheRunIsResumed) {
  const fs::path run = create("run", {{"train.epochs", "8"}});
  continue_run(run, environment(6));
  const auto rows = lines_of(run / "metrics.jsonl");
  testing::spill(run / "metrics.jsonl", rows[0] + "\n" + rows[4] + "\n");
  std::vector<std::string> warnings;
  const log::Sink before = log::set_sink([&](log::Level level, std::string_view text) {
    if (level == log::Level::warning) warnings.emplace_back(text);
  });
  continue_run(run, environment());
  log::set_sink(before);
  ASSERT_EQ(warnings.size(), 1U);
  EXPECT_NE(warnings[0].find("metrics.jsonl: rows are missing: epochs 2 to 4, 6."),
            std::string::npos)
      << warnings[0];
  EXPECT_EQ(lines_of(run / "metrics.jsonl").size(), 4U);
  const io::Table table = io::read_csv(run / "metrics.csv");
  ASSERT_EQ(table.rows.size(), 4U);
  EXPECT_EQ(table.rows[1][0], 5);
  EXPECT_EQ(table.rows[3][0], 8);
}

TEST_F(Metrics, DoNotKeepACutRowForOneOfAnEarlierStep) {
  const fs::path run = create("run", {{"train.epochs", "12"}});
  continue_run(run, environment(9));
  testing::spill(run / "metrics.csv", testing::slurp(run / "metrics.csv") + "10,1");
  continue_run(run, environment());
  expect_epochs(run, 12);
}

TEST_F(Metrics, InCsvAreMadeAnewWhereTheHeaderIsDamaged) {
  const fs::path run = create("run");
  continue_run(run, environment(3));
  const std::string good = testing::slurp(run / "metrics.csv");
  const std::string rows = good.substr(good.find('\n') + 1);
  for (const std::string& bad :
       {rows, std::string(), "epoch,ste\n" + rows, std::string("epoch,step,learning")}) {
    testing::spill(run / "metrics.csv", bad);
    continue_run(run, environment(3));
    EXPECT_EQ(testing::slurp(run / "metrics.csv"), good) << bad;
  }
  fs::remove(run / "metrics.csv");
  continue_run(run, environment());
  expect_epochs(run, 6);
}

TEST_F(Metrics, WithoutAnEpochAreNoEmptyTable) {
  const fs::path run = create("run");
  continue_run(run, environment(3));
  const std::string good = testing::slurp(run / "metrics.csv");
  fs::remove(run / "metrics.jsonl");
  continue_run(run, environment(3));
  EXPECT_FALSE(fs::exists(run / "metrics.csv"));
  EXPECT_EQ(testing::slurp(run / "metrics.old.csv"), good);
}

TEST_F(Metrics, OfARunThatWasKilledBeforeItsFirstCheckpointStartAnew) {
  const fs::path run = create("run");
  continue_run(run, environment(3));
  fs::remove_all(run / "checkpoints");
  fs::remove(run / "latest");
  continue_run(run, environment());
  expect_epochs(run, 6);
}

TEST_F(Metrics, HaveValidationAndSoftnessWhereThereAre) {
  testing::write_class_file(directory_ / "data.csv");
  RunOptions options = testing::run_options("file", "glifr",
                                            {{"task.data", (directory_ / "data.csv").string()},
                                             {"network.hidden", "4"},
                                             {"train.epochs", "2"},
                                             {"train.sigma_schedule", "linear"},
                                             {"train.sigma_final", "0.5 mV"}});
  create_run(directory_ / "run", options, environment());
  continue_run(directory_ / "run", environment());
  const io::Json row = io::Json::parse(lines_of(directory_ / "run" / "metrics.jsonl").at(1));
  for (const char* name : {"train_accuracy", "validation_loss", "validation_accuracy"}) {
    EXPECT_TRUE(row.contains(name)) << name;
  }
  EXPECT_EQ(row.at("sigma_mV"), 0.5);
  EXPECT_GE(row.at("validation_accuracy").get<double>(), 0);
  EXPECT_LE(row.at("validation_accuracy").get<double>(), 1);
}

TEST_F(Metrics, ThatSomeEpochsDoNotHaveAreEmptyCells) {
  const fs::path run = create("run");
  continue_run(run, environment(3));
  // As if the loss of the first two epochs were undefined, and the third had one more measure, such
  // as the area under the curve, which needs a spike.
  std::string text;
  int number = 0;
  for (const std::string& line : lines_of(run / "metrics.jsonl")) {
    io::Json row = io::Json::parse(line);
    if (++number < 3) row.erase("train_loss");
    if (number == 3) row["validation_auc"] = 0.5;
    text += row.dump() + '\n';
  }
  testing::spill(run / "metrics.jsonl", text);
  continue_run(run, environment(5));
  const io::Table table = io::read_csv(run / "metrics.csv", "", io::Gaps::allowed);
  ASSERT_EQ(table.rows.size(), 5U);
  const auto column = [&](const char* name) {
    const auto found = std::find(table.columns.begin(), table.columns.end(), name);
    EXPECT_NE(found, table.columns.end()) << name;
    std::vector<bool> there;
    for (const auto& row : table.rows) {
      there.push_back(std::isfinite(row[static_cast<std::size_t>(found - table.columns.begin())]));
    }
    return there;
  };
  EXPECT_EQ(column("epoch"), (std::vector<bool>{true, true, true, true, true}));
  EXPECT_EQ(column("train_loss"), (std::vector<bool>{false, false, true, true, true}));
  EXPECT_EQ(column("validation_auc"), (std::vector<bool>{false, false, true, false, false}));
}

TEST_F(Metrics, ThatAreNewInAnEpochAreAColumnFromThenOn) {
  const fs::path run = create("run");
  continue_run(run, environment(2));
  std::string text;
  for (const std::string& line : lines_of(run / "metrics.jsonl")) {
    io::Json row = io::Json::parse(line);
    row.erase("train_loss");
    text += row.dump() + '\n';
  }
  testing::spill(run / "metrics.jsonl", text);
  continue_run(run, environment(4));
  const io::Table table = io::read_csv(run / "metrics.csv", "", io::Gaps::allowed);
  ASSERT_EQ(table.rows.size(), 4U);
  EXPECT_EQ(table.columns.back(), "train_loss");
  EXPECT_TRUE(std::isnan(table.rows[1].back()));
  EXPECT_TRUE(std::isfinite(table.rows[2].back()));
  EXPECT_TRUE(std::isfinite(table.rows[3].back()));
}

TEST_F(Metrics, GoToTensorBoardToo) {
  const fs::path run = create("run");
  continue_run(run, environment(2));
  continue_run(run, environment());
  int files = 0;
  for (const auto& entry : fs::directory_iterator(run)) {
    if (!entry.path().filename().string().starts_with("events.out.tfevents.")) continue;
    ++files;
    EXPECT_NE(testing::slurp(entry.path()).find("train_loss"), std::string::npos);
  }
  EXPECT_EQ(files, 2) << "one a session";
}

}  // namespace
}  // namespace afterspike::train
