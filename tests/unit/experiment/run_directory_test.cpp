#include "afterspike/experiment/run_directory.hpp"

#include <set>
#include <string>

#include <gtest/gtest.h>

#include "afterspike/base/error.hpp"
#include "support/expect_error.hpp"
#include "support/temp_dir.hpp"

namespace afterspike::experiment {
namespace {

namespace fs = std::filesystem;

using testing::expect_error;
using testing::spill;

class RunDirectoryTest : public ::testing::Test {
 protected:
  /// Puts an identifiable file at the place of a checkpoint.
  fs::path put(std::int64_t step) {
    fs::path place = run_.place(step);
    fs::create_directories(place);
    spill(place / "manifest.json", std::to_string(step));
    return place;
  }

  std::set<std::string> checkpoints() const {
    std::set<std::string> names;
    for (const auto& entry : fs::directory_iterator(directory_ / "checkpoints")) {
      names.insert(entry.path().filename().string());
    }
    return names;
  }

  testing::TempDir directory_;
  RunDirectory run_{directory_.path()};
};

TEST_F(RunDirectoryTest, IsEmptyAtFirst) {
  EXPECT_FALSE(run_.latest().has_value());
  EXPECT_FALSE(run_.best().has_value());
  run_.prune();
  EXPECT_TRUE(fs::is_empty(directory_.path())) << "to look is not to make";
}

TEST_F(RunDirectoryTest, NamesSortAsTheirSteps) {
  EXPECT_EQ(run_.place(118), directory_ / "checkpoints" / "step-000000118");
  EXPECT_LT(run_.place(99), run_.place(100));
  EXPECT_LT(run_.place(999'999), run_.place(1'000'000));
}

TEST_F(RunDirectoryTest, RemembersLatestAndBest) {
  const fs::path first = put(1), second = put(2);
  run_.set_latest(first);
  run_.set_best(first);
  run_.set_latest(second);
  EXPECT_EQ(run_.latest(), second);
  EXPECT_EQ(run_.best(), first);
}

TEST_F(RunDirectoryTest, ListsCheckpointsByTheirSteps) {
  EXPECT_TRUE(run_.checkpoints().empty());
  put(9);
  for (int again = 0; again < 11; ++again) put(10);
  put(3);
  fs::create_directory(directory_ / "checkpoints" / "step-000000099.old");
  spill(directory_ / "checkpoints" / "step-000000098", "a file");
  const auto all = run_.checkpoints();
  ASSERT_EQ(all.size(), 13U);
  EXPECT_EQ(all[0].filename(), "step-000000003");
  EXPECT_EQ(all[1].filename(), "step-000000009");
  EXPECT_EQ(all[2].filename(), "step-000000010");
  EXPECT_EQ(all[3].filename(), "step-000000010-2");
  EXPECT_EQ(all.back().filename(), "step-000000010-11");
  fs::create_directory(directory_ / "checkpoints" / "step-99999999999999999999");
  EXPECT_EQ(run_.checkpoints().back().filename(), "step-99999999999999999999");
}

TEST_F(RunDirectoryTest, PrunesAllButLatestAndBest) {
  const fs::path best = run_.place(2), latest = run_.place(4);
  for (const std::int64_t step : {1, 2, 3, 4, 5}) put(step);
  fs::create_directory(directory_ / "checkpoints" / ".step-000000006.77-0.tmp");
  run_.set_best(best);
  run_.set_latest(latest);
  run_.prune();
  EXPECT_EQ(checkpoints(), (std::set<std::string>{"step-000000002", "step-000000004"}));
  run_.set_best(latest);
  run_.prune();
  EXPECT_EQ(checkpoints(), std::set<std::string>{"step-000000004"});
}

TEST_F(RunDirectoryTest, PrunesNothingOfTheUsers) {
  std::set<std::string> expected = {"step-000000004", "step-000000003", "notes.txt"};
  run_.set_latest(put(4));
  for (const char* name : {"mine", "step-", "step-3-copy", "step-3-", "step-000000003.old",
                           "Step-3", ".mine.tmp", ".step-000000003", "step-1-2-3"}) {
    fs::create_directory(directory_ / "checkpoints" / name);
    expected.insert(name);
  }
  spill(directory_ / "checkpoints" / "notes.txt", "");
  spill(directory_ / "checkpoints" / "step-000000003", "a file");
  run_.prune();
  EXPECT_EQ(checkpoints(), expected);
}

TEST_F(RunDirectoryTest, AStepThatIsSavedAgainHasAnotherPlace) {
  const fs::path first = put(3), second = put(3), third = put(3);
  EXPECT_EQ(checkpoints(),
            (std::set<std::string>{"step-000000003", "step-000000003-2", "step-000000003-3"}));
  run_.set_latest(second);
  run_.prune();
  EXPECT_EQ(run_.latest(), second);
  EXPECT_EQ(checkpoints(), std::set<std::string>{"step-000000003-2"});
}

TEST_F(RunDirectoryTest, RefusesANameOfNothing) {
  put(3);
  spill(directory_ / "checkpoints" / "file", "");
  struct Case {
    std::string content, shown;
  };
  for (const Case& c : std::vector<Case>{{"step-000000009\n", "'step-000000009'"},
                                         {"", "''"},
                                         {"\n", "''"},
                                         {"../checkpoints/step-000000003\n", "'../"},
                                         {"file\n", "'file'"},
                                         {"step-000000003 \n", "'step-000000003 '"}}) {
    for (const char* which : {"latest", "best"}) {
      spill(directory_ / which, c.content);
      expect_error(ErrorKind::checkpoint,
                   {(directory_ / which).string(), "names the checkpoint", c.shown, "not there"},
                   [&] { which[0] == 'l' ? run_.latest() : run_.best(); });
      fs::remove(directory_ / which);
    }
  }
}

TEST_F(RunDirectoryTest, ResolvesToBestElseLatestElseItself) {
  const fs::path first = put(1), second = put(2);
  run_.set_latest(second);
  EXPECT_EQ(resolve(directory_.path()), second);
  run_.set_best(first);
  EXPECT_EQ(resolve(directory_.path()), first);
  EXPECT_EQ(resolve(second), second);
}

TEST_F(RunDirectoryTest, ResolvesNothingElse) {
  expect_error(ErrorKind::checkpoint, {"none", "there is no such run or checkpoint"},
               [&] { resolve(directory_ / "none"); });
  expect_error(ErrorKind::checkpoint,
               {directory_.path().string(), "neither a run nor a checkpoint", "'latest'"},
               [&] { resolve(directory_.path()); });
  spill(directory_ / "file", "");
  expect_error(ErrorKind::checkpoint, {"neither a run nor a checkpoint"},
               [&] { resolve(directory_ / "file"); });
  spill(directory_ / "seeds.json", "{}");
  expect_error(ErrorKind::checkpoint, {"runs of several seeds", "seed-1"},
               [&] { resolve(directory_.path()); });
  spill(directory_ / "latest", "step-000000001\n");
  expect_error(ErrorKind::checkpoint, {"latest", "not there"}, [&] { resolve(directory_.path()); });
}

TEST_F(RunDirectoryTest, GoesOnFromTheLatestCheckpointOnly) {
  const fs::path first = put(1), second = put(2);
  expect_error(ErrorKind::checkpoint, {second.string(), "in no run with a 'latest'"},
               [&] { resolve_run(second); });
  run_.set_latest(second);
  run_.set_best(first);
  EXPECT_EQ(resolve_run(directory_.path()), directory_.path());
  for (const fs::path& named : {second, second / "", first / ".." / second.filename()}) {
    EXPECT_TRUE(fs::equivalent(resolve_run(named), directory_.path())) << named;
  }
  fs::create_directory_symlink(second, directory_ / "link");
  EXPECT_TRUE(fs::equivalent(resolve_run(directory_ / "link"), directory_.path()));
  expect_error(ErrorKind::checkpoint,
               {first.string(), "not the latest checkpoint", "'step-000000002'", "would be lost"},
               [&] { resolve_run(first); });
  fs::rename(first, directory_ / "elsewhere");
  expect_error(ErrorKind::checkpoint, {"elsewhere", "in no run"},
               [&] { resolve_run(directory_ / "elsewhere"); });
}

}  // namespace
}  // namespace afterspike::experiment
