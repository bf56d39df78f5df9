#include "afterspike/analysis/report.hpp"

#include <algorithm>
#include <cmath>
#include <numeric>
#include <set>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "afterspike/report/page.hpp"
#include "analysis/report/measures.hpp"
#include "analysis/report/sections.hpp"
#include "support/expect_error.hpp"
#include "unit/analysis/reports.hpp"

namespace afterspike::analysis {
namespace {

using ::testing::Contains;
using testing::expect_error;
using ::testing::HasSubstr;
using testing::TempDir;
using testing::write_run;

TEST(Histograms, ArePartsOfAllInSharedBins) {
  const auto found = histograms({{"a", {0, 0, 1, 10}, 0, false}, {"b", {5}, 1, false}});
  ASSERT_EQ(found.size(), 2U);
  EXPECT_EQ(found[0].x, found[1].x);
  for (const report::Series& series : found) {
    EXPECT_NEAR(std::accumulate(series.y.begin(), series.y.end(), 0.0), 100, 1e-9);
    EXPECT_EQ(series.y.front(), 0);
    EXPECT_EQ(series.y.back(), 0);
  }
  EXPECT_EQ(found[0].y[1], 50) << "two zeros of four";
  EXPECT_EQ(found[0].y[40], 25) << "the largest is in the last bin";
}

TEST(Histograms, OfOneValueAndOfPowersAreFine) {
  const auto constant = histograms({{"a", {2, 2}, 0, false}});
  EXPECT_NEAR(std::accumulate(constant[0].y.begin(), constant[0].y.end(), 0.0), 100, 1e-9);
  const auto powers = histograms({{"a", {1, 100}, 0, false}}, true);
  EXPECT_NEAR(powers[0].x[20] * powers[0].x[21], 100, 1e-6) << "the middle of 1 and 100 is 10";
}

std::vector<double> steps(Eigen::Index count) {
  std::vector<double> times(static_cast<std::size_t>(count));
  std::iota(times.begin(), times.end(), 1.0);
  return times;
}

TEST(MapsOverTime, ShowSizesBeforeMeans) {
  // Alternating +-1, whose signed mean is 0.
  const statistics::Points values = statistics::Points::NullaryExpr(
      2, 400,
      [](Eigen::Index row, Eigen::Index column) { return (row + column) % 2 == 0 ? 1 : -1; });
  const report::HeatMap map = map_over_time(values, steps(400), {"a", "b"});
  ASSERT_EQ(map.values.size(), 2U);
  ASSERT_EQ(map.columns.size(), 200U);
  EXPECT_EQ(map.columns.back(), "400");
  for (const auto& row : map.values) EXPECT_EQ(row, std::vector<double>(200, 1.0));
  EXPECT_THAT(map.caption, HasSubstr("mean of 1 by 2 neighbours"));
}

TEST(MapsOverTime, DropNoRow) {
  statistics::Points values = statistics::Points::Zero(401, 3);
  for (Eigen::Index row = 0; row < 401; ++row) values.row(row).setConstant(-double(row));
  std::vector<std::string> names;
  for (int row = 0; row < 401; ++row) names.push_back(std::to_string(row));
  const report::HeatMap map = map_over_time(values, steps(3), names);
  ASSERT_EQ(map.rows.size(), 201U);
  EXPECT_EQ(map.rows[1], "2 to 3");
  EXPECT_EQ(map.values[1][0], 2.5);
  EXPECT_EQ(map.rows[200], "400");
  EXPECT_EQ(map.values[200][2], 400);
  const report::HeatMap few = map_over_time(values.topRows(400), steps(3), names);
  EXPECT_EQ(few.rows.size(), 400U);
  EXPECT_EQ(few.values[399][0], 399);
  EXPECT_TRUE(few.caption.empty());
}

TEST(Report, ShowsARunOfTracesWithEverySection) {
  const TempDir directory;
  write_run(directory / "a", "glifr", {}, 1, testing::vary);
  const report::Document document = make(request_of(directory, {"a"}));
  for (const char* id : {"results", "training", "answers", "silencing", "parameters", "clusters",
                         "network", "record"}) {
    EXPECT_NE(find_section(document, id), nullptr) << id;
  }
  const auto ids = ids_of(document);
  for (const char* id : {"answers-0", "silencing-0", "parameter-threshold", "clusters-scatter",
                         "clusters-tree", "fi-0", "step-voltage-0", "step-after-spike-current-1-0",
                         "raster-0", "spectrum-0", "timescales-0", "saliency-0", "configuration"}) {
    EXPECT_THAT(ids, Contains(id));
  }
  EXPECT_EQ(std::set<std::string>(ids.begin(), ids.end()).size(), ids.size()) << "ids are unique";
  EXPECT_THAT(notes_of(document), Contains(HasSubstr("no metrics.csv")));
}

TEST(Report, IsTheSameForAnyNumberOfThreads) {
  const TempDir directory;
  write_run(directory / "a", "glifr", {}, 1, testing::vary);
  const ReportRequest request = request_of(directory, {"a"});
  EXPECT_EQ(report::page(make(request, 1)), report::page(make(request, 3)));
}

TEST(Report, ComparesRunsOfSeveralModels) {
  const TempDir directory;
  write_run(directory / "a", "glifr", {}, 1, testing::vary);
  write_run(directory / "b", "gru");
  const report::Document document = make(request_of(directory, {"a", "b"}));
  EXPECT_THAT(document.title, HasSubstr("gru on sine_generation"));
  EXPECT_THAT(notes_of(document), Contains(HasSubstr("Neurons are not clustered")));
  EXPECT_THAT(notes_of(document), Contains(HasSubstr("f-I curves")));
  EXPECT_THAT(ids_of(document), Contains("comparisons-0"));
  const report::Chart& curves = chart(document, "silencing-0");
  ASSERT_EQ(curves.series.size(), 2U);
  EXPECT_EQ(curves.series[0].x, (std::vector<double>{0, 0.2, 0.4, 0.6, 0.8, 1}));
  EXPECT_NE(curves.series[0].color, curves.series[1].color);
}

TEST(Report, RefusesTheSameRunTwiceAndASampleThatIsNotThere) {
  const TempDir directory;
  write_run(directory / "a", "glifr", {}, 1, testing::vary);
  std::filesystem::create_directory(directory / "x");
  expect_error(ErrorKind::usage, {"x/../a' are the same checkpoint", "each run once"}, [&] {
    make(request_of(directory, {"a", "x/../a"}));
  });
  ReportRequest request = request_of(directory, {"a"});
  request.sample = 6;
  std::vector<std::string> begun;
  ThreadPool pool(1);
  expect_error(ErrorKind::usage, {"sample 6", "0 to 5"}, [&] {
    make_report(request, pool, [&](const std::string& what) { begun.push_back(what); });
  });
  EXPECT_EQ(begun, std::vector<std::string>{"runs"}) << "before anything is computed";
}

/// A run directory around a checkpoint.
std::filesystem::path write_run_directory(const TempDir& directory, const char* name) {
  const auto checkpoints = directory / name / "checkpoints";
  std::filesystem::create_directories(checkpoints);
  write_run(checkpoints / "step-000000001", "glifr", {}, 1, testing::vary);
  testing::spill(directory / name / "latest", "step-000000001\n");
  return directory / name;
}

TEST(Report, ShowsWhateverTheFilesMeasure) {
  const TempDir directory;
  const auto run = write_run_directory(directory, "a");
  testing::spill(run / "metrics.csv",
                 "epoch,train_loss,validation_loss,validation_auc,validation_rmse_mV\n"
                 "1,0.5,0.6,,2\n2,0.4,0.5,0.75,1\n");
  testing::spill(run / "summary.json",
                 R"({"seed": 1, "epochs": 2, "test": {"samples": 6, "loss": 0.5, "auc": 0.75,
                     "rmse_mV": 1.5}})");
  const report::Document document = make(request_of(directory, {"a"}));
  const report::Chart& auc = chart(document, "training-auc");
  EXPECT_EQ(auc.title, "AUC by epoch");
  ASSERT_EQ(auc.series.size(), 1U);
  EXPECT_TRUE(std::isnan(auc.series[0].y[0]));
  EXPECT_EQ(auc.series[0].y[1], 0.75);
  EXPECT_EQ(chart(document, "training-rmse-mV").y.unit, "mV");
  EXPECT_EQ(chart(document, "training-loss").series.size(), 2U);
  const auto* results =
      std::get_if<report::Table>(&find_section(document, "results")->blocks.front());
  ASSERT_NE(results, nullptr);
  EXPECT_EQ(results->columns,
            (std::vector<std::string>{"run", "neuron", "seed", "epochs", "test auc",
                                      "test rmse (mV)", "test loss"}));
  EXPECT_EQ(std::get<double>(results->rows[0][4]), 0.75);
}

