#include "afterspike/train/several.hpp"

#include <limits>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "small_run.hpp"
#include "support/expect_error.hpp"

namespace afterspike::train {
namespace {

namespace fs = std::filesystem;

using testing::environment;
using testing::expect_error;
using testing::sine_options;
using testing::slurp;
using Lists = std::vector<std::vector<std::int64_t>>;

TEST(ConsecutiveSeeds, CountFromTheFirstAndFitInto64Bits) {
  EXPECT_EQ(consecutive_seeds(4, 3), (std::vector<std::int64_t>{4, 5, 6}));
  const std::int64_t last = std::numeric_limits<std::int64_t>::max();
  EXPECT_EQ(consecutive_seeds(last - 1, 1), std::vector<std::int64_t>{last - 1});
  expect_error(ErrorKind::usage, {"--seeds: found 2", "seeds of 64 bits"},
               [&] { consecutive_seeds(last - 1, 2); });
}

TEST(ParseSpeakers, ReadsListsAndRefusesOtherText) {
  EXPECT_EQ(parse_speakers("3,9; 0,7"), (Lists{{3, 9}, {0, 7}}));
  EXPECT_EQ(parse_speakers(" 3"), (Lists{{3}}));
  for (const char* text : {"", "3;", "3,,9", "a", "3 9", "-1", "3,9;;0", "99999999999999999999"}) {
    expect_error(ErrorKind::usage, {"found '" + std::string(text) + "'", "such as '3,9; 0,7'"},
                 [&] { parse_speakers(text); });
  }
}

TEST(HoldOut, RefusesATaskWithoutSpeakers) {
  RunOptions options = sine_options();
  expect_error(ErrorKind::usage, {"task 'sine_generation' has no option task.validation_speakers"},
               [&] { hold_out(options, {3}); });
}

TEST(NamesOf, AreSeedsOrSpeakers) {
  EXPECT_EQ(names_of({{4, 5}, {}}), (std::vector<std::string>{"seed-4", "seed-5"}));
  EXPECT_EQ(names_of({{}, {{3, 9}, {0}}}),
            (std::vector<std::string>{"speakers-3-9", "speakers-0"}));
}

class SeveralRuns : public ::testing::Test {
 protected:
  void SetUp() override {
    RunOptions options = sine_options({{"train.epochs", "3"}});
    create_run(out_, options, environment(), several_);
  }

  /// Trains with a step limit (0: none) and records the reported runs.
  RunResult train(std::int64_t steps = 0, std::int64_t epochs = 0, double seconds = 0) {
    RunEnvironment limited = environment(steps);
    limited.limits.seconds = seconds;
    const auto report = [&](const fs::path& run, const RunResult& result) {
      reported_.push_back(run.filename().string() + (result.summary.is_null() ? " stopped" : ""));
    };
    return train_several(out_, limited, several_, report, epochs);
  }

  testing::TempDir directory_;
  const fs::path out_ = directory_ / "runs";
  const Several several_{{4, 5}, {}};
  testing::Silence silence_;
  std::vector<std::string> reported_;
};

TEST_F(SeveralRuns, TrainsEachAndContinuesWhereTheyStopped) {
  EXPECT_EQ(load_several(out_)->seeds, several_.seeds);
  EXPECT_TRUE(train(2).summary.is_null());
  EXPECT_EQ(reported_, std::vector<std::string>{"seed-4 stopped"});
  EXPECT_FALSE(fs::exists(out_ / "summary.json"));
  reported_.clear();
  const io::Json summary = train().summary;
  EXPECT_EQ(reported_, (std::vector<std::string>{"seed-4", "seed-5"}));
  EXPECT_EQ(summary.at("seeds"), (io::Json{4, 5}));
  EXPECT_EQ(io::Json::parse(slurp(out_ / "summary.json")), summary);
  const io::Json alone = io::Json::parse(slurp(out_ / "seed-5/summary.json"));
  EXPECT_EQ(summary.at("test").at("loss").at("values").at(1), alone.at("test").at("loss"));
}

TEST_F(SeveralRuns, RememberMoreEpochsOnceTheFirstHasAcceptedThem) {
  train();
  EXPECT_TRUE(train(4, 5).summary.is_null());
  EXPECT_EQ(load_run_options(out_).train.epochs, 5);
  train();
  for (const char* seed : {"seed-4", "seed-5"}) {
    EXPECT_EQ(io::Json::parse(slurp(out_ / seed / "summary.json")).at("epochs"), 5) << seed;
  }
  expect_error(ErrorKind::config, {"--epochs: found 2"}, [&] { train(0, 2); });
  EXPECT_EQ(load_run_options(out_).train.epochs, 5) << "a refused number changes nothing";
}

TEST_F(SeveralRuns, ShareTheTimeLimit) {
  EXPECT_TRUE(train(0, 0, 1e-6).summary.is_null());
  EXPECT_EQ(reported_, std::vector<std::string>{"seed-4 stopped"}) << "a step is always made";
}

TEST_F(SeveralRuns, AreRefusedWithADamagedList) {
  testing::spill(out_ / "seeds.json", "{\"seeds\": \"all\"}");
  expect_error(ErrorKind::checkpoint, {"seeds.json", "'seeds'"}, [&] { load_several(out_); });
  EXPECT_FALSE(load_several(directory_.path()).has_value());
}

}  // namespace
}  // namespace afterspike::train
