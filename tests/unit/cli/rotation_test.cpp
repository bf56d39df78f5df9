// Training with speakers held out in turn, by one command.

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "command.hpp"
#include "support/spike_files.hpp"

namespace afterspike {
namespace {

using ::testing::HasSubstr;
using testing::Outcome;
using testing::Words;

class Rotation : public testing::CommandTest {
 protected:
  Rotation() {
    testing::random_spikes(60, {0, 1, 3, 6, 9}, Rng(1)).write(directory_ / "shd/shd_train.h5");
    testing::random_spikes(20, {4, 5}, Rng(2)).write(directory_ / "shd/shd_test.h5");
  }

  std::string path(const char* name) const { return (directory_ / name).string(); }

  Words train(const char* out, const Words& more) const {
    Words words = {"train",         "--task", "shd",      "--neuron",   "rnn",
                   "--hidden",      "4",      "--epochs", "2",          "--set",
                   "task.bin=50ms", "--out",  path(out),  "--data-dir", directory_.path().string()};
    words.insert(words.end(), more.begin(), more.end());
    return words;
  }

  io::Json summary(const std::filesystem::path& run) const {
    return io::read_json(directory_.path() / run / "summary.json", ErrorKind::data);
  }
};

TEST_F(Rotation, TrainsANetworkForEachListAndLeavesTheTestSplitAlone) {
  const io::Json all = json(train("runs", {"--rotate-speakers", "3,9; 0", "--json"}));
  EXPECT_EQ(all, summary("runs"));
  EXPECT_EQ(all.at("speakers"), io::Json({{3, 9}, {0}}));
  EXPECT_FALSE(all.contains("test"));
  const io::Json accuracy = all.at("validation").at("accuracy");
  EXPECT_EQ(accuracy.at("n"), 2);
  int number = 0;
  for (const auto& [name, samples] : {std::pair("speakers-3-9", 24), std::pair("speakers-0", 12)}) {
    const io::Json own = summary(std::filesystem::path("runs") / name);
    EXPECT_FALSE(own.contains("test")) << name;
    EXPECT_EQ(own.at("validation").at("samples"), samples) << name;
    EXPECT_EQ(own.at("train").at("samples"), 60 - samples) << name;
    EXPECT_EQ(own.at("validation").at("accuracy"), accuracy.at("values").at(number++)) << name;
  }
}

TEST_F(Rotation, GoesOnWhereItStopped) {
  const Words lists = {"--rotate-speakers", "3; 9"};
  succeed(train("whole", lists));
  Words stopped = train("stopped", lists);
  stopped.insert(stopped.end(), {"--max-steps", "1"});
  succeed(stopped);
  EXPECT_FALSE(std::filesystem::exists(directory_ / "stopped/speakers-9"));
  succeed({"train", "--resume", path("stopped"), "--data-dir", directory_.path().string()});
  EXPECT_EQ(summary("stopped").at("validation"), summary("whole").at("validation"));
  const Outcome named = run({"evaluate", path("whole")});
  EXPECT_EQ(named.status, 5);
  EXPECT_THAT(named.err, HasSubstr("runs of several lists of speakers"));
}

TEST_F(Rotation, RefusesOtherTasksSpeakersAndWords) {
  refused(3, train("runs", {"--rotate-speakers", "77; 3,9"}), {"found 77, expected some of 0 1 3"});
  for (const char* text : {"", "3;", "3,,9", "a", "3 9"}) {
    refused(2, train("runs", {"--rotate-speakers", text}),
            {"lists of speakers such as '3,9; 0,7'"});
  }
  refused(2, train("runs", {"--rotate-speakers", "3", "--seeds", "2"}),
          {"--seeds cannot be given"});
  refused(2,
          {"train", "--task", "sine_generation", "--neuron", "rnn", "--out", path("runs"),
           "--rotate-speakers", "3"},
          {"task 'sine_generation' has no option task.validation_speakers"});
  EXPECT_FALSE(std::filesystem::exists(directory_ / "runs"));
}

}  // namespace
}  // namespace afterspike
