#include "afterspike/train/resume.hpp"

#include <gtest/gtest.h>

#include "small_run.hpp"
#include "support/expect_error.hpp"

namespace afterspike::train {
namespace {

namespace fs = std::filesystem;

using testing::environment;
using testing::expect_error;
using testing::sine_options;
using testing::spill;

class ResumeRules : public ::testing::Test {
 protected:
  fs::path create(const char* schedule) {
    RunOptions options = sine_options({{"train.epochs", "3"}, {"train.schedule", schedule}});
    const fs::path run = directory_ / schedule;
    create_run(run, options, environment());
    return run;
  }

  testing::TempDir directory_;
  testing::Silence silence_;
};

TEST_F(ResumeRules, AskHowToContinueAFinishedCycle) {
  const fs::path run = create("one_cycle");
  EXPECT_EQ(choose_continuation(run, 6, ""), Continuation::stretch) << "it has not ended";
  continue_run(run, environment());
  EXPECT_TRUE(has_summary(run));
  expect_error(ErrorKind::usage,
               {"--epochs: the one_cycle schedule of", "has ended after 3 epochs",
                "over the next 3", "--schedule hold"},
               [&] { choose_continuation(run, 6, ""); });
  EXPECT_EQ(choose_continuation(run, 0, ""), Continuation::stretch) << "no more epochs";
  EXPECT_EQ(choose_continuation(run, 6, "restart"), Continuation::restart);
  EXPECT_EQ(choose_continuation(run, 6, "hold"), Continuation::hold);
  expect_error(ErrorKind::usage, {"--schedule: found 'again', expected restart or hold"},
               [&] { choose_continuation(run, 6, "again"); });
  continue_run(run, environment(), 6, Continuation::hold);
  EXPECT_EQ(choose_continuation(run, 9, ""), Continuation::stretch) << "held from now on";
}

TEST_F(ResumeRules, DoNotAskForOtherSchedules) {
  const fs::path run = create("constant");
  continue_run(run, environment());
  EXPECT_EQ(choose_continuation(run, 6, ""), Continuation::stretch);
}

TEST_F(ResumeRules, RemoveARunOnlyIfNothingWasTrained) {
  const fs::path fresh = create("constant");
  EXPECT_FALSE(has_begun(fresh));
  remove_unless_begun(fresh);
  EXPECT_FALSE(fs::exists(fresh));
  const fs::path several = directory_ / "several";
  fs::create_directories(several / "seed-1");
  spill(several / "seed-1/metrics.jsonl", "");
  EXPECT_TRUE(has_begun(several));
  remove_unless_begun(several);
  EXPECT_TRUE(fs::exists(several / "seed-1"));
  EXPECT_FALSE(has_summary(several));
  spill(several / "seed-1/summary.json", "{}");
  EXPECT_TRUE(has_summary(several)) << "of one of several runs";
  remove_unless_begun(directory_ / "nothing");
}

}  // namespace
}  // namespace afterspike::train