TEST(Report, ShowsTheMeanOfSeveralRunsWithEachThinBehindIt) {
  const TempDir directory;
  ReportRequest request = request_of(directory, {});
  request.groups.push_back({"seeds", {}});
  for (const char* name : {"one", "two"}) {
    const bool first = *name == 'o';
    const auto run = write_run_directory(directory, name);
    testing::spill(run / "metrics.csv",
                   first ? "epoch,train_accuracy,validation_accuracy,train_loss,validation_loss\n"
                           "1,0.5,0.25,2.30,2.31\n2,0.75,0.5,2.25,2.28\n"
                         : "epoch,train_accuracy,validation_accuracy,train_loss,validation_loss\n"
                           "1,0.5,0.75,2.30,2.33\n2,0.75,1,2.25,2.30\n3,1,1,2.2,2.2\n");
    testing::spill(run / "summary.json",
                   first ? R"({"seed": 1, "test": {"samples": 6, "loss": 2.2, "accuracy": 0.98}})"
                         : R"({"seed": 2, "test": {"samples": 6, "loss": 2.4, "accuracy": 0.96}})");
    request.groups.back().paths.push_back(run);
  }
  const report::Document document = make(request);
  const report::Chart& accuracy = chart(document, "training-accuracy");
  EXPECT_EQ(accuracy.y.unit, "%");
  EXPECT_TRUE(accuracy.x.whole);
  std::vector<std::string> listed;
  for (const report::Series& series : accuracy.series) {
    if (series.listed) listed.push_back(series.name);
    EXPECT_TRUE(series.listed || series.thin) << series.name;
  }
  EXPECT_EQ(listed,
            (std::vector<std::string>{"validation, mean of 2 runs", "training, mean of 2 runs"}));
  const auto mean = std::find_if(accuracy.series.begin(), accuracy.series.end(),
                                 [](const auto& series) { return series.listed; });
  EXPECT_EQ(mean->y, (std::vector<double>{50, 75})) << "over the epochs that both have";
  EXPECT_FALSE(mean->thin);
  EXPECT_FALSE(chart(document, "training-loss").y.logarithmic) << "less than a decade";
  ASSERT_FALSE(document.summary.empty());
  EXPECT_EQ(document.summary.front(), "Test accuracy: 97.0 ± 1.4 % (mean ± sd of 2 runs).");
}

