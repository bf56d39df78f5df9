#include "afterspike/analysis/runs.hpp"

#include <limits>

#include <gtest/gtest.h>

#include "support/expect_error.hpp"
#include "unit/analysis/subjects.hpp"

namespace afterspike::analysis {
namespace {

using testing::expect_error;
using testing::TempDir;

TEST(FindRuns, TakesARunAsItIsAndOfSeveralSeedsEach) {
  const TempDir directory;
  EXPECT_EQ(find_runs("runs/a").paths, std::vector<std::filesystem::path>{"runs/a"});
  testing::spill(directory / "seeds.json", R"({"seeds":[3,5]})");
  std::filesystem::create_directory(directory / "seed-3");
  expect_error(ErrorKind::checkpoint, {"1 of 2 seeds were trained", "--resume"},
               [&] { find_runs(directory.path().string()); });
  std::filesystem::create_directory(directory / "seed-5");
  const RunGroup group = find_runs(directory.path().string());
  EXPECT_EQ(group.name, directory.path().string());
  EXPECT_EQ(group.paths, (std::vector{directory / "seed-3", directory / "seed-5"}));
}

TEST(DifferenceOfTasks, IsSaidWhereOneOnlyClassifies) {
  const TempDir directory;
  testing::write_run(directory / "a", "gru");
  testing::write_run(directory / "b", "gru");
  const at::Tensor inputs = at::zeros({2, 3, 1});
  const Subject traces = testing::subject_of(directory / "a");
  const Subject classes =
      testing::subject_on(directory / "b", inputs, at::zeros({2}, at::kLong), 2, true);
  EXPECT_FALSE(difference_of_tasks({traces, traces}));
  const auto found = difference_of_tasks({traces, classes});
  ASSERT_TRUE(found);
  for (const char* part : {"/b classifies on sine_generation", "/a makes traces", "one task"}) {
    EXPECT_NE(found->find(part), std::string::npos) << *found;
  }
}

TEST(FindRuns, RefusesADamagedListOfSeeds) {
  const TempDir directory;
  testing::spill(directory / "seeds.json", R"({"seeds":[]})");
  expect_error(ErrorKind::checkpoint, {"seeds.json", "expected one seed or more"},
               [&] { find_runs(directory.path().string()); });
  testing::spill(directory / "seeds.json", R"({"seeds":"1"})");
  expect_error(ErrorKind::checkpoint, {"seeds.json", "'seeds'"},
               [&] { find_runs(directory.path().string()); });
}

TEST(LoadRun, RefusesWhatIsNoRunOrNotFinite) {
  const TempDir directory;
  expect_error(ErrorKind::checkpoint, {"there is no such run"},
               [&] { load_run(directory / "none"); });
  expect_error(ErrorKind::checkpoint, {"neither a run nor a checkpoint"},
               [&] { load_run(directory.path()); });
  testing::write_run(directory / "run", "glifr", {}, 1, [](nn::Network& network) {
    const at::NoGradGuard no_grad;
    at::Tensor threshold = network.layer(0)->raw("threshold");
    threshold[3] = std::numeric_limits<float>::quiet_NaN();
  });
  expect_error(ErrorKind::numeric, {(directory / "run").string(), "'layers.0.threshold'"},
               [&] { load_run(directory / "run"); });
}

TEST(LoadSubject, TakesTheFirstSamplesWhereTheyAreLimited) {
  const TempDir directory;
  testing::write_run(directory / "run");
  const Subject all = testing::subject_of(directory / "run");
  EXPECT_EQ(all.data->size(), 6);
  const Subject some = load_subject(directory / "run", {}, tasks::Split::test, 4);
  EXPECT_EQ(some.data->size(), 4);
  const std::vector<std::int64_t> numbers = {0, 3};
  testing::expect_same(some.data->batch(numbers).input, all.data->batch(numbers).input, "input");
  EXPECT_EQ(load_subject(directory / "run", {}, tasks::Split::test, 100).data->size(), 6);
  expect_error(ErrorKind::config, {"no split 'validation'"},
               [&] { load_subject(directory / "run", {}, tasks::Split::validation, 0); });
}

}  // namespace
}  // namespace afterspike::analysis
