#include <map>
#include <string>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "command.hpp"
#include "support/class_files.hpp"

namespace afterspike {
namespace {

namespace fs = std::filesystem;

using testing::checkpoint_file;
using ::testing::HasSubstr;
using testing::latest_step;
using testing::Outcome;
using testing::Program;
using testing::Words;

/// Stops of a run that is longer than the test waits for.
class Resume : public testing::CommandTest {
 protected:
  Words resume(const fs::path& run, std::int64_t steps, const Words& more = {}) const {
    Words words = {"train", "--resume", run.string(), "--max-steps", std::to_string(steps)};
    words.insert(words.end(), more.begin(), more.end());
    return words;
  }

  static void expect_same(const fs::path& found, const fs::path& expected) {
    EXPECT_EQ(testing::named(found, "latest"), testing::named(expected, "latest"));
    for (const char* file : {"model.safetensors", "training.safetensors"}) {
      EXPECT_EQ(checkpoint_file(found, file), checkpoint_file(expected, file)) << file;
    }
  }

  static bool has_trained(const fs::path& run) {
    return fs::exists(run / "metrics.csv") && fs::file_size(run / "metrics.csv") > 400;
  }

  const Words endless_{"--epochs", "1000000"};
};

TEST_F(Resume, TenStepsAreFiveAndFiveMore) {
  succeed(train_sines(directory_ / "whole", {"--epochs", "10"}));
  succeed(train_sines(directory_ / "parted", {"--epochs", "10", "--max-steps", "5"}));
  EXPECT_EQ(latest_step(directory_ / "parted"), 5);
  EXPECT_FALSE(fs::exists(directory_ / "parted" / "summary.json"));
  const Outcome outcome = succeed({"train", "--resume", (directory_ / "parted").string()});
  EXPECT_THAT(outcome.err, HasSubstr("resumed from "));
  EXPECT_TRUE(fs::exists(directory_ / "parted" / "summary.json"));
  expect_same(directory_ / "parted", directory_ / "whole");
}

TEST_F(Resume, OfACheckpointIsThatOfItsRunWhereItIsTheLatest) {
  const fs::path run = directory_ / "run", checkpoints = run / "checkpoints";
  succeed(train_sines(directory_ / "whole", {"--epochs", "10"}));
  succeed(train_sines(run, {"--epochs", "10", "--max-steps", "3"}));
  fs::copy(checkpoints / "step-000000003", directory_ / "kept");
  succeed(resume(checkpoints / "step-000000003", 5));
  fs::rename(directory_ / "kept", checkpoints / "step-000000003");
  const std::string metrics = testing::slurp(run / "metrics.jsonl");
  refused(5, resume(checkpoints / "step-000000003", 6),
          {"step-000000003: not the latest checkpoint of its run", "'step-000000005'"});
  EXPECT_EQ(testing::named(run, "latest"), "step-000000005");
  EXPECT_EQ(testing::slurp(run / "metrics.jsonl"), metrics) << "nothing is lost";
  const Outcome outcome = succeed(resume(checkpoints / "step-000000005", 10));
  EXPECT_THAT(outcome.err, HasSubstr("resumed from "));
  expect_same(run, directory_ / "whole");
}

/// Several steps an epoch, so that a checkpoint may lie within one.
class ResumeWithoutNames : public Resume {
 protected:
  void SetUp() override { testing::write_class_csv(data_); }

  Words train(const fs::path& run, const Words& more) const {
    Words words =
        testing::train_on_classes("glifr", data_, run, {"--epochs", "6", "--threads", "1"});
    words.insert(words.end(), more.begin(), more.end());
    return words;
  }

  static std::map<std::string, std::string> content(const fs::path& run) {
    std::map<std::string, std::string> files;
    for (const auto& entry : fs::recursive_directory_iterator(run)) {
      if (entry.is_regular_file()) files[entry.path().string()] = testing::slurp(entry.path());
    }
    return files;
  }