TEST(Report, StaysWithinThePossible) {
  const TempDir directory;
  write_run(directory / "a", "glifr", {}, 1, testing::vary);
  const report::Document document = make(request_of(directory, {"a"}));
  for (const char* id : {"fi-0", "step-activity-0"}) {
    for (const report::Series& series : chart(document, id).series) {
      for (std::size_t i = 0; i < series.low.size(); ++i) {
        EXPECT_GE(series.low[i], 0) << id;
        EXPECT_LE(series.high[i], 1) << id;
      }
    }
  }
  // Nothing moves before the step.
  const report::Series& response = chart(document, "step-voltage-0").series.front();
  EXPECT_NEAR(response.y[0], response.y[39], 1e-6 + 1e-4 * std::abs(response.y[39]));
}

TEST(Spreads, HaveTheDecimalsOfTheDeviation) {
  EXPECT_EQ(spread_text(-180.5, 451.2), "-180 ± 450");
  EXPECT_EQ(spread_text(97.0, 1.4142), "97.0 ± 1.4");
  EXPECT_EQ(spread_text(0.42258, 0.0034), "0.4226 ± 0.0034");
  EXPECT_EQ(spread_text(305, 0), "305 ± 0");
  EXPECT_EQ(measure_text("accuracy", 0.98), "98.00 %");
  EXPECT_EQ(measure_text("loss", 0.06591402115859091), "0.0659");
}

