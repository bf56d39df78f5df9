// Reports that show studies of silencing and clusters.

#include <functional>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "afterspike/analysis/cluster_files.hpp"
#include "afterspike/analysis/silencing_files.hpp"
#include "support/expect_error.hpp"
#include "unit/analysis/reports.hpp"

namespace afterspike::analysis {
namespace {

using testing::expect_error;
using ::testing::HasSubstr;
using testing::TempDir;
using testing::write_run;

/// A small study of the run "a", in the directory "study".
void write_study(const TempDir& directory, const std::function<void(Study&)>& change = {}) {
  Study study;
  study.protocol.levels = {0, 0.5};
  study.protocol.trials = 2;
  study.names.groups = {find_runs((directory / "a").string())};
  study.subjects = {testing::subject_of(directory / "a")};
  study.names.classifies = false;
  if (change) change(study);
  ThreadPool pool(1);
  run_study(study, directory / "study", pool, [](std::size_t, std::size_t) { return true; });
}

TEST(ReportStudies, TakesAStudyOfTheseRunsAndRefusesOthers) {
  const TempDir directory;
  write_run(directory / "a", "glifr", {}, 1, testing::vary);
  write_run(directory / "b", "glifr", {}, 2, testing::vary);
  write_study(directory);
  ReportRequest request = request_of(directory, {"a"});
  request.studies = {directory / "study"};
  const report::Document document = make(request);
  const report::Chart& curves = chart(document, "silencing-0");
  EXPECT_EQ(curves.series[0].x, (std::vector<double>{0, 0.5}));
  EXPECT_THAT(curves.caption, HasSubstr("2 trials"));

  request = request_of(directory, {"b"});
  request.studies = {directory / "study"};
  expect_error(ErrorKind::config, {"study", "other runs"}, [&] { make(request); });
  request.studies = {directory / "a"};
  expect_error(ErrorKind::config, {"'", "holds neither"}, [&] { make(request); });
}

TEST(ReportStudies, NamesTheFileOfADamagedStudy) {
  const TempDir directory;
  write_run(directory / "a", "glifr", {}, 1, testing::vary);
  write_study(directory);
  ReportRequest request = request_of(directory, {"a"});
  request.studies = {directory / "study"};
  const auto damage = [&](const char* file, const std::function<void(io::Json&)>& change) {
    const auto path = directory / "study" / file;
    const std::string before = testing::slurp(path);
    io::Json json = io::Json::parse(before);
    change(json);
    testing::spill(path, json.dump());
    expect_error(ErrorKind::data, {file}, [&] { make(request); });
    testing::spill(path, before);
  };
  const std::function<void(io::Json&)> of_summary[] = {
      [](io::Json& json) { json = io::Json::array(); },
      [](io::Json& json) { json.erase("runs"); },
      [](io::Json& json) { json["runs"] = io::Json::array(); },
      [](io::Json& json) { json["runs"] = "none"; },
      [](io::Json& json) { json["runs"][0]["levels"] = io::Json::array(); },
      [](io::Json& json) { json["runs"][0]["levels"][0] = io::Json::object(); },
      [](io::Json& json) { json["runs"][0]["levels"][0].erase("fraction"); },
      [](io::Json& json) { json["runs"][0]["levels"][1]["loss"] = 3; },
      [](io::Json& json) { json["runs"][0]["levels"][1]["loss"]["mean"] = nullptr; },
      [](io::Json& json) { json["runs"][0]["levels"][1]["loss"].erase("sd"); },
      [](io::Json& json) { json["runs"][0]["run"] = 7; },
      [](io::Json& json) { json["runs"][0]["run"] = "a"; },
      [](io::Json& json) { json["groups"][0].erase("runs"); },
      [](io::Json& json) { json["groups"] = 4; },
      [](io::Json& json) {
        json["comparisons"] = {{{"first", 1}}};
      },
  };
  for (const auto& change : of_summary) damage("summary.json", change);
  for (const char* name : {"perturbation", "runs", "by", "trials", "split"}) {
    SCOPED_TRACE(name);
    damage("settings.json", [&](io::Json& json) { json.erase(name); });
  }
  damage("settings.json", [](io::Json& json) { json["perturbation"] = "heat"; });
  damage("silencing.json", [](io::Json& json) { json["asked_for"].erase("runs"); });
  damage("silencing.json", [](io::Json& json) { json["settings"]["levels"] = "all"; });
  make(request);
}

TEST(ReportStudies, SaysWhatAStudyDoesNotSay) {
  const TempDir directory;
  write_run(directory / "a", "glifr", {}, 1, testing::vary);
  write_study(directory);
  const auto file = directory / "study" / "silencing.json";
  io::Json json = io::Json::parse(testing::slurp(file));
  json.erase("asked_for");
  testing::spill(file, json.dump());
  ReportRequest request = request_of(directory, {"a"});
  request.studies = {directory / "study"};
  EXPECT_THAT(commands_of(make(request)),
              HasSubstr("study: silencing.json does not say of which runs"));
}

TEST(ReportStudies, GivesTheCommandOfAStudyAsItWasAskedFor) {
  const TempDir directory;
  write_run(directory / "a", "glifr", {}, 1, testing::vary);
  write_run(directory / "b", "glifr", {}, 2, testing::vary);
  write_study(directory, [&](Study& study) {
    study.by = "clusters";
    study.by_file = "kinds of a/clusters.csv";
    study.names.by_cluster = true;
    study.protocol.selection.kind = Selection::Kind::clusters;
    study.protocol.selection.values = {{0, 0, 0, 0, 0, 1, 1, 1, 1, 1}};
  });
  ReportRequest request = request_of(directory, {"b", "a"});
  request.studies = {directory / "study"};
  const std::string commands = commands_of(make(request));
  EXPECT_THAT(commands,
              HasSubstr("afterspike silence " + (directory / "a").string() +
                        " --fractions 0,0.5 --trials 2 --seed 1 --split test --limit 6 --by "
                        "'kinds of a/clusters.csv' --out again/study\n"));
  EXPECT_THAT(commands, HasSubstr("# a: the options that it was trained with are not beside it"));
}

TEST(ReportStudies, TakesOneDirectoryOfClusters) {
  const TempDir directory;
  write_run(directory / "a", "glifr", {}, 1, testing::vary);
  ThreadPool pool(1);
  ClusterStudy study;
  study.population = gather_population({find_runs((directory / "a").string())});
  study.options.most = 3;
  study.options.replicates = 0;
  study.chosen = 3;
  const auto clustering = cluster_population(study, pool);
  const ClusterReport found = cluster_report(study, clustering, pool);
  for (const char* name : {"kinds", "more"}) {
    write_clustering(directory / name, study, clustering, found);
  }
  ReportRequest request = request_of(directory, {"a"});
  request.studies = {directory / "kinds"};
  const report::Document document = make(request);
  EXPECT_EQ(chart(document, "clusters-scatter").series.size(), 3U);
  EXPECT_THAT(commands_of(document),
              HasSubstr("afterspike cluster " + (directory / "a").string() +
                        " --standardise zscore --k 2:3 --clusters 3 --replicates 0 --seed 1 "
                        "--exact-limit 20000 --out again/kinds\n"));
  // As written by earlier versions, or requested by a library.
  io::Json old = to_json(found);
  old.erase("exact_limit");
  testing::spill(directory / "kinds/clustering.json", old.dump());
  request.command.clear();
  EXPECT_THAT(commands_of(make(request)), HasSubstr("--replicates 0 --seed 1 --out "));
  request.studies.push_back(directory / "more");
  expect_error(ErrorKind::config, {"kinds' and '", "more' both hold clusters"},
               [&] { make(request); });
}

}  // namespace
}  // namespace afterspike::analysis