  const fs::path data_ = directory_ / "data.csv";
};

TEST_F(ResumeWithoutNames, GoesOnFromTheNewestAndFindsTheBest) {
  const fs::path run = directory_ / "run", whole = directory_ / "whole";
  succeed(train(whole, {}));
  // Within an epoch, so that the newest is not the best.
  succeed(train(run, {"--max-steps", "7"}));
  const std::string latest = testing::named(run, "latest"), best = testing::named(run, "best");
  ASSERT_NE(latest, best);
  fs::remove(run / "latest");
  fs::remove(run / "best");
  const Outcome outcome = succeed(resume(run, 8));
  EXPECT_THAT(outcome.err, HasSubstr("going on from the newest checkpoint, " + latest));
  EXPECT_EQ(testing::named(run, "best"), best);
  succeed({"train", "--resume", run.string()});
  expect_same(run, whole);
  EXPECT_EQ(testing::named(run, "best"), testing::named(whole, "best"));
}

TEST_F(ResumeWithoutNames, IsRefusedWhereTheBestIsLost) {
  const fs::path run = directory_ / "run";
  succeed(train(run, {"--max-steps", "7"}));
  fs::remove_all(run / "checkpoints" / testing::named(run, "best"));
  fs::remove(run / "latest");
  fs::remove(run / "best");
  const auto before = content(run);
  refused(5, {"train", "--resume", run.string()}, {"neither a file 'best' nor a checkpoint"});
  EXPECT_EQ(content(run), before);
}

TEST_F(ResumeWithoutNames, ThatIsRefusedChangesNothing) {
  const fs::path run = directory_ / "run";
  succeed(train(run, {}));
  for (const char* lost : {"", "latest", "best"}) {
    if (*lost != 0) fs::remove(run / lost);
    const auto before = content(run);
    refused(3, {"train", "--resume", run.string(), "--epochs", "9", "--memory-limit", "1 MiB"},
            {"--memory-limit", "expected at least"});
    EXPECT_EQ(content(run), before) << "without " << lost;
  }
}

TEST_F(Resume, AfterAnInterruptionIsTheUninterruptedRun) {
  for (const auto& [signal, status] : {std::pair(SIGINT, 130), std::pair(SIGTERM, 143)}) {
    const fs::path run = directory_ / std::to_string(status);
    Program program(train_sines(run, endless_), directory_.path());
    ASSERT_TRUE(program.wait_until([&] { return has_trained(run); }));
    program.send(signal);
    const Outcome outcome = program.wait();
    EXPECT_EQ(outcome.status, status) << outcome.err;
    EXPECT_THAT(outcome.err, HasSubstr("stopped and saved; to go on: afterspike train --resume"));
    EXPECT_EQ(outcome.out, "");
    const std::int64_t step = latest_step(run);
    ASSERT_GT(step, 0);
    // Every trained step was saved: one step an epoch, one row an epoch.
    EXPECT_EQ(testing::metrics(run).back().at("step"), step);
    const fs::path whole = directory_ / ("whole" + std::to_string(status));
    Words words = endless_;
    words.insert(words.end(), {"--max-steps", std::to_string(step + 5)});
    succeed(train_sines(whole, words));
    succeed(resume(run, step + 5));
    expect_same(run, whole);
  }
}

TEST_F(Resume, AfterAnInterruptionAmongSeveralSeeds) {
  const fs::path runs = directory_ / "runs";
  Words words = endless_;
  words.insert(words.end(), {"--seeds", "2"});
  Program program(train_sines(runs, words), directory_.path());
  ASSERT_TRUE(program.wait_until([&] { return has_trained(runs / "seed-1"); }));
  program.send(SIGTERM);
  EXPECT_EQ(program.wait().status, 143);
  EXPECT_FALSE(fs::exists(runs / "seed-2"));
  const std::int64_t step = latest_step(runs / "seed-1");
  ASSERT_GT(step, 0);
  succeed(resume(runs, step + 3));
  EXPECT_EQ(latest_step(runs / "seed-1"), step + 3);
}

TEST_F(Resume, ASecondSignalDoesNotWait) {
  const fs::path run = directory_ / "run";
  // One step of this run is long enough for two signals to arrive within it.
  Program program(
      {"train", "--task", "sine_generation", "--neuron", "glifr", "--hidden", "256", "--set",
       "task.duration=50 ms", "--threads", "1", "--epochs", "1000000", "--out", run.string()},
      directory_.path());
  ASSERT_TRUE(program.wait_until([&] { return fs::exists(run / "metrics.csv"); }));
  program.send(SIGINT);
  std::this_thread::sleep_for(std::chrono::milliseconds(20));
  program.send(SIGINT);
  EXPECT_EQ(program.wait().status, 130);
}

TEST_F(Resume, AfterATimeLimit) {
  const fs::path run = directory_ / "run", whole = directory_ / "whole";
  Words words = endless_;
  words.insert(words.end(), {"--time-limit", "0.2 s"});
  const Outcome outcome = succeed(train_sines(run, words));
  EXPECT_THAT(outcome.err, HasSubstr("to go on: afterspike train --resume"));
  const std::int64_t step = latest_step(run);
  ASSERT_GT(step, 0);
  succeed(resume(run, step + 2));
  words = endless_;
  words.insert(words.end(), {"--max-steps", std::to_string(step + 2)});
  succeed(train_sines(whole, words));
  expect_same(run, whole);
}

TEST_F(Resume, ATimeLimitIsForAllSeedsTogether) {
  const fs::path runs = directory_ / "runs";
  succeed(train_sines(runs, {"--epochs", "2", "--seeds", "3", "--time-limit", "0.000001 s"}));
  EXPECT_EQ(latest_step(runs / "seed-1"), 1) << "a step is always made";
  EXPECT_FALSE(fs::exists(runs / "seed-2"));
  for (int i = 0; i < 6; ++i) {
    succeed({"train", "--resume", runs.string(), "--time-limit", "0.000001 s"});
  }
  EXPECT_TRUE(fs::exists(runs / "summary.json")) << "each session goes on where the last ended";
}

TEST_F(Resume, DoesNotDependOnThreadsOrCheckpointInterval) {
  const fs::path data = directory_ / "data.csv";
  testing::write_class_csv(data);
  const auto train = [&](const char* out, const Words& more) {
    Words words = testing::train_on_classes("glifr", data, directory_ / out,
                                            {"--epochs", "4", "--set", "neuron.dropout=0.2"});
    words.insert(words.end(), more.begin(), more.end());
    return words;
  };
  succeed(train("whole", {"--threads", "1"}));
  succeed(train("parted", {"--threads", "2", "--max-steps", "4", "--checkpoint-interval", "1 us"}));
  succeed({"train", "--resume", (directory_ / "parted").string(), "--threads", "3", "--max-steps",
           "7"});
  succeed({"train", "--resume", (directory_ / "parted").string(), "--threads", "1"});
  expect_same(directory_ / "parted", directory_ / "whole");
  EXPECT_EQ(testing::named(directory_ / "parted", "best"),
            testing::named(directory_ / "whole", "best"));
  const auto rows = testing::metrics(directory_ / "parted");
  const auto expected = testing::metrics(directory_ / "whole");
  ASSERT_EQ(rows.size(), expected.size());
  for (std::size_t i = 0; i < rows.size(); ++i) {
    for (const char* name : {"epoch", "step", "train_loss", "train_accuracy", "validation_loss",
                             "validation_accuracy", "learning_rate"}) {
      EXPECT_EQ(rows[i].at(name), expected[i].at(name)) << name;
    }
  }
}

}  // namespace
}  // namespace afterspike