TEST(Report, OfNeuronsThatRunAwaySaysSoAndShowsTheOthers) {
  const TempDir directory;
  write_run(directory / "a", "glifr", {{"neuron.bound_after_spike_currents", "false"}}, 1,
            [](nn::Network& network) {
              nn::NeuronLayer& layer = *network.layer(0);
              const std::pair<const char*, double> runaway[] = {{"after_spike_multiplicative", 0.6},
                                                                {"after_spike_decay", 0.5},
                                                                {"after_spike_additive", 0.66}};
              for (const auto& [name, value] : runaway) {
                at::Tensor values = layer.physical(name).detach().clone();
                values.slice(-1, 0, 3).fill_(value);
                layer.set_physical(name, values);
              }
            });
  const report::Document document = make(request_of(directory, {"a"}));
  EXPECT_THAT(notes_of(document), Contains(HasSubstr("of 10 neurons run away")));
  for (const report::Series& series : chart(document, "fi-0").series) {
    for (const double value : series.y) EXPECT_TRUE(std::isfinite(value)) << series.name;
  }
}

TEST(Report, SaysThatDataAreMissingAndShowsTheRest) {
  const TempDir directory;
  write_run(directory / "a", "glifr", {}, 1, testing::vary);
  ReportRequest request = request_of(directory, {"a"});
  request.split = tasks::Split::validation;  // This task has no validation split: nothing can be
                                             // evaluated.
  const report::Document document = make(request);
  EXPECT_THAT(notes_of(document), Contains(HasSubstr("its data cannot be had")));
  EXPECT_EQ(find_section(document, "answers"), nullptr);
  EXPECT_EQ(find_section(document, "silencing"), nullptr);
  EXPECT_THAT(ids_of(document), Contains("clusters-scatter"));
  EXPECT_THAT(ids_of(document), Contains("fi-0"));
}

TEST(Report, OfOneNeuronHasNoClusters) {
  const TempDir directory;
  write_run(directory / "a", "glifr", {{"network.hidden", "1"}});
  const report::Document document = make(request_of(directory, {"a"}));
  EXPECT_THAT(notes_of(document), Contains(HasSubstr("Neurons are not clustered")));
  EXPECT_THAT(ids_of(document), Contains("fi-0"));
}

TEST(Report, RefusesParametersThatAreNotFiniteAndDamagedFiles) {
  const TempDir directory;
  write_run(directory / "a", "glifr", {}, 1, [](nn::Network& network) {
    const at::NoGradGuard no_grad;
    network.layer(0)->raw("threshold")[3] = std::nan("");
  });
  expect_error(ErrorKind::numeric, {"layers.0.threshold", "not finite"},
               [&] { make(request_of(directory, {"a"})); });
  const auto run = write_run_directory(directory, "b");
  testing::spill(run / "metrics.csv", "epoch,train_loss\n1,fast\n");
  expect_error(ErrorKind::data, {"metrics.csv", "line 2", "'fast'"},
               [&] { make(request_of(directory, {"b"})); });
}

TEST(Report, QuotesCommandsForAShell) {
  const TempDir directory;
  write_run(directory / "it's", "gru");
  const report::Document document = make(request_of(directory, {"it's"}));
  const std::string commands = commands_of(document);
  EXPECT_THAT(commands, HasSubstr("it'\\''s'"));
  EXPECT_THAT(commands, HasSubstr("afterspike report 'a b'"));
}

}  // namespace
}  // namespace afterspike::analysis
