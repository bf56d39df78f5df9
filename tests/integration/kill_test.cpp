#include <sys/resource.h>

#include <gtest/gtest.h>

#include "afterspike/base/rng.hpp"
#include "support/class_files.hpp"
#include "support/program.hpp"

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

  /// Returns words of a run with validation that never ends by itself: three steps an epoch.
  Words train(const fs::path& run, const Words& more = {}) const {
    Words words = testing::train_on_classes(
        "rnn", data_, run,
        {"--epochs", "1000000", "--checkpoint-interval", "0.05 s", "--threads", "1"});
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
    // The first kills come at any moment from the start; later ones after a save.
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

/// Returns the number of staged directories beside the run.
std::size_t staged(const fs::path& run) {
  const std::string begin = "." + run.filename().string() + ".";
  return static_cast<std::size_t>(
      std::count_if(fs::directory_iterator(run.parent_path()), fs::directory_iterator(),
                    [&](const fs::directory_entry& entry) {
                      const std::string name = entry.path().filename().string();
                      return name.starts_with(begin) && name.ends_with(".tmp");
                    }));
}

TEST_F(Kill, LeavesNoHalfOfANewRun) {
  const fs::path run = directory_ / "run";
  Rng rng(7);
  for (int kill = 0; kill < 6; ++kill) {
    const std::size_t before = staged(run);
    Program program(train(run), directory_.path());
    // Kills within the few writes that create the run, which take milliseconds on a slow disk: as
    // soon as something appears beside it.
    program.wait_until([&] { return staged(run) > before || fs::exists(run); },
                       std::chrono::microseconds(0));
    std::this_thread::sleep_for(std::chrono::microseconds(rng.below(kill % 2 == 0 ? 1 : 3000)));
    program.send(SIGKILL);
    program.wait();
    if (fs::exists(run)) {
      EXPECT_TRUE(fs::exists(run / "run.json"));
      EXPECT_TRUE(fs::exists(run / "config.toml"));
      succeed(resume(run, {"--max-steps", std::to_string(latest_step(run) + 1)}));
      fs::remove_all(run);
    }
  }
  const std::size_t left = staged(run);
  succeed(train(run, {"--max-steps", "1"}));
  EXPECT_EQ(staged(run), left) << "what is complete has its name";
}

/// Limits the length of files that started programs write; a longer file kills them by a signal.
class FileLimit {
 public:
  explicit FileLimit(std::uintmax_t bytes) {
    EXPECT_EQ(::getrlimit(RLIMIT_FSIZE, &file_), 0);
    EXPECT_EQ(::getrlimit(RLIMIT_CORE, &core_), 0);
    rlimit file = file_, core = core_;
    file.rlim_cur = bytes;
    core.rlim_cur = 0;  // A core dump of such a program is of no use.
    EXPECT_EQ(::setrlimit(RLIMIT_FSIZE, &file), 0);
    EXPECT_EQ(::setrlimit(RLIMIT_CORE, &core), 0);
  }
  ~FileLimit() {
    ::setrlimit(RLIMIT_FSIZE, &file_);
    ::setrlimit(RLIMIT_CORE, &core_);
  }
  FileLimit(const FileLimit&) = delete;
  FileLimit& operator=(const FileLimit&) = delete;

 private:
  rlimit file_{}, core_{};
};

// On any disk, this kill certainly falls into the creation, once into each of its files.
TEST_F(Kill, WithinAFileOfANewRunLeavesNoHalfOfIt) {
  const fs::path run = directory_ / "run", whole = directory_ / "whole";
  succeed(train(whole, {"--max-steps", "1"}));
  const std::uintmax_t config = fs::file_size(whole / "config.toml");
  ASSERT_GT(fs::file_size(whole / "run.json"), config + 1) << "else it is reached at no limit";
  for (const std::uintmax_t bytes : {config / 2, config + 1}) {
    const std::size_t before = staged(run);
    {
      const FileLimit limit(bytes);
      EXPECT_EQ(this->run(train(run)).status, 128 + SIGXFSZ) << bytes;
    }
    EXPECT_FALSE(fs::exists(run)) << bytes;
    EXPECT_EQ(staged(run), before + 1) << bytes;
  }
  succeed(train(run, {"--max-steps", "1"}));
  EXPECT_TRUE(fs::exists(run / "run.json"));
}

}  // namespace
}  // namespace afterspike
