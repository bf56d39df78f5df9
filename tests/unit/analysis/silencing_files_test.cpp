#include "afterspike/analysis/silencing_files.hpp"

#include <algorithm>
#include <functional>

#include <gtest/gtest.h>

#include "support/expect_error.hpp"
#include "unit/analysis/subjects.hpp"

namespace afterspike::analysis {
namespace {

using testing::expect_error;
using testing::slurp;

class SilencingFiles : public ::testing::Test {
 protected:
  void SetUp() override {
    testing::write_run(directory / "run");
    study.subjects.push_back(testing::subject_of(directory / "run"));
    study.protocol.levels = {0, 0.5, 1};
    study.protocol.trials = 40;
    study.names.classifies = false;
    study.names.groups = {{"run", {directory / "run"}}};
  }

  /// Returns the directory of the study, run to its end or until `stop` evaluations are done.
  std::optional<SilencingSummary> run(const char* name, std::size_t stop = 1000000,
                                      int threads = 1) {
    ThreadPool pool(threads);
    return run_study(study, directory / name, pool,
                     [stop](std::size_t done, std::size_t) { return done < stop; });
  }

  static constexpr const char* kFiles[] = {"settings.json", "silencing.csv", "silencing.json",
                                           "summary.csv", "summary.json"};
  testing::TempDir directory;
  Study study;
};

TEST_F(SilencingFiles, GoOnWhereTheyWereToTheSameBytes) {
  EXPECT_TRUE(run("whole", 1000000, 3).has_value());
  EXPECT_FALSE(run("parts", 1).has_value());
  EXPECT_FALSE(std::filesystem::exists(directory / "parts" / "summary.json"));
  EXPECT_FALSE(run("parts", 60).has_value());
  // The table holds the measurements so far.
  const std::string part = slurp(directory / "parts" / "silencing.csv");
  EXPECT_GT(std::count(part.begin(), part.end(), '\n'), 60);
  EXPECT_LT(std::count(part.begin(), part.end(), '\n'), 121);
  EXPECT_TRUE(run("parts").has_value());
  for (const char* file : kFiles) {
    EXPECT_EQ(slurp(directory / "parts" / file), slurp(directory / "whole" / file)) << file;
  }
}

TEST_F(SilencingFiles, ThatAreCompleteAreNotMeasuredAgain) {
  run("done");
  std::vector<std::size_t> calls;
  ThreadPool pool(1);
  run_study(study, directory / "done", pool, [&](std::size_t done, std::size_t total) {
    calls.push_back(done);
    EXPECT_EQ(total, 120U);
    return true;
  });
  EXPECT_EQ(calls, std::vector<std::size_t>{120});
}

TEST_F(SilencingFiles, OfAnotherStudyAreRefusedByTheSettingThatDiffers) {
  run("study", 1);
  const auto refused = [&](std::initializer_list<std::string> parts,
                           const std::function<void(Study&)>& change) {
    const Study before = study;
    change(study);
    expect_error(ErrorKind::config, parts, [&] { run("study"); });
    study = before;
  };
  refused({"its trials is 40, here it is 41"}, [](Study& s) { s.protocol.trials = 41; });
  refused({"its seed is 1, here it is 2"}, [](Study& s) { s.protocol.seed = 2; });
  refused({"its levels is [0.0,0.5,1.0]"}, [](Study& s) { s.protocol.levels = {0}; });
  refused({"its by is \"random\""}, [](Study& s) { s.by = "rate"; });
  testing::write_run(directory / "other", "glifr", {}, 9);
  refused({"its runs is"},
          [&](Study& s) { s.subjects[0] = testing::subject_of(directory / "other"); });
}

TEST_F(SilencingFiles, ThatAreDamagedAreRefused) {
  run("study", 64);
  const auto file = directory / "study" / "silencing.csv";
  const std::string table = slurp(file);
  const auto refused = [&](const std::string& content, const char* message) {
    testing::spill(file, content);
    expect_error(ErrorKind::data, {file.string(), message}, [&] { run("study"); });
  };
  refused("run,trial\n0,0\n", "found columns run,trial, expected run,fraction,trial,seed");
  const auto second = table.find('\n', table.find('\n') + 1) + 1;
  refused(table.substr(0, table.find('\n') + 1) + table.substr(second), "row 1 is not what");
  refused(table + "0,0", "found 2 columns");
  testing::spill(directory / "study" / "settings.json", "{");
  expect_error(ErrorKind::data, {"settings.json"}, [&] { run("study"); });
  testing::spill(directory / "note.txt", "mine");
  expect_error(ErrorKind::config, {"is not empty and holds no study"}, [&] { run("."); });
}

TEST_F(SilencingFiles, AreReadAsTheyWereWritten) {
  const std::optional<SilencingSummary> written = run("study");
  ASSERT_TRUE(written.has_value());
  const SilencingSummary read = read_summary(directory / "study");
  EXPECT_EQ(to_json(read), to_json(*written));
  EXPECT_EQ(to_json(read).dump(2) + "\n", slurp(directory / "study/summary.json"));
  const StudyRecord record = read_record(directory / "study");
  EXPECT_EQ(record.levels, study.protocol.levels);
  EXPECT_EQ(record.trials, 40);
  EXPECT_EQ(record.words, std::vector<std::string>{"run"});
  EXPECT_EQ(record.checkpoints.size(), 1U);
}

}  // namespace
}  // namespace afterspike::analysis
