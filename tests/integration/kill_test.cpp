#include <gtest/gtest.h>

#include "afterspike/base/rng.hpp"
#include "class_files.hpp"
#include "program.hpp"

namespace afterspike {
namespace {

namespace fs = std::filesystem;

using testing::checkpoint_file;
using testing::latest_step;
using testing::Outcome;
using testing::Program;
using testing::Words;

constexpr int kKills = 10;

class Kill : public testing::ProgramTest {
 protected:
  void SetUp() override { testing::write_class_csv(data_); }

  /// A run with validation that never ends by itself: three steps an epoch.
  Words train(const fs::path& run, const Words& more = {}) const {
    Words words = {"train",
                   "--task",
                   "file",
                   "--neuron",
                   "rnn",
                   "--data",
                   data_.string(),
                   "--hidden",
                   "6",
                   "--epochs",
                   "1000000",
                   "--set",
                   "train.batch_size=8",
                   "--checkpoint-interval",
                   "0.05 s",
                   "--threads",
                   "1",
                   "--out",
                   run.string()};
    words.insert(words.end(), more.begin(), more.end());
    return words;
  }

  static Words resume(const fs::path& run, const Words& more = {}) {
    Words words = {"train",  "--resume",  run.string(), "--checkpoint-interval",
                   "0.05 s", "--threads", "1"};
    words.insert(words.end(), more.begin(), more.end());
    return words;
  }

  const fs::path data_ = directory_ / "data.csv";
};

TEST_F(Kill, AtAnyMomentLeavesARunThatGoesOnAsIfNothingHadHappened) {
  const fs::path run = directory_ / "run";
  Rng rng(20240229);
  for (int kill = 0; kill < kKills; ++kill) {
    const std::int64_t before = latest_step(run);
    Program program(fs::exists(run) ? resume(run) : train(run), directory_.path());
    // The first at any moment from the start on; the others once they have saved something.
    const bool early = kill < 3;
    if (!early) {
      ASSERT_TRUE(program.wait_until([&] { return latest_step(run) > before; }))
          << "after " << kill << " kills: " << program.wait().err;
    }
    const double wait_ms = rng.uniform(0, early ? 900 : 250);
    std::this_thread::sleep_for(std::chrono::duration<double, std::milli>(wait_ms));
    program.send(SIGKILL);
    const Outcome outcome = program.wait();
    ASSERT_EQ(outcome.status, 137) << "after " << kill << " kills: " << outcome.err;
  }
  const std::int64_t step = latest_step(run);
  ASSERT_GT(step, 0);
  const std::string limit = std::to_string(step + 40);
  succeed(resume(run, {"--max-steps", limit}));
  const fs::path whole = directory_ / "whole";
  succeed(train(whole, {"--max-steps", limit}));
  EXPECT_EQ(latest_step(run), step + 40);
  for (const char* which : {"latest", "best"}) {
    EXPECT_EQ(testing::named(run, which), testing::named(whole, which));
    for (const char* file : {"model.safetensors", "training.safetensors"}) {
      EXPECT_EQ(checkpoint_file(run, file, which), checkpoint_file(whole, file, which)) << file;
    }
  }
  const auto rows = testing::metrics(run), expected = testing::metrics(whole);
  ASSERT_EQ(rows.size(), expected.size()) << "every epoch once";
  for (std::size_t i = 0; i < rows.size(); ++i) {
    EXPECT_EQ(rows[i].at("epoch"), i + 1);
    EXPECT_EQ(rows[i].at("train_loss"), expected[i].at("train_loss"));
    EXPECT_EQ(rows[i].at("validation_loss"), expected[i].at("validation_loss"));
  }
  std::size_t left = 0;
  for ([[maybe_unused]] const auto& entry : fs::directory_iterator(run / "checkpoints")) ++left;
  EXPECT_LE(left, 2U) << "nothing but the latest and the best";
}

TEST_F(Kill, LeavesNoHalfOfANewRun) {
  const fs::path run = directory_ / "run";
  Rng rng(7);
  for (int kill = 0; kill < 4; ++kill) {
    Program program(train(run), directory_.path());
    // Within the few writes that create the run: as soon as something appears beside it.
    program.wait_until([&] { return fs::exists(run) || fs::exists(directory_ / "run.tmp"); });
    std::this_thread::sleep_for(std::chrono::microseconds(rng.below(3000)));
    program.send(SIGKILL);
    program.wait();
    if (fs::exists(run)) {
      EXPECT_TRUE(fs::exists(run / "run.json"));
      EXPECT_TRUE(fs::exists(run / "config.toml"));
      succeed(resume(run, {"--max-steps", std::to_string(latest_step(run) + 1)}));
      fs::remove_all(run);
    }
  }
  succeed(train(run, {"--max-steps", "1"}));
  EXPECT_FALSE(fs::exists(directory_ / "run.tmp"));
}

}  // namespace
}  // namespace afterspike
