// Tests of --device with a LibTorch without CUDA, such as Debian's.

#include <gtest/gtest.h>

#include "command.hpp"

namespace afterspike {
namespace {

namespace fs = std::filesystem;

using testing::Outcome;
using testing::slurp;
using testing::Words;

class CliDevice : public testing::CommandTest {
 protected:
  std::string path(const char* name) const { return (directory_ / name).string(); }
};

TEST_F(CliDevice, SaysThatThereIsNoCudaDevice) {
  for (const char* driver : {"/dev/nvidiactl", "/dev/dxg"}) {
    if (fs::exists(driver)) GTEST_SKIP() << "this machine may have one: " << driver;
  }
  testing::spill(directory_ / "in.csv", "sequence,input\n0,1\n0,1\n");
  succeed(train_sines(path("run"), {"--epochs", "1", "--device", "cpu"}));
  const std::string summary = slurp(directory_ / "run" / "summary.json");
  EXPECT_EQ(io::Json::parse(summary).at("device"), "cpu");
  for (const Words& words :
       std::vector<Words>{train_sines(path("new"), {"--device", "cuda"}),
                          {"train", "--resume", path("run"), "--epochs", "2", "--device", "cuda"},
                          {"evaluate", path("run"), "--device", "cuda"},
                          {"predict", path("run"), "--data", path("in.csv"), "--out",
                           path("out.csv"), "--device", "cuda"}}) {
    const Outcome outcome =
        refused(3, words,
                {"--device cuda: LibTorch ", "finds no CUDA device; expected cpu",
                 "a build against a LibTorch with CUDA"});
    EXPECT_EQ(outcome.out, "");
  }
  refused(3, {"evaluate", path("run"), "--device", "cuda:1"}, {"--device cuda:1: LibTorch "});
  EXPECT_FALSE(fs::exists(path("new")));
  EXPECT_FALSE(fs::exists(path("out.csv")));
  EXPECT_EQ(slurp(directory_ / "run" / "summary.json"), summary);
}

}  // namespace
}  // namespace afterspike
