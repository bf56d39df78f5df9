#include "afterspike/checkpoint/run_directory.hpp"

#include <set>
#include <string>

#include <gtest/gtest.h>

#include "afterspike/base/error.hpp"
#include "support/expect_error.hpp"
#include "support/temp_dir.hpp"

namespace afterspike::checkpoint {
namespace {

namespace fs = std::filesystem;

using testing::expect_error;
using testing::spill;

class RunDirectoryTest : public ::testing::Test {
 protected:
  /// Something that can be told from others where a checkpoint belongs.
  fs::path put(std::int64_t step, const std::string& suffix = "") {
    fs::path place = run_.checkpoint(step);
    place += suffix;
    fs::create_directories(place);
    spill(place / "manifest.json", std::to_string(step) + suffix);
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
  run_.recover();
  EXPECT_TRUE(fs::is_empty(directory_.path())) << "to look is not to make";
}

TEST_F(RunDirectoryTest, NamesSortAsTheirSteps) {
  EXPECT_EQ(run_.checkpoint(118), directory_ / "checkpoints" / "step-000000118");
  EXPECT_LT(run_.checkpoint(99), run_.checkpoint(100));
  EXPECT_LT(run_.checkpoint(999'999), run_.checkpoint(1'000'000));
}

TEST_F(RunDirectoryTest, RemembersLatestAndBest) {
  const fs::path first = put(1), second = put(2);
  run_.set_latest(1);
  run_.set_best(1);
  run_.set_latest(2);
  EXPECT_EQ(run_.latest(), second);
  EXPECT_EQ(run_.best(), first);
}

TEST_F(RunDirectoryTest, PrunesAllButLatestAndBest) {
  for (const std::int64_t step : {1, 2, 3, 4, 5}) put(step);
  put(6, ".tmp");
  put(2, ".old");
  spill(directory_ / "checkpoints" / "stray", "");
  run_.set_best(2);
  run_.set_latest(4);
  run_.prune();
  EXPECT_EQ(checkpoints(), (std::set<std::string>{"step-000000002", "step-000000004"}));
  run_.set_best(4);
  run_.prune();
  EXPECT_EQ(checkpoints(), std::set<std::string>{"step-000000004"});
}

TEST_F(RunDirectoryTest, RecoversWhatWasMovedAsideAndNothingElse) {
  put(1, ".old");
  put(2, ".old");
  put(2);
  put(3, ".tmp");
  run_.recover();
  EXPECT_EQ(checkpoints(), (std::set<std::string>{"step-000000001", "step-000000002",
                                                  "step-000000002.old", "step-000000003.tmp"}));
  EXPECT_EQ(testing::slurp(run_.checkpoint(1) / "manifest.json"), "1.old");
  EXPECT_EQ(testing::slurp(run_.checkpoint(2) / "manifest.json"), "2") << "the new one stays";
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
  run_.set_latest(2);
  EXPECT_EQ(resolve(directory_.path()), second);
  run_.set_best(1);
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

}  // namespace
}  // namespace afterspike::checkpoint
